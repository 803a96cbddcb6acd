//! Owns the moment up to which a log speaks.

use glasshouse_pal::Clock;
use glasshouse_pal::reader::Log;

/// The stamp up to which a log speaks: the present while its process runs, else its last sign of life.
pub fn until(log: &Log, newest_record: u64) -> u64 {
    let clock = Clock::process();
    if log.is_alive() && clock.rate() == log.rate() {
        return clock.now();
    }
    let heartbeats = log.rings().into_iter().map(|ring| ring.heartbeat);
    heartbeats.fold(newest_record, u64::max)
}
