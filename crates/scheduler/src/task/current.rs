//! Owns what a task can ask and say about itself while it runs.

use crate::runtime::entered;
use crate::task::{BoundedText, Id};
use std::fmt::Display;

/// The id of the task that is running.
///
/// # Panics
/// Outside of a task; [`try_id`] does not.
///
/// ```
/// let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
/// let id = scheduler.block_on(async { glasshouse_scheduler::task::id() });
/// assert_eq!(id.number(), 1);
/// ```
pub fn id() -> Id {
    try_id().expect(
        "task::id() was called outside of a task; call it in a future that a scheduler runs",
    )
}

/// The id of the task that is running, if one is.
pub fn try_id() -> Option<Id> {
    entered::with_worker(|worker| worker.and_then(|worker| worker.current()))
}

/// Says that the running task fails, and why: when it ends, the log has `Failed(error)` with this text in
/// the place of `Done`. Its join handle still gives the future's output. The text is cut to 256 bytes;
/// the last call counts. Outside of a task it does nothing.
///
/// ```
/// # let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
/// # scheduler.block_on(async {
/// glasshouse_scheduler::spawn(async { glasshouse_scheduler::task::fail("exit code 3") });
/// # });
/// ```
pub fn fail(error: impl Display) {
    entered::with_worker(|worker| {
        if let Some(worker) = worker {
            worker.fail_current(BoundedText::of(&error).as_str());
        }
    });
}
