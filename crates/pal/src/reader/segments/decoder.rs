//! Owns the way of one block from its file to its records.

use super::index::{BlockPlace, Index};
use super::scan;
use crate::id::TaskId;
use crate::segment::{Block, Packed, speaks_of};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// The records of a block, or those of them that are asked for.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) events: Vec<Packed>,
    pub(super) words: Vec<u64>,
}

/// Decodes blocks, each by itself, and keeps its memory from one to the next.
pub(super) struct Decoder {
    index: Arc<Index>,
    /// The task that is asked for; any where it is `None`.
    only: Option<u64>,
    block: Block,
    /// The last of the files that are not held open.
    file: Option<(u32, File)>,
    payload: Vec<u8>,
}

impl Decoder {
    pub(super) fn new(index: Arc<Index>, only: Option<TaskId>) -> Decoder {
        Decoder {
            index,
            only: only.map(TaskId::number),
            block: Block::new(),
            file: None,
            payload: Vec::new(),
        }
    }

    /// Replaces the batch by the records of the block with this number: by none where it holds none that is asked for,
    /// cannot be read, or makes no sense.
    pub(super) fn decode(&mut self, number: usize, batch: &mut Batch) {
        batch.events.clear();
        batch.words.clear();
        let place = self.index.blocks.get(number).copied();
        let is_of_use = place.is_some_and(|place| self.read(&place).is_some())
            && self.only.is_none_or(|id| speaks_of(&self.payload, id));
        if !is_of_use || self.block.decode(&self.payload).is_none() {
            return;
        }
        if let Some(id) = self.only {
            self.block.events.retain(|packed| packed.raw[2] == id);
        }
        std::mem::swap(&mut batch.events, &mut self.block.events);
        std::mem::swap(&mut batch.words, &mut self.block.words);
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
