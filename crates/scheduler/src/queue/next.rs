//! Owns the place before a queue's head: for the entry that its owner takes next, out of turn.
//!
//! The owner alone fills the place, so what it finds empty stays empty, and is filled by a store; an entry leaves by an
//! exchange, which lets one thread have it.

use crate::queue::Entry;
use crate::sync::{AtomicPtr, Ordering};
use std::marker::PhantomData;
use std::ptr;

/// A place for one entry. `put` is the owner's alone.
pub(crate) struct Next<T> {
    /// Null while the place is empty.
    place: AtomicPtr<()>,
    /// Handed over, never shared: the place needs `T: Send` only.
    entry: PhantomData<std::sync::Mutex<T>>,
}

impl<T: Entry> Next<T> {
    pub(crate) fn new() -> Next<T> {
        Next {
            place: AtomicPtr::new(ptr::null_mut()),
            entry: PhantomData,
        }
    }

    /// Whether nothing is there; exact on the owner's thread while nobody takes.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.place.load(Ordering::Relaxed).is_null()
    }

    /// Puts an entry, and gives back the one that was there. The owner only.
    #[inline(always)]
    pub(crate) fn put(&self, entry: T) -> Option<T> {
        let new = entry.into_ptr();
        // Loom takes a store to be unordered with an exchange that it did not read, even where that came first in
        // the place's order, as here; so it is shown exchanges only.
        if cfg!(not(glasshouse_loom)) && self.is_empty() {
            // Release: who takes it, by the acquire in `exchange`, sees what was written before.
            self.place.store(new, Ordering::Release);
            return None;
        }
        self.exchange(new)
    }

    /// Takes the entry. Any thread.
    #[inline(always)]
    pub(crate) fn take(&self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        self.exchange(ptr::null_mut())
    }

    #[inline(always)]
    fn exchange(&self, new: *mut ()) -> Option<T> {
        // AcqRel: pairs with itself and with the store in `put`, so that an entry comes with all that was written
        // before it was put.
        let old = self.place.swap(new, Ordering::AcqRel);
        // SAFETY: what is not null was put by `put`, and left with this exchange alone.
        (!old.is_null()).then(|| unsafe { T::from_ptr(old) })
    }
}

impl<T> Drop for Next<T> {
    fn drop(&mut self) {
        debug_assert!(
            self.place.load(Ordering::Relaxed).is_null(),
            "a queue is dropped empty"
        );
    }
}

#[cfg(all(test, not(glasshouse_loom)))]
mod tests {
    use super::*;
    use crate::sync::AtomicBool;
    use std::num::NonZeroUsize;

    #[test]
    fn the_last_that_was_put_is_there_and_the_one_before_comes_back() {
        let next = Next::new();
        let entry = |number| NonZeroUsize::new(number).expect("not zero");
        assert!(next.is_empty());
        assert_eq!(next.take(), None);
        assert_eq!(next.put(entry(1)), None);
        assert_eq!(next.put(entry(2)), Some(entry(1)));
        assert!(!next.is_empty());
        assert_eq!(next.take(), Some(entry(2)));
        assert_eq!(next.take(), None);
    }

    #[test]
    fn each_entry_is_taken_once_while_another_thread_takes_too() {
        const ENTRIES: usize = 200_000;
        let next = Next::<NonZeroUsize>::new();
        let is_over = AtomicBool::new(false);
        let taken = std::thread::scope(|scope| {
            let relief = scope.spawn(|| {
                let mut taken = 0;
                while !is_over.load(Ordering::Acquire) {
                    taken += next.take().map_or(0, NonZeroUsize::get);
                }
                taken
            });
            let mut taken = 0;
            for number in 1..=ENTRIES {
                let before = next.put(NonZeroUsize::new(number).expect("not zero"));
                taken += before.map_or(0, NonZeroUsize::get);
                if number % 3 == 0 {
                    taken += next.take().map_or(0, NonZeroUsize::get);
                }
            }
            is_over.store(true, Ordering::Release);
            taken + relief.join().expect("it does not panic")
        });
        let left = next.take().map_or(0, NonZeroUsize::get);
        assert_eq!(taken + left, ENTRIES * (ENTRIES + 1) / 2);
    }
}
