//! Owns the reading of time: raw ticks for records, and their conversion to nanoseconds.
//!
//! Durations come from ticks by one fixed multiplier, never from the wall clock. The wall clock is
//! only written down beside the ticks now and then, so that a reader can put dates to them.

mod rate;
#[cfg(target_arch = "x86_64")]
mod tsc;

pub use rate::Rate;

use once_cell::sync::Lazy;
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

/// A source of time stamps. Cheap to clone; clones of a virtual clock share its time.
///
/// ```
/// use glasshouse_pal::Clock;
/// let clock = Clock::process();
/// let start = clock.now();
/// assert!(clock.now_ordered() >= start);
///
/// let clock = Clock::virtual_time();
/// clock.advance_ns(1_500);
/// assert_eq!(clock.ns(clock.now()), 1_500);
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    rate: Rate,
}

#[derive(Clone, Debug)]
enum Source {
    #[cfg(target_arch = "x86_64")]
    Tsc,
    Monotonic,
    Virtual(Arc<AtomicU64>),
}

impl Clock {
    /// The clock that the logs and schedulers of this process share: the processor's counter where
    /// the kernel trusts it, CLOCK_MONOTONIC elsewhere. The first call measures the counter's rate,
    /// which takes a few milliseconds.
    pub fn process() -> Clock {
        static PROCESS: Lazy<Clock> = Lazy::new(Clock::best);
        PROCESS.clone()
    }

    /// CLOCK_MONOTONIC, one tick a nanosecond.
    pub fn monotonic() -> Clock {
        Clock {
            source: Source::Monotonic,
            rate: Rate::UNITY,
        }
    }

    /// A clock that stands at zero until it is moved by hand, one tick a nanosecond.
    pub fn virtual_time() -> Clock {
        Clock {
            source: Source::Virtual(Arc::new(AtomicU64::new(0))),
            rate: Rate::UNITY,
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn best() -> Clock {
        match tsc::rate() {
            Some(rate) => Clock {
                source: Source::Tsc,
                rate,
            },
            None => Clock::monotonic(),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn best() -> Clock {
        Clock::monotonic()
    }

    /// The time in ticks. The processor may take the reading a little early or late relative to
    /// the instructions around it.
    #[inline]
    pub fn now(&self) -> u64 {
        match &self.source {
            #[cfg(target_arch = "x86_64")]
            Source::Tsc => tsc::read(),
            Source::Monotonic => monotonic_ns(),
            Source::Virtual(ticks) => ticks.load(Ordering::Relaxed),
        }
    }

    /// The time in ticks, read after everything that precedes the call in program order: what
    /// another processor did before this one saw it carries no later stamp.
    #[inline]
    pub fn now_ordered(&self) -> u64 {
        match &self.source {
            #[cfg(target_arch = "x86_64")]
            Source::Tsc => tsc::read_ordered(),
            Source::Monotonic => {
                fence(Ordering::SeqCst);
                monotonic_ns()
            }
            Source::Virtual(ticks) => ticks.load(Ordering::SeqCst),
        }
    }

    /// Ticks in nanoseconds, rounded down.
    #[inline]
    pub fn ns(&self, ticks: u64) -> u64 {
        self.rate.ns(ticks)
    }

    /// The largest count of ticks that is not longer than `ns`.
    #[inline]
    pub fn ticks(&self, ns: u64) -> u64 {
        self.rate.ticks(ns)
    }

    /// The largest count of ticks that is not longer than `time`; a time out of range is as good as for ever.
    pub fn ticks_in(&self, time: Duration) -> u64 {
        self.ticks(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Ticks as a duration, rounded down to nanoseconds.
    pub fn duration(&self, ticks: u64) -> Duration {
        Duration::from_nanos(self.ns(ticks))
    }

    /// The clock's rate.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Whether this is a virtual clock.
    pub fn is_virtual(&self) -> bool {
        matches!(self.source, Source::Virtual(_))
    }

    /// Whether the ticks are those of the processor's counter.
    pub fn is_counter(&self) -> bool {
        match self.source {
            #[cfg(target_arch = "x86_64")]
            Source::Tsc => true,
            Source::Monotonic | Source::Virtual(_) => false,
        }
    }

    /// Moves a virtual clock ahead; it stops at the end of its range.
    ///
    /// # Panics
    ///
    /// When the clock is not virtual.
    pub fn advance_ns(&self, ns: u64) {
        let now = self.virtual_ticks();
        // One thread advances a virtual clock; a lost update between two would only lose time.
        now.store(
            now.load(Ordering::Relaxed).saturating_add(ns),
            Ordering::SeqCst,
        );
    }

    /// Sets a virtual clock to `ticks`; never back.
    ///
    /// # Panics
    ///
    /// When the clock is not virtual.
    pub fn set(&self, ticks: u64) {
        self.virtual_ticks().fetch_max(ticks, Ordering::SeqCst);
    }

    fn virtual_ticks(&self) -> &AtomicU64 {
        match &self.source {
            Source::Virtual(ticks) => ticks,
            _ => panic!("only a clock made by Clock::virtual_time can be moved"),
        }
    }

    /// One reading of all three clocks, as close together as they can be read. A virtual clock
    /// stands for all three, so that a log made with it is the same on every run.
    pub(crate) fn pair(&self) -> ClockPair {
        match &self.source {
            Source::Virtual(_) => {
                let now = self.now();
                ClockPair {
                    ticks: now,
                    monotonic_ns: now,
                    wall_ns: now,
                }
            }
            _ => ClockPair {
                ticks: self.now_ordered(),
                monotonic_ns: monotonic_ns(),
                wall_ns: nanoseconds(ClockId::Realtime),
            },
        }
    }
}

/// What three clocks showed at one moment.
///
/// ```
/// let log = glasshouse_pal::Pal::memory().log();
/// let start = log.clock_pairs()[0];
/// assert!(start.wall_ns > 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockPair {
    /// The log's clock, in ticks.
    pub ticks: u64,
    /// CLOCK_MONOTONIC, in nanoseconds.
    pub monotonic_ns: u64,
    /// The wall clock, in nanoseconds since 1970 UTC.
    pub wall_ns: u64,
}

fn monotonic_ns() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    // Neither clock shows a negative time on a machine whose date lies after 1970.
    (time.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_clock_agrees_with_the_monotonic_clock() {
        let clock = Clock::process();
        let bracketed = || (monotonic_ns(), clock.now_ordered(), monotonic_ns());
        let (before_first, first, after_first) = bracketed();
        while monotonic_ns() < before_first + 20_000_000 {
            std::hint::spin_loop();
        }
        let (before_last, last, after_last) = bracketed();
        // However long this thread was off its processor, the truth lies between these two.
        let least = before_last - after_first;
        let most = after_last - before_first;
        let by_ticks = clock.ns(last - first);
        assert!(by_ticks >= least - least / 100, "{by_ticks} < {least}");
        assert!(by_ticks <= most + most / 100, "{by_ticks} > {most}");
    }

    #[test]
    fn a_virtual_clock_moves_by_hand_and_never_back() {
        let clock = Clock::virtual_time();
        let twin = clock.clone();
        clock.advance_ns(10);
        twin.set(5);
        assert_eq!(clock.now(), 10);
        twin.set(25);
        assert_eq!(clock.now_ordered(), 25);
    }

    #[test]
    fn a_time_beyond_the_range_of_nanoseconds_is_all_the_ticks_there_are() {
        let clock = Clock::virtual_time();
        assert_eq!(clock.ticks_in(Duration::from_micros(3)), 3_000);
        assert_eq!(clock.ticks_in(Duration::MAX), u64::MAX);
    }

    #[test]
    fn a_virtual_clock_stands_for_all_three() {
        let clock = Clock::virtual_time();
        clock.set(7);
        let pair = clock.pair();
        assert_eq!((pair.ticks, pair.monotonic_ns, pair.wall_ns), (7, 7, 7));
    }
}
