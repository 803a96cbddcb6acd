//! Owns the threads that run blocking functions, apart from the workers.
//!
//! Jobs wait in one queue, first in first out. A thread is started when a job finds none idle, up to a
//! bound, and ends when it has been idle for a while.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Threads at most: blocking functions mostly wait, so there may be many more than processors.
pub(crate) const MAX_THREADS: usize = 512;
/// How long an idle thread stays: long enough for bursts to find it again.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// The threads and their queue.
pub(crate) struct Pool {
    core: Arc<Core>,
    name: String,
}

struct Core {
    state: Mutex<State>,
    work: Condvar,
    /// Notified when a thread ends.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    idle: usize,
    threads: usize,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(name: String) -> Pool {
        Pool {
            core: Arc::new(Core {
                state: Mutex::new(State::default()),
                work: Condvar::new(),
                ended: Condvar::new(),
            }),
            name,
        }
    }

    /// Queues `f`, and gives its result in time. The future stays pending for ever if the pool is closed
    /// before the job was started: its task is cancelled then.
    pub(crate) fn run<R: Send + 'static>(
        &self,
        f: impl FnOnce() -> R + Send + 'static,
    ) -> Running<R> {
        let slot = Arc::new(Mutex::new(Slot::Waiting(None)));
        let fill = Arc::downgrade(&slot);
        self.push(Box::new(move || {
            // Nobody waits any more: its task was cancelled before the job began.
            if fill.strong_count() == 0 {
                return;
            }
            let result = catch_unwind(AssertUnwindSafe(f));
            let Some(slot) = fill.upgrade() else {
                return;
            };
            let before = std::mem::replace(&mut *lock(&slot), Slot::Done(result));
            if let Slot::Waiting(Some(waker)) = before {
                waker.wake();
            }
        }));
        Running { slot }
    }

    fn push(&self, job: Job) {
        let mut state = self.core.lock();
        if state.closed {
            return;
        }
        state.jobs.push_back(job);
        // An idle thread that was notified already counts as idle until it runs: compare with the queue.
        if state.idle >= state.jobs.len() || state.threads >= MAX_THREADS {
            self.core.work.notify_one();
            return;
        }
        state.threads += 1;
        let core = self.core.clone();
        let thread = thread::Builder::new()
            .name(format!("{}-blocking", self.name))
            .spawn(move || core.work());
        if thread.is_err() {
            // No thread to be had: the others take the job, and if there are none the next push tries again.
            state.threads -= 1;
            self.core.work.notify_one();
        }
    }

    /// Drops what was not started, and waits until `deadline` (none is for ever) for what was.
    pub(crate) fn shut_down(&self, deadline: Option<Instant>) {
        let mut state = self.core.lock();
        state.closed = true;
        let jobs = std::mem::take(&mut state.jobs);
        self.core.work.notify_all();
        while state.threads > 0 {
            let left = match deadline {
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
                None => KEEP_ALIVE,
            };
            if left.is_zero() {
                break;
            }
            state = self
                .core
                .ended
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(state);
        drop(jobs);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Core {
    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The body of a pool thread.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // The job contains its function's panic; this is for what its result's drop may do.
                let _ = catch_unwind(AssertUnwindSafe(job));
                state = self.lock();
                continue;
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let (woken, waited) = self
                .work
                .wait_timeout(state, KEEP_ALIVE)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        self.ended.notify_all();
    }
}

enum Slot<R> {
    Waiting(Option<Waker>),
    Done(thread::Result<R>),
    Taken,
}

/// A job's result, in time. A panic of the job goes on in the task that waits for it.
pub(crate) struct Running<R> {
    slot: Arc<Mutex<Slot<R>>>,
}

impl<R> Future for Running<R> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let mut slot = lock(&self.slot);
        match &mut *slot {
            Slot::Waiting(waker) => {
                *waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Slot::Done(_) | Slot::Taken => {}
        }
        let done = std::mem::replace(&mut *slot, Slot::Taken);
        drop(slot);
        match done {
            Slot::Done(Ok(result)) => Poll::Ready(result),
            Slot::Done(Err(payload)) => resume_unwind(payload),
            Slot::Waiting(_) | Slot::Taken => {
                unreachable!("the future is polled by one task, and not after its end")
            }
        }
    }
}
