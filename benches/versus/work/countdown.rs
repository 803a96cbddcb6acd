//! Owns a count that tasks take down and one task waits for, without help from any runtime.

use futures::task::AtomicWaker;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

/// Lives as long as the process, so that tasks share it without counting references.
pub struct Countdown {
    left: AtomicU64,
    waiting: AtomicWaker,
}

impl Countdown {
    pub fn new(count: u64) -> &'static Countdown {
        Box::leak(Box::new(Countdown {
            left: AtomicU64::new(count),
            waiting: AtomicWaker::new(),
        }))
    }

    /// Takes one off, and wakes who waits with the last.
    pub fn count_down(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.waiting.wake();
        }
    }

    /// Ready when nothing is left. One task waits at a time.
    pub async fn wait(&self) {
        poll_fn(|cx| {
            self.waiting.register(cx.waker());
            match self.left.load(Ordering::Acquire) {
                0 => Poll::Ready(()),
                _ => Poll::Pending,
            }
        })
        .await;
    }
}
