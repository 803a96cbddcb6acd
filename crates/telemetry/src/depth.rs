//! Owns the ready-queue depth: how many tasks lie in ready queues.
//!
//! Each worker counts its own pushes and pops, alone on its cache lines; threads that are no workers
//! share one pair of counters. The depth is the difference of the sums. Pops are read before pushes:
//! every pop follows its push, so the difference is never negative, and it is exact whenever no push
//! or pop is under way.

use std::sync::atomic::{AtomicU64, Ordering};

/// One thread's pushes and pops.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Flow {
    pushed: AtomicU64,
    popped: AtomicU64,
}

/// The pushes and pops of all threads.
#[derive(Debug)]
pub(crate) struct Depth {
    workers: Box<[Flow]>,
    others: Flow,
}

impl Depth {
    pub(crate) fn new(workers: usize) -> Depth {
        Depth {
            workers: (0..workers).map(|_| Flow::default()).collect(),
            others: Flow::default(),
        }
    }

    /// Counts a push by worker `worker`, or by another thread.
    #[inline]
    pub(crate) fn pushed(&self, worker: Option<usize>) {
        match worker {
            Some(index) => bump(&self.workers[index].pushed),
            // Release: see `bump`.
            None => {
                self.others.pushed.fetch_add(1, Ordering::Release);
            }
        }
    }

    /// Counts a pop by worker `worker`, or by another thread.
    #[inline]
    pub(crate) fn popped(&self, worker: Option<usize>) {
        match worker {
            Some(index) => bump(&self.workers[index].popped),
            None => {
                self.others.popped.fetch_add(1, Ordering::Release);
            }
        }
    }

    /// Tasks in ready queues.
    pub(crate) fn read(&self) -> u64 {
        let flows = || self.workers.iter().chain([&self.others]);
        // Acquire, paired with the release in `bump`: who sees a pop also sees the push before it,
        // which the queue's own synchronisation ordered before the pop.
        let popped: u64 = flows()
            .map(|flow| flow.popped.load(Ordering::Acquire))
            .sum();
        let pushed: u64 = flows()
            .map(|flow| flow.pushed.load(Ordering::Acquire))
            .sum();
        pushed.saturating_sub(popped)
    }
}

/// Adds one, as the only writer. Release costs nothing on x86-64 and makes a pop carry its push along.
#[inline]
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_depth_is_pushes_less_pops_whoever_makes_them() {
        let depth = Depth::new(2);
        depth.pushed(Some(0));
        depth.pushed(Some(0));
        depth.pushed(None);
        assert_eq!(depth.read(), 3);
        depth.popped(Some(1));
        depth.popped(Some(1));
        assert_eq!(depth.read(), 1);
        depth.popped(None);
        assert_eq!(depth.read(), 0);
    }
}
