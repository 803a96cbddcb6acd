//! Time as the scheduler's tasks see it: deadlines, delays, intervals.
//!
//! It is the scheduler's clock. In a deterministic scheduler it is virtual: it stands still while a task
//! computes (unless the task calls [`advance`]) and jumps to the next deadline when nothing is ready.

mod here;
mod instant;
mod interval;
mod sleep;
mod timeout;
mod timers;
mod wheel;

pub use instant::{Instant, advance};
pub use interval::{Interval, MissedTickBehavior, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Elapsed, Timeout, timeout, timeout_at};

pub(crate) use here::SpareTimer;
#[cfg(all(test, glasshouse_loom))]
pub(crate) use timers::Look;
pub(crate) use timers::Timers;
