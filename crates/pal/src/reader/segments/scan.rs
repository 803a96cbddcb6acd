//! Owns the reading of one segment file, section by section, up to the first that is not whole.

use crate::segment::{
    HEADER_BYTES, HeaderFault, SECTION_HEAD_BYTES, SectionHead, SectionKind, SegmentHeader,
};
use rustix::fs::OFlags;
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

/// The bytes that are read from a file at once. A guess: several blocks.
const BUFFER_BYTES: usize = 256 << 10;

/// A segment that is being read.
pub(super) struct Scan {
    file: BufReader<Place>,
    /// Where the next section begins.
    at: u64,
    bytes: u64,
    payload: Vec<u8>,
}

/// A whole section.
pub(super) struct Found<'a> {
    /// `None` for a kind that this version does not know.
    pub(super) kind: Option<SectionKind>,
    /// Where its payload is.
    pub(super) at: u64,
    pub(super) payload: &'a [u8],
}

/// Why a file cannot be read as a segment.
pub(super) enum Refused {
    Io(io::Error),
    Header(HeaderFault),
}

impl Refused {
    /// Whether there is no such file.
    pub(super) fn is_removed(&self) -> bool {
        matches!(self, Refused::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl Scan {
    /// Opens a file and reads its header.
    pub(super) fn open(path: &Path) -> Result<(Scan, SegmentHeader), Refused> {
        let file = open(path).map_err(Refused::Io)?;
        let file = Arc::new(file);
        let mut first = Vec::with_capacity(HEADER_BYTES);
        let at = Arc::clone(&file);
        let mut place = Place { file: at, at: 0 }.take(HEADER_BYTES as u64);
        place.read_to_end(&mut first).map_err(Refused::Io)?;
        let header = SegmentHeader::take(&first).map_err(Refused::Header)?;
        let scan = Scan::from(file, header.bytes).map_err(Refused::Io)?;
        Ok((scan, header))
    }

    /// Goes on in a file where a section begins.
    pub(super) fn from(file: Arc<File>, at: u64) -> io::Result<Scan> {
        let bytes = file.metadata()?.len();
        Ok(Scan {
            file: BufReader::with_capacity(BUFFER_BYTES, Place { file, at }),
            at,
            bytes,
            payload: Vec::new(),
        })
    }

    /// The next section; `None` at the file's end, or where what follows is not whole.
    pub(super) fn next(&mut self) -> Option<Found<'_>> {
        #[cfg(test)]
        tests::MEANWHILE.with_borrow(|meanwhile| meanwhile.iter().for_each(|act| act()));
        let mut head = [0; SECTION_HEAD_BYTES];
        self.file.read_exact(&mut head).ok()?;
        let head = SectionHead::take(&head)?;
        let payload_at = self.at + SECTION_HEAD_BYTES as u64;
        let end = payload_at + head.length as u64;
        if end > self.bytes {
            return None;
        }
        self.payload.resize(head.length, 0);
        self.file.read_exact(&mut self.payload).ok()?;
        if !head.holds(&self.payload) {
            return None;
        }
        self.at = end;
        Some(Found {
            kind: SectionKind::from_number(head.number),
            at: payload_at,
            payload: &self.payload,
        })
    }

    pub(super) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file.get_ref().file)
    }

    /// Where the last whole section ended.
    pub(super) fn at(&self) -> u64 {
        self.at
    }
}

/// A place in a file, which moves on as it is read; others read elsewhere in the same file.
struct Place {
    file: Arc<File>,
    at: u64,
}

impl Read for Place {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Opens a segment for reading, without waiting, should it be a pipe.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits() as i32)
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::ErrorKind::InvalidInput.into()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::RefCell;

    thread_local! {
        /// What is done before this thread reads a section.
        pub(in super::super) static MEANWHILE: RefCell<Option<Box<dyn Fn()>>> = const { RefCell::new(None) };
    }
}
