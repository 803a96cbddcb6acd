//! Owns how a row's work is done: by how many workers, how much of it, and in what time it is counted.

use super::Clock;
use std::time::Duration;

/// How the work is done.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Threads that run tasks.
    pub workers: usize,
    pub size: Size,
    pub clock: Clock,
}

/// How much of the work is done.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    divisor: u32,
}

/// What a measured size is divided by for the round before it: that is enough to touch the memory, fill
/// the caches, and lap the rings of the log.
const WARM_UP_DIVISOR: u32 = 8;
/// What is left of the work where the figures need not be exact.
const QUICK_DIVISOR: u32 = 5;

impl Setting {
    /// The setting as arguments of a process.
    pub fn words(self) -> [String; 3] {
        [
            self.workers.to_string(),
            self.size.divisor.to_string(),
            self.clock.name().to_owned(),
        ]
    }

    /// Reads what [`Setting::words`] gives.
    pub fn from_words(words: &[String]) -> Option<Setting> {
        let [workers, divisor, clock] = words else {
            return None;
        };
        Some(Setting {
            workers: workers.parse().ok()?,
            size: Size {
                divisor: divisor.parse().ok()?,
            },
            clock: Clock::by_name(clock)?,
        })
    }

    /// The same for the round before the measured one.
    pub fn warm_up(self) -> Setting {
        let size = Size {
            divisor: self.size.divisor * WARM_UP_DIVISOR,
        };
        Setting { size, ..self }
    }
}

impl Size {
    /// All of it.
    pub const FULL: Size = Size { divisor: 1 };
    /// So much that one sees whether it works.
    pub const QUICK: Size = Size {
        divisor: QUICK_DIVISOR,
    };

    /// The size's part of `count`, and at least one.
    pub fn of(self, count: u64) -> u64 {
        (count / u64::from(self.divisor)).max(1)
    }

    /// The size's part of `time`.
    pub fn of_time(self, time: Duration) -> Duration {
        time / self.divisor
    }
}
