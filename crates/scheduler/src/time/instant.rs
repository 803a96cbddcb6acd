//! Owns a moment of the scheduler's clock.

use crate::runtime::entered;
use glasshouse_pal::Clock;
use once_cell::sync::Lazy;
use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// The clock outside of any scheduler.
static PROCESS: Lazy<Clock> = Lazy::new(Clock::process);

/// A moment of the scheduler's clock, with the arithmetic of [`std::time::Instant`]. Moments of two
/// schedulers compare only if neither is deterministic.
///
/// ```
/// use glasshouse_scheduler::{Builder, time::{self, Instant}};
/// use std::time::Duration;
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     let begun = Instant::now();
///     time::sleep(Duration::from_secs(3600)).await;
///     assert_eq!(begun.elapsed(), Duration::from_secs(3600));
/// });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    ns: u64,
}

/// Calls `f` with the clock of the scheduler that this thread works for, or the process's.
pub(crate) fn with_clock<R>(f: impl FnOnce(&Clock) -> R) -> R {
    entered::with_worker(|worker| match worker {
        Some(worker) => f(worker.shared.hub.clock()),
        None => match entered::current_handle() {
            Some(handle) => f(handle.shared().hub.clock()),
            None => f(&PROCESS),
        },
    })
}

impl Instant {
    /// The present.
    pub fn now() -> Instant {
        with_clock(|clock| Instant {
            ns: clock.ns(clock.now()),
        })
    }

    /// A moment so far away that it never comes.
    pub(crate) fn never() -> Instant {
        Instant { ns: u64::MAX }
    }

    /// Its first tick on `clock`.
    pub(crate) fn ticks(self, clock: &Clock) -> u64 {
        let ticks = clock.ticks(self.ns);
        if clock.ns(ticks) < self.ns {
            ticks.saturating_add(1)
        } else {
            ticks
        }
    }

    /// The time since then; zero if it has not come.
    pub fn elapsed(&self) -> Duration {
        Instant::now().duration_since(*self)
    }

    /// The time between the two; zero if `earlier` is later.
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.saturating_duration_since(earlier)
    }

    /// The time between the two; zero if `earlier` is later.
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.ns.saturating_sub(earlier.ns))
    }

    /// The moment that much later, if the clock reaches it (it counts nanoseconds in 64 bits).
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        let ns = u64::try_from(duration.as_nanos()).ok()?;
        Some(Instant {
            ns: self.ns.checked_add(ns)?,
        })
    }

    pub(crate) fn saturating_add(self, duration: Duration) -> Instant {
        self.checked_add(duration).unwrap_or_else(Instant::never)
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    /// # Panics
    /// If the clock never reaches the moment.
    fn add(self, duration: Duration) -> Instant {
        self.checked_add(duration)
            .expect("the moment lies beyond the clock's 584 years; use a shorter duration")
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Instant) -> Duration {
        self.duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instant({:?})", Duration::from_nanos(self.ns))
    }
}

/// Lets virtual time pass while a task computes. The running tick, its quantum included, is that much
/// longer.
///
/// # Panics
/// Outside of a deterministic scheduler: real time cannot be moved.
pub fn advance(duration: Duration) {
    with_clock(|clock| {
        assert!(
            clock.is_virtual(),
            "time::advance moves virtual time only; build the scheduler with Builder::deterministic"
        );
        clock.advance_ns(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    });
}
