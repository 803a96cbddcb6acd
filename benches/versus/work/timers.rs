//! Owns the rows whose timers are armed and given up, as the deadlines of calls that succeed are.

use super::{Clock, Setting, Size};
use crate::versus::runtime::Runtime;
use futures_lite::future::poll_once;
use std::time::Duration;

/// A deadline that is never reached.
const NEVER_REACHED: Duration = Duration::from_secs(10);

/// Arms a timer and drops it, again and again, in one task.
pub async fn dropped<R: Runtime>(size: Size) -> u64 {
    let timers = size.of(800_000);
    for _ in 0..timers {
        assert!(poll_once(R::sleep(NEVER_REACHED)).await.is_none());
    }
    timers
}

/// The same in as many tasks as there are workers, at once: what the workers have in common shows. Gives
/// the nanoseconds that one timer takes one worker.
pub async fn dropped_by_all<R: Runtime>(setting: Setting) -> Vec<f64> {
    let begun = setting.clock.read();
    let tasks: Vec<_> = (0..setting.workers)
        .map(|_| R::spawn(dropped::<R>(setting.size)))
        .collect();
    let mut timers = 0;
    for task in tasks {
        timers += task.await;
    }
    let took = setting.clock.read() - begun;
    let at_a_time = match setting.clock {
        Clock::Wall => setting.workers,
        // It runs once for each worker.
        Clock::Processor => 1,
    };
    vec![took.as_nanos() as f64 * at_a_time as f64 / timers as f64]
}
