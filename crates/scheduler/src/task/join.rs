//! Owns the handle by which a task's result is awaited.

use crate::blocking::Cancel;
use crate::runtime::{self, Refused, SpawnError, context};
use crate::task::joining::Joining;
use crate::task::{AbortHandle, Counted, Id, JoinError, Stats, coop};
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

/// The result of a task, in time. Dropping it lets the task go on by itself.
///
/// ```
/// let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
/// let answer = scheduler.block_on(async {
///     glasshouse_scheduler::spawn(async { 6 * 7 }).await.unwrap()
/// });
/// assert_eq!(answer, 42);
/// ```
pub struct JoinHandle<T> {
    id: Id,
    inner: Inner<T>,
}

enum Inner<T> {
    Task(Joining<T>),
    /// The task of a blocking function. Boxed, so that other handles are no larger for it.
    Job(Box<(Joining<T>, Arc<dyn Cancel>)>),
    Denied {
        capacity: usize,
    },
    /// Refused because the scheduler has ended.
    Cancelled,
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(joining: Joining<T>) -> JoinHandle<T> {
        JoinHandle {
            id: joining.task().trace().id(),
            inner: Inner::Task(joining),
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
        }
    }

    /// The task's id, which is also its number in the log.
    pub fn id(&self) -> Id {
        self.id
    }

    /// A handle that can abort the task, and does not wait for it.
    pub fn abort_handle(&self) -> AbortHandle {
        let job = match &self.inner {
            Inner::Job(job) => Some(Arc::clone(&job.1)),
            Inner::Task(_) | Inner::Denied { .. } | Inner::Cancelled => None,
        };
        AbortHandle::new(self.id, self.task().cloned(), job)
    }

    /// Cancels the task: it is dropped at its next tick, and this handle gives `is_cancelled`. A task
    /// that is running finishes its poll first; if that completes it, its output stands. So does that of a
    /// blocking function which has begun.
    pub fn abort(&self) {
        match &self.inner {
            Inner::Task(joining) => runtime::abort(joining.task()),
            Inner::Job(job) if job.1.cancel() => runtime::abort(job.0.task()),
            Inner::Job(_) | Inner::Denied { .. } | Inner::Cancelled => {}
        }
    }

    /// Whether the result is there: awaiting the handle would not wait.
    pub fn is_finished(&self) -> bool {
        self.task()
            .is_none_or(|task| task.state.load().is_complete())
    }

    /// Where the task's life has gone until now. `None` once it has ended, when its times are in the log alone;
    /// for one that was refused; and for one that found no room in the log's table. Right while the task makes
    /// a transition, the span of time that ends may be missing or be counted twice.
    pub fn stats(&self) -> Option<Stats> {
        Stats::of(self.task()?)
    }

    fn task(&self) -> Option<&Counted> {
        match &self.inner {
            Inner::Task(joining) => Some(joining.task()),
            Inner::Job(job) => Some(job.0.task()),
            Inner::Denied { .. } | Inner::Cancelled => None,
        }
    }

    /// Whether there never was a task.
    pub(crate) fn is_refused(&self) -> bool {
        self.task().is_none()
    }

    /// The task waits for this job: aborting it cancels the job, or has no effect once that has begun.
    pub(crate) fn stands_for(&mut self, job: Arc<dyn Cancel>) {
        self.inner = match mem::replace(&mut self.inner, Inner::Cancelled) {
            Inner::Task(joining) => Inner::Job(Box::new((joining, job))),
            other => other,
        };
    }

    /// The result if it is there; else `waker` is woken when it is.
    pub(super) fn take_or_leave(&mut self, waker: &Waker) -> Poll<Result<T, JoinError>> {
        match &mut self.inner {
            Inner::Task(joining) => joining.poll(waker),
            Inner::Job(job) => job.0.poll(waker),
            Inner::Denied { capacity } => Poll::Ready(Err(JoinError::denied(self.id, *capacity))),
            Inner::Cancelled => Poll::Ready(Err(JoinError::cancelled(self.id))),
        }
    }

    /// Whether the result is there; if not, `waker` is woken when it is.
    pub(super) fn is_finished_or_leave(&mut self, waker: &Waker) -> bool {
        match &mut self.inner {
            Inner::Task(joining) => joining.is_complete_or_left(waker),
            Inner::Job(job) => job.0.is_complete_or_left(waker),
            Inner::Denied { .. } | Inner::Cancelled => true,
        }
    }
}

// The output lies in the task, never in the handle.
impl<T> Unpin for JoinHandle<T> {}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    /// # Panics
    /// When polled again after it gave its result.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(coop::poll_proceed(cx));
        let polled = self.take_or_leave(cx.waker());
        if polled.is_pending() {
            context::claim_join(self.id);
        } else {
            coop::made_progress();
        }
        polled
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
