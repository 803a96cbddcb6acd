//! Owns what a spiller is told, and what it refuses.

use crate::dir::UntrustedDir;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A segment is closed at this size. A guess: some millions of records, which a reader finds its way in at once.
const SEGMENT_BYTES: u64 = 16 << 20;
/// A segment is closed at this age. A guess.
const SEGMENT_AGE: Duration = Duration::from_secs(600);
/// What a spiller keeps: hours of a busy process, weeks of one that is mostly idle. A guess.
const TOTAL_BYTES: u64 = 1 << 30;
/// Half of what a power cut may lose. A guess.
const FLUSH: Duration = Duration::from_secs(1);
/// The smallest segment: below it the header and the names would be most of it.
const SEGMENT_BYTES_MIN: u64 = 4096;

/// Where a spiller writes, and how much.
///
/// ```
/// use glasshouse_pal::spill::Settings;
/// let settings = Settings { total_bytes: 64 << 20, ..Settings::new("/var/tmp/edge") };
/// assert_eq!(settings.segment_bytes, 16 << 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The directory, which is made if need be, readable by this user only. Each process has a directory of its own in
    /// it.
    pub dir: PathBuf,
    /// A segment is closed when the next records would take it beyond so many bytes; 16 MiB by default.
    pub segment_bytes: u64,
    /// A segment is closed when it is so old; ten minutes by default.
    pub segment_age: Duration,
    /// What all segments take together, those of processes that have ended included; 1 GiB by default. The oldest are
    /// removed, those of other running processes never, which do not count.
    pub total_bytes: u64,
    /// How many bytes a second may be written on average; without limit by default. Windows beyond it are left out, and
    /// told as gaps.
    pub bytes_per_second: Option<u64>,
    /// What has settled is written, and flushed to the disk, at least so often; each second by default. A record is
    /// there after two such times at the latest.
    pub flush: Duration,
}

impl Settings {
    /// Everything by default, in this directory.
    pub fn new(dir: impl Into<PathBuf>) -> Settings {
        Settings {
            dir: dir.into(),
            segment_bytes: SEGMENT_BYTES,
            segment_age: SEGMENT_AGE,
            total_bytes: TOTAL_BYTES,
            bytes_per_second: None,
            flush: FLUSH,
        }
    }

    pub(super) fn check(&self) -> Result<(), SpillError> {
        let refuse = |what| Err(SpillError::Setting { what });
        if self.segment_bytes < SEGMENT_BYTES_MIN {
            return refuse("a segment of less than 4096 bytes holds next to nothing; give it more");
        }
        if self.total_bytes / 2 < self.segment_bytes {
            return refuse(
                "the total has no room for two segments; raise it, or make segments smaller",
            );
        }
        if self.segment_age.is_zero() || self.flush.is_zero() {
            return refuse(
                "an age or a flush interval of zero leaves no time to write; give it a length",
            );
        }
        if self.bytes_per_second == Some(0) {
            return refuse("a budget of 0 bytes a second keeps nothing; leave the spiller out");
        }
        Ok(())
    }
}

/// Why there can be no spiller.
///
/// ```
/// use glasshouse_pal::{Pal, spill::{Settings, SpillError, Spiller}};
/// let refused = Spiller::new(&Pal::off(), Settings::new("/tmp/nowhere"));
/// assert!(matches!(refused, Err(SpillError::NoLog)));
/// ```
#[derive(Debug, thiserror::Error)]
pub enum SpillError {
    /// There is no log whose records it could keep.
    #[error(
        "the log is off, and there is nothing to spill; leave GLASSHOUSE_PAL=off out, or the spiller"
    )]
    NoLog,
    /// The log is that of the process which forked this one.
    #[error(
        "the log is that of the process which forked this one, and nothing of this one is in it; make the spiller, or \
         the scheduler, with what Pal::process returns here"
    )]
    OfParent,
    /// The log's time is virtual.
    #[error(
        "the log's clock is virtual, and nothing would tell when to write; spill a log in real time"
    )]
    VirtualClock,
    /// A setting cannot be followed.
    #[error("{what}")]
    Setting {
        /// Which, and the remedy.
        what: &'static str,
    },
    /// Others could put files into the directory, or could read the log there.
    #[error(transparent)]
    Untrusted(#[from] UntrustedDir),
    /// The directory cannot be used.
    #[error("cannot spill to {}: {source}; name a directory that is this user's alone", path.display())]
    Dir {
        /// The directory.
        path: PathBuf,
        /// What the kernel says, or what is wrong with it.
        source: io::Error,
    },
}
