//! Owns the segment files of one spiller: their names, their turn, and what they take together.
//!
//! ```text
//! <directory>/                                                 0700, locked by nobody
//!     <log's begin, ms since 1970>-<pid>-<start time>/         0700, locked while its spiller lives
//!         00000001.seg  00000002.seg  …                        0600; the last one is open
//! ```

mod others;

use super::settings::{Settings, SpillError};
use crate::create::CreateError;
use crate::dir::LogDir;
use crate::fork::OwnFile;
use crate::host::ProcessId;
use crate::segment::segment_name;
use others::Others;
use rustix::fs::{
    AtFlags, FlockOperation, Mode, OFlags, fdatasync, flock, fstat, fsync, mkdirat, openat,
    unlinkat,
};
use rustix::io::{Errno, retry_on_intr};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// The directories of one process, each but the first of another scheduler, or of a program that executed the next.
const DIRS_OF_ONE_PROCESS: u32 = 64;

pub(super) struct Store {
    /// This spiller's own directory; locked.
    dir: OwnFile<OwnedFd>,
    path: PathBuf,
    segment_bytes: u64,
    total_bytes: u64,
    /// The segments that were closed, the oldest first: their numbers and their bytes.
    closed: VecDeque<(u64, u64)>,
    closed_bytes: u64,
    open: Option<Open>,
    /// The last segment's number.
    number: u64,
    others: Others,
}

/// The segment that is being written.
struct Open {
    file: OwnFile<File>,
    bytes: u64,
    /// Whether something was written since the last flush.
    is_dirty: bool,
}

impl Store {
    /// Makes the spiller's directory.
    pub(super) fn new(
        settings: &Settings,
        process: ProcessId,
        begun_wall_ns: u64,
    ) -> Result<Store, SpillError> {
        let refused = |source| SpillError::Dir {
            path: settings.dir.clone(),
            source,
        };
        let opened = LogDir::at(&settings.dir).open();
        let parent = opened.map_err(|error| match error {
            CreateError::Untrusted(untrusted) => SpillError::Untrusted(untrusted),
            CreateError::Open { source, .. } => refused(source),
            other => refused(io::Error::other(other)),
        })?;
        let stem = format!(
            "{:013}-{}-{}",
            begun_wall_ns / 1_000_000,
            process.pid,
            process.start_time
        );
        let (name, dir) = make_own(&parent, &stem).map_err(refused)?;
        let path = settings.dir.join(&name);
        Ok(Store {
            others: Others::new(settings.dir.clone(), path.clone()),
            dir,
            path,
            segment_bytes: settings.segment_bytes,
            total_bytes: settings.total_bytes,
            closed: VecDeque::new(),
            closed_bytes: 0,
            open: None,
            number: 0,
        })
    }

    /// This spiller's directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether so many more bytes make the open segment too large.
    pub(super) fn is_full_with(&self, bytes: u64) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| open.bytes + bytes > self.segment_bytes)
    }

    /// Makes the next segment and returns its number.
    pub(super) fn begin(&mut self) -> io::Result<u64> {
        self.close()?;
        self.others.look();
        let number = self.number + 1;
        // Exclusive: never another's file; no link followed: never a place that another chose.
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = openat(
            &*self.dir,
            segment_name(number),
            flags,
            Mode::RUSR | Mode::WUSR,
        )?;
        self.open = Some(Open {
            file: OwnFile::new(File::from(fd)),
            bytes: 0,
            is_dirty: true,
        });
        self.number = number;
        if let Err(error) = fsync(&*self.dir) {
            // Nobody writes its header after this: what followed would be lost without a word.
            let _ = self.close();
            return Err(error.into());
        }
        Ok(number)
    }

    /// Appends to the open segment. After an error it is closed, without what was not written whole.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.try_append(bytes);
        if written.is_err() {
            // A reader would find the torn end by itself.
            let cut = |open: &Open| open.file.set_len(open.bytes);
            let _ = self.open.as_ref().map(cut);
            let _ = self.close();
        }
        written
    }

    fn try_append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.make_room(bytes.len() as u64)?;
        let Some(open) = &mut self.open else {
            return Err(io::Error::other("no segment is open"));
        };
        open.is_dirty = true;
        (&*open.file).write_all(bytes)?;
        open.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Flushes what was written to the disk.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if let Some(open) = &mut self.open
            && open.is_dirty
        {
            fdatasync(&*open.file)?;
            open.is_dirty = false;
            if fstat(&*open.file)?.st_nlink == 0 {
                self.open = None;
                return Err(io::Error::other("somebody removed the open segment"));
            }
        }
        Ok(())
    }

    /// Ends the open segment.
    pub(super) fn close(&mut self) -> io::Result<()> {
        let flushed = self.flush();
        if let Some(open) = self.open.take() {
            if open.bytes == 0 {
                // Not even its header could be written. What cannot be removed keeps its number.
                if self.remove(self.number).is_ok() {
                    self.number -= 1;
                }
                return flushed;
            }
            self.closed_bytes += open.bytes;
            self.closed.push_back((self.number, open.bytes));
        }
        flushed
    }

    /// Removes the oldest segments until there is room for so many bytes more.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        let open = self.open.as_ref().map_or(0, |open| open.bytes);
        loop {
            let total = self.others.bytes() + self.closed_bytes + open + bytes;
            if total <= self.total_bytes {
                return Ok(());
            }
            if self.others.remove_oldest() {
                continue;
            }
            let Some((number, bytes)) = self.closed.pop_front() else {
                return Err(io::Error::other("one segment alone takes the total"));
            };
            // Who else removed it made room as well.
            let _ = self.remove(number);
            self.closed_bytes -= bytes;
        }
    }

    /// Removes a segment, wherever the directory is by now.
    fn remove(&self, number: u64) -> io::Result<()> {
        Ok(unlinkat(
            &*self.dir,
            segment_name(number),
            AtFlags::empty(),
        )?)
    }
}

/// Makes and locks a directory of this name in `parent`, or of one with a number behind it.
fn make_own(parent: &OwnedFd, stem: &str) -> io::Result<(String, OwnFile<OwnedFd>)> {
    for number in 1..=DIRS_OF_ONE_PROCESS {
        let name = match number {
            1 => stem.to_owned(),
            number => format!("{stem}-{number:02}"),
        };
        match mkdirat(parent, &name, Mode::RWXU) {
            Ok(()) => {}
            Err(Errno::EXIST) => continue,
            Err(error) => return Err(error.into()),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = match openat(parent, &name, flags, Mode::empty()) {
            // As below.
            Err(Errno::NOENT) => continue,
            dir => OwnFile::new(dir?),
        };
        // Held until the process ends, see `others`: who looks there for what is left holds it for a moment. Where the
        // file system has no locks, nobody is taken to have ended.
        let _ = retry_on_intr(|| flock(&*dir, FlockOperation::LockExclusive));
        if fstat(&*dir)?.st_nlink == 0 {
            // It was taken for an empty one that is left.
            continue;
        }
        fsync(parent)?;
        return Ok((name, dir));
    }
    Err(io::Error::other(
        "this process has spilled here too often; name another directory",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::CWD;

    #[test]
    fn a_segment_whose_name_may_not_last_is_none() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let settings = Settings::new(place.path().join("spill"));
        let mut store = Store::new(&settings, ProcessId::current(), 5).expect("made");
        // Through a descriptor that only names it, files can be made, and nothing can be flushed.
        let named = OFlags::PATH | OFlags::CLOEXEC;
        let named = openat(CWD, store.path(), named, Mode::empty()).expect("there");
        let whole = std::mem::replace(&mut store.dir, OwnFile::new(named));
        assert!(store.begin().is_err());
        assert!(!store.is_open());
        assert!(store.append(b"a block without a header").is_err());
        let files = || std::fs::read_dir(&store.path).expect("there").count();
        assert_eq!(files(), 0);
        store.dir = whole;
        assert_eq!(store.begin().expect("made"), 1);
    }
}
