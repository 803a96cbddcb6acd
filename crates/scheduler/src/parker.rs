//! Owns how one thread sleeps until another wakes it: on its own, or inside the driver's poll.
//!
//! ```text
//!            park                        unpark
//!   EMPTY ─────────► PARKED  ─────────────────────► NOTIFIED (+ the thread is unparked)
//!     │    poll                          unpark
//!     ├────────────► POLLING ─────────────────────► NOTIFIED (+ the driver is interrupted)
//!     │              unpark
//!     └───────────────────────────────────────────► NOTIFIED (the next park returns at once)
//! ```
//!
//! A notification is never lost: it stays until a park consumes it, and a park that finds one does not
//! sleep. What the unparker wrote before is visible after the park (release of its swap, acquire of ours).

use crate::sync::{AtomicU8, Mutex, Ordering, thread};
use std::sync::PoisonError;
use std::time::Duration;

const EMPTY: u8 = 0;
const PARKED: u8 = 1;
const POLLING: u8 = 2;
const NOTIFIED: u8 = 3;

/// One thread's place to sleep.
pub(crate) struct Parker {
    state: AtomicU8,
    thread: Mutex<Option<thread::Thread>>,
}

impl Parker {
    pub(crate) fn new() -> Parker {
        Parker {
            state: AtomicU8::new(EMPTY),
            thread: Mutex::new(None),
        }
    }

    /// Makes the calling thread the one that parks here, from now on.
    pub(crate) fn claim(&self) {
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
    }

    /// Sleeps until notified, or until `timeout` has passed. Only the thread that claimed it.
    pub(crate) fn park(&self, timeout: Option<Duration>) {
        if !self.enter(PARKED) {
            return;
        }
        match timeout {
            None => {
                // Thread parking may return for no reason: only a notification ends it.
                while self.state.load(Ordering::Acquire) == PARKED {
                    thread::park();
                }
            }
            Some(timeout) => park_for(timeout),
        }
        self.leave();
    }

    /// Runs `poll` as the sleep. An unpark meanwhile calls `interrupt`, which must make `poll` return.
    pub(crate) fn poll(&self, poll: impl FnOnce()) {
        if self.enter(POLLING) {
            poll();
            self.leave();
        }
    }

    fn enter(&self, sleep: u8) -> bool {
        // AcqRel on success publishes that we sleep; Acquire on failure takes in the notification.
        let entered =
            self.state
                .compare_exchange(EMPTY, sleep, Ordering::AcqRel, Ordering::Acquire);
        if entered.is_err() {
            self.leave();
        }
        entered.is_ok()
    }

    fn leave(&self) {
        self.state.swap(EMPTY, Ordering::AcqRel);
    }

    /// Wakes the thread, or lets its next park return at once.
    pub(crate) fn unpark(&self, interrupt: impl FnOnce()) {
        match self.state.swap(NOTIFIED, Ordering::AcqRel) {
            PARKED => {
                // Cloned, so that the lock is not held over the system call.
                let thread = self
                    .thread
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone();
                if let Some(thread) = thread {
                    thread.unpark();
                }
            }
            POLLING => interrupt(),
            _ => {}
        }
    }
}

#[cfg(not(glasshouse_loom))]
fn park_for(timeout: Duration) {
    thread::park_timeout(timeout);
}

/// Loom has no clock: a timed park may return at any time, so it is modelled as a yield.
#[cfg(glasshouse_loom)]
fn park_for(_timeout: Duration) {
    thread::yield_now();
}
