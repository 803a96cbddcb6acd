//! Owns the one door to atomics that a model checker can stand behind.
//!
//! A log is memory that another process maps, so its words are the standard library's atomics
//! always. The protocol by which they are written and read is generic over [`Word`], so that the
//! model runs the same code on loom's atomics.

use std::sync::atomic::{AtomicU64, Ordering, fence};

/// A shared word and the fence that orders accesses to such words.
pub(crate) trait Word {
    fn load(&self, order: Ordering) -> u64;
    fn store(&self, value: u64, order: Ordering);
    fn fence(order: Ordering);
}

impl Word for AtomicU64 {
    #[inline(always)]
    fn load(&self, order: Ordering) -> u64 {
        AtomicU64::load(self, order)
    }

    #[inline(always)]
    fn store(&self, value: u64, order: Ordering) {
        AtomicU64::store(self, value, order);
    }

    #[inline(always)]
    fn fence(order: Ordering) {
        fence(order);
    }
}

#[cfg(glasshouse_loom)]
impl Word for loom::sync::atomic::AtomicU64 {
    fn load(&self, order: Ordering) -> u64 {
        loom::sync::atomic::AtomicU64::load(self, order)
    }

    fn store(&self, value: u64, order: Ordering) {
        loom::sync::atomic::AtomicU64::store(self, value, order);
    }

    fn fence(order: Ordering) {
        loom::sync::atomic::fence(order);
    }
}

/// Runs every execution of `model`, and says how many those were.
#[cfg(all(test, glasshouse_loom))]
pub(crate) fn explore(model: impl Fn() + Send + Sync + 'static) {
    use std::sync::Arc;
    let executions = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&executions);
    loom::model(move || {
        count.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let name = std::thread::current();
    println!(
        "{}: {} executions",
        name.name().unwrap_or("a model"),
        executions.load(Ordering::Relaxed)
    );
}
