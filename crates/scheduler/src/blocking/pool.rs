//! Owns the threads that run jobs, and the queues in which jobs wait for one, first in first out: one for the users'
//! functions and one for the runtime's own steps.
//!
//! Of each kind only so many run at a time, so that neither waits for the other: functions that hold all their threads
//! do not keep the runtime from its work, nor does a slow step take a thread from them. Any thread runs either.
//!
//! A thread is started when those that are there are fewer than the jobs that may run, and ends when it has been idle for
//! a while. Each job that may run has a thread that will look: one that its queueing notified or started, or the one
//! that ended the job before it. All look at both queues, so that it does not matter which finds which.

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

/// Functions that run at most, where the builder says nothing: they mostly wait, so there may be many more than
/// processors.
pub(crate) const MAX_THREADS: usize = 512;
/// Steps of the runtime that run at most: as many as there are system tasks that take any.
const MAX_STEPS: usize = 1;
/// How long an idle thread stays, where the builder says nothing: long enough for bursts to find it again.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(10);

thread_local! {
    /// The pool that this thread runs jobs for.
    static OWN: Cell<*const Core> = const { Cell::new(ptr::null()) };
}

/// What a builder says of a pool.
pub(crate) struct PoolSettings {
    pub(crate) names: ThreadNames,
    /// For functions.
    pub(crate) max_threads: usize,
    pub(crate) keep_alive: Duration,
}

/// The threads and their queues.
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

struct State {
    functions: Queue,
    steps: Queue,
    /// Threads in their loops: they look at the queues once more before they end.
    threads: usize,
    /// Threads on their way there.
    starting: usize,
    closed: bool,
}

/// What a job is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The users': it may take for ever.
    Function,
    /// The runtime's own.
    Step,
}

/// The jobs of one kind.
struct Queue {
    waiting: VecDeque<Arc<dyn Run>>,
    running: usize,
    max_running: usize,
}

impl Pool {
    pub(crate) fn new(settings: PoolSettings) -> Pool {
        Pool {
            core: Arc::new(Core {
                state: Mutex::new(State::new(settings.max_threads)),
                settings,
                work: Condvar::new(),
                ended: Condvar::new(),
            }),
        }
    }

    /// Queues a job. A pool that has been shut down drops it.
    ///
    /// # Errors
    /// When there is no thread and none can be started; the job is refused then. So is a step when functions hold what
    /// threads there are.
    pub(crate) fn push(&self, kind: Kind, job: Arc<dyn Run>) -> io::Result<()> {
        let mut state = self.core.lock();
        if state.closed {
            return Ok(());
        }
        state.queue(kind).waiting.push_back(Arc::clone(&job));
        if !state.lacks_threads() {
            if state.queue(kind).may_start() {
                self.core.work.notify_one();
            }
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
        let jobs = state.take_waiting();
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
    fn fail(self) -> Vec<Arc<dyn Run>> {
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
    fn thread_failed(&self) -> Vec<Arc<dyn Run>> {
        let mut state = self.lock();
        state.starting -= 1;
        self.ended.notify_all();
        let left = match state.threads + state.starting {
            0 => state.take_waiting(),
            // Functions that run may never end, and a step can be taken another time.
            all if all == state.functions.running => state.steps.waiting.drain(..).collect(),
            _ => Vec::new(),
        };
        self.work.notify_one();
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
            if let Some((kind, job)) = state.start_next() {
                drop(state);
                // The job contains its function's panic; this is for what a waker or a drop may do.
                let _ = catch(move || {
                    job.run();
                    drop(job);
                });
                state = self.lock();
                state.queue(kind).running -= 1;
                continue;
            }
            if state.closed {
                break;
            }
            let (woken, is_over) = self.wait_for_work(state);
            state = woken;
            if is_over && !state.has_work() {
                break;
            }
        }
        state.threads -= 1;
        self.ended.notify_all();
    }
}

impl State {
    fn new(max_functions: usize) -> State {
        State {
            functions: Queue::new(max_functions),
            steps: Queue::new(MAX_STEPS),
            threads: 0,
            starting: 0,
            closed: false,
        }
    }

    fn queue(&mut self, kind: Kind) -> &mut Queue {
        match kind {
            Kind::Function => &mut self.functions,
            Kind::Step => &mut self.steps,
        }
    }

    /// Whether a job that may run has no thread, be it one on its way.
    fn lacks_threads(&self) -> bool {
        self.threads + self.starting < self.functions.wanted() + self.steps.wanted()
    }

    /// Whether a thread that is free has something to do.
    fn has_work(&self) -> bool {
        self.functions.may_start() || self.steps.may_start()
    }

    /// The next job is running.
    fn start_next(&mut self) -> Option<(Kind, Arc<dyn Run>)> {
        [Kind::Step, Kind::Function]
            .into_iter()
            .find_map(|kind| Some((kind, self.queue(kind).start()?)))
    }

    /// All that has not been started.
    fn take_waiting(&mut self) -> Vec<Arc<dyn Run>> {
        let functions = self.functions.waiting.drain(..);
        functions.chain(self.steps.waiting.drain(..)).collect()
    }
}

impl Queue {
    fn new(max_running: usize) -> Queue {
        Queue {
            waiting: VecDeque::new(),
            running: 0,
            max_running,
        }
    }

    /// The threads for all that runs or may start.
    fn wanted(&self) -> usize {
        self.max_running.min(self.running + self.waiting.len())
    }

    fn may_start(&self) -> bool {
        self.wanted() > self.running
    }

    fn start(&mut self) -> Option<Arc<dyn Run>> {
        if !self.may_start() {
            return None;
        }
        self.running += 1;
        self.waiting.pop_front()
    }
}
