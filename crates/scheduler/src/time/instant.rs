//! Owns a moment of the scheduler's clock.

use crate::runtime::entered;
use crate::watchdog;
use glasshouse_pal::Clock;
use once_cell::sync::Lazy;
use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

/// The clock outside of any scheduler.
static PROCESS: Lazy<Clock> = Lazy::new(Clock::process);
/// The zero of all virtual clocks, as moments of the standard library.
static VIRTUAL_ZERO: Lazy<std::time::Instant> = Lazy::new(std::time::Instant::now);

/// What nanoseconds in 64 bits hold.
const LONGEST: Duration = Duration::from_nanos(u64::MAX);

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

/// Nanoseconds of a duration; as many as there are in 64 bits, if it is longer.
pub(crate) fn ns_of(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::from(duration.subsec_nanos()))
}

impl Instant {
    /// The present.
    pub fn now() -> Instant {
        with_clock(Instant::on)
    }

    /// The present of this clock.
    pub(crate) fn on(clock: &Clock) -> Instant {
        Instant {
            ns: clock.ns(clock.now()),
        }
    }

    /// Nanoseconds since the clock's zero.
    pub(crate) fn ns(self) -> u64 {
        self.ns
    }

    /// The moment as far from the present as `std` is from the standard clock's.
    ///
    /// The scheduler's clock is not the standard library's, so both are read. What comes out is never
    /// earlier than it should be, but later by the time between the two readings, some tens of
    /// nanoseconds; and where a moment lies hours away, the clocks' drift counts: a few millionths of the
    /// distance.
    ///
    /// In a deterministic scheduler time has no present in common with the standard clock. Moments are
    /// carried over by one fixed distance, there and back exactly, so that code that only takes them from
    /// [`Instant::into_std`] is as reproducible as ever.
    pub fn from_std(std: std::time::Instant) -> Instant {
        with_clock(|clock| {
            if clock.is_virtual() {
                return Instant { ns: 0 }.moved(*VIRTUAL_ZERO, std);
            }
            // In this order: the scheduler's clock is read later.
            let standard = std::time::Instant::now();
            Instant::on(clock).moved(standard, std)
        })
    }

    /// This moment, moved by the distance between two others.
    fn moved(self, from: std::time::Instant, to: std::time::Instant) -> Instant {
        match to.checked_duration_since(from) {
            Some(later) => self.saturating_add(later),
            None => self
                .checked_sub(from.duration_since(to))
                .unwrap_or(Instant { ns: 0 }),
        }
    }

    /// The standard library's moment as far from its present as this one is from the scheduler's;
    /// [`Instant::from_std`] says how near that is.
    ///
    /// # Panics
    /// If the standard library's clock never reaches it.
    pub fn into_std(self) -> std::time::Instant {
        const UNREACHED: &str = "the moment lies beyond the standard clock; use a nearer one";
        with_clock(|clock| {
            if clock.is_virtual() {
                let later = Duration::from_nanos(self.ns);
                return VIRTUAL_ZERO.checked_add(later).expect(UNREACHED);
            }
            // In this order: the standard clock is read later.
            let now = Instant::on(clock);
            let standard = std::time::Instant::now();
            let moved = match self.checked_duration_since(now) {
                Some(later) => standard.checked_add(later),
                None => standard.checked_sub(now.duration_since(self)),
            };
            moved.expect(UNREACHED)
        })
    }

    /// The time since then; zero if it has not come.
    pub fn elapsed(&self) -> Duration {
        Instant::now().duration_since(*self)
    }

    /// The time between the two; zero if `earlier` is later.
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.saturating_duration_since(earlier)
    }

    /// The time between the two; nothing if `earlier` is later.
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.ns.checked_sub(earlier.ns).map(Duration::from_nanos)
    }

    /// The time between the two; zero if `earlier` is later.
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.ns.saturating_sub(earlier.ns))
    }

    /// The moment that much later, if the clock reaches it (it counts nanoseconds in 64 bits).
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.ns
            .checked_add(ns_of(duration))
            .filter(|_| duration <= LONGEST)
            .map(|ns| Instant { ns })
    }

    /// The moment that much earlier, if it does not lie before the clock's zero.
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.ns
            .checked_sub(ns_of(duration))
            .filter(|_| duration <= LONGEST)
            .map(|ns| Instant { ns })
    }

    /// The moment that much later, or never.
    pub(crate) fn saturating_add(self, duration: Duration) -> Instant {
        self.saturating_add_ns(ns_of(duration))
    }

    pub(crate) fn saturating_add_ns(self, ns: u64) -> Instant {
        Instant {
            ns: self.ns.saturating_add(ns),
        }
    }
}

impl From<std::time::Instant> for Instant {
    fn from(std: std::time::Instant) -> Instant {
        Instant::from_std(std)
    }
}

impl From<Instant> for std::time::Instant {
    fn from(instant: Instant) -> std::time::Instant {
        instant.into_std()
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

impl Sub<Duration> for Instant {
    type Output = Instant;
    /// # Panics
    /// If the moment lies before the clock's zero.
    fn sub(self, duration: Duration) -> Instant {
        self.checked_sub(duration)
            .expect("the moment lies before the clock's zero; use a shorter duration")
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
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
        clock.advance_ns(ns_of(duration));
    });
    entered::with_worker(|worker| {
        if let Some(worker) = worker {
            watchdog::time_moved(worker);
        }
    });
}
