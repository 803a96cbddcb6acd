//! Owns the way a task lets its peers run.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Lets the other ready tasks run before this one goes on.
///
/// ```
/// # let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
/// # scheduler.block_on(async {
/// glasshouse_scheduler::task::yield_now().await;
/// # });
/// ```
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`]: pending once.
///
/// ```
/// let yielding: glasshouse_scheduler::task::YieldNow = glasshouse_scheduler::task::yield_now();
/// # drop(yielding);
/// ```
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
