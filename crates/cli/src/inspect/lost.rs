//! Owns how commands say what a log retains and what it has lost.

use super::open::Opened;
use super::until::until;
use crate::human::Span;
use glasshouse_pal::LossCause;
use glasshouse_pal::reader::{Gap, GapCause, Log, Loss, SegmentLoss};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// The segments that a line names; it counts the others.
const SEGMENTS_NAMED: usize = 5;

/// A process that records nothing for less than this is not told to be quiet. A guess: it may just be idle.
const QUIET_NS: u64 = 1_000_000_000;

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

/// One line: the span that the log retains, for how long nothing was recorded since, and what it has lost.
pub fn line(log: &Log) -> String {
    line_until(log, until(log, 0))
}

/// The same for a log that speaks up to this stamp.
fn line_until(log: &Log, until: u64) -> String {
    let quiet = quiet_ns(log, until).map(|ns| {
        let since = Span(ns);
        format!("; nothing was recorded in the {since} since")
    });
    told(log, &quiet.unwrap_or_default())
}

/// The same without what was since, for a screen that shows the present.
pub fn brief(log: &Log) -> String {
    told(log, "")
}

fn told(log: &Log, quiet: &str) -> String {
    let loss = log.loss();
    let span = Span(log.retained_ns());
    let (horizon, gaps) = (log.horizon(), loss.gaps.len());
    let retained = match (horizon, gaps) {
        (None, 0) => format!("retained: all of {span}"),
        (None, _) => format!("retained: {span}{}", with_gaps(gaps)),
        (Some(_), _) => format!("retained: the last {span}{}", with_gaps(gaps)),
    };
    let safety = match log.is_crash_safe() {
        true => "",
        false => "; not crash-safe: the log dies with its process",
    };
    format!("{retained}{quiet}; lost: {}{safety}", summary(&loss))
}

fn with_gaps(gaps: usize) -> String {
    match gaps {
        0 => String::new(),
        1 => ", with a gap".to_owned(),
        gaps => format!(", with {gaps} gaps"),
    }
}

/// How long a process that has nothing to record has been so; `None` where it is not worth a word: records are then
/// most of what there was to tell.
fn quiet_ns(log: &Log, until: u64) -> Option<u64> {
    let retained_ns = log.retained_ns();
    let from = log.horizon().unwrap_or(log.start_stamp());
    let newest_ns = log.at_ns(from).saturating_add(retained_ns);
    let quiet_ns = log.at_ns(until).saturating_sub(newest_ns);
    (quiet_ns >= QUIET_NS && quiet_ns > retained_ns).then_some(quiet_ns)
}

/// What leads on where records make no sense.
pub const REMEDY: &str = "`glasshouse verify` tells what does not hold";

/// Says behind the records what of them could not be read, or makes no sense, where the line was said before them, and
/// nobody knew it then.
pub fn say_unread(opened: &Opened) {
    let loss = opened.log.loss();
    let senseless = loss.senseless;
    let senseless = (senseless > 0).then(|| format!("{senseless} records make no sense"));
    let parts: Vec<String> = unread(&loss).into_iter().chain(senseless).collect();
    if !parts.is_empty() {
        let (name, parts) = (opened.name(), parts.join(", "));
        // Nobody is left to tell where standard error itself cannot be written.
        let _ = writeln!(std::io::stderr(), "{name}: {parts}: {REMEDY}");
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
        part(*count, cause_told(*cause));
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
    let gaps = match loss.gaps.len() {
        1 => "1 gap".to_owned(),
        gaps => format!("{gaps} gaps"),
    };
    let records = loss.in_gaps();
    format!("{records} records in {gaps} ({})", causes.join(", "))
}

fn gap_told(cause: GapCause) -> &'static str {
    match cause {
        GapCause::Overrun => "overran the spiller",
        GapCause::Budget => "beyond its budget",
        GapCause::Failed => "not to be written",
        GapCause::Removed => "of missing segments",
    }
}

fn cause_told(cause: LossCause) -> &'static str {
    match cause {
        LossCause::NoRing => "events found no ring",
        LossCause::Reentrant => "events came while another was written",
        LossCause::TableFull => "tasks found no room in the task table",
        LossCause::TextFull => "texts found no room",
        LossCause::SiteFull => "spawn sites found no room",
        LossCause::ClockRegressed => "stamps held back because the clock went back",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshouse_pal::{Clock, Pal, RingOwner, TaskEvent};

    #[test]
    fn a_process_that_recorded_nothing_for_long_is_not_told_to_have_ended_with_its_last_record() {
        let pal = Pal::memory_with(Clock::virtual_time());
        let clock = pal.clock();
        let ring = pal.lease(RingOwner::Worker(0));
        clock.advance_ns(21_500_000);
        assert!(ring.write(clock.now(), 0, &TaskEvent::ShutdownComplete { clean: true }));
        let told_after = |ns: u64| {
            clock.advance_ns(ns);
            line_until(&pal.log(), clock.now())
                .split("; lost")
                .next()
                .expect("a part")
                .to_owned()
        };
        assert_eq!(told_after(999_000_000), "retained: all of 21.5 ms");
        let quiet = "retained: all of 21.5 ms; nothing was recorded in the 2.99 s since";
        assert_eq!(told_after(2_000_000_000), quiet);
        assert!(ring.write(clock.now(), 0, &TaskEvent::ShutdownComplete { clean: true }));
        // As long as what is retained is longer, the process is as busy as ever.
        assert_eq!(told_after(3_000_000_000), "retained: all of 3.02 s");
    }
}
