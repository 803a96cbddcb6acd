//! Owns who sleeps and who searches, and argues that no wake-up is lost.
//!
//! A thread that makes a task ready pushes it, then looks here; a worker that finds nothing says here
//! that it sleeps, then looks at the queues once more. Between the two steps of each stands a
//! sequentially consistent fence, so at least one of them sees the other: either the pusher finds the
//! sleeper, or the sleeper finds the task.
//!
//! A worker that pushes to its own queue spares the fence: it looks at once without one, which finds whoever
//! has slept for more than a moment, and again once it has taken its next task. That is an exchange, and as
//! good as a fence. What the first look overlooks waits for the tick under way, and no longer than the watchdog
//! lets a task wait behind one.
//!
//! While somebody searches, pushers wake nobody: the searcher owes them one more look. It pays when it
//! finds work (the last searcher to stop wakes another worker, which searches on) or when it goes to
//! sleep (it looks at every queue after it has said so).

use crate::sync::{
    AtomicBool, AtomicU32, Mutex, MutexGuard, Ordering, fence, fence_after_exchange,
};
use std::sync::PoisonError;

const SEARCHING: u32 = 1;
const SLEEPING: u32 = 1 << 16;
const SEARCHING_MASK: u32 = SLEEPING - 1;

/// The idle workers of one scheduler.
pub(crate) struct Idle {
    /// Workers that search in the low half, workers that sleep in the high half. Written under the
    /// lock, except where an awake worker begins to search or stops.
    counts: AtomicU32,
    sleepers: Mutex<Sleepers>,
    workers: u32,
}

/// The workers that sleep. The one that fell asleep last, and is woken first, stands here, so that with few of
/// them no other cache line is needed.
struct Sleepers {
    last: Option<usize>,
    others: Vec<usize>,
}

impl Sleepers {
    fn push(&mut self, worker: usize) {
        if let Some(other) = self.last.replace(worker) {
            self.others.push(other);
        }
    }

    fn pop(&mut self) -> Option<usize> {
        let worker = self.last?;
        self.last = self.others.pop();
        Some(worker)
    }

    fn contains(&self, worker: usize) -> bool {
        self.last == Some(worker) || self.others.contains(&worker)
    }

    /// Whether it was there.
    fn remove(&mut self, worker: usize) -> bool {
        if self.last == Some(worker) {
            self.last = self.others.pop();
            return true;
        }
        let place = self.others.iter().position(|&other| other == worker);
        place.is_some_and(|place| self.others.swap_remove(place) == worker)
    }
}

/// What a worker finds beside its parker when it was called: who takes it off the list says so there, so that it
/// need not look at the list, which is in the caller's cache by then.
pub(crate) struct Call(AtomicBool);

impl Call {
    pub(crate) fn none() -> Call {
        Call(AtomicBool::new(false))
    }

    /// Under the list's lock, with the worker off it and counted as searching. Release: it may wake up for another
    /// reason, find the call, and be done with its search before it is unparked.
    fn make(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether there is one; then there is none.
    fn take(&self) -> bool {
        let is_called = self.0.load(Ordering::Acquire);
        if is_called {
            self.0.store(false, Ordering::Relaxed);
        }
        is_called
    }
}

/// Whether somebody sleeps and nobody searches.
#[inline(always)]
fn is_wanted(counts: u32) -> bool {
    counts >= SLEEPING && counts & SEARCHING_MASK == 0
}

impl Idle {
    pub(crate) fn new(workers: usize) -> Idle {
        Idle {
            counts: AtomicU32::new(0),
            sleepers: Mutex::new(Sleepers {
                last: None,
                others: Vec::with_capacity(workers),
            }),
            workers: workers as u32,
        }
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a push to the caller's own queue, before `is_overlooked`: whether to ask for a worker to wake.
    #[inline(always)]
    pub(crate) fn is_wanted(&self) -> bool {
        is_wanted(self.counts.load(Ordering::Relaxed))
    }

    /// After the caller has taken from its own queue, by an exchange: whether `is_wanted`, asked since it took
    /// last, may have overlooked a sleeper.
    #[inline(always)]
    pub(crate) fn is_overlooked(&self) -> bool {
        // Pairs with the fence in `fall_asleep`: the pushes up to here come before our look at the counts.
        fence_after_exchange();
        self.is_wanted()
    }

    /// After a push: the sleeper that the caller must unpark, if one is needed. It counts as searching, and finds
    /// its call.
    #[must_use]
    pub(crate) fn worker_to_wake<'a>(
        &self,
        call_of: impl FnOnce(usize) -> &'a Call,
    ) -> Option<usize> {
        // Pairs with the fence in `fall_asleep`: our push comes before our look at the counts.
        fence(Ordering::SeqCst);
        let counts = self.counts.load(Ordering::Relaxed);
        if !is_wanted(counts) {
            return None;
        }
        let mut sleepers = self.sleepers();
        if self.counts.load(Ordering::Relaxed) & SEARCHING_MASK != 0 {
            return None;
        }
        let worker = sleepers.pop()?;
        self.counts
            .fetch_add(SEARCHING.wrapping_sub(SLEEPING), Ordering::Relaxed);
        call_of(worker).make();
        Some(worker)
    }

    /// Whether the caller may search: at most half of the workers do at a time, so that they do not
    /// trample on each other's queues.
    pub(crate) fn start_searching(&self) -> bool {
        let counts = self.counts.load(Ordering::Relaxed);
        if 2 * (counts & SEARCHING_MASK) >= self.workers {
            return false;
        }
        self.counts.fetch_add(SEARCHING, Ordering::Relaxed);
        true
    }

    /// The caller found work. If it was the last to search, another worker must be woken in its place:
    /// call `worker_to_wake`.
    #[must_use]
    pub(crate) fn stop_searching(&self) -> bool {
        // AcqRel: pushers that saw us search rely on the look that follows.
        let before = self.counts.fetch_sub(SEARCHING, Ordering::AcqRel);
        before & SEARCHING_MASK == SEARCHING
    }

    /// The caller found nothing, and must look at every queue once more before it parks.
    pub(crate) fn fall_asleep(&self, worker: usize, searching: bool) {
        let mut sleepers = self.sleepers();
        sleepers.push(worker);
        let searched = if searching { SEARCHING } else { 0 };
        self.counts
            .fetch_add(SLEEPING.wrapping_sub(searched), Ordering::Relaxed);
        drop(sleepers);
        // Pairs with the fence in `worker_to_wake`: we are on the list before we look at the queues.
        fence(Ordering::SeqCst);
    }

    /// Whether every worker sleeps. For the watchdog, which says before that it sleeps too.
    pub(crate) fn is_everyone_asleep(&self) -> bool {
        self.counts.load(Ordering::Relaxed) / SLEEPING == self.workers
    }

    /// Whether this worker sleeps. For the watchdog, which looks now and then.
    pub(crate) fn is_asleep(&self, worker: usize) -> bool {
        self.sleepers().contains(worker)
    }

    /// The caller is awake. Whether somebody woke it through `worker_to_wake`: then it counts as
    /// searching, otherwise it has taken itself off the list.
    #[must_use]
    pub(crate) fn wake_up(&self, worker: usize, call: &Call) -> bool {
        if call.take() {
            return true;
        }
        let mut sleepers = self.sleepers();
        if sleepers.remove(worker) {
            self.counts.fetch_sub(SLEEPING, Ordering::Relaxed);
            return false;
        }
        // Called since it looked.
        let is_called = call.take();
        debug_assert!(is_called, "a worker that sleeps is on the list, or called");
        is_called
    }
}
