//! Owns the records of blocks that overlap, until no later block can begin before them.
//!
//! Each block's are a run in the order of time, and runs are merged as they are handed out: a record is copied in once
//! and out once, however many runs there are and however short they are.

use super::decoder::Batch;
use crate::reader::order::sort_packed;
use crate::segment::Packed;
use std::collections::BTreeMap;

/// The records that are held back.
#[derive(Default)]
pub(super) struct Runs {
    /// By the stamp of the first that was not handed out, and the number of the block.
    runs: BTreeMap<(u64, usize), Run>,
    /// How many were not handed out.
    len: usize,
}

/// A block's records; those before `at` were handed out.
#[derive(Default)]
struct Run {
    records: Batch,
    at: usize,
}

impl Runs {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes in some of the records of the block with this number, in the order of their stamps.
    pub(super) fn add(&mut self, number: usize, events: &[Packed], words: &[u64]) {
        let Some(first) = events.first() else { return };
        self.len += events.len();
        let run = Run::of(events, words);
        self.runs.insert((first.stamp(), number), run);
    }

    /// Replaces the batch by what is stamped before `least`, which no later record is before, and by as much of what
    /// follows that no more than `held_max` are left.
    pub(super) fn hand_out(&mut self, least: Option<u64>, held_max: usize, batch: &mut Batch) {
        batch.clear();
        let mut pieces = 0;
        while let Some(first) = self.runs.first_entry() {
            let (stamp, number) = *first.key();
            let is_settled = least.is_none_or(|least| stamp < least);
            let surplus = self.len.saturating_sub(held_max);
            if !is_settled && surplus == 0 {
                break;
            }
            let mut run = first.remove();
            let next = self.runs.first_key_value();
            let next = next.map_or(u64::MAX, |((stamp, _), _)| *stamp);
            let most = if is_settled { usize::MAX } else { surplus };
            let is_next = |event: &&Packed| {
                let stamp = event.stamp();
                let is_due = !is_settled || least.is_none_or(|least| stamp < least);
                is_due && stamp <= next
            };
            let count = run.left().iter().take(most).take_while(is_next).count();
            run.hand_out(count, batch);
            pieces += 1;
            self.len -= count;
            if let Some(first) = run.left().first() {
                self.runs.insert((first.stamp(), number), run);
            }
        }
        // One block's are in order; of several those with the same stamp are not yet.
        if pieces > 1 {
            sort_packed(&mut batch.events);
        }
    }
}

impl Run {
    fn of(events: &[Packed], words: &[u64]) -> Run {
        let mut run = Run::default();
        run.records.events.reserve_exact(events.len());
        copy(events, words, &mut run.records);
        run
    }

    fn left(&self) -> &[Packed] {
        &self.records.events[self.at..]
    }

    fn hand_out(&mut self, count: usize, batch: &mut Batch) {
        copy(&self.left()[..count], &self.records.words, batch);
        self.at += count;
        // A late record must not hold the memory of a whole block; what is copied is no more than was handed out.
        if self.at > self.records.events.len() / 2 {
            *self = Run::of(self.left(), &self.records.words);
        }
    }
}

/// Appends events and their words.
fn copy(events: &[Packed], words: &[u64], to: &mut Batch) {
    to.events.extend(events.iter().map(|packed| {
        let words_at = to.words.len() as u32;
        to.words.extend_from_slice(packed.words(words));
        Packed {
            words_at,
            ..*packed
        }
    }));
    #[cfg(test)]
    tests::MOVED.with(|moved| moved.set(moved.get() + events.len()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ClockPair;
    use crate::format::kind;
    use crate::reader::{Log, RingId};
    use crate::record::Tag;
    use crate::segment::{BLOCK_RECORDS_MAX, Encoder, SectionHead, SectionKind, SegmentHeader};
    use proptest::prelude::*;
    use std::cell::Cell;

    thread_local! {
        /// The records that this thread has copied.
        pub(super) static MOVED: Cell<usize> = const { Cell::new(0) };
    }

    fn event(stamp: u64, ring: RingId, seq: u64, task: u64, aux: u8, words_at: u32) -> Packed {
        let kind = kind::WAIT;
        let tag = Tag { seq, kind, aux };
        Packed {
            raw: [tag.to_word(), stamp, task, 0],
            ring,
            more: u8::from(words_at > 0),
            words_at,
        }
    }

    /// Blocks, each in order, of which the next may begin before the last ends: stamps, and a word for the odd ones.
    fn any_blocks() -> impl Strategy<Value = Vec<Batch>> {
        let record = (0u64..40, 0u16..3, 1u64..4, any::<u8>());
        prop::collection::vec(prop::collection::vec(record, 1..12), 1..9).prop_map(|blocks| {
            let mut seq = 0;
            let mut block = |records: Vec<(u64, u16, u64, u8)>| {
                let mut batch = Batch {
                    events: Vec::new(),
                    words: vec![0; 3],
                };
                for (stamp, ring, task, aux) in records {
                    seq += 1;
                    let words_at = match seq % 2 {
                        1 => batch.words.len() as u32,
                        _ => 0,
                    };
                    let ring = RingId::Worker(ring);
                    batch.words.extend([seq; 3]);
                    batch
                        .events
                        .push(event(stamp, ring, seq, task, aux, words_at));
                }
                sort_packed(&mut batch.events);
                batch
            };
            blocks.into_iter().map(&mut block).collect()
        })
    }

    proptest! {
        #[test]
        fn runs_are_handed_out_in_the_order_of_all_their_records_and_with_their_words(blocks in any_blocks()) {
            let firsts: Vec<u64> = blocks.iter().map(|block| block.events[0].stamp()).collect();
            let mut all: Vec<Packed> = blocks.iter().flat_map(|block| block.events.clone()).collect();
            sort_packed(&mut all);
            let (mut runs, mut found, mut batch) = (Runs::default(), Vec::new(), Batch::default());
            for (number, block) in blocks.iter().enumerate() {
                runs.add(number, &block.events, &block.words);
                let least = firsts[number + 1..].iter().min().copied();
                runs.hand_out(least, usize::MAX, &mut batch);
                for packed in &batch.events {
                    let seq = packed.tag().seq;
                    let expected = vec![seq; if seq % 2 == 1 { 3 } else { 0 }];
                    prop_assert_eq!(packed.words(&batch.words), &expected[..]);
                    found.push(packed.raw);
                }
            }
            prop_assert!(runs.is_empty());
            let all: Vec<[u64; 4]> = all.iter().map(|packed| packed.raw).collect();
            prop_assert_eq!(found, all);
        }

        #[test]
        fn no_more_are_held_than_may_be(blocks in any_blocks(), held_max in 0usize..20) {
            let (mut runs, mut count, mut batch) = (Runs::default(), 0, Batch::default());
            for (number, block) in blocks.iter().enumerate() {
                runs.add(number, &block.events, &block.words);
                runs.hand_out(Some(0), held_max, &mut batch);
                count += batch.events.len();
                let room: usize = runs.runs.values().map(|run| run.records.events.capacity()).sum();
                prop_assert!(runs.len <= held_max && room <= 2 * runs.len, "{room} for {}", runs.len);
            }
            let all: usize = blocks.iter().map(|block| block.events.len()).sum();
            prop_assert_eq!(count + runs.len, all);
        }
    }

    /// A block of a hostile segment: its first record is stamped 1, the others late.
    fn put_block(bytes: &mut Vec<u8>, encoder: &mut Encoder, seq: &mut u64, count: u64, late: u64) {
        let record = |n: u64| {
            let stamp = if n == 0 { 1 } else { late };
            event(stamp, RingId::Worker(0), *seq + n, 7, n as u8, 0)
        };
        let events: Vec<Packed> = (1..).map(|n| record(n - 1)).take(count as usize).collect();
        let (payload, _) = encoder.encode(&events, &[], 0, ClockPair::default());
        SectionHead::put(bytes, SectionKind::Block, &payload);
        *seq += count;
    }

    #[test]
    fn a_record_is_copied_a_few_times_however_many_small_blocks_overlap_full_ones() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let mut bytes = Vec::new();
        SegmentHeader::of_nobody().put(&mut bytes);
        let (mut encoder, mut seq) = (Encoder::new(), 1);
        for number in 0..16 {
            let full = BLOCK_RECORDS_MAX as u64;
            put_block(&mut bytes, &mut encoder, &mut seq, full, 100 + number);
        }
        for number in 0..100 {
            put_block(&mut bytes, &mut encoder, &mut seq, 2, 1000 + number);
        }
        let path = place.path().join("00000001.seg");
        std::fs::write(&path, &bytes).expect("written");
        let log = Log::open(&path).expect("readable");
        MOVED.set(0);
        let records = log.records().count();
        assert_eq!(records as u64, seq - 1);
        assert!(MOVED.get() <= 4 * records, "{} of {records}", MOVED.get());
    }
}
