//! Owns the end of a scheduler.
//!
//! ```text
//!   RUNNING ──shutdown──► DRAINING (tasks go on; the caller waits) ──► CLOSED (spawns are refused)
//! ```
//!
//! Once CLOSED, each worker leaves its loop after the tick it is in. The last to leave is alone with the
//! tasks, and cancels what is left, each in a tick of its own. A thread outside says that it spawns before it
//! looks at the phase; who changes the phase waits until those who may have missed it are done, and so does
//! the last worker, so no task comes in after that.

use crate::runtime::context::Worker;
use crate::runtime::entered;
use crate::runtime::root::inline_worker;
use crate::runtime::shared::{Shape, Shared};
use crate::runtime::{abort, tick::After};
use crate::sync::{self, AtomicU8, AtomicUsize, Ordering, seq_cst_under_loom};
use crate::task::Task;
use glasshouse_pal::TaskEvent;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How a shutdown ended.
///
/// ```
/// use glasshouse_scheduler::{Builder, Shutdown};
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// assert_eq!(scheduler.shutdown(std::time::Duration::from_secs(1)), Shutdown::Clean);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Shutdown {
    /// Every default task ended by itself within the time. System tasks, which serve the others, were
    /// cancelled then.
    Clean,
    /// The time was over first: what was left was cancelled.
    Timeout,
}

/// Where a scheduler is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
pub(crate) enum Phase {
    Running,
    Draining,
    Closed,
}

/// The phase, and who waits for it to pass.
pub(crate) struct PhaseCell {
    phase: AtomicU8,
    /// Threads outside the workers that are spawning.
    spawning: AtomicUsize,
    /// Workers still in their loops.
    running: AtomicUsize,
    /// Workers whose threads have not come to their end.
    alive: Mutex<usize>,
    changed: Condvar,
}

/// A spawn from outside that is under way.
pub(crate) struct Gate<'a>(&'a AtomicUsize);

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Proof that all other workers of a closed scheduler have left their loops for good: nobody but the
/// holder's thread finishes tasks.
pub(crate) struct LastWorker(());

/// How much longer than its time a shutdown waits for workers to cancel what is left, before it takes
/// them to be stuck in a poll and returns without them. A guess.
const GRACE: Duration = Duration::from_secs(1);

impl PhaseCell {
    pub(crate) fn new(workers: usize) -> PhaseCell {
        PhaseCell {
            phase: AtomicU8::new(Phase::Running as u8),
            spawning: AtomicUsize::new(0),
            running: AtomicUsize::new(workers),
            alive: Mutex::new(workers),
            changed: Condvar::new(),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        // SeqCst: see `gate`.
        self.phase.load(Ordering::SeqCst) == Phase::Closed as u8
    }

    /// Held by a thread outside the workers while it spawns. It must look at the phase after this.
    pub(crate) fn gate(&self) -> Gate<'_> {
        // SeqCst, as the store and the load in `set`: either the spawner sees the phase, or the closer
        // sees the spawner.
        self.spawning.fetch_add(1, Ordering::SeqCst);
        seq_cst_under_loom();
        Gate(&self.spawning)
    }

    /// Changes the phase, and waits until no thread outside is in the middle of a spawn that did not see
    /// it. Spawns are short, but may call a subscriber's code: hence no lock.
    pub(crate) fn set(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
        self.wait_for_spawners();
    }

    fn wait_for_spawners(&self) {
        seq_cst_under_loom();
        while self.spawning.load(Ordering::SeqCst) != 0 {
            sync::thread::yield_now();
        }
    }

    /// A default task ended: whoever waits for the last one looks again.
    pub(crate) fn task_ended(&self) {
        if self.phase.load(Ordering::Relaxed) == Phase::Draining as u8 {
            self.announce(|_| {});
        }
    }

    fn announce(&self, change: impl FnOnce(&mut usize)) {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut alive);
        self.changed.notify_all();
    }

    /// A worker has left its loop. The last one must drain.
    pub(crate) fn worker_left(&self) -> Option<LastWorker> {
        // AcqRel: the last one sees all that the others did with the tasks.
        let is_last = self.running.fetch_sub(1, Ordering::AcqRel) == 1;
        is_last.then(|| {
            // It may have seen the phase before who changed it has waited for them.
            self.wait_for_spawners();
            LastWorker(())
        })
    }

    /// Threads that could not be started count as workers that came to their end.
    pub(crate) fn workers_missing(&self, count: usize) {
        self.running.fetch_sub(count, Ordering::AcqRel);
        self.announce(|alive| *alive -= count);
    }

    /// A worker's thread is about to end.
    pub(crate) fn worker_ended(&self) {
        self.announce(|alive| *alive -= 1);
    }

    /// Waits until `done` (given the number of live workers), or until `deadline`; none is never.
    fn wait(&self, deadline: Option<Instant>, done: impl Fn(usize) -> bool) -> bool {
        /// The count of tasks and the phase are read without a lock by the one who announces: a look now
        /// and then makes up for an announcement that came just before.
        const LOOK_AGAIN: Duration = Duration::from_millis(20);
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if done(*alive) {
                return true;
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            let nap = left.map_or(LOOK_AGAIN, |left| left.min(LOOK_AGAIN));
            alive = self
                .changed
                .wait_timeout(alive, nap)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// Ends the scheduler. Without a timeout it cancels at once, and waits for its workers as long as it takes.
pub(crate) fn shut_down(
    shared: &Arc<Shared>,
    threads: Vec<thread::JoinHandle<()>>,
    timeout: Option<Duration>,
) -> Shutdown {
    // A worker that ended its own scheduler by a drop in a task would wait for itself: it closes it, and
    // the workers go by themselves after their ticks.
    let on_own_worker = entered::with_worker_of(Arc::as_ptr(shared), |worker| {
        worker.is_some_and(|w| w.index.is_some())
    });
    let timeout = if on_own_worker {
        Some(Duration::ZERO)
    } else {
        timeout
    };
    let grace = if on_own_worker { Duration::ZERO } else { GRACE };
    let allowed = timeout.unwrap_or_default();
    shared
        .hub
        .event(TaskEvent::ShutdownBegin { timeout: allowed });
    shared.phase.set(Phase::Draining);
    let (clean, deadline, is_empty) = match shared.shape {
        Shape::Threads => {
            // A time beyond the clock's reach is for ever.
            let deadline = Instant::now().checked_add(allowed);
            let clean = shared.phase.wait(deadline, |_| shared.live.is_empty());
            shared.phase.set(Phase::Closed);
            shared.unpark_all();
            let patience = timeout.map(|_| Instant::now() + grace);
            let is_empty = shared.phase.wait(patience, |alive| alive == 0);
            (clean, patience, is_empty)
        }
        Shape::Local | Shape::Deterministic { .. } => {
            let worker = inline_worker(shared);
            let clean = match shared.shape {
                Shape::Deterministic { .. } => worker.run_out(allowed),
                Shape::Threads | Shape::Local => worker.run_until_ended(allowed),
            };
            shared.phase.set(Phase::Closed);
            // There is no other worker.
            worker.drain(&LastWorker(()));
            (clean, timeout.map(|_| Instant::now() + GRACE), true)
        }
    };
    // Until here: who waits for ever for a stuck task wants to know.
    shared.watchdog.dismiss();
    if is_empty {
        // The watchdog may be who shuts down, from what it calls at a stall.
        let here = thread::current().id();
        for thread in threads.into_iter().filter(|it| it.thread().id() != here) {
            // A worker contains the panics of its tasks; one of its own was printed by the hook.
            let _ = thread.join();
        }
    }
    for remote in &shared.remotes {
        remote.timers.close();
    }
    shared.blocking.shut_down(deadline);
    shared.hub.event(TaskEvent::ShutdownComplete { clean });
    shared.hub.close();
    if clean {
        Shutdown::Clean
    } else {
        Shutdown::Timeout
    }
}

impl Worker {
    /// Cancels every task that is left.
    pub(crate) fn drain(&self, last: &LastWorker) {
        loop {
            let left = self.shared.registry.all(last);
            if left.is_empty() {
                return;
            }
            left.iter().for_each(abort);
            drop(left);
            while let Some(task) = self.next_left() {
                if let After::Ready { task, throttled } = self.tick(task, |task, cx| task.poll(cx))
                {
                    self.push_back(task, throttled);
                }
            }
        }
    }

    fn next_left(&self) -> Option<Task> {
        self.next_task()
            .or_else(|| self.steal().map(|task| self.taken(task)))
    }

    /// Runs what is left in virtual time, as far as `allowed` reaches. Whether all default tasks ended.
    fn run_out(&self, allowed: Duration) -> bool {
        let clock = self.shared.hub.clock();
        let allowed_ns = u64::try_from(allowed.as_nanos()).unwrap_or(u64::MAX);
        let end = clock.now().saturating_add(clock.ticks(allowed_ns));
        loop {
            if self.shared.live.is_empty() {
                return true;
            }
            if allowed.is_zero() || clock.now() > end {
                return false;
            }
            self.take_turn();
            if let Some(task) = self.next_task() {
                let _ = self.run_task(task, |task, cx| task.poll(cx));
            } else if let Some(deadline) = self.next_deadline().filter(|&deadline| deadline <= end)
            {
                clock.set(deadline.max(clock.now()));
                self.seam.refresh();
            } else {
                clock.set(end);
                self.seam.refresh();
                return false;
            }
        }
    }

    fn next_deadline(&self) -> Option<u64> {
        self.remote()?.timers.next()
    }
}
