//! Owns the way of one block from its file to its records.

use super::scan;
use super::shelf::{BlockPlace, Shelf};
use crate::id::TaskId;
use crate::segment::{Block, Packed, speaks_of};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// The records of a block, or those of them that are asked for.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) events: Vec<Packed>,
    pub(super) words: Vec<u64>,
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.events.clear();
        self.words.clear();
    }
}

/// Decodes blocks, each by itself, and keeps its memory from one to the next.
pub(super) struct Decoder {
    shelf: Arc<Shelf>,
    /// The task that is asked for; any where it is `None`.
    only: Option<u64>,
    block: Block,
    /// The last of the files that are not held open; `None` within where it is not there any more.
    file: Option<(u32, Option<File>)>,
    payload: Vec<u8>,
}

impl Decoder {
    pub(super) fn new(shelf: Arc<Shelf>, only: Option<TaskId>) -> Decoder {
        Decoder {
            shelf,
            only: only.map(TaskId::number),
            block: Block::new(),
            file: None,
            payload: Vec::new(),
        }
    }

    /// Replaces the batch by the records of the block with this number that are asked for. Of a block that cannot be read,
    /// or makes no sense, there are none, and the shelf's hearer is told how many it should hold.
    pub(super) fn decode(&mut self, number: usize, batch: &mut Batch) {
        batch.clear();
        let place = self.shelf.blocks.get(number).copied();
        let Some(place) = place else { return };
        let is_there = self.read(&place).is_some();
        if !is_there || self.unpack(batch).is_none() {
            let segment = self.shelf.files[place.file as usize].number;
            self.shelf.hearer.tell_block(segment, &place, is_there);
        }
    }

    /// Replaces the batch by the payload's records that are asked for; `None` where it makes no sense.
    fn unpack(&mut self, batch: &mut Batch) -> Option<()> {
        if let Some(id) = self.only
            && !speaks_of(&self.payload, id)?
        {
            return Some(());
        }
        self.block.decode(&self.payload)?;
        if let Some(id) = self.only {
            self.block.events.retain(|packed| packed.raw[2] == id);
        }
        std::mem::swap(&mut batch.events, &mut self.block.events);
        std::mem::swap(&mut batch.words, &mut self.block.words);
        Some(())
    }

    /// Reads a block's payload; `None` where its file is not there any more, or cannot be read as far.
    fn read(&mut self, place: &BlockPlace) -> Option<()> {
        let segment = &self.shelf.files[place.file as usize];
        self.payload.resize(place.length as usize, 0);
        if let Some(file) = &segment.file {
            return file.read_exact_at(&mut self.payload, place.at).ok();
        }
        let is_open = |(file, _): &(u32, _)| *file == place.file;
        if !self.file.as_ref().is_some_and(is_open) {
            self.file = Some((place.file, scan::open(&segment.path).ok()));
        }
        let (_, file) = self.file.as_ref()?;
        file.as_ref()?
            .read_exact_at(&mut self.payload, place.at)
            .ok()
    }
}
