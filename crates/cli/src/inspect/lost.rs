//! Owns how commands say what a log retains and what it has lost.

use crate::human::Span;
use glasshouse_pal::LossCause;
use glasshouse_pal::reader::{Log, Loss};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is not in a log, as JSON has it.
#[derive(Serialize)]
pub struct Lost {
    /// Records that newer ones have replaced.
    overwritten: u64,
    /// What the writer could not record, by cause.
    unwritten: BTreeMap<&'static str, u64>,
    /// Records that make no sense.
    unreadable: u64,
    /// Rings that cannot be read.
    damaged_rings: u64,
}

impl From<&Loss> for Lost {
    fn from(loss: &Loss) -> Lost {
        let by_cause = loss.unwritten.iter();
        Lost {
            overwritten: loss.overwritten(),
            unwritten: by_cause
                .map(|(cause, count)| (cause.name(), *count))
                .collect(),
            unreadable: loss.unreadable,
            damaged_rings: loss.damaged_rings,
        }
    }
}

/// One line: the span that the log retains, and what it has lost.
pub fn line(log: &Log) -> String {
    let loss = log.loss();
    let span = Span(log.retained_ns());
    let retained = match log.horizon() {
        None => format!("retained: all of {span}"),
        Some(_) => format!("retained: the last {span}"),
    };
    let safety = match log.is_crash_safe() {
        true => "",
        false => "; not crash-safe: the log dies with its process",
    };
    format!("{retained}; lost: {}{safety}", summary(&loss))
}

/// What was lost, in a few words.
pub fn summary(loss: &Loss) -> String {
    let mut parts = Vec::new();
    let mut part = |count: u64, what: &str| {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    };
    part(loss.overwritten(), "records overwritten");
    for (cause, count) in &loss.unwritten {
        part(*count, told(*cause));
    }
    part(loss.unreadable, "records unreadable");
    part(loss.damaged_rings, "rings damaged");
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.join(", "),
    }
}

fn told(cause: LossCause) -> &'static str {
    match cause {
        LossCause::NoRing => "events found no ring",
        LossCause::Reentrant => "events came while another was written",
        LossCause::TableFull => "tasks found the table full",
        LossCause::TextFull => "texts found no room",
        LossCause::SiteFull => "spawn sites found no room",
        LossCause::ClockRegressed => "stamps held back because the clock went back",
    }
}
