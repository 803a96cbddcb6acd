//! Owns the bound on another future's time.

use crate::time::{Instant, Sleep, sleep, sleep_until};
use pin_project_lite::pin_project;
use std::future::{Future, IntoFuture};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Runs `future` for at most `duration`. The wait's reason in the log is the future's, never the deadline,
/// which is told beside it.
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
#[track_caller]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: future.into_future(),
        deadline: sleep(duration).unclaimed(),
    }
}

/// Runs `future` until `deadline` at most, as [`timeout`] does.
///
/// # Panics
/// Outside of a scheduler.
#[track_caller]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: future.into_future(),
        deadline: sleep_until(deadline).unclaimed(),
    }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`]: the bounded one, and 64 bytes beside it.
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
    #[derive(Debug)]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        deadline: Sleep,
    }
}

impl<F> Timeout<F> {
    /// The future that is bounded.
    pub fn get_ref(&self) -> &F {
        &self.future
    }

    /// The future that is bounded.
    pub fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }

    /// The future without its bound.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // The future first: what is ready at the deadline is in time.
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(this.deadline).poll(cx).map(|()| Err(Elapsed(())))
    }
}

/// The time was over before the future ended.
///
/// ```
/// use glasshouse_scheduler::{Builder, time};
/// # let scheduler = Builder::deterministic(1).build().unwrap();
/// # scheduler.block_on(async {
/// let bounded = time::timeout(std::time::Duration::ZERO, std::future::pending::<()>());
/// let late: time::Elapsed = bounded.await.unwrap_err();
/// assert_eq!(std::io::Error::from(late).kind(), std::io::ErrorKind::TimedOut);
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the deadline has passed")]
pub struct Elapsed(());

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, elapsed)
    }
}
