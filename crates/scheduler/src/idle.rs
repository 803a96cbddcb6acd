//! Owns who sleeps and who searches, and argues that no wake-up is lost.
//!
//! A thread that makes a task ready pushes it, then looks here; a worker that finds nothing says here
//! that it sleeps, then looks at the queues once more. Between the two steps of each stands a
//! sequentially consistent fence, so at least one of them sees the other: either the pusher finds the
//! sleeper, or the sleeper finds the task.
//!
//! While somebody searches, pushers wake nobody: the searcher owes them one more look. It pays when it
//! finds work (the last searcher to stop wakes another worker, which searches on) or when it goes to
//! sleep (it looks at every queue after it has said so).

use crate::sync::{AtomicU32, Mutex, Ordering, fence};
use std::sync::PoisonError;

const SEARCHING: u32 = 1;
const SLEEPING: u32 = 1 << 16;
const SEARCHING_MASK: u32 = SLEEPING - 1;

/// The idle workers of one scheduler.
pub(crate) struct Idle {
    /// Workers that search in the low half, workers that sleep in the high half. Written under the
    /// lock, except where an awake worker begins to search or stops.
    counts: AtomicU32,
    sleepers: Mutex<Vec<usize>>,
    workers: u32,
}

impl Idle {
    pub(crate) fn new(workers: usize) -> Idle {
        Idle {
            counts: AtomicU32::new(0),
            sleepers: Mutex::new(Vec::with_capacity(workers)),
            workers: workers as u32,
        }
    }

    /// After a push: the sleeper that the caller must unpark, if one is needed. It counts as searching.
    #[must_use]
    pub(crate) fn worker_to_wake(&self) -> Option<usize> {
        // Pairs with the fence in `fall_asleep`: our push comes before our look at the counts.
        fence(Ordering::SeqCst);
        let counts = self.counts.load(Ordering::Relaxed);
        if counts < SLEEPING || counts & SEARCHING_MASK != 0 {
            return None;
        }
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        if self.counts.load(Ordering::Relaxed) & SEARCHING_MASK != 0 {
            return None;
        }
        let worker = sleepers.pop()?;
        self.counts
            .fetch_add(SEARCHING.wrapping_sub(SLEEPING), Ordering::Relaxed);
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
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
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
        let sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.contains(&worker)
    }

    /// The caller is awake. Whether somebody woke it through `worker_to_wake`: then it counts as
    /// searching, otherwise it has taken itself off the list.
    #[must_use]
    pub(crate) fn wake_up(&self, worker: usize) -> bool {
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        match sleepers.iter().position(|&sleeper| sleeper == worker) {
            Some(index) => {
                sleepers.swap_remove(index);
                self.counts.fetch_sub(SLEEPING, Ordering::Relaxed);
                false
            }
            None => true,
        }
    }
}
