//! Owns what the caller of a run may choose.

use crate::cancel::Cancel;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

/// How long a command that was asked to end may take to do so. A guess: what a person waits after Ctrl-C
/// before pressing it again.
pub const GRACE_DEFAULT: Duration = Duration::from_secs(2);

/// How to run a flow.
///
/// ```
/// use glasshouse_flow::{Cancel, Options};
/// let cancel = Cancel::new();
/// let options = Options { cancel: cancel.clone(), ..Options::default() };
/// cancel.cancel();
/// assert!(options.cancel.is_cancelled());
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// Ends the run early. Of its own for each run.
    pub cancel: Cancel,
    /// How long a command that was asked to end may take to do so before it is killed.
    pub grace: Duration,
    /// The limit of [`DEFAULT_LANE`](crate::DEFAULT_LANE) in a flow that does not declare it.
    pub default_limit: NonZeroUsize,
}

impl Default for Options {
    /// No end but its own, [`GRACE_DEFAULT`], and as many nodes at a time as there are processors.
    fn default() -> Options {
        Options {
            cancel: Cancel::new(),
            grace: GRACE_DEFAULT,
            default_limit: available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }
}
