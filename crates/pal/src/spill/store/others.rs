//! Owns the segments that other processes left in the same directory: those of processes that have ended count, and are
//! the first to go. A directory that was left empty goes at once.

use crate::segment::{HEADER_BYTES, SEGMENT_EXTENSION, SegmentHeader, is_named_by_spiller};
use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, fstat, openat};
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
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
        self.left.clear();
        for dir in paths(&self.parent) {
            if dir == self.own {
                continue;
            }
            let Some(_lock) = lock(&dir) else { continue };
            let segments = segments(&dir);
            match segments.iter().find_map(|(path, _)| header(path)) {
                Some(header) if !header.process.is_alive() => self.left.extend(segments),
                Some(_) => {}
                None => remove_stub(&dir, &segments),
            }
        }
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

/// A directory that is locked.
struct Locked(OwnedFd);

impl Drop for Locked {
    fn drop(&mut self) {
        // A child that was forked meanwhile has the descriptor, too, and would keep what is only closed here.
        let _ = flock(&self.0, FlockOperation::Unlock);
    }
}

/// Locks a directory whose spiller has ended. That holds the lock for as long as it lives: a process in another
/// container that shares the directory looks dead from here, as its number means nothing here; its lock does not.
fn lock(dir: &Path) -> Option<Locked> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = openat(CWD, dir, flags, Mode::empty()).ok()?;
    flock(&fd, FlockOperation::NonBlockingLockExclusive).ok()?;
    let locked = Locked(fd);
    // Who removed it first had the lock: what has its name now is another.
    (fstat(&locked.0).ok()?.st_nlink > 0).then_some(locked)
}

/// Removes what a spiller left that ended before it wrote a byte: a directory without segments, or with an empty one.
/// Should it have been about to lock its directory, it makes another.
fn remove_stub(dir: &Path, segments: &[(PathBuf, u64)]) {
    if !is_named_by_spiller(dir) || segments.iter().any(|(_, bytes)| *bytes > 0) {
        return;
    }
    for (path, _) in segments {
        let _ = std::fs::remove_file(path);
    }
    // With anything else in it, it stays.
    let _ = std::fs::remove_dir(dir);
}

fn header(path: &Path) -> Option<SegmentHeader> {
    let mut first = [0; HEADER_BYTES];
    File::open(path).ok()?.read_exact(&mut first).ok()?;
    SegmentHeader::take(&first).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_was_looked_at_is_free_again_though_a_child_was_forked_meanwhile() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let locked = lock(place.path()).expect("free");
        // As a child has it.
        let _copy = locked.0.try_clone().expect("a descriptor");
        assert!(lock(place.path()).is_none());
        drop(locked);
        assert!(lock(place.path()).is_some());
    }
}
