//! Owns the decoding of blocks ahead of who reads them.
//!
//! Decoding takes about as long as a fold over the records, and a block needs none but itself. So of a log of many blocks
//! helpers decode each their share of them, in turn, and hold a few ready. Who reads takes them in the order of the
//! blocks, and gives back the memory of those that are used up. Helpers end with the last block, or with who reads.

use super::decoder::{Batch, Decoder};
use super::index::Index;
use crate::id::TaskId;
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

/// A log of fewer blocks is decoded where it is read: half a million records take a tenth of a second.
const BLOCKS_MIN: usize = 32;
/// Helpers, at most. A guess: a fold keeps up with two.
const HELPERS_MAX: usize = 4;
/// The blocks that a helper holds ready: with less it waits for each, with more nothing is gained.
const READY: usize = 2;

/// The blocks of a log, one after the other.
pub(super) enum Blocks {
    Here(Box<Decoder>),
    Ahead(Vec<Helper>),
}

impl Blocks {
    /// All blocks from the first on, with the records of this task or of all.
    pub(super) fn new(index: &Arc<Index>, only: Option<TaskId>) -> Blocks {
        let decoder = || Decoder::new(Arc::clone(index), only);
        let count = index.blocks.len();
        let processors = thread::available_parallelism().map_or(1, usize::from);
        if count < BLOCKS_MIN || processors == 1 {
            return Blocks::Here(Box::new(decoder()));
        }
        let step = processors.min(HELPERS_MAX);
        let helper = |first| Helper::start(decoder(), (first..count).step_by(step));
        match (0..step).map(helper).collect() {
            Ok(helpers) => Blocks::Ahead(helpers),
            // There are threads enough without them.
            Err(_) => Blocks::Here(Box::new(decoder())),
        }
    }

    /// Replaces the batch by the block with this number, which follows the one that was asked for last.
    pub(super) fn take(&mut self, number: usize, batch: &mut Batch) {
        match self {
            Blocks::Here(decoder) => decoder.decode(number, batch),
            Blocks::Ahead(helpers) => {
                let share = number % helpers.len();
                helpers[share].take(batch);
            }
        }
    }
}

/// A thread that decodes its share of the blocks.
pub(super) struct Helper {
    /// `None` once nobody takes any more.
    ready: Option<Receiver<Batch>>,
    used: Sender<Batch>,
    thread: Option<JoinHandle<()>>,
}

impl Helper {
    fn start(
        mut decoder: Decoder,
        numbers: impl Iterator<Item = usize> + Send + 'static,
    ) -> io::Result<Helper> {
        let (put, ready) = sync_channel(READY);
        let (used, reused) = channel();
        let work = move || decode_all(&mut decoder, numbers, &put, &reused);
        let thread = thread::Builder::new().name("glasshouse-read".to_owned());
        Ok(Helper {
            ready: Some(ready),
            used,
            thread: Some(thread.spawn(work)?),
        })
    }

    fn take(&mut self, batch: &mut Batch) {
        let next = self.ready.as_ref().and_then(|ready| ready.recv().ok());
        let Some(next) = next else {
            // It has come to its end: of its share, or by a panic, which is told here.
            batch.events.clear();
            batch.words.clear();
            if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
                resume_unwind(panic);
            }
            return;
        };
        // A helper that is done needs no memory.
        let _ = self.used.send(std::mem::replace(batch, next));
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.ready = None;
        if let Some(thread) = self.thread.take() {
            // Nobody is left to hear of a panic.
            let _ = thread.join();
        }
    }
}

fn decode_all(
    decoder: &mut Decoder,
    numbers: impl Iterator<Item = usize>,
    put: &SyncSender<Batch>,
    reused: &Receiver<Batch>,
) {
    for number in numbers {
        let mut batch = reused.try_recv().unwrap_or_default();
        decoder.decode(number, &mut batch);
        if put.send(batch).is_err() {
            return;
        }
    }
}
