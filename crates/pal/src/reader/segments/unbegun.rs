//! Owns the question whether a process has just begun to spill where others left segments.

use super::find::{entries, is_named_as_segment};
use super::scan::Scan;
use crate::segment::is_named_by_spiller;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The directory of a process that spills now and has not written its first segment, where that process began last of
/// those whose directories are in `path`, or this is its own. [`Log::open`](super::super::Log::open) passes it over for
/// what one before has left, or finds nothing. `None` where there is none such, or where it cannot be seen.
///
/// ```
/// use glasshouse_pal::{Pal, reader::unbegun, spill::{Settings, Spiller}};
/// let place = tempfile::tempdir().expect("a temporary directory");
/// let dir = place.path().join("spill");
/// let mut spiller = Spiller::new(&Pal::memory(), Settings::new(&dir)).expect("made");
/// assert_eq!(unbegun(&dir).as_deref(), Some(spiller.path()));
/// spiller.finish();
/// assert_eq!(unbegun(&dir), None);
/// ```
pub fn unbegun(path: &Path) -> Option<PathBuf> {
    if !path.is_dir() {
        return None;
    }
    let mut within = entries(path).ok()?;
    if has_begun(&within) {
        return None;
    }
    if is_held(path) {
        return Some(path.to_owned());
    }
    // Names begin with the time at which their process's log began.
    while let Some(newest) = within.pop() {
        if newest.is_symlink() || !newest.is_dir() {
            continue;
        }
        // One that cannot be listed is another user's, or was removed since.
        let Ok(files) = entries(&newest) else {
            continue;
        };
        if has_begun(&files) {
            return None;
        }
        if is_held(&newest) {
            return Some(newest);
        }
    }
    None
}

/// Whether there is a segment among these files that can be read: the first has no header at first.
fn has_begun(files: &[PathBuf]) -> bool {
    let mut segments = files.iter().filter(|file| is_named_as_segment(file));
    match (segments.next(), segments.next()) {
        (None, _) => false,
        (Some(only), None) => Scan::open(only).is_ok(),
        (Some(_), Some(_)) => true,
    }
}

/// Whether a spiller has this directory for its own and lives.
fn is_held(dir: &Path) -> bool {
    if !is_named_by_spiller(dir) {
        return false;
    }
    let Ok(dir) = File::open(dir) else {
        return false;
    };
    // Let go of with the file. Where the file system has no locks, nobody is waited for: it might be for ever.
    flock(&dir, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pal;
    use crate::segment::segment_name;
    use crate::spill::{Settings, Spiller};

    #[test]
    fn who_began_last_is_unbegun_while_it_lives_and_has_no_segment_that_can_be_read() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let dir = place.path().join("spill");
        assert_eq!(unbegun(&dir), None, "there is no such place");
        let spiller = || Spiller::new(&Pal::memory(), Settings::new(&dir)).expect("made");
        let mut before = spiller();
        let _ = before.finish();
        assert_eq!(unbegun(&dir), None);
        let mut now = spiller();
        let own = now.path().to_owned();
        assert_eq!(unbegun(&dir).as_ref(), Some(&own));
        assert_eq!(unbegun(&own).as_ref(), Some(&own), "named itself");
        assert_eq!(unbegun(before.path()), None, "the other is named");
        // What is there before the header is.
        let first = own.join(segment_name(1));
        std::fs::write(&first, b"").expect("written");
        assert_eq!(unbegun(&dir).as_ref(), Some(&own));
        assert_eq!(unbegun(&first), None, "a file is no directory");
        std::fs::remove_file(&first).expect("removed");
        let _ = now.finish();
        assert_eq!(unbegun(&dir), None);
        let last = spiller();
        let own = last.path().to_owned();
        assert_eq!(unbegun(&dir).as_ref(), Some(&own));
        drop(last);
        assert_eq!(unbegun(&dir), None, "it ended without one");
        assert_eq!(unbegun(&own), None);
    }

    #[test]
    fn a_directory_that_somebody_else_locks_is_no_spillers() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let other = place.path().join("9-else");
        std::fs::create_dir(&other).expect("made");
        let held = File::open(&other).expect("opened");
        flock(&held, FlockOperation::LockExclusive).expect("locked");
        assert_eq!(unbegun(place.path()), None);
        assert_eq!(unbegun(&other), None);
    }
}
