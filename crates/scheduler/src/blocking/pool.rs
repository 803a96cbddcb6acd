//! Owns the threads that run jobs, and the queue in which jobs wait for one, first in first out.
//!
//! A thread is started when a job finds none idle, up to a bound, and ends when it has been idle for a while.

use crate::blocking::job::Run;
use crate::sync::{Condvar, Mutex, MutexGuard, thread, thread_local};
use crate::thread_names::ThreadNames;
use glasshouse_pal::catch;
use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::mem;
use std::ptr;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Threads at most, where the builder says nothing: blocking functions mostly wait, so there may be many more
/// than processors.
pub(crate) const MAX_THREADS: usize = 512;
/// How long an idle thread stays, where the builder says nothing: long enough for bursts to find it again.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(10);

thread_local! {
    /// The pool that this thread runs jobs for.
    static OWN: Cell<*const Core> = const { Cell::new(ptr::null()) };
}

/// What a builder says of a pool.
pub(crate) struct PoolSettings {
    pub(crate) names: ThreadNames,
    pub(crate) max_threads: usize,
    pub(crate) keep_alive: Duration,
}

/// The threads and their queue.
pub(crate) struct Pool {
    core: Arc<Core>,
}

struct Core {
    settings: PoolSettings,
    state: Mutex<State>,
    work: Condvar,
    /// Notified when a thread ends.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Arc<dyn Run>>,
    idle: usize,
    /// Threads in their loops: they look at the queue once more before they end.
    threads: usize,
    /// Threads on their way there.
    starting: usize,
    closed: bool,
}

impl Pool {
    pub(crate) fn new(settings: PoolSettings) -> Pool {
        Pool {
            core: Arc::new(Core {
                settings,
                state: Mutex::new(State::default()),
                work: Condvar::new(),
                ended: Condvar::new(),
            }),
        }
    }

    /// Queues a job. A pool that has been shut down drops it.
    ///
    /// # Errors
    /// When there is no thread and none can be started; the job is refused then.
    pub(crate) fn push(&self, job: Arc<dyn Run>) -> io::Result<()> {
        let mut state = self.core.lock();
        if state.closed {
            return Ok(());
        }
        state.jobs.push_back(Arc::clone(&job));
        // An idle thread that was notified already counts as idle until it runs: compare with the queue.
        let is_served = state.idle >= state.jobs.len();
        if is_served || state.threads + state.starting >= self.core.settings.max_threads {
            self.core.work.notify_one();
            return Ok(());
        }
        state.starting += 1;
        // The application names the thread: not under the lock, and it may panic.
        drop(state);
        let starting = Starting(&self.core);
        let core = Arc::clone(&self.core);
        let started = thread::Builder::new()
            .name(self.core.settings.names.blocking())
            .spawn(move || core.work());
        match started {
            Ok(_) => {
                mem::forget(starting);
                Ok(())
            }
            Err(error) => match starting.fail().iter().any(|left| Arc::ptr_eq(left, &job)) {
                true => Err(error),
                false => Ok(()),
            },
        }
    }

    /// Drops what was not started, and waits until `deadline` (none is for ever) for what was.
    pub(crate) fn shut_down(&self, deadline: Option<Instant>) {
        let mut state = self.core.lock();
        state.closed = true;
        let jobs = mem::take(&mut state.jobs);
        self.core.work.notify_all();
        // A function that ends its own scheduler does not wait for itself.
        let own = usize::from(OWN.with(Cell::get) == Arc::as_ptr(&self.core));
        while state.threads + state.starting > own {
            state = match deadline {
                None => self.core.wait(state),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        break;
                    }
                    self.core.wait_for(state, left)
                }
            };
        }
        drop(state);
        drop(jobs);
    }
}

/// A thread on its way. Dropped, it does not come.
struct Starting<'a>(&'a Core);

impl Starting<'_> {
    /// The thread does not come; the jobs that nobody is left to run are refused, others' among them. Returns them.
    fn fail(self) -> VecDeque<Arc<dyn Run>> {
        let left = self.0.thread_failed();
        mem::forget(self);
        left
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.0.thread_failed();
    }
}

impl Core {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.ended
            .wait(state)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for<'a>(&self, state: MutexGuard<'a, State>, left: Duration) -> MutexGuard<'a, State> {
        self.ended
            .wait_timeout(state, left)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// A thread on its way does not come. The jobs that waited for it are another's, or refused and returned.
    fn thread_failed(&self) -> VecDeque<Arc<dyn Run>> {
        let mut state = self.lock();
        state.starting -= 1;
        self.ended.notify_all();
        if state.threads + state.starting > 0 {
            self.work.notify_one();
            return VecDeque::new();
        }
        let left = mem::take(&mut state.jobs);
        drop(state);
        for job in &left {
            job.refuse();
        }
        left
    }

    /// Waits until there may be a job. Whether an idle thread's time is over.
    #[cfg(not(glasshouse_loom))]
    fn wait_for_work<'a>(&self, state: MutexGuard<'a, State>) -> (MutexGuard<'a, State>, bool) {
        let (state, waited) = self
            .work
            .wait_timeout(state, self.settings.keep_alive)
            .unwrap_or_else(PoisonError::into_inner);
        (state, waited.timed_out())
    }

    /// Loom has no clock: a thread stays for ever, or for so short a time that it hears of no notification.
    #[cfg(glasshouse_loom)]
    fn wait_for_work<'a>(&'a self, state: MutexGuard<'a, State>) -> (MutexGuard<'a, State>, bool) {
        if self.settings.keep_alive == KEEP_ALIVE {
            let state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            return (state, false);
        }
        drop(state);
        thread::yield_now();
        (self.lock(), true)
    }

    /// The body of a pool thread.
    fn work(self: Arc<Core>) {
        OWN.with(|own| own.set(Arc::as_ptr(&self)));
        let mut state = self.lock();
        state.starting -= 1;
        state.threads += 1;
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // The job contains its function's panic; this is for what a waker or a drop may do.
                let _ = catch(move || {
                    job.run();
                    drop(job);
                });
                state = self.lock();
                continue;
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            let (woken, is_over) = self.wait_for_work(state);
            state = woken;
            state.idle -= 1;
            if is_over && state.jobs.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        self.ended.notify_all();
    }
}
