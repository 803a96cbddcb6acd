//! Owns where a scheduler is on the way to its end, and how its tasks are cancelled.
//!
//! ```text
//!   RUNNING ──shutdown──► DRAINING (tasks go on; the caller waits) ──► CLOSED (spawns are refused)
//! ```
//!
//! Once CLOSED, each worker leaves its loop after the tick it is in. The last to leave is alone with the
//! tasks, and cancels what is left, each in a tick of its own. A thread outside says that it spawns before it
//! looks at the phase; who closes it waits until those who may have missed that are done, and so does
//! the last worker, so no task comes in after that.

use crate::runtime::context::Worker;
use crate::runtime::ending::Bequest;
use crate::runtime::root::InlineWorker;
use crate::runtime::{abort, tick::After};
use crate::sync::{self, AtomicU8, AtomicUsize, Ordering, seq_cst_under_loom};
use crate::task::Task;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
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
    /// The time was over first: what was left was cancelled, or left behind with a worker that is stuck.
    Timeout,
}

impl Shutdown {
    pub(super) fn of(clean: bool) -> Shutdown {
        if clean {
            Shutdown::Clean
        } else {
            Shutdown::Timeout
        }
    }
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
    /// What the last to leave must do.
    bequest: Mutex<Option<Bequest>>,
}

/// A spawn from outside that is under way.
pub(crate) struct Gate<'a>(Option<&'a AtomicUsize>);

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        if let Some(spawning) = self.0 {
            spawning.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Proof that all other workers of a closed scheduler have left their loops for good: nobody but the
/// holder's thread finishes tasks.
pub(crate) struct LastWorker(());

/// Tasks that the last worker aborts between two signs that it gets on: a fraction of a millisecond's work. A
/// guess.
const SHOWN_EVERY: usize = 1024;

impl PhaseCell {
    pub(crate) fn new(workers: usize) -> PhaseCell {
        PhaseCell {
            phase: AtomicU8::new(Phase::Running as u8),
            spawning: AtomicUsize::new(0),
            running: AtomicUsize::new(workers),
            alive: Mutex::new(workers),
            changed: Condvar::new(),
            bequest: Mutex::new(None),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        // SeqCst: see `gate`.
        self.phase.load(Ordering::SeqCst) == Phase::Closed as u8
    }

    /// Held by a thread outside the workers while it spawns. It must look at the phase after this.
    pub(crate) fn gate(&self) -> Gate<'_> {
        if self.is_closed() {
            // It will see that. Counted, threads that try again and again would hold the closer up for ever.
            return Gate(None);
        }
        // SeqCst, as the store and the load in `set`: either the spawner sees the phase, or the closer
        // sees the spawner.
        self.spawning.fetch_add(1, Ordering::SeqCst);
        seq_cst_under_loom();
        Gate(Some(&self.spawning))
    }

    /// Changes the phase. When it closes, waits until no thread outside is in the middle of a spawn that did not
    /// see it. Spawns are short, but may call a subscriber's code: hence no lock.
    pub(crate) fn set(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
        // While it drains spawns go on: a moment without any may never come.
        if phase == Phase::Closed {
            self.wait_for_spawners();
        }
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
            self.nudge();
        }
    }

    /// Something changed that a shutdown may wait for.
    pub(super) fn nudge(&self) {
        self.announce(|_| {});
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

    /// Workers whose threads have not come to their end.
    pub(crate) fn alive(&self) -> usize {
        *self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the last step of the shutdown to whoever is the last to leave. Before the scheduler closes, or by
    /// one who is still there.
    pub(super) fn bequeath(&self, bequest: Bequest) {
        *self.bequest() = Some(bequest);
    }

    /// The last step, if it was left to who is last and nobody is there any more.
    pub(super) fn inherit(&self, has_no_guests: impl FnOnce() -> bool) -> Option<Bequest> {
        // Looked at under the lock: of those who leave at once, the one who comes second sees both gone.
        let mut bequest = self.bequest();
        bequest.take_if(|_| self.alive() == 0 && has_no_guests())
    }

    fn bequest(&self) -> MutexGuard<'_, Option<Bequest>> {
        self.bequest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `done` (given the number of live workers), or until `deadline`; none is never.
    pub(super) fn wait(&self, deadline: Option<Instant>, done: impl Fn(usize) -> bool) -> bool {
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

impl InlineWorker {
    /// Cancels every task that is left: the one worker of a closed scheduler is alone with them.
    pub(super) fn drain_alone(&self) {
        self.drain(&LastWorker(()));
    }
}

impl Worker {
    /// Cancels every task that is left.
    pub(crate) fn drain(&self, last: &LastWorker) {
        loop {
            let mut left = 0_usize;
            for task in self.shared.registry.all(last) {
                if left.is_multiple_of(SHOWN_EVERY) {
                    // The boundary shows a shutdown whose time is over that this worker gets on.
                    self.seam.refresh();
                }
                abort(&task);
                left += 1;
            }
            if left == 0 {
                return;
            }
            while let Some(task) = self.next_left() {
                if let After::Ready { task, throttled } = self.tick(task, Task::poll) {
                    self.push_back(task, throttled);
                }
            }
        }
    }

    fn next_left(&self) -> Option<Task> {
        let theirs = || {
            let mut remotes = self.shared.remotes.iter();
            let next = remotes.find_map(|remote| remote.default.next().take());
            next.or_else(|| self.steal())
        };
        self.next_task()
            .or_else(|| theirs().map(|task| self.taken(task)))
    }
}
