//! Owns the reasons for which a log cannot be read.

use std::io;
use std::path::PathBuf;

/// Why a log cannot be read. The message says what is wrong, where, and what helps.
///
/// ```
/// use glasshouse_pal::reader::{Log, OpenError};
/// let refused = Log::open("/dev/null".as_ref());
/// assert!(matches!(refused, Err(OpenError::NotALog { .. })));
/// ```
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened or read.
    #[error("cannot read the log {}: {source}; name a file that this user may read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{} is not a log: it does not begin with GLASSPAL; name a log that `glasshouse ps` lists", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// It was written on a machine of the other byte order.
    #[error("{} was written in another byte order; read it on a machine like the one that wrote it", path.display())]
    ByteOrder {
        /// The file.
        path: PathBuf,
    },
    /// It was written by a later release.
    #[error(
        "{} has the format {major}.{minor} and this program reads 1.x; read it with a later release",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The format's major version.
        major: u32,
        /// The format's minor version.
        minor: u32,
    },
    /// The file's end is missing.
    #[error(
        "{} is cut short: {found_bytes} of {expected_bytes} bytes are there; copy it again, \
         whole, with `cp --sparse=always`",
        path.display()
    )]
    CutShort {
        /// The file.
        path: PathBuf,
        /// The length that the header states.
        expected_bytes: u64,
        /// The length of the file.
        found_bytes: u64,
    },
    /// The header contradicts itself.
    #[error("{} is damaged at byte {offset}: {what}; nothing in it can be relied on", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A directory of segments was there and is not any more.
    #[error(
        "{} is not there any more, and its process may spill on; name the place where its segments are now",
        path.display()
    )]
    Moved {
        /// The directory.
        path: PathBuf,
    },
    /// A directory holds no segments.
    #[error(
        "{} is not a log: it holds no segments; name a log, or the directory that a program spills to",
        path.display()
    )]
    NoSegments {
        /// The directory.
        path: PathBuf,
    },
}
