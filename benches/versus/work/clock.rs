//! Owns what time is measured in.

use rustix::time::{ClockId, clock_gettime};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// The moment since which time passes.
static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What a measurement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The time that passes: what a user waits for, and what rows are judged by.
    Wall,
    /// What all threads of this process use of processors. It stands even where other programs take
    /// the machine's time, and tells nothing about waiting.
    Processor,
}

impl Clock {
    /// Its name on the command line of a process that measures.
    pub fn name(self) -> &'static str {
        match self {
            Clock::Wall => "wall",
            Clock::Processor => "processor",
        }
    }

    pub fn by_name(name: &str) -> Option<Clock> {
        let all = [Clock::Wall, Clock::Processor];
        all.into_iter().find(|clock| clock.name() == name)
    }

    /// The time since some moment in the past.
    pub fn read(self) -> Duration {
        match self {
            // By the standard library, whose way to the clock valgrind knows.
            Clock::Wall => BEGIN.elapsed(),
            Clock::Processor => {
                let used = clock_gettime(ClockId::ProcessCPUTime);
                // It is never negative.
                Duration::new(used.tv_sec as u64, used.tv_nsec as u32)
            }
        }
    }
}
