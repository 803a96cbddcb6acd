//! Owns the decoding of blocks ahead of who reads them.
//!
//! Decoding takes about as long as a fold over the records, and a block needs none but itself. So of a log of many blocks
//! helpers decode each their share of them, in turn, and hold a few ready. Who reads takes them in the order of the
//! blocks, and gives back the memory of those that are used up. Helpers end with the last block, or with who reads.

use super::decoder::{Batch, Decoder};
use super::shelf::Shelf;
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
    pub(super) fn new(shelf: &Arc<Shelf>, only: Option<TaskId>) -> Blocks {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        if shelf.blocks.len() < BLOCKS_MIN || processors == 1 {
            return Blocks::here(shelf, only);
        }
        // Where no thread can be had it takes longer.
        Blocks::ahead(shelf, only, processors.min(HELPERS_MAX))
            .unwrap_or_else(|_| Blocks::here(shelf, only))
    }

    fn here(shelf: &Arc<Shelf>, only: Option<TaskId>) -> Blocks {
        Blocks::Here(Box::new(Decoder::new(Arc::clone(shelf), only)))
    }

    fn ahead(shelf: &Arc<Shelf>, only: Option<TaskId>, helpers: usize) -> io::Result<Blocks> {
        let count = shelf.blocks.len();
        let start = |first| {
            let decoder = Decoder::new(Arc::clone(shelf), only);
            Helper::start(decoder, (first..count).step_by(helpers))
        };
        let helpers: io::Result<Vec<Helper>> = (0..helpers).map(start).collect();
        Ok(Blocks::Ahead(helpers?))
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
            batch.clear();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::segments::find;
    use crate::reader::segments::index::Index;
    use crate::spill::{Settings, Spiller};
    use crate::{Pal, RingOwner, TaskEvent};
    use std::time::Duration;

    /// The shelf of a log of so many blocks, each with a record of the first task and one of another.
    fn shelf_of(blocks: u64) -> Arc<Shelf> {
        let place = tempfile::tempdir().expect("a temporary directory");
        let settings = Settings {
            flush: Duration::from_nanos(1),
            ..Settings::new(place.path().join("spill"))
        };
        let pal = Pal::memory();
        let ring = pal.lease(RingOwner::Worker(0));
        let mut spiller = Spiller::new(&pal, settings).expect("made");
        for number in 0..=blocks {
            for tid in [1, 2 + number] {
                let tid = TaskId::new(tid).expect("in range");
                ring.write(pal.clock().now(), 1, &TaskEvent::Running { tid });
            }
            let _ = spiller.step();
        }
        let _ = spiller.finish();
        let files = find::files(spiller.path());
        let files = files.expect("readable").expect("segments");
        let (_, shelf) = Index::of(spiller.path(), files).expect("whole");
        let shelf = Arc::new(shelf);
        assert!(shelf.blocks.len() as u64 >= blocks);
        shelf
    }

    #[test]
    fn helpers_hand_out_the_blocks_that_one_decoder_does_and_in_its_order() {
        let shelf = shelf_of(20);
        for only in [None, TaskId::new(1), TaskId::new(7)] {
            for helpers in 1..4 {
                let mut here = Blocks::here(&shelf, only);
                let mut ahead = Blocks::ahead(&shelf, only, helpers).expect("threads");
                let (mut expected, mut found) = (Batch::default(), Batch::default());
                for number in 0..shelf.blocks.len() {
                    here.take(number, &mut expected);
                    ahead.take(number, &mut found);
                    assert_eq!(found.events, expected.events, "{number} of {helpers}");
                    assert_eq!(found.words, expected.words);
                }
                ahead.take(shelf.blocks.len(), &mut found);
                assert!(found.events.is_empty(), "there is none behind the last");
            }
        }
    }

    #[test]
    fn helpers_end_with_who_reads_however_much_is_left() {
        let shelf = shelf_of(20);
        for taken in [0, 3] {
            let mut ahead = Blocks::ahead(&shelf, None, 2).expect("threads");
            for number in 0..taken {
                ahead.take(number, &mut Batch::default());
            }
            drop(ahead);
            assert_eq!(Arc::strong_count(&shelf), 1, "no helper has it any more");
        }
    }
}
