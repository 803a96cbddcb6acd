//! Owns the ready-queue depth: how many tasks lie in ready queues.
//!
//! Each worker counts its own pushes and pops, alone on its cache lines; threads that are no workers
//! share a count of pushes, and pop nothing. The depth is the difference of the sums. Pops are read before pushes:
//! every pop follows its push, so the difference is never negative, and it is exact whenever no push
//! or pop is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Pushes and pops: of one worker, or of all other threads together.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Flow {
    pushed: AtomicU64,
    popped: AtomicU64,
}

/// The pushes and pops of all threads.
#[derive(Debug)]
pub(crate) struct Depth {
    /// By worker, and last those of the other threads.
    flows: Box<[Arc<Flow>]>,
}

impl Flow {
    /// Counts a push by the worker whose flow this is.
    #[inline]
    pub(crate) fn pushed(&self) {
        bump(&self.pushed);
    }

    /// Counts a pop by the worker whose flow this is.
    #[inline]
    pub(crate) fn popped(&self) {
        bump(&self.popped);
    }

    /// Counts a push by a thread that is no worker.
    pub(crate) fn pushed_shared(&self) {
        self.pushed.fetch_add(1, Ordering::Release);
    }
}

/// Release, so that a pop that is seen carries its push along; on x86-64 it costs nothing.
#[inline]
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Release);
}

impl Depth {
    pub(crate) fn new(workers: usize) -> Depth {
        Depth {
            flows: (0..=workers).map(|_| Arc::default()).collect(),
        }
    }

    /// Where worker `worker` counts, alone; where threads that are no workers count, for `None`.
    pub(crate) fn flow(&self, worker: Option<usize>) -> &Arc<Flow> {
        &self.flows[worker.unwrap_or(self.flows.len() - 1)]
    }

    /// Tasks in ready queues.
    pub(crate) fn read(&self) -> u64 {
        let flows = || self.flows.iter();
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn the_depth_is_pushes_less_pops_whoever_makes_them() {
        let depth = Depth::new(2);
        let (one, two, other) = (depth.flow(Some(0)), depth.flow(Some(1)), depth.flow(None));
        one.pushed();
        one.pushed();
        other.pushed_shared();
        assert_eq!(depth.read(), 3);
        two.popped();
        two.popped();
        assert_eq!(depth.read(), 1);
        one.popped();
        assert_eq!(depth.read(), 0);
    }

    #[test]
    fn no_push_is_lost_where_many_threads_push_beside_a_worker() {
        const THREADS: u64 = 4;
        const PUSHES: u64 = 1_000_000;
        let depth = Depth::new(1);
        let begin = Barrier::new(THREADS as usize + 1);
        let push = |push: fn(&Flow), worker| {
            begin.wait();
            (0..PUSHES).for_each(|_| push(depth.flow(worker)));
        };
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| push(Flow::pushed_shared, None));
            }
            push(Flow::pushed, Some(0));
        });
        assert_eq!(depth.read(), (THREADS + 1) * PUSHES);
    }
}
