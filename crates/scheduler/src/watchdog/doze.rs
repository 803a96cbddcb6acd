//! Owns how the watchdog sleeps: for a while, or until a worker wakes up.
//!
//! The watchdog says that it dozes, then looks whether every worker sleeps; a worker that wakes is no longer
//! counted among the sleepers, then looks whether the watchdog dozes. Between the two steps of each stands a
//! sequentially consistent fence, so at least one of them sees the other.

use crate::parker::Parker;
use crate::sync::{AtomicU8, Ordering, fence};
use std::time::Duration;

const AWAKE: u8 = 0;
const DOZING: u8 = 1;

/// The watchdog's place to sleep.
pub(crate) struct Doze {
    state: AtomicU8,
    parker: Parker,
}

impl Doze {
    pub(crate) fn new() -> Doze {
        Doze {
            state: AtomicU8::new(AWAKE),
            parker: Parker::new(),
        }
    }

    /// Sleeps for a while.
    pub(crate) fn nap(&self, nap: Duration) {
        self.parker.park(Some(nap));
    }

    /// Sleeps until a worker wakes up, if `may_doze` finds all of them asleep.
    pub(crate) fn doze(&self, may_doze: impl FnOnce() -> bool) {
        self.state.store(DOZING, Ordering::Relaxed);
        // Pairs with the fence in `stir`: we are seen to doze before we look at the sleepers.
        fence(Ordering::SeqCst);
        if may_doze() {
            self.parker.park(None);
        }
        self.state.store(AWAKE, Ordering::Relaxed);
    }

    /// A worker has woken up and is counted as such.
    pub(crate) fn stir(&self) {
        // Pairs with the fence in `doze`.
        fence(Ordering::SeqCst);
        if self.state.load(Ordering::Relaxed) == DOZING
            && self.state.swap(AWAKE, Ordering::Relaxed) == DOZING
        {
            self.notify();
        }
    }

    /// Ends the sleep, or lets the next one return at once.
    pub(crate) fn notify(&self) {
        self.parker
            .unpark(|| unreachable!("the watchdog never sleeps in the driver"));
    }
}
