//! Owns the rows whose work is to keep time.

use super::Size;
use crate::versus::runtime::Runtime;
use futures_lite::future::poll_once;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// A deadline that is armed and, as most are, never reached.
const NEVER_REACHED: Duration = Duration::from_secs(10);
/// The sleepers' shortest and longest sleep.
const SLEEP_MIN: Duration = Duration::from_millis(1);
const SLEEPS_MS: u64 = 400;

/// Arms a timer and drops it, again and again.
pub async fn dropped<R: Runtime>(size: Size) -> u64 {
    let timers = size.of(800_000);
    for _ in 0..timers {
        assert!(poll_once(R::sleep(NEVER_REACHED)).await.is_none());
    }
    timers
}

/// Tasks that all sleep at once, for times spread evenly over 400 ms. Gives the nanoseconds of processor
/// time per task, all threads together.
pub async fn sleepers<R: Runtime>(size: Size) -> Vec<f64> {
    let sleepers = size.of(100_000);
    let begun = processor_time();
    let tasks: Vec<_> = (0..sleepers)
        .map(|sleeper| {
            // A step that has no divisor in common with the range visits all of it, out of order.
            let sleep = SLEEP_MIN + Duration::from_millis(sleeper * 171 % SLEEPS_MS);
            R::spawn(R::sleep(sleep))
        })
        .collect();
    for task in tasks {
        task.await;
    }
    let used = processor_time() - begun;
    vec![used.as_nanos() as f64 / sleepers as f64]
}

/// What this process has used of all processors.
pub fn processor_time() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec as u64, used.tv_nsec as u32)
}
