//! Owns a deadline that comes again and again.

use crate::time::{Instant, Sleep, sleep_until};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Ticks every `period`, the first time at once.
///
/// # Panics
/// If `period` is zero, and outside of a scheduler.
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks every `period` from `start` on.
///
/// # Panics
/// If `period` is zero, and outside of a scheduler.
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(
        !period.is_zero(),
        "an interval's period is zero; give it a length"
    );
    Interval {
        sleep: sleep_until(start),
        period,
    }
}

/// A deadline that comes again and again. Ticks that were missed come at once, one after the other, until
/// it has caught up.
///
/// ```
/// use glasshouse_scheduler::{Builder, time::{self, Instant}};
/// use std::time::Duration;
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     let begun = Instant::now();
///     let mut every: time::Interval = time::interval(Duration::from_secs(1));
///     every.tick().await;
///     every.tick().await;
///     assert_eq!(begun.elapsed(), Duration::from_secs(1));
/// });
/// ```
#[derive(Debug)]
pub struct Interval {
    sleep: Sleep,
    period: Duration,
}

impl Interval {
    /// Waits for the next tick, and says when it was due. Nothing is lost if the wait is dropped.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// [`Interval::tick`] as a poll.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let mut sleep = Pin::new(&mut self.sleep);
        ready!(sleep.as_mut().poll(cx));
        let due = sleep.deadline();
        sleep.reset(due.saturating_add(self.period));
        Poll::Ready(due)
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }
}
