//! Owns what a log does not hold: derived from the sequence numbers, or counted by the writer.

use super::entry::RingId;
use super::gap::Gap;
use crate::loss::LossCause;

/// What is not in a log, and why.
///
/// ```
/// let loss = glasshouse_pal::Pal::memory().log().loss();
/// assert!(loss.is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Every ring that was written to.
    pub rings: Vec<RingLoss>,
    /// What the writer could not record; only causes that occurred.
    pub unwritten: Vec<(LossCause, u64)>,
    /// Records that are there and make no sense: damage, or the last one of a killed process.
    pub unreadable: u64,
    /// Those of them that segments hold, as far as their records were read: known behind a pass over them, and not before.
    /// What made no sense to their spiller is not among them, and lacks in the rings' records.
    pub senseless: u64,
    /// Rings that could not be read at all.
    pub damaged_rings: u64,
    /// Windows that segments do not hold, in the order of time; what they lost is not among what rings did.
    pub gaps: Vec<Gap>,
    /// Bytes at the ends of segments that are no whole section, as a killed process leaves them, or damage.
    pub torn_bytes: u64,
    /// Files of segments that could not be read at all.
    pub damaged_segments: u64,
    /// What turned out not to be readable of segments, as far as their records were read: it is known behind a pass over
    /// them, and not before.
    pub unread: Vec<SegmentLoss>,
}

/// Records that a segment holds by its own words, and that could not be read: its file is gone, cut short or not to be
/// read, or they make no sense.
///
/// ```
/// let loss = glasshouse_pal::reader::SegmentLoss { segment: 3, records: 120 };
/// assert_eq!((loss.segment, loss.records), (3, 120));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentLoss {
    /// The segment's number.
    pub segment: u64,
    /// How many records, those that continue others included.
    pub records: u64,
}

/// What a ring has lost.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, TaskEvent};
/// let pal = Pal::memory();
/// pal.lease(RingOwner::Worker(0)).write(1, 0, &TaskEvent::ShutdownComplete { clean: true });
/// let loss = pal.log().loss();
/// assert_eq!((loss.rings[0].newest_seq, loss.rings[0].overwritten), (1, 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingLoss {
    /// The ring.
    pub ring: RingId,
    /// The sequence number of its newest record, which is how many were ever written.
    pub newest_seq: u64,
    /// How many of those are gone, nearly all because newer ones took their places. Of segments those that are
    /// older than the oldest segment, or behind a torn end.
    pub overwritten: u64,
}

impl Loss {
    /// Records that newer ones have replaced, in all rings.
    pub fn overwritten(&self) -> u64 {
        let overwritten = self.rings.iter().map(|ring| ring.overwritten);
        // A damaged log may claim any numbers.
        overwritten.fold(0, u64::saturating_add)
    }

    /// How often a cause kept the writer from recording.
    pub fn unwritten(&self, cause: LossCause) -> u64 {
        let found = self.unwritten.iter().find(|(found, _)| *found == cause);
        found.map_or(0, |(_, count)| *count)
    }

    /// Events that the writer could not write into any ring.
    pub fn unwritten_events(&self) -> u64 {
        unwritten_events(&self.unwritten)
    }

    /// Records that are missing in gaps.
    pub fn in_gaps(&self) -> u64 {
        let records = self.gaps.iter().map(|gap| gap.records);
        records.fold(0, u64::saturating_add)
    }

    /// Records of segments that could not be read.
    pub fn unread(&self) -> u64 {
        let records = self.unread.iter().map(|segment| segment.records);
        records.fold(0, u64::saturating_add)
    }

    /// Whether nothing is missing.
    pub fn is_none(&self) -> bool {
        self.overwritten() == 0
            && self.unwritten.is_empty()
            && self.unreadable == 0
            && self.damaged_rings == 0
            && self.gaps.is_empty()
            && self.torn_bytes == 0
            && self.damaged_segments == 0
            && self.unread.is_empty()
    }
}

/// The same of the counts by cause.
pub(crate) fn unwritten_events(counts: &[(LossCause, u64)]) -> u64 {
    let is_event = |cause| matches!(cause, LossCause::NoRing | LossCause::Reentrant);
    let events = counts.iter().filter(|(cause, _)| is_event(*cause));
    events.fold(0, |sum, (_, count)| sum.saturating_add(*count))
}
