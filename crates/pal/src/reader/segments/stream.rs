//! Owns the streaming of records out of blocks, in the order of time.
//!
//! Blocks follow each other in time but for records that came late: a wake by a thread without a ring carries the stamp
//! of the moment it happened, and may be in the block after the one that it belongs to. A record is handed out when
//! none of the next blocks begins before it.

use super::index::{BlockPlace, Index};
use super::scan;
use crate::clock::Rate;
use crate::id::TaskId;
use crate::reader::Entry;
use crate::reader::order::sort_packed;
use crate::segment::{Block, Packed, speaks_of};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// The blocks that are looked at ahead for records that came late. Should one come later still, it is out of order, as
/// it is in its ring.
const AHEAD: usize = 16;

/// The records of a log's segments. It holds the records of as many blocks as overlap, of one mostly.
pub(crate) struct Stream {
    index: Arc<Index>,
    /// The next block to decode.
    next_block: usize,
    block: Block,
    /// Sorted; those before `at` were handed out.
    pending: Vec<Packed>,
    words: Vec<u64>,
    at: usize,
    /// How many of `pending` no later block can come before.
    settled: usize,
    file: Option<(u32, File)>,
    payload: Vec<u8>,
    only: Option<TaskId>,
}

impl Stream {
    pub(super) fn new(index: Arc<Index>) -> Stream {
        Stream {
            index,
            next_block: 0,
            block: Block::new(),
            pending: Vec::new(),
            words: Vec::new(),
            at: 0,
            settled: 0,
            file: None,
            payload: Vec::new(),
            only: None,
        }
    }

    /// Leaves out what is not about this task.
    pub(crate) fn only(&mut self, tid: TaskId) {
        self.only = Some(tid);
    }

    /// Leaves out everything.
    pub(super) fn end(&mut self) {
        self.next_block = self.index.blocks.len();
    }

    pub(crate) fn next(&mut self, rate: Rate, start_stamp: u64) -> Option<Entry> {
        loop {
            while self.at < self.settled {
                let packed = self.pending[self.at];
                self.at += 1;
                let words = packed.words(&self.words).iter().copied();
                // The spiller keeps what it could decode; anything else is damage.
                let Some(event) = self.index.kinds.event(&packed.raw, words) else {
                    continue;
                };
                let tag = packed.tag();
                return Some(Entry {
                    seq: tag.seq,
                    ring: packed.ring,
                    stamp: packed.stamp(),
                    at_ns: rate.ns(packed.stamp()).saturating_sub(rate.ns(start_stamp)),
                    aux: tag.aux,
                    event,
                });
            }
            self.load()?;
        }
    }

    /// Takes in the next block; `None` behind the last.
    fn load(&mut self) -> Option<()> {
        let place = *self.index.blocks.get(self.next_block)?;
        self.next_block += 1;
        let is_read = self.read(&place).is_some();
        let only = self.only.map(TaskId::number);
        let is_of_use = is_read && only.is_none_or(|id| speaks_of(&self.payload, id));
        if is_of_use && self.block.decode(&self.payload).is_some() {
            self.take_block(only);
        } else {
            self.drop_done();
        }
        let ahead = self.index.blocks.iter().skip(self.next_block).take(AHEAD);
        let least = ahead.map(|block| block.first).min();
        self.settled = match least {
            None => self.pending.len(),
            Some(least) => self
                .pending
                .partition_point(|packed| packed.stamp() < least),
        };
        Some(())
    }

    /// Adds the decoded block's records to those that are left.
    fn take_block(&mut self, only: Option<u64>) {
        if let Some(id) = only {
            self.block.events.retain(|packed| packed.raw[2] == id);
        }
        self.drop_done();
        if self.pending.is_empty() {
            std::mem::swap(&mut self.pending, &mut self.block.events);
            std::mem::swap(&mut self.words, &mut self.block.words);
            return;
        }
        let offset = self.words.len() as u32;
        self.words.extend_from_slice(&self.block.words);
        self.pending
            .extend(self.block.events.iter().map(|packed| Packed {
                words_at: packed.words_at + offset,
                ..*packed
            }));
        sort_packed(&mut self.pending);
    }

    /// Forgets what was handed out.
    fn drop_done(&mut self) {
        self.pending.drain(..self.at);
        self.at = 0;
        self.settled = 0;
        if self.pending.is_empty() {
            self.words.clear();
            return;
        }
        let mut words = Vec::new();
        for packed in &mut self.pending {
            let first = words.len() as u32;
            words.extend_from_slice(packed.words(&self.words));
            packed.words_at = first;
        }
        self.words = words;
    }

    /// Reads a block's payload; `None` where its file is not there any more.
    fn read(&mut self, place: &BlockPlace) -> Option<()> {
        let segment = &self.index.files[place.file as usize];
        self.payload.resize(place.length as usize, 0);
        if let Some(file) = &segment.file {
            return file.read_exact_at(&mut self.payload, place.at).ok();
        }
        if self
            .file
            .as_ref()
            .is_none_or(|(file, _)| *file != place.file)
        {
            self.file = Some((place.file, scan::open(&segment.path).ok()?));
        }
        let (_, file) = self.file.as_ref()?;
        file.read_exact_at(&mut self.payload, place.at).ok()
    }
}
