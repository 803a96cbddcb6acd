//! Owns the rows whose tasks all sleep at once.

use super::footprint::resident_bytes;
use super::{Clock, Setting};
use crate::versus::runtime::Runtime;
use std::time::Duration;

/// The sleepers' shortest sleep; the others are up to so much longer.
const SLEEP_MIN: Duration = Duration::from_millis(1);
const SLEEPS_MS: u64 = 400;
/// A step that has no divisor in common with that range visits all of it, out of order.
const STEP_MS: u64 = 171;
/// How long a million tasks sleep at least: longer than it takes the slowest runtime to spawn them.
const MILLION_SLEEP_MIN: Duration = Duration::from_secs(8);

/// Tasks that all sleep at once, for times spread evenly over 400 ms. Gives the nanoseconds of processor
/// time per task, all threads together.
pub async fn many<R: Runtime>(setting: Setting) -> Vec<f64> {
    let sleepers = setting.size.of(100_000);
    let begun = Clock::Processor.read();
    sleep_all(spawn_sleepers::<R>(sleepers, SLEEP_MIN)).await;
    let used = Clock::Processor.read() - begun;
    vec![used.as_nanos() as f64 / sleepers as f64]
}

/// A million tasks that sleep, each until after the last was spawned. Gives the nanoseconds of
/// processor time and the resident bytes per task.
///
/// # Panics
/// When the first woke before the last slept.
pub async fn million<R: Runtime>(setting: Setting) -> Vec<f64> {
    let sleepers = setting.size.of(1_000_000);
    let least = setting.size.of_time(MILLION_SLEEP_MIN);
    let (begun, resident) = (Clock::Processor.read(), resident_bytes());
    let spawned = Clock::Wall.read();
    let tasks = spawn_sleepers::<R>(sleepers, least);
    // All have been polled when this one, which came last, has had turns beside them.
    R::sleep(Duration::from_millis(1)).await;
    let resident = resident_bytes().saturating_sub(resident);
    assert!(
        Clock::Wall.read() - spawned < least,
        "the first sleeper woke before the last one slept"
    );
    sleep_all(tasks).await;
    let used = Clock::Processor.read() - begun;
    [used.as_nanos() as f64, resident as f64]
        .map(|total| total / sleepers as f64)
        .to_vec()
}

fn spawn_sleepers<R: Runtime>(
    sleepers: u64,
    least: Duration,
) -> Vec<impl Future<Output = ()> + Send> {
    (0..sleepers)
        .map(|sleeper| {
            let more = Duration::from_millis(sleeper * STEP_MS % SLEEPS_MS);
            R::spawn(R::sleep(least + more))
        })
        .collect()
}

async fn sleep_all(tasks: Vec<impl Future<Output = ()>>) {
    for task in tasks {
        task.await;
    }
}
