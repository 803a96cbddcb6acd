//! Owns how one thread sleeps until another wakes it: on its own, or inside the driver's poll.
//!
//! ```text
//!            park                        unpark
//!   EMPTY ─────────► PARKED  ─────────────────────► NOTIFIED (+ the thread is woken)
//!     │    poll                          unpark
//!     ├────────────► POLLING ─────────────────────► NOTIFIED (+ the driver is interrupted)
//!     │              unpark
//!     └───────────────────────────────────────────► NOTIFIED (the next park returns at once)
//! ```
//!
//! A notification is never lost: it stays until a park consumes it, and a park that finds one does not
//! sleep. What the unparker wrote before is visible after the park (release of its swap, acquire of ours).

use crate::futex::Futex;
use crate::sync::Ordering;
use std::time::Duration;

const EMPTY: u32 = 0;
const PARKED: u32 = 1;
const POLLING: u32 = 2;
const NOTIFIED: u32 = 3;

/// A place to sleep for one thread at a time.
pub(crate) struct Parker {
    state: Futex,
}

impl Parker {
    pub(crate) fn new() -> Parker {
        Parker {
            state: Futex::new(EMPTY),
        }
    }

    /// Sleeps until notified, or for at most `timeout`; a sleep that has one may end earlier for no reason.
    pub(crate) fn park(&self, timeout: Option<Duration>) {
        if !self.enter(PARKED) {
            return;
        }
        match timeout {
            None => {
                // The wait may return for no reason: only a notification ends the sleep.
                while self.state.load(Ordering::Acquire) == PARKED {
                    self.state.wait(PARKED, None);
                }
            }
            Some(timeout) => self.state.wait(PARKED, Some(timeout)),
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

    fn enter(&self, sleep: u32) -> bool {
        // AcqRel on success publishes that we sleep; Acquire on failure takes in the notification.
        let entered = self
            .state
            .exchange(EMPTY, sleep, Ordering::AcqRel, Ordering::Acquire);
        if !entered {
            self.leave();
        }
        entered
    }

    fn leave(&self) {
        self.state.swap(EMPTY, Ordering::AcqRel);
    }

    /// Wakes the thread, or lets its next park return at once.
    pub(crate) fn unpark(&self, interrupt: impl FnOnce()) {
        match self.state.swap(NOTIFIED, Ordering::AcqRel) {
            PARKED => self.state.wake_one(),
            POLLING => interrupt(),
            _ => {}
        }
    }
}
