//! Owns the count of tasks that are alive: what a shutdown waits for, and what the capacity limits.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counts on lines of their own: each is written by one worker, or by the threads outside.
#[repr(align(64))]
#[derive(Default)]
struct Counts {
    spawned: AtomicU64,
    finished: AtomicU64,
}

/// Default-class tasks that live, by difference; and all tasks, where a capacity is set.
pub(crate) struct Live {
    workers: Box<[Counts]>,
    outside: Counts,
    capacity: Option<Capacity>,
}

struct Capacity {
    limit: usize,
    used: AtomicUsize,
}

impl Live {
    pub(crate) fn new(workers: usize, capacity: Option<usize>) -> Live {
        Live {
            workers: (0..workers).map(|_| Counts::default()).collect(),
            outside: Counts::default(),
            capacity: capacity.map(|limit| Capacity {
                limit,
                used: AtomicUsize::new(0),
            }),
        }
    }

    /// Takes a place for one more task, of any class.
    ///
    /// # Errors
    /// The capacity, when it is reached.
    pub(crate) fn admit(&self) -> Result<(), usize> {
        let Some(capacity) = &self.capacity else {
            return Ok(());
        };
        // Relaxed: only the number matters, and a compare-exchange keeps it below the limit.
        capacity
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                (used < capacity.limit).then_some(used + 1)
            })
            .map(drop)
            .map_err(|_| capacity.limit)
    }

    /// Gives a task's place back.
    pub(crate) fn leave(&self) {
        if let Some(capacity) = &self.capacity {
            capacity.used.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// A default-class task was spawned by this worker, or by a thread outside.
    pub(crate) fn spawned(&self, worker: Option<usize>) {
        match worker {
            Some(worker) => bump(&self.workers[worker].spawned),
            None => drop(self.outside.spawned.fetch_add(1, Ordering::SeqCst)),
        }
    }

    /// A default-class task ended on this worker.
    pub(crate) fn finished(&self, worker: Option<usize>) {
        match worker {
            Some(worker) => bump(&self.workers[worker].finished),
            None => drop(self.outside.finished.fetch_add(1, Ordering::SeqCst)),
        }
    }

    /// Whether no default-class task was alive at some moment during the call.
    pub(crate) fn is_empty(&self) -> bool {
        // The ends first: spawns counted later can only exceed them, so equality means that at the moment
        // between the two sums nothing was alive.
        let finished = self.sum(|counts| &counts.finished);
        let spawned = self.sum(|counts| &counts.spawned);
        spawned == finished
    }

    fn sum(&self, field: impl Fn(&Counts) -> &AtomicU64) -> u64 {
        self.workers
            .iter()
            .chain([&self.outside])
            .map(|counts| field(counts).load(Ordering::SeqCst))
            .sum()
    }
}

/// Adds one where only the caller writes. Release: whoever sums sees the spawns that came before an end.
fn bump(count: &AtomicU64) {
    count.store(count.load(Ordering::Relaxed) + 1, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_refused_at_the_limit_and_come_back() {
        let live = Live::new(1, Some(2));
        assert_eq!(
            (live.admit(), live.admit(), live.admit()),
            (Ok(()), Ok(()), Err(2))
        );
        live.leave();
        assert_eq!(live.admit(), Ok(()));
    }

    #[test]
    fn a_task_may_end_on_another_worker_than_it_was_spawned_on() {
        let live = Live::new(2, None);
        assert!(live.is_empty());
        live.spawned(Some(0));
        live.spawned(None);
        assert!(!live.is_empty());
        live.finished(Some(1));
        live.finished(Some(1));
        assert!(live.is_empty());
    }
}
