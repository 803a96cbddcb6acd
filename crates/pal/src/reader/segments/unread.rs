//! Owns what of the segments turned out not to be readable. Their heads tell how many records blocks hold; whether
//! these can be read and make sense is known only when somebody has tried.

use crate::reader::SegmentLoss;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Told by whoever reads, each block once however often it is tried.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// The records of each block that failed, by its segment's number and its place there.
    blocks: Mutex<BTreeMap<(u64, u64), u64>>,
    senseless: AtomicU64,
}

impl Unread {
    /// The block at this place could not be read, or made no sense.
    pub(super) fn tell(&self, segment: u64, at: u64, records: u64) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.insert((segment, at), records);
    }

    /// A pass has met so many records by now that no event makes.
    pub(super) fn tell_senseless(&self, records: u64) {
        // A count, which orders nothing. The pass that has met the most has read the most.
        self.senseless.fetch_max(records, Ordering::Relaxed);
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
