//! Owns the handle by which a task's result is awaited.

use crate::runtime::{self, Refused, SpawnError, context};
use crate::task::JoinError;
use crate::task::raw::Counted;
use glasshouse_pal::TaskId;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The result of a task, in time. Dropping it lets the task go on by itself.
///
/// ```
/// let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
/// let answer = scheduler.block_on(async {
///     glasshouse_scheduler::spawn(async { 6 * 7 }).await.unwrap()
/// });
/// assert_eq!(answer, 42);
/// ```
#[must_use = "dropping the handle detaches the task; await it for the result"]
pub struct JoinHandle<T> {
    id: TaskId,
    inner: Inner,
    output: PhantomData<fn() -> T>,
}

enum Inner {
    Task(Counted),
    Denied {
        capacity: usize,
    },
    /// Refused because the scheduler has ended.
    Cancelled,
}

impl<T> JoinHandle<T> {
    /// The handle that `allocate` made the second reference for; `T` must be the task's output.
    pub(crate) fn new(task: Counted) -> JoinHandle<T> {
        JoinHandle {
            id: task.trace().id(),
            inner: Inner::Task(task),
            output: PhantomData,
        }
    }

    /// The handle of a task that was refused.
    pub(crate) fn refused<F>(refused: Refused<F>) -> JoinHandle<T> {
        let inner = match refused.error {
            SpawnError::AtCapacity { capacity, .. } => Inner::Denied { capacity },
            SpawnError::Closed { .. } => Inner::Cancelled,
        };
        JoinHandle {
            id: refused.id,
            inner,
            output: PhantomData,
        }
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Cancels the task: it is dropped at its next tick, and this handle gives `is_cancelled`. A task
    /// that is running finishes its poll first; if that completes it, its output stands.
    pub fn abort(&self) {
        if let Inner::Task(task) = &self.inner {
            runtime::abort(task);
        }
    }

    /// Whether the result is there: awaiting the handle would not wait.
    pub fn is_finished(&self) -> bool {
        match &self.inner {
            Inner::Task(task) => task.state.load().is_complete(),
            Inner::Denied { .. } | Inner::Cancelled => true,
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    /// When polled again after it gave its result.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &self.inner {
            Inner::Task(task) => {
                // SAFETY: `T` is the output of the task this handle was made for, and there is one handle.
                let polled = unsafe { task.poll_join::<T>(cx.waker()) };
                if polled.is_pending() {
                    context::claim_join(self.id);
                }
                polled
            }
            Inner::Denied { capacity } => Poll::Ready(Err(JoinError::denied(self.id, *capacity))),
            Inner::Cancelled => Poll::Ready(Err(JoinError::cancelled(self.id))),
        }
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Inner::Task(task) = &self.inner {
            task.drop_join_handle();
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id)
            .field("finished", &self.is_finished())
            .finish()
    }
}
