//! Owns the directory that segments are in: whether it is still there, whether its spiller goes on, and which segment
//! is the next.

use super::find;
use crate::clock::Clock;
use crate::host::ProcessId;
use crate::reader::source::is_locked;
use crate::segment::{segment_name, segment_number};
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where the segments of one log are.
#[derive(Debug)]
pub(super) struct Home {
    dir: PathBuf,
    /// The directory, whatever its name is; `None` where it could not be asked.
    identity: Option<(u64, u64)>,
    /// Whether one segment was asked for, and none behind it.
    pub(super) is_one: bool,
}

impl Home {
    /// That of these files; `path` is what the user called them.
    pub(super) fn of(path: &Path, files: &[PathBuf]) -> Home {
        let parent = files.first().and_then(|file| file.parent());
        let dir = match parent {
            Some(dir) if dir != Path::new("") => dir.to_owned(),
            _ => PathBuf::from("."),
        };
        Home {
            identity: identity(&dir),
            dir,
            is_one: files.iter().any(|file| file == path),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    /// Whether the same directory still has its name.
    pub(super) fn is_there(&self) -> bool {
        self.identity.is_some() && identity(&self.dir) == self.identity
    }

    /// Whether this process's spiller goes on here. It holds the lock as long as it lives; a copy of a directory has none.
    pub(super) fn is_spilled_to_by(&self, process: &ProcessId) -> bool {
        let may_run = process.is_alive() || process.is_of_this_boot() && process.is_elsewhere();
        may_run && File::open(&self.dir).is_ok_and(|dir| is_locked(&dir))
    }

    /// Whether one segment was asked for, this one, and there is one behind it.
    pub(super) fn is_one_with_next(&self, path: &Path, number: u64) -> bool {
        let number = segment_number(path).unwrap_or(number);
        self.is_one && self.next(number, || true).is_some()
    }

    /// The segment behind the one with this number. Only who lists finds one that does not follow at once, because those
    /// between were removed.
    pub(super) fn next(
        &self,
        number: u64,
        may_list: impl FnOnce() -> bool,
    ) -> Option<(u64, PathBuf)> {
        let next = number.checked_add(1)?;
        let path = self.dir.join(segment_name(next));
        if path.exists() {
            return Some((next, path));
        }
        if !may_list() {
            return None;
        }
        let mut later = find::numbered(&self.dir);
        later.retain(|(found, _)| *found > number);
        later.into_iter().min()
    }
}

fn identity(dir: &Path) -> Option<(u64, u64)> {
    let of = |metadata: Metadata| (metadata.dev(), metadata.ino());
    std::fs::metadata(dir).ok().map(of)
}

/// Two changes that are closer in time may carry the same time. A guess: several times the kernel's coarsest tick.
const SAME_TIME_NS: u64 = 100_000_000;

/// When a directory was listed last, so that it is not listed at each look.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    /// The directory's time of change then.
    changed: Option<(i64, i64)>,
    /// When it is to be listed once more, for what came with the same time of change.
    again_ns: Option<u64>,
}

impl Listed {
    /// Whether the directory may hold other files than when this was asked last.
    pub(super) fn is_stale(&mut self, home: &Home) -> bool {
        let of = |metadata: Metadata| (metadata.mtime(), metadata.mtime_nsec());
        let changed = std::fs::metadata(&home.dir).ok().map(of);
        let now_ns = Clock::monotonic().now();
        if changed != self.changed {
            self.changed = changed;
            self.again_ns = Some(now_ns + SAME_TIME_NS);
            return true;
        }
        self.again_ns.take_if(|due| now_ns >= *due).is_some()
    }
}
