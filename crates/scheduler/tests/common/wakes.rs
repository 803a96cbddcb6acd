//! A waker that does nothing but count how often it is woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};

/// Counts its wakes.
#[derive(Debug, Default)]
pub struct CountsWakes(AtomicU64);

impl CountsWakes {
    /// One, and a waker of it.
    pub fn with_waker() -> (Arc<CountsWakes>, Waker) {
        let wakes = Arc::new(CountsWakes::default());
        (wakes.clone(), wakes.into())
    }

    /// How often it was woken.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for CountsWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
