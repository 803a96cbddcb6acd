//! Owns a deadline that comes again and again.

use crate::time::{Instant, Sleep, sleep_until};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A tick that is late by no more than this was not missed: the next one is due a period after it, whatever
/// the behaviour. It is tokio's measure, so that a program keeps its rhythm when it changes over.
const NOT_MISSED: Duration = Duration::from_millis(5);

/// Ticks every `period`, the first time at once.
///
/// # Panics
/// If `period` is zero, and outside of a scheduler.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks every `period` from `start` on.
///
/// # Panics
/// If `period` is zero, and outside of a scheduler.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(
        !period.is_zero(),
        "an interval's period is zero; give it a length"
    );
    Interval {
        sleep: sleep_until(start),
        period,
        missed: MissedTickBehavior::default(),
    }
}

/// A deadline that comes again and again. What becomes of ticks that were missed is for
/// [`MissedTickBehavior`] to say.
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
    missed: MissedTickBehavior,
}

/// When an [`Interval`] ticks next after a tick that was taken too late, by more than 5 ms.
///
/// With a period of 50 ms, ticks due at 0, 50, 100 and so on, and the second one taken at 120:
///
/// ```text
/// Burst   0   50(120)  100(120)  150  200     all of them, as fast as they are taken
/// Delay   0   50(120)  170  220  270          the rhythm starts anew
/// Skip    0   50(120)  150  200  250          the rhythm stays, what was missed is left out
/// ```
///
/// ```
/// use glasshouse_scheduler::{Builder, time::{self, Instant, MissedTickBehavior}};
/// use std::time::Duration;
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     let begun = Instant::now();
///     let mut every = time::interval(Duration::from_millis(50));
///     every.set_missed_tick_behavior(MissedTickBehavior::Skip);
///     every.tick().await;
///     time::advance(Duration::from_millis(120));
///     every.tick().await;
///     every.tick().await;
///     assert_eq!(begun.elapsed(), Duration::from_millis(150));
/// });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// The ticks that were missed come at once, one after the other, until it has caught up.
    #[default]
    Burst,
    /// The next tick comes a period after the late one was taken, and so on from there.
    Delay,
    /// The ticks that were missed are left out; the next comes at a multiple of the period, as if there had
    /// been no delay.
    Skip,
}

impl MissedTickBehavior {
    /// When the tick after the one `due` comes, which was taken at `now`.
    fn next(self, due: Instant, now: Instant, period: Duration) -> Instant {
        match self {
            MissedTickBehavior::Burst => due.saturating_add(period),
            MissedTickBehavior::Delay => now.saturating_add(period),
            MissedTickBehavior::Skip => {
                let late = now.duration_since(due).as_nanos();
                let into_period = late % period.as_nanos();
                // Less than `late`, which fits: the clock counts its nanoseconds in 64 bits.
                let into_period = Duration::from_nanos(into_period as u64);
                now.saturating_add(period - into_period)
            }
        }
    }
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
        let now = Instant::now();
        let missed = if now > due.saturating_add(NOT_MISSED) {
            self.missed
        } else {
            MissedTickBehavior::Burst
        };
        sleep.reset(missed.next(due, now, self.period));
        Poll::Ready(due)
    }

    /// The next tick comes a period from now.
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// The next tick comes at once.
    pub fn reset_immediately(&mut self) {
        self.reset_at(Instant::now());
    }

    /// The next tick comes `after` from now; the others follow it.
    pub fn reset_after(&mut self, after: Duration) {
        self.reset_at(Instant::now().saturating_add(after));
    }

    /// The next tick comes at `deadline`; the others follow it. If that has passed, it comes at once.
    pub fn reset_at(&mut self, deadline: Instant) {
        Pin::new(&mut self.sleep).reset(deadline);
    }

    /// What becomes of ticks that are missed.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// Says what becomes of ticks that are missed.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }
}
