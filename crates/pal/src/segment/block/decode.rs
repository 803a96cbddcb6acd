//! Owns the taking apart of a block. It trusts nothing: what no spiller writes is no block.

use super::{BlockHead, COLUMNS, RingSpan, TASK_EXPECTED, TASK_LISTED, TASK_NEW};
use crate::format::codec::continuations;
use crate::record::{SEQ_MAX, Tag};
use crate::segment::column::{self, Column, NUMBER_BYTES_MAX};
use crate::segment::dictionary::Dictionary;
use crate::segment::model::{Model, NOBODY, WORDS_MAX};
use crate::segment::packed::Packed;

/// A block's events, decoded; keeps its memory from one block to the next.
pub(crate) struct Block {
    pub(crate) events: Vec<Packed>,
    pub(crate) words: Vec<u64>,
    model: Model,
    columns: [Vec<u8>; COLUMNS],
}

impl Block {
    pub(crate) fn new() -> Block {
        Block {
            events: Vec::new(),
            words: Vec::new(),
            model: Model::new(),
            columns: Default::default(),
        }
    }

    /// Replaces the events by those of this payload; `None`, and no events, where it makes no sense.
    pub(crate) fn decode(&mut self, payload: &[u8]) -> Option<BlockHead> {
        self.events.clear();
        self.words.clear();
        let decoded = self.try_decode(payload);
        if decoded.is_none() {
            self.events.clear();
            self.words.clear();
        }
        decoded
    }

    fn try_decode(&mut self, payload: &[u8]) -> Option<BlockHead> {
        let mut from = Column(payload);
        let head = BlockHead::take(&mut from)?;
        let dictionary = Dictionary::take(&mut from, head.count)?;
        for (place, column) in self.columns.iter_mut().enumerate() {
            let numbers = match place == COLUMNS - 1 {
                true => WORDS_MAX,
                false => 1,
            };
            column::unpack(&mut from, head.count * numbers * NUMBER_BYTES_MAX, column)?;
        }
        self.model.begin(head.rings.iter().map(|span| span.seq_min));
        let mut columns = Columns(std::array::from_fn(|place| Column(&self.columns[place])));
        let mut stamp = head.first;
        self.events.reserve(head.count);
        let mut records = 0;
        for _ in 0..head.count {
            let event = columns.event(
                &mut self.model,
                &head.rings,
                &dictionary.ids,
                &mut stamp,
                &mut self.words,
            )?;
            records += event.records();
            self.events.push(event);
        }
        (stamp == head.last && records == head.records()).then_some(head)
    }
}

/// What is left of each column.
struct Columns<'a>([Column<'a>; COLUMNS]);

impl Columns<'_> {
    #[inline]
    fn event(
        &mut self,
        model: &mut Model,
        spans: &[RingSpan],
        ids: &[u64],
        stamp: &mut u64,
        words: &mut Vec<u64>,
    ) -> Option<Packed> {
        let [stamps, kinds, rings, seqs, tasks, auxs, args, mores, mored] = &mut self.0;
        *stamp = stamp.checked_add(stamps.number()?)?;
        let kind = kinds.byte()?;
        let ring = usize::try_from(rings.number()?).ok()?;
        let span = spans.get(ring)?;
        let task = match tasks.number()? {
            TASK_EXPECTED => model.task(ring, kind),
            TASK_NEW if model.task_count() < ids.len() => model.add_task(),
            TASK_NEW => return None,
            listed => u32::try_from(listed - TASK_LISTED).ok()?,
        };
        if task == NOBODY || task as usize >= model.task_count() {
            return None;
        }
        model.saw_task(ring, kind, task);
        let aux = auxs.byte()?.wrapping_add(model.aux(kind, task));
        model.saw_aux(kind, task, aux);
        let arg = model.arg(kind, task).wrapping_add(args.signed()? as u64);
        model.saw_arg(kind, task, arg);
        let more = match continuations(kind, arg) {
            Some(more) => more as u8,
            None => mores.byte()?,
        };
        let length = usize::from(more) * 3;
        let words_at = words.len() as u32;
        for expected in model.words(kind).get_mut(..length)? {
            *expected = expected.wrapping_add(mored.signed()? as u64);
            words.push(*expected);
        }
        let seq = model.seq(ring, seqs.signed()? as u64, 1 + u64::from(more));
        let tag = Tag { seq, kind, aux };
        let is_record = seq <= SEQ_MAX;
        is_record.then_some(Packed {
            raw: [tag.to_word(), *stamp, ids[task as usize], arg],
            ring: span.ring,
            more,
            words_at,
        })
    }
}
