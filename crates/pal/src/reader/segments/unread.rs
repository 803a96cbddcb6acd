//! Owns what of the segments turned out not to be readable. Their heads tell how many records blocks hold; whether
//! these can be read and make sense is known only when somebody has tried.
//!
//! Who reads what there was when the log was opened tells the log; who follows what comes behind is told by its own
//! cursor, and of that the log remembers nothing, however long it lasts.

use super::shelf::BlockPlace;
use crate::reader::SegmentLoss;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Who hears of records that cannot be handed out.
#[derive(Clone, Debug)]
pub(super) enum Hearer {
    Log(Arc<Unread>),
    Follower(Arc<Counts>),
}

impl Hearer {
    /// The block at this place of a segment is not there any more, cannot be read as far, or makes no sense.
    pub(super) fn tell_block(&self, segment: u64, place: &BlockPlace, is_senseless: bool) {
        match self {
            Hearer::Log(unread) => unread.tell(segment, place.at, place.records),
            Hearer::Follower(counts) => counts.add(place.records, is_senseless),
        }
    }

    /// A pass has met so many further records that no event makes, and in all so many by now.
    pub(super) fn tell_senseless(&self, records: u64, in_all: u64) {
        match self {
            Hearer::Log(unread) => unread.tell_senseless(in_all),
            Hearer::Follower(counts) => counts.add(records, true),
        }
    }
}

/// Of what there was when the log was opened. Told by whoever reads, each block once however often it is tried.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// The records of each block that failed, by its segment's number and its place there.
    blocks: Mutex<BTreeMap<(u64, u64), u64>>,
    senseless: AtomicU64,
}

impl Unread {
    fn tell(&self, segment: u64, at: u64, records: u64) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.insert((segment, at), records);
    }

    fn tell_senseless(&self, in_all: u64) {
        // A count, which orders nothing. The pass that has met the most has read the most.
        self.senseless.fetch_max(in_all, Ordering::Relaxed);
    }

    /// By segment, in their order.
    pub(super) fn by_segment(&self) -> Vec<SegmentLoss> {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<SegmentLoss> = Vec::new();
        for ((segment, _), records) in &*blocks {
            match found.last_mut().filter(|last| last.segment == *segment) {
                Some(last) => last.records = last.records.saturating_add(*records),
                None => found.push(SegmentLoss {
                    segment: *segment,
                    records: *records,
                }),
            }
        }
        found
    }

    pub(super) fn senseless(&self) -> u64 {
        self.senseless.load(Ordering::Relaxed)
    }
}

/// What one follower was not handed out. Whose cursor is a copy has counts of its own, which begin as these.
#[derive(Debug, Default)]
pub(super) struct Vanished(Arc<Counts>);

impl Vanished {
    pub(super) fn hearer(&self) -> Hearer {
        Hearer::Follower(Arc::clone(&self.0))
    }

    /// Records in blocks whose files were removed before they were read, or that make no sense.
    pub(super) fn count(&self) -> u64 {
        self.0.records.load(Ordering::Relaxed)
    }

    /// Those of them that were read and make no sense.
    pub(super) fn senseless(&self) -> u64 {
        self.0.senseless.load(Ordering::Relaxed)
    }
}

impl Clone for Vanished {
    fn clone(&self) -> Vanished {
        Vanished(Arc::new(Counts {
            records: AtomicU64::new(self.count()),
            senseless: AtomicU64::new(self.senseless()),
        }))
    }
}

/// The counts of a follower, which the records that it was given add to as they are read.
#[derive(Debug, Default)]
pub(super) struct Counts {
    records: AtomicU64,
    senseless: AtomicU64,
}

impl Counts {
    fn add(&self, records: u64, is_senseless: bool) {
        let sum = |count: u64| Some(count.saturating_add(records));
        let add = |to: &AtomicU64| {
            // A count, which orders nothing; what a damaged block says of itself may be any number.
            let _ = to.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
        };
        add(&self.records);
        if is_senseless {
            add(&self.senseless);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_claim_more_records_than_can_be_counted_make_the_count_no_smaller() {
        let vanished = Vanished::default();
        vanished.0.add(u64::MAX, false);
        vanished.0.add(7, false);
        assert_eq!(vanished.count(), u64::MAX);
    }
}
