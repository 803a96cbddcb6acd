//! Owns the bound on another future's time.

use crate::time::{Instant, Sleep};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Runs `future` for at most `duration`. The wait's reason in the log is the future's, never the deadline.
///
/// ```
/// use glasshouse_scheduler::{Builder, time};
/// use std::time::Duration;
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// let late = scheduler.block_on(async {
///     time::timeout(Duration::from_secs(1), std::future::pending::<()>()).await
/// });
/// assert_eq!(late.unwrap_err().to_string(), "the deadline has passed");
/// ```
///
/// # Errors
/// [`Elapsed`] when the time is over first; the future is dropped with the [`Timeout`].
///
/// # Panics
/// Outside of a scheduler.
pub fn timeout<F: Future>(duration: Duration, future: F) -> Timeout<F> {
    timeout_at(Instant::now().saturating_add(duration), future)
}

/// Runs `future` until `deadline` at most, as [`timeout`] does.
///
/// # Panics
/// Outside of a scheduler.
pub fn timeout_at<F: Future>(deadline: Instant, future: F) -> Timeout<F> {
    Timeout {
        future: Box::pin(future),
        deadline: Sleep::unclaimed(deadline),
    }
}

/// The future of [`timeout`].
///
/// ```
/// use glasshouse_scheduler::{Builder, time::{self, Timeout}};
/// # let scheduler = Builder::deterministic(1).build().unwrap();
/// # scheduler.block_on(async {
/// let bounded: Timeout<_> = time::timeout(std::time::Duration::from_secs(1), async { 5 });
/// assert_eq!(bounded.await.unwrap(), 5);
/// # });
/// ```
#[must_use = "a future does nothing unless it is awaited"]
pub struct Timeout<F> {
    // On the heap, so that pinning it needs no unsafe code: a bound is set around long waits.
    future: Pin<Box<F>>,
    deadline: Sleep,
}

/// The time was over before the future ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // The future first: what is ready at the deadline is in time.
        if let Poll::Ready(output) = self.future.as_mut().poll(cx) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(&mut self.deadline)
            .poll(cx)
            .map(|()| Err(Elapsed(())))
    }
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout")
            .field("deadline", &self.deadline.deadline())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl std::error::Error for Elapsed {}
