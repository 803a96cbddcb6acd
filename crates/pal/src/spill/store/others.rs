//! Owns the segments that other processes left in the same directory: those of processes that have ended count, and are
//! the first to go.

use crate::segment::{HEADER_BYTES, SEGMENT_EXTENSION, SegmentHeader};
use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, openat};
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What is left of processes that have ended.
pub(super) struct Others {
    parent: PathBuf,
    own: PathBuf,
    /// The oldest first.
    left: VecDeque<(PathBuf, u64)>,
}

impl Others {
    pub(super) fn new(parent: PathBuf, own: PathBuf) -> Others {
        let mut others = Others {
            parent,
            own,
            left: VecDeque::new(),
        };
        others.look();
        others
    }

    /// Looks what there is.
    pub(super) fn look(&mut self) {
        let dirs = paths(&self.parent)
            .into_iter()
            .filter(|path| *path != self.own);
        self.left = dirs
            .filter(|dir| is_left(dir))
            .flat_map(|dir| segments(&dir))
            .collect();
    }

    /// What they take together.
    pub(super) fn bytes(&self) -> u64 {
        self.left.iter().map(|(_, bytes)| *bytes).sum()
    }

    /// Removes the oldest; whether there was one.
    pub(super) fn remove_oldest(&mut self) -> bool {
        let Some((path, _)) = self.left.pop_front() else {
            return false;
        };
        // Another process may have removed it first. The directory goes with its last segment.
        let _ = std::fs::remove_file(&path);
        if let Some(dir) = path.parent() {
            let _ = std::fs::remove_dir(dir);
        }
        true
    }
}

/// What is in a directory, by name.
fn paths(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
}

fn segments(dir: &Path) -> Vec<(PathBuf, u64)> {
    let named = |path: &PathBuf| path.extension().is_some_and(|end| end == SEGMENT_EXTENSION);
    let sized = |path: PathBuf| {
        let metadata = std::fs::symlink_metadata(&path).ok()?;
        metadata.is_file().then_some((path, metadata.len()))
    };
    paths(dir)
        .into_iter()
        .filter(named)
        .filter_map(sized)
        .collect()
}

/// Whether a directory is a spiller's whose process has ended. That holds a lock for as long as it lives: a process in
/// another container that shares the directory looks dead from here, as its number means nothing here; its lock does
/// not.
fn is_left(dir: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(fd) = openat(CWD, dir, flags, Mode::empty()) else {
        return false;
    };
    if flock(&fd, FlockOperation::NonBlockingLockExclusive).is_err() {
        return false;
    }
    let first = segments(dir)
        .into_iter()
        .find_map(|(path, _)| header(&path));
    first.is_some_and(|header| !header.process.is_alive())
}

fn header(path: &Path) -> Option<SegmentHeader> {
    let mut first = [0; HEADER_BYTES];
    File::open(path).ok()?.read_exact(&mut first).ok()?;
    SegmentHeader::take(&first).ok()
}
