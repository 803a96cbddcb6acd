//! Owns the references to their scheduler that tasks which ended on a worker leave to those that it spawns.
//!
//! A task keeps its scheduler by a reference. Counting one more at a spawn and one less at an end are a locked
//! instruction each, on a line that all workers write; handed on like this they are none.

use crate::runtime::entered;
use crate::runtime::shared::Shared;
use std::cell::Cell;
use std::mem;
use std::sync::Arc;

/// References that are kept, at most: they are given back one by one when the worker ends, in a millisecond.
const MOST: usize = 1 << 16;

/// References to one scheduler, beside one that is always there.
pub(crate) struct SpareReferences {
    own: Arc<Shared>,
    /// How many strong counts of `own` are ours beside its own.
    count: Cell<usize>,
}

impl SpareReferences {
    pub(crate) fn new(own: Arc<Shared>) -> SpareReferences {
        SpareReferences {
            own,
            count: Cell::new(0),
        }
    }

    /// A reference: one that was left, if there is one.
    #[inline]
    pub(crate) fn take(&self) -> Arc<Shared> {
        match self.count.get().checked_sub(1) {
            None => self.own.clone(),
            Some(left) => {
                self.count.set(left);
                // SAFETY: `keep` forgot a reference to this allocation for each that is counted, and `own`
                // says where it is.
                unsafe { Arc::from_raw(Arc::as_ptr(&self.own)) }
            }
        }
    }

    /// Leaves a reference to the next. One to another scheduler is dropped, and so is one too many.
    #[inline]
    pub(crate) fn keep(&self, reference: Arc<Shared>) {
        let count = self.count.get();
        if count < MOST && Arc::ptr_eq(&reference, &self.own) {
            mem::forget(reference);
            self.count.set(count + 1);
        }
    }
}

impl Drop for SpareReferences {
    fn drop(&mut self) {
        for _ in 0..self.count.get() {
            // SAFETY: as in `take`; `own` is dropped after this.
            unsafe { Arc::decrement_strong_count(Arc::as_ptr(&self.own)) };
        }
    }
}

/// A task is gone, and its reference with it; a worker's thread keeps it for the next.
#[inline]
pub(crate) fn leave_reference(reference: Arc<Shared>) {
    entered::with_worker(|worker| {
        if let Some(worker) = worker {
            worker.references.keep(reference);
        }
    });
}

#[cfg(all(test, not(glasshouse_loom)))]
mod tests {
    use crate::{Builder, spawn};
    use std::sync::Arc;

    #[test]
    fn a_scheduler_goes_although_its_workers_kept_references_to_it() {
        let scheduler = Builder::new().workers(2).build().expect("two workers");
        let shared = Arc::downgrade(scheduler.handle().shared());
        scheduler.block_on(async {
            let tasks = (0..1000).map(|_| spawn(async { spawn(async {}).await }));
            for task in tasks.collect::<Vec<_>>() {
                task.await.expect("it ends").expect("it ends");
            }
        });
        let kept = shared.strong_count();
        assert!(kept > 100, "workers kept some: {kept}");
        drop(scheduler);
        assert_eq!(shared.strong_count(), 0);
    }
}
