//! Owns a block: so many records in the order of time, as one section of a segment.
//!
//! Head: counts, stamps, a clock pair, the rings with their spans of sequence numbers, and the tasks. Then the columns,
//! each compressed by itself. What a record has beyond what the [model](super::model) expects is what they hold.

mod decode;
mod encode;
#[cfg(test)]
mod tests;

use super::column::{self, Column};
use super::dictionary::Dictionary;
use crate::clock::ClockPair;
use crate::format::layout::RINGS_MAX;
use crate::reader::RingId;
pub(crate) use decode::Block;
pub(crate) use encode::{Encoder, spans};

/// Records that begin an event, at most, in one block. More would pack little better, and a reader holds a block at a
/// time.
pub(crate) const BLOCK_RECORDS_MAX: usize = 16_384;
/// The records for which a block must have a byte, so that a small file cannot stand for a great many records. A
/// block that packs better is filled up with zeros.
const RECORDS_A_BYTE_MAX: usize = 64;
/// The columns, in their order.
const COLUMNS: usize = 9;

/// In the column of tasks: the one that is expected.
const TASK_EXPECTED: u64 = 0;
/// The next of the list of tasks.
const TASK_NEW: u64 = 1;
/// From here on the place in that list.
const TASK_LISTED: u64 = 2;

/// The part of a ring that a block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RingSpan {
    pub(crate) ring: RingId,
    /// Records, those that continue others included.
    pub(crate) records: u64,
    /// The lowest and the highest sequence number, of a record that begins an event.
    pub(crate) seq_min: u64,
    pub(crate) seq_max: u64,
    /// The newest record, which may continue that of the highest number.
    pub(crate) newest: u64,
}

/// What a block says of itself, without its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockHead {
    /// Events.
    pub(crate) count: usize,
    /// The least and the greatest stamp: those of the first and the last record.
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// Records that were whole and made no sense to the spiller, since the block before.
    pub(crate) unreadable: u64,
    /// What the clocks showed when the block was written.
    pub(crate) pair: ClockPair,
    pub(crate) rings: Vec<RingSpan>,
}

impl BlockHead {
    /// The head of this payload.
    pub(crate) fn of(payload: &[u8]) -> Option<BlockHead> {
        BlockHead::take(&mut Column(payload))
    }

    /// How many records it says that the block holds, those that continue others included.
    pub(crate) fn records(&self) -> u64 {
        let records = self.rings.iter().map(|span| span.records);
        records.fold(0, u64::saturating_add)
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        let pair = [self.pair.ticks, self.pair.monotonic_ns, self.pair.wall_ns];
        let fixed = [
            self.count as u64,
            self.first,
            self.last - self.first,
            self.unreadable,
        ];
        for number in fixed.into_iter().chain(pair) {
            column::put(bytes, number);
        }
        column::put(bytes, self.rings.len() as u64);
        for span in &self.rings {
            column::put(bytes, ring_number(span.ring));
            column::put(bytes, span.records);
            column::put(bytes, span.seq_min);
            column::put(bytes, span.seq_max - span.seq_min);
            column::put(bytes, span.newest - span.seq_max);
        }
    }

    fn take(from: &mut Column<'_>) -> Option<BlockHead> {
        let bytes = from.0.len();
        let count = from.count(BLOCK_RECORDS_MAX.min(bytes.saturating_mul(RECORDS_A_BYTE_MAX)))?;
        let first = from.number()?;
        let last = first.checked_add(from.number()?)?;
        let unreadable = from.number()?;
        let pair = ClockPair {
            ticks: from.number()?,
            monotonic_ns: from.number()?,
            wall_ns: from.number()?,
        };
        let ring_count = from.count(RINGS_MAX)?;
        let mut rings = Vec::with_capacity(ring_count.min(from.0.len()));
        for _ in 0..ring_count {
            let ring = ring_of_number(from.number()?)?;
            let records = from.number()?;
            let seq_min = from.number()?;
            let seq_max = seq_min.checked_add(from.number()?)?;
            let newest = seq_max.checked_add(from.number()?)?;
            rings.push(RingSpan {
                ring,
                records,
                seq_min,
                seq_max,
                newest,
            });
        }
        Some(BlockHead {
            count,
            first,
            last,
            unreadable,
            pair,
            rings,
        })
    }
}

/// Whether a block's payload says that some of its records are about this task; `None` where that makes no sense. Only
/// its tasks are decoded.
pub(crate) fn speaks_of(payload: &[u8], id: u64) -> Option<bool> {
    let mut from = Column(payload);
    BlockHead::take(&mut from)?;
    Dictionary::has(from, id)
}

/// A ring as a number: its class in the lowest bit.
pub(crate) fn ring_number(ring: RingId) -> u64 {
    match ring {
        RingId::Worker(number) => u64::from(number) << 1,
        RingId::External(number) => u64::from(number) << 1 | 1,
    }
}

pub(crate) fn ring_of_number(number: u64) -> Option<RingId> {
    let index = u16::try_from(number >> 1).ok()?;
    Some(match number & 1 {
        0 => RingId::Worker(index),
        _ => RingId::External(index),
    })
}
