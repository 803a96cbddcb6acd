//! Owns the making of a block.

use super::{
    BlockHead, COLUMNS, RECORDS_A_BYTE_MAX, RingSpan, TASK_EXPECTED, TASK_LISTED, TASK_NEW,
};
use crate::clock::ClockPair;
use crate::format::codec::continuations;
use crate::reader::RingId;
use crate::segment::column;
use crate::segment::dictionary::Dictionary;
use crate::segment::model::Model;
use crate::segment::packed::Packed;
use std::collections::HashMap;

/// Makes blocks; keeps its memory from one to the next.
pub(crate) struct Encoder {
    model: Model,
    pub(crate) columns: [Vec<u8>; COLUMNS],
    numbers: HashMap<u64, u32>,
    dictionary: Dictionary,
}

impl Encoder {
    pub(crate) fn new() -> Encoder {
        Encoder {
            model: Model::new(),
            columns: Default::default(),
            numbers: HashMap::new(),
            dictionary: Dictionary::default(),
        }
    }

    /// The payload of a block of these events, of which there is at least one and at most [`BLOCK_RECORDS_MAX`], in the
    /// order of their stamps; and its head.
    pub(crate) fn encode(
        &mut self,
        events: &[Packed],
        words: &[u64],
        unreadable: u64,
        pair: ClockPair,
    ) -> (Vec<u8>, BlockHead) {
        let head = BlockHead {
            count: events.len(),
            first: events.first().map_or(0, Packed::stamp),
            last: events.last().map_or(0, Packed::stamp),
            unreadable,
            pair,
            rings: spans(events),
        };
        self.model.begin(head.rings.iter().map(|span| span.seq_min));
        self.columns.iter_mut().for_each(Vec::clear);
        self.numbers.clear();
        self.dictionary.ids.clear();
        let places: HashMap<RingId, usize> = (head.rings.iter().enumerate())
            .map(|(place, span)| (span.ring, place))
            .collect();
        let (mut last, mut ring) = (head.first, (RingId::Worker(0), usize::MAX));
        for event in events {
            if ring.1 == usize::MAX || ring.0 != event.ring {
                ring = (event.ring, places[&event.ring]);
            }
            self.add(event, event.words(words), ring.1, &mut last);
        }
        let mut bytes = Vec::new();
        head.put(&mut bytes);
        self.dictionary.put(&mut bytes);
        for column in &self.columns {
            column::pack(&mut bytes, column);
        }
        let least = events.len().div_ceil(RECORDS_A_BYTE_MAX);
        bytes.resize(bytes.len().max(least), 0);
        (bytes, head)
    }

    fn add(&mut self, event: &Packed, words: &[u64], ring: usize, last: &mut u64) {
        let [_, stamp, task, arg] = event.raw;
        let tag = event.tag();
        let [stamps, kinds, rings, seqs, tasks, auxs, args, mores, mored] = &mut self.columns;
        let model = &mut self.model;
        column::put(stamps, stamp.wrapping_sub(*last));
        *last = stamp;
        kinds.push(tag.kind);
        column::put(rings, ring as u64);
        let off = model.seq_off(ring, tag.seq);
        column::put_signed(seqs, off as i64);
        model.seq(ring, off, event.records());
        let expected = model.task(ring, tag.kind);
        let is_expected = self.dictionary.ids.get(expected as usize) == Some(&task);
        let number = if is_expected {
            column::put(tasks, TASK_EXPECTED);
            expected
        } else if let Some(number) = self.numbers.get(&task) {
            column::put(tasks, TASK_LISTED + u64::from(*number));
            *number
        } else {
            column::put(tasks, TASK_NEW);
            let number = model.add_task();
            self.numbers.insert(task, number);
            self.dictionary.ids.push(task);
            number
        };
        model.saw_task(ring, tag.kind, number);
        auxs.push(tag.aux.wrapping_sub(model.aux(tag.kind, number)));
        model.saw_aux(tag.kind, number, tag.aux);
        let expected = model.arg(tag.kind, number);
        column::put_signed(args, arg.wrapping_sub(expected) as i64);
        model.saw_arg(tag.kind, number, arg);
        match continuations(tag.kind, arg) {
            Some(told) => debug_assert_eq!(told, usize::from(event.more)),
            None => mores.push(event.more),
        }
        for (expected, word) in model.words(tag.kind).iter_mut().zip(words) {
            column::put_signed(mored, word.wrapping_sub(*expected) as i64);
            *expected = *word;
        }
    }
}

/// The rings that events are from, in the order of their ids.
pub(crate) fn spans(events: &[Packed]) -> Vec<RingSpan> {
    let mut spans: Vec<RingSpan> = Vec::new();
    let mut at = 0;
    for event in events {
        let (seq, ring) = (event.tag().seq, event.ring);
        if spans.get(at).is_none_or(|span| span.ring != ring) {
            at = match spans.iter().position(|span| span.ring == ring) {
                Some(found) => found,
                None => {
                    spans.push(RingSpan {
                        ring,
                        records: 0,
                        seq_min: seq,
                        seq_max: seq,
                        newest: seq,
                    });
                    spans.len() - 1
                }
            };
        }
        let span = &mut spans[at];
        span.records += event.records();
        span.seq_min = span.seq_min.min(seq);
        if seq >= span.seq_max {
            span.seq_max = seq;
            span.newest = seq + event.records() - 1;
        }
    }
    spans.sort_by_key(|span| span.ring);
    spans
}
