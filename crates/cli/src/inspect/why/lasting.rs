//! Owns how long it is said that something lasts.

use crate::human::Span;
use glasshouse_pal::reader::Log;

/// How long what began at a stamp and has not ended lasts.
pub fn lasted(log: &Log, since: u64, until: u64) -> String {
    Span(log.rate().ns(until.saturating_sub(since))).to_string()
}
