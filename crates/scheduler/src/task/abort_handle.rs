//! Owns the handle that can abort a task and does not wait for it.

use crate::blocking::Cancel;
use crate::runtime;
use crate::task::{Counted, Id, Stats};
use std::fmt;
use std::sync::Arc;

/// The right to abort a task. Dropping it does nothing; unlike a [`JoinHandle`](crate::JoinHandle) it can be
/// cloned.
///
/// ```
/// use glasshouse_scheduler::{Builder, spawn, task::AbortHandle};
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     let task = spawn(std::future::pending::<()>());
///     let abort: AbortHandle = task.abort_handle();
///     abort.abort();
///     assert!(task.await.unwrap_err().is_cancelled());
///     assert!(abort.is_finished());
/// });
/// ```
#[derive(Clone)]
pub struct AbortHandle {
    id: Id,
    /// None for a task that was refused.
    task: Option<Counted>,
    /// The blocking function that the task waits for.
    job: Option<Arc<dyn Cancel>>,
}

impl AbortHandle {
    pub(super) fn new(id: Id, task: Option<Counted>, job: Option<Arc<dyn Cancel>>) -> AbortHandle {
        AbortHandle { id, task, job }
    }

    /// Cancels the task as [`JoinHandle::abort`](crate::JoinHandle::abort) does; nothing once it has ended.
    pub fn abort(&self) {
        if let Some(task) = &self.task
            && self.job.as_ref().is_none_or(|job| job.cancel())
        {
            runtime::abort(task);
        }
    }

    /// Whether the task has ended. An abort takes effect at the task's next tick: right after it this may
    /// still be false.
    pub fn is_finished(&self) -> bool {
        self.task
            .as_ref()
            .is_none_or(|task| task.state.load().is_complete())
    }

    /// Where the task's life has gone until now, as [`JoinHandle::stats`](crate::JoinHandle::stats) has it.
    pub fn stats(&self) -> Option<Stats> {
        Stats::of(self.task.as_ref()?)
    }

    /// The task's id, which is also its number in the log.
    pub fn id(&self) -> Id {
        self.id
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle")
            .field("id", &self.id)
            .field("finished", &self.is_finished())
            .finish()
    }
}
