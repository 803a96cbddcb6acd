//! Owns the moment up to which a log speaks.

use glasshouse_pal::Clock;
use glasshouse_pal::reader::Log;

/// The stamp up to which a log speaks: the present while its process runs, else its last sign of life.
pub fn until(log: &Log, newest_record: u64) -> u64 {
    if let Some(now) = now(log).filter(|_| log.is_alive()) {
        return now.max(newest_record);
    }
    let heartbeats = log.rings().into_iter().map(|ring| ring.heartbeat);
    heartbeats.fold(newest_record, u64::max)
}

/// The present as a stamp of the log. Each process measures the rate of the processor's counter for itself, so what this
/// one reads there is no stamp of another's; CLOCK_MONOTONIC is one for all, and the log pairs it with stamps.
fn now(log: &Log) -> Option<u64> {
    let last = log.clock_pairs().last()?;
    let since_ns = Clock::monotonic().now().checked_sub(last.monotonic_ns)?;
    Some(last.ticks.saturating_add(log.rate().ticks(since_ns)))
}
