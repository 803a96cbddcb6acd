//! Owns the end of what was read of segments: the place where the next section will be.

use super::gather::Gathered;
use super::notes::Notes;
use super::scan::Scan;
use super::shelf::SegmentFile;
use crate::segment::segment_number;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

/// The segment that was read last, as far as it was written.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    path: PathBuf,
    /// By its name, which is what its spiller goes by.
    pub(super) number: u64,
    /// The file, which stays readable when it is removed, and where its next section begins. `None` while it has no
    /// header.
    open: Option<(Arc<File>, u64)>,
}

impl Tail {
    /// Behind the last section of a file that was read; `number` is what its header says.
    pub(super) fn of(path: PathBuf, number: u64, scan: &Scan) -> Tail {
        Tail {
            number: segment_number(&path).unwrap_or(number),
            path,
            open: Some((scan.file(), scan.at())),
        }
    }

    /// The beginning of a file.
    pub(super) fn before(number: u64, path: PathBuf) -> Tail {
        let open = None;
        Tail { path, number, open }
    }

    /// The file, for those who are to read the blocks that come next.
    pub(super) fn file(&self) -> Option<SegmentFile> {
        let (file, _) = self.open.as_ref()?;
        Some(SegmentFile {
            number: self.number,
            path: self.path.clone(),
            file: Some(Arc::clone(file)),
        })
    }

    /// Takes in the sections that are whole by now.
    pub(super) fn read(&mut self, gathered: &mut Gathered, notes: &mut Notes) {
        let scan = match &self.open {
            Some((file, at)) if length(file) > *at => Scan::from(Arc::clone(file), *at).ok(),
            Some(_) => None,
            None => self.begin(gathered),
        };
        if let Some(mut scan) = scan {
            gathered.read(&mut scan, notes);
            self.open = Some((scan.file(), scan.at()));
        }
    }

    /// Reads the header; `None` where there is none yet, or that of another log.
    fn begin(&self, gathered: &mut Gathered) -> Option<Scan> {
        let (scan, header) = Scan::open(&self.path).ok()?;
        if !gathered.header.is_of_same_log(&header) {
            return None;
        }
        gathered.begin(&self.path, &header, &scan);
        Some(scan)
    }

    /// Nothing more is written to it.
    pub(super) fn end(&self, gathered: &mut Gathered) {
        match &self.open {
            Some((file, at)) => match length(file).checked_sub(*at) {
                Some(rest_bytes) => gathered.end(rest_bytes),
                None => gathered.take_back(),
            },
            None => gathered.damaged_segments += 1,
        }
    }

    /// Whether the file was removed, as the oldest are.
    pub(super) fn is_removed(&self) -> bool {
        match &self.open {
            Some((file, _)) => file.metadata().is_ok_and(|metadata| metadata.nlink() == 0),
            None => !self.path.exists(),
        }
    }
}

fn length(file: &File) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}
