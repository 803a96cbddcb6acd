//! Owns whose turn it is at the poll: one thread's at a time, and never nobody's while all sleep.
//!
//! A worker that finds the poll taken sleeps elsewhere, because who has it is another worker, which sleeps in it or
//! comes back to it. The watchdog does neither: it looks in, and looks then whether a worker went to sleep elsewhere on
//! its account. The worker says so and tries once more; between the two steps of each stands a sequentially consistent
//! fence, so at least one of them sees the other.

use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, fence};
use std::sync::TryLockError;

/// What one thread at a time may use.
pub(crate) struct Turn<T> {
    held: Mutex<T>,
    /// A thread sleeps elsewhere that found it taken.
    is_missed: AtomicBool,
}

impl<T> Turn<T> {
    pub(crate) fn new(held: T) -> Turn<T> {
        Turn {
            held: Mutex::new(held),
            is_missed: AtomicBool::new(false),
        }
    }

    /// For a thread that comes back before it sleeps, or asks [`Turn::was_missed`] when it is done.
    pub(crate) fn try_take(&self) -> Option<MutexGuard<'_, T>> {
        match self.held.try_lock() {
            Ok(held) => Some(held),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// For a thread that is about to sleep, elsewhere if it is taken.
    pub(crate) fn try_take_to_sleep(&self) -> Option<MutexGuard<'_, T>> {
        self.try_take().or_else(|| {
            self.is_missed.store(true, Ordering::Relaxed);
            // Pairs with the fence in `was_missed`.
            fence(Ordering::SeqCst);
            self.try_take()
        })
    }

    /// Whether a thread sleeps elsewhere that may have found it taken by the caller, who has given it back: one that
    /// sleeps is to be woken then, so that it takes its turn.
    pub(crate) fn was_missed(&self) -> bool {
        // Pairs with the fence in `try_take_to_sleep`.
        fence(Ordering::SeqCst);
        self.is_missed.load(Ordering::Relaxed) && self.is_missed.swap(false, Ordering::Relaxed)
    }
}

#[cfg(all(test, not(glasshouse_loom)))]
mod tests {
    use super::*;

    #[test]
    fn who_sleeps_elsewhere_because_it_is_taken_is_missed_once() {
        let turn = Turn::new(());
        assert!(turn.try_take_to_sleep().is_some());
        assert!(!turn.was_missed(), "it was free");
        let taken = turn.try_take();
        assert!(turn.try_take_to_sleep().is_none());
        drop(taken);
        assert!(turn.was_missed());
        assert!(!turn.was_missed());
    }
}
