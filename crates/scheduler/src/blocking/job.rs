//! Owns one blocking function from its spawn to its result.
//!
//! ```text
//!          run                    returns or panics          the task takes it
//! QUEUED ───────► RUNNING ───────────────────────► ENDED ───────────────────► GONE
//!   │ │ refuse ───────────────────────────────────► ENDED, with a panic that says why
//!   │ cancel         └─ the task is dropped ───────────────────────────────────► ▲
//!   └──────► CANCELLED ──── the task is dropped, and the function with it ───────┘
//! ```
//!
//! The pool's queue, the task and the handles share a job. A thread of the pool runs the function once, if it
//! still finds it QUEUED; a function that is never run is dropped with its task, by a worker.

use glasshouse_pal::{Foreign, catch, contain};
use std::future::Future;
use std::mem;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

/// A function, and where it is in its life.
pub(super) struct Job<F, R> {
    state: Mutex<State<F, R>>,
}

enum State<F, R> {
    Queued { f: F, waker: Option<Waker> },
    Cancelled(F),
    Running(Option<Waker>),
    Ended(thread::Result<R>),
    Gone,
}

/// A job as the pool sees it.
pub(crate) trait Run: Send + Sync {
    /// Runs the function, unless it was cancelled.
    fn run(&self);
    /// There is no thread to run it: its task ends with a panic that says so, unless it was cancelled.
    fn refuse(&self);
}

/// A job as its handles see it.
pub(crate) trait Cancel: Send + Sync {
    /// Takes the job out of the queue. Whether it had not begun: else it goes on, and its result stands.
    fn cancel(&self) -> bool;
}

impl<F, R> Job<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    pub(super) fn new(f: F) -> Arc<Job<F, R>> {
        Arc::new(Job {
            state: Mutex::new(State::Queued { f, waker: None }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<F, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves on from what `step` takes. What it returns is dropped without the lock: it may be foreign code.
    fn step<A>(&self, step: impl FnOnce(State<F, R>) -> (State<F, R>, A)) -> A {
        let mut state = self.lock();
        let (next, action) = step(mem::replace(&mut *state, State::Gone));
        *state = next;
        action
    }
}

impl<F, R> Run for Job<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    fn run(&self) {
        let f = self.step(|state| match state {
            State::Queued { f, waker } => (State::Running(waker), Some(f)),
            other => (other, None),
        });
        let Some(f) = f else {
            return;
        };
        let result = catch(f);
        let (waker, unwanted) = self.step(|state| match state {
            State::Running(waker) => (State::Ended(result), (waker, None)),
            other => (other, (None, Some(result))),
        });
        if let Some(waker) = waker {
            waker.wake();
        }
        drop(unwanted);
    }

    fn refuse(&self) {
        let (unrun, waker) = self.step(|state| match state {
            State::Queued { f, waker } => {
                let why = Box::new("no thread for this blocking function could be started");
                (State::Ended(Err(why)), (Some(f), waker))
            }
            other => (other, (None, None)),
        });
        contain(Foreign::Value, move || drop(unrun));
        if let Some(waker) = waker {
            contain(Foreign::Waker, move || waker.wake());
        }
    }
}

impl<F, R> Cancel for Job<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    fn cancel(&self) -> bool {
        let (is_cancelled, waker) = self.step(|state| match state {
            State::Queued { f, waker } => (State::Cancelled(f), (true, waker)),
            other => (other, (false, None)),
        });
        drop(waker);
        is_cancelled
    }
}

/// The future of the task that waits for a job. A panic of the function goes on in it.
pub(super) struct Waiting<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    job: Arc<Job<F, R>>,
}

impl<F, R> Waiting<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    pub(super) fn new(job: Arc<Job<F, R>>) -> Waiting<F, R> {
        Waiting { job }
    }

    /// What the function returned, or what its panic carried.
    pub(super) fn poll_result(&mut self, cx: &mut Context<'_>) -> Poll<thread::Result<R>> {
        let own = cx.waker().clone();
        let (ended, _old) = self.job.step(|state| match state {
            State::Queued { f, waker } => {
                let waiting = State::Queued {
                    f,
                    waker: Some(own),
                };
                (waiting, (None, waker))
            }
            State::Running(waker) => (State::Running(Some(own)), (None, waker)),
            State::Ended(result) => (State::Gone, (Some(result), None)),
            // The abort that follows a cancel ends the task.
            State::Cancelled(f) => (State::Cancelled(f), (None, None)),
            State::Gone => (State::Gone, (None, None)),
        });
        ended.map_or(Poll::Pending, Poll::Ready)
    }
}

impl<F, R> Future for Waiting<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        self.poll_result(cx)
            .map(|result| result.unwrap_or_else(|payload| resume_unwind(payload)))
    }
}

impl<F, R> Drop for Waiting<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send,
{
    fn drop(&mut self) {
        // Whatever is left is dropped here, without the lock: a function that never ran, or a result.
        let left = self.job.step(|state| (State::Gone, state));
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Counts on its thread how often one was dropped.
    struct Counted;
    thread_local! {
        static DROPS: Cell<u32> = const { Cell::new(0) };
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            DROPS.set(DROPS.get() + 1);
        }
    }

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_job_is_run_once_and_its_result_taken_once() {
        let job = Job::new(|| 5);
        let mut waiting = Waiting::new(Arc::clone(&job));
        assert_eq!(poll(&mut waiting), Poll::Pending);
        job.run();
        job.run();
        assert!(!job.cancel(), "it had begun");
        assert_eq!(poll(&mut waiting), Poll::Ready(5));
        assert_eq!(poll(&mut waiting), Poll::Pending);
    }

    #[test]
    fn a_refused_job_does_not_run_and_its_task_panics() {
        DROPS.set(0);
        let held = Counted;
        let job = Job::new(move || drop(held));
        let mut waiting = Waiting::new(Arc::clone(&job));
        assert_eq!(poll(&mut waiting), Poll::Pending);
        job.refuse();
        job.run();
        assert_eq!(DROPS.get(), 1, "its function was dropped");
        let polled = catch(|| poll(&mut waiting));
        let why = polled.unwrap_err();
        assert_eq!(
            why.downcast_ref(),
            Some(&"no thread for this blocking function could be started")
        );
    }

    #[test]
    fn a_cancelled_job_does_not_run_and_its_function_is_dropped_with_the_task() {
        DROPS.set(0);
        let held = Counted;
        let job = Job::new(move || {
            let _held = held;
            panic!("it was cancelled");
        });
        let mut waiting: Waiting<_, ()> = Waiting::new(Arc::clone(&job));
        assert_eq!(poll(&mut waiting), Poll::Pending);
        assert!(job.cancel());
        assert!(!job.cancel());
        job.run();
        assert_eq!(DROPS.get(), 0);
        drop(waiting);
        assert_eq!(DROPS.get(), 1);
    }

    #[test]
    fn a_result_that_nobody_waits_for_is_dropped_when_the_function_returns() {
        DROPS.set(0);
        let job = Job::new(|| Counted);
        let begun = Job::new({
            let job = Arc::clone(&job);
            move || {
                drop(Waiting::new(job));
                Counted
            }
        });
        let waiting = Waiting::new(Arc::clone(&begun));
        begun.run();
        drop(waiting);
        assert_eq!(DROPS.get(), 1);
        job.run();
        assert_eq!(DROPS.get(), 1, "its task was dropped before it began");
    }
}
