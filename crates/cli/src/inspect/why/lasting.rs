//! Owns how long it is said that something lasts, where the process may have lived on after the last that its log tells.

use crate::human::Span;
use glasshouse_pal::Lifecycle;
use glasshouse_pal::reader::Log;
use jiff::Timestamp;

/// Whether the process may have lived on after the last that its log tells: it was killed, or this is a copy.
pub fn is_left_open(log: &Log) -> bool {
    !log.is_alive() && log.lifecycle() != Lifecycle::CleanExit
}

/// How long what began at a stamp and has not ended lasts.
pub fn lasted(log: &Log, since: u64, until: u64) -> String {
    let span = Span(log.rate().ns(until.saturating_sub(since)));
    match is_left_open(log) {
        true => format!("at least {span}"),
        false => span.to_string(),
    }
}

/// What to know of lengths of time where the process may have lived on.
pub fn last_sign(log: &Log, until: u64) -> Option<String> {
    if !is_left_open(log) {
        return None;
    }
    let wall_ns = log.wall_ns(until).map(i128::from);
    let wall = wall_ns.and_then(|ns| Timestamp::from_nanosecond(ns).ok());
    Some(match wall {
        Some(at) => format!("its last sign of life: {at:.3}; it may have lived on"),
        None => "it may have lived on after its last record".to_owned(),
    })
}
