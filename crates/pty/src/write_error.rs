//! Owns the reasons why input does not reach a session's program.

use std::io;
use thiserror::Error;

/// Why not all of the input was taken.
///
/// ```
/// use glasshouse_pty::WriteError;
/// let error = WriteError::Ended { written_bytes: 3 };
/// assert_eq!(error.to_string(), "the session ended after it took 3 bytes: start another");
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The session has ended.
    #[error("the session ended after it took {written_bytes} bytes: start another")]
    Ended {
        /// The bytes that the terminal took. The program may not have read them.
        written_bytes: usize,
    },
    /// The terminal refused.
    #[error("the terminal refused input after {written_bytes} bytes: {source}")]
    Terminal {
        /// The bytes that the terminal took. The program may not have read them.
        written_bytes: usize,
        /// What the system said.
        source: io::Error,
    },
}
