//! Owns how commands say what a log retains and what it has lost.

use super::open::Opened;
use crate::human::Span;
use glasshouse_pal::LossCause;
use glasshouse_pal::reader::{Gap, GapCause, Log, Loss, SegmentLoss};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// The segments that a line names; it counts the others.
const SEGMENTS_NAMED: usize = 5;

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
    /// Windows that segments left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<GapLost>,
    /// Bytes at the ends of segments that are no whole section.
    #[serde(skip_serializing_if = "is_zero")]
    torn_bytes: u64,
    /// Segments that cannot be read.
    #[serde(skip_serializing_if = "is_zero")]
    damaged_segments: u64,
    /// What of segments could not be read, as far as it was tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unread: Vec<Unread>,
}

/// What of a segment could not be read, as JSON has it.
#[derive(Serialize)]
struct Unread {
    segment: u64,
    records: u64,
}

impl From<&SegmentLoss> for Unread {
    fn from(of: &SegmentLoss) -> Unread {
        let (segment, records) = (of.segment, of.records);
        Unread { segment, records }
    }
}

/// A window that segments left out, as JSON has it.
#[derive(Serialize)]
struct GapLost {
    records: u64,
    /// Stamps of the log's clock.
    from: u64,
    to: u64,
    causes: Vec<&'static str>,
}

impl From<&Gap> for GapLost {
    fn from(gap: &Gap) -> GapLost {
        GapLost {
            records: gap.records,
            from: gap.from,
            to: gap.to,
            causes: gap.causes.iter().map(|cause| cause.name()).collect(),
        }
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
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
            gaps: loss.gaps.iter().map(GapLost::from).collect(),
            torn_bytes: loss.torn_bytes,
            damaged_segments: loss.damaged_segments,
            unread: loss.unread.iter().map(Unread::from).collect(),
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

/// Says behind the records what of them could not be read, where the line was said before them: nobody knew it then.
pub fn say_unread(opened: &Opened) {
    if let Some(unread) = unread(&opened.log.loss()) {
        // Nobody is left to tell where standard error itself cannot be written.
        let _ = writeln!(std::io::stderr(), "{}: {unread}", opened.name());
    }
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
    part(loss.damaged_segments, "segments unreadable");
    part(loss.torn_bytes, "bytes torn off at the end of a segment");
    parts.extend(unread(loss));
    if !loss.gaps.is_empty() {
        parts.push(gaps(loss));
    }
    match parts.is_empty() {
        true => "nothing".to_owned(),
        false => parts.join(", "),
    }
}

/// The records of segments that could not be read, and of which; `None` where there are none.
fn unread(loss: &Loss) -> Option<String> {
    let named = loss.unread.iter().take(SEGMENTS_NAMED);
    let mut named: Vec<String> = named
        .map(|of| format!("{} of segment {}", of.records, of.segment))
        .collect();
    let others = loss.unread.len().saturating_sub(SEGMENTS_NAMED);
    if others > 0 {
        named.push(format!("others of {others} more"));
    }
    let which = named.join(", ");
    let is_any = !loss.unread.is_empty();
    is_any.then(|| format!("{} records not to be read ({which})", loss.unread()))
}

/// The windows that segments left out, and why.
fn gaps(loss: &Loss) -> String {
    let causes = GapCause::ALL.map(|cause| {
        let of = |gap: &&Gap| gap.causes.contains(&cause);
        (loss.gaps.iter().filter(of).count(), gap_told(cause))
    });
    let told = causes.into_iter().filter(|(count, _)| *count > 0);
    let causes: Vec<String> = told.map(|(count, why)| format!("{count} {why}")).collect();
    format!(
        "{} records in {} gaps ({})",
        loss.in_gaps(),
        loss.gaps.len(),
        causes.join(", ")
    )
}

fn gap_told(cause: GapCause) -> &'static str {
    match cause {
        GapCause::Overrun => "overran the spiller",
        GapCause::Budget => "beyond its budget",
        GapCause::Failed => "not to be written",
        GapCause::Removed => "of missing segments",
    }
}

fn told(cause: LossCause) -> &'static str {
    match cause {
        LossCause::NoRing => "events found no ring",
        LossCause::Reentrant => "events came while another was written",
        LossCause::TableFull => "tasks found no room in the task table",
        LossCause::TextFull => "texts found no room",
        LossCause::SiteFull => "spawn sites found no room",
        LossCause::ClockRegressed => "stamps held back because the clock went back",
    }
}
