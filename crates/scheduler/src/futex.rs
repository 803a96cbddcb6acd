//! Owns a word that a thread can sleep on: the system call behind it, and what stands for it under loom.

use crate::sync::{AtomicU32, Ordering};
use std::time::Duration;

#[cfg(glasshouse_loom)]
use crate::sync::{Condvar, Mutex};
#[cfg(not(glasshouse_loom))]
use rustix::thread::{Timespec, futex};

/// A word, and the threads that sleep while it has a certain value.
pub(crate) struct Futex {
    word: AtomicU32,
    /// Loom knows no such call: a sleeper looks at the word under the lock, and so does who wakes it.
    #[cfg(glasshouse_loom)]
    sleepers: (Mutex<()>, Condvar),
}

impl Futex {
    pub(crate) fn new(word: u32) -> Futex {
        Futex {
            word: AtomicU32::new(word),
            #[cfg(glasshouse_loom)]
            sleepers: (Mutex::new(()), Condvar::new()),
        }
    }

    pub(crate) fn load(&self, order: Ordering) -> u32 {
        self.word.load(order)
    }

    pub(crate) fn swap(&self, word: u32, order: Ordering) -> u32 {
        self.word.swap(word, order)
    }

    /// Whether the word was `from`; then it is `to`.
    pub(crate) fn exchange(&self, from: u32, to: u32, done: Ordering, failed: Ordering) -> bool {
        self.word.compare_exchange(from, to, done, failed).is_ok()
    }

    /// Sleeps, if the word is `word`, until it is woken or `timeout` has passed. It may return earlier, for no
    /// reason.
    #[cfg(not(glasshouse_loom))]
    pub(crate) fn wait(&self, word: u32, timeout: Option<Duration>) {
        // A time that the call cannot take (over 200,000 million years) is no bound.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // It fails if the word is another, the time is over, or a signal came: the caller looks again anyway.
        let _ = futex::wait(&self.word, futex::Flags::PRIVATE, word, timeout.as_ref());
    }

    /// Wakes a thread that sleeps here, if one does. To be called after the word was changed.
    #[cfg(not(glasshouse_loom))]
    pub(crate) fn wake_one(&self) {
        // It can only fail for an address that is none.
        let _ = futex::wake(&self.word, futex::Flags::PRIVATE, 1);
    }

    /// Loom has no clock: a wait with a timeout may return at any time, so it is modelled as a yield.
    #[cfg(glasshouse_loom)]
    pub(crate) fn wait(&self, word: u32, timeout: Option<Duration>) {
        if timeout.is_some() {
            return crate::sync::thread::yield_now();
        }
        let (lock, woken) = &self.sleepers;
        let guard = lock
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.word.load(Ordering::Relaxed) == word {
            drop(woken.wait(guard));
        }
    }

    #[cfg(glasshouse_loom)]
    pub(crate) fn wake_one(&self) {
        let (lock, woken) = &self.sleepers;
        let _guard = lock
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        woken.notify_one();
    }
}
