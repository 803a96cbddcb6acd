//! Owns the streaming of records out of blocks, in the order of time.
//!
//! Blocks follow each other in time but for records that came late: a wake by a thread without a ring carries the stamp
//! of the moment it happened, and may be in the block after the one that it belongs to. A record is handed out when
//! none of the next blocks begins before it.

use super::ahead::Blocks;
use super::decoder::Batch;
use super::runs::Runs;
use super::shelf::Shelf;
use crate::id::TaskId;
use crate::reader::kinds::Kinds;
use crate::reader::progress::Watched;
use crate::segment::{BLOCK_RECORDS_MAX, Packed};
use std::sync::Arc;

/// The blocks that are looked at ahead for records that came late. Should one come later still, it is out of order, as
/// it is in its ring.
pub(super) const AHEAD: usize = 16;
/// The records that are held back at most for those that came late, if later ones are to be out of order for it: else a
/// small file of blocks that overlap would take gigabytes.
const HELD_MAX: usize = AHEAD * BLOCK_RECORDS_MAX;

/// The records of a log's segments. It holds the records of as many blocks as overlap, of one mostly.
pub(crate) struct Stream {
    shelf: Arc<Shelf>,
    /// The next block to decode.
    next_block: usize,
    /// Started with the first of them.
    blocks: Option<Blocks>,
    /// The records of the last one.
    batch: Batch,
    /// Those of it and of blocks before that a later block may come before.
    runs: Runs,
    /// Those that none can, in order; those before `at` were handed out.
    settled: Batch,
    at: usize,
    only: Option<TaskId>,
    /// Records that no event makes.
    senseless: u64,
    watched: Option<Watched>,
}

impl Stream {
    pub(super) fn new(shelf: Arc<Shelf>) -> Stream {
        Stream {
            shelf,
            next_block: 0,
            blocks: None,
            batch: Batch::default(),
            runs: Runs::default(),
            settled: Batch::default(),
            at: 0,
            only: None,
            senseless: 0,
            watched: None,
        }
    }

    /// Tells of each block.
    pub(crate) fn watch(&mut self, watched: Watched) {
        self.watched = Some(watched);
    }

    /// Leaves out what is not about this task.
    pub(crate) fn only(&mut self, tid: TaskId) {
        self.only = Some(tid);
    }

    /// The next record, which is about to be decoded with [`Stream::kinds`] and [`Stream::words_of`].
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Packed> {
        while self.at == self.settled.events.len() {
            self.load()?;
        }
        let packed = self.settled.events[self.at];
        self.at += 1;
        Some(packed)
    }

    /// What the log says of its kinds.
    #[inline]
    pub(crate) fn kinds(&self) -> &Kinds {
        &self.shelf.kinds
    }

    /// The continuation of the record that was handed out last.
    #[inline]
    pub(crate) fn words_of(&self, packed: &Packed) -> &[u64] {
        packed.words(&self.settled.words)
    }

    /// Takes in the next block; `None` behind the last.
    #[cold]
    fn load(&mut self) -> Option<()> {
        let number = self.next_block;
        if number >= self.shelf.blocks.len() {
            return None;
        }
        if let Some(watched) = &mut self.watched {
            watched.came_to(number, self.shelf.blocks.len());
        }
        self.next_block += 1;
        let (shelf, only) = (&self.shelf, self.only);
        let blocks = self.blocks.get_or_insert_with(|| Blocks::new(shelf, only));
        blocks.take(number, &mut self.batch);
        let ahead = self.shelf.blocks.iter().skip(self.next_block).take(AHEAD);
        let least = ahead.map(|block| block.first).min();
        self.take_batch(number, least);
        Some(())
    }

    /// The record that was handed out last makes no event.
    #[cold]
    pub(crate) fn tell_senseless(&mut self, packed: &Packed) {
        let records = packed.records();
        self.senseless += records;
        self.shelf.hearer.tell_senseless(records, self.senseless);
    }

    /// Settles the decoded block's records and those that are held, up to `least`, or all.
    fn take_batch(&mut self, number: usize, least: Option<u64>) {
        self.at = 0;
        let (runs, batch) = (&mut self.runs, &mut self.batch);
        if !runs.is_empty() {
            runs.add(number, &batch.events, &batch.words);
            return runs.hand_out(least, HELD_MAX, &mut self.settled);
        }
        // Mostly nothing is held, and most of the block is settled as it is.
        std::mem::swap(&mut self.settled, batch);
        let settled = &mut self.settled;
        if let Some(least) = least {
            let count = settled
                .events
                .partition_point(|packed| packed.stamp() < least);
            runs.add(number, &settled.events[count..], &settled.words);
            settled.events.truncate(count);
        }
    }
}
