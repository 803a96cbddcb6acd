//! Owns where the blocks of segments are: the files, and the places in them.

use super::unread::Unread;
use crate::reader::kinds::Kinds;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A block's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockPlace {
    /// Which of the files.
    pub(super) file: u32,
    /// Where its payload is there.
    pub(super) at: u64,
    pub(super) length: u32,
    /// The stamp of its first record.
    pub(super) first: u64,
    /// Records, those that continue others included.
    pub(super) records: u64,
}

/// A segment's file.
#[derive(Clone, Debug)]
pub(super) struct SegmentFile {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    /// Open, so that it can be read when its spiller has removed it; `None` beyond so many.
    pub(super) file: Option<Arc<File>>,
}

/// The segments that are held open, of the thousand files that a process may mostly have.
pub(super) const OPEN_MAX: usize = 256;

/// Blocks that are to be read, one after the other.
pub(super) struct Shelf {
    pub(super) files: Vec<SegmentFile>,
    /// In the order in which they were written.
    pub(super) blocks: Vec<BlockPlace>,
    pub(super) kinds: Kinds,
    pub(super) vanished: Vanished,
    /// Shared by all shelves of a log.
    pub(super) unread: Arc<Unread>,
}

impl Shelf {
    /// These blocks, before anything is known of kinds.
    pub(super) fn of(files: Vec<SegmentFile>, blocks: Vec<BlockPlace>) -> Shelf {
        Shelf {
            files,
            blocks,
            kinds: Kinds::new([None; 256]),
            vanished: Vanished::default(),
            unread: Arc::default(),
        }
    }

    /// The same without open files: these would take room on the disk for as long as they are open, and longer than
    /// their spiller keeps them.
    pub(super) fn closed(&self) -> Shelf {
        let close = |file: &SegmentFile| SegmentFile {
            file: None,
            ..file.clone()
        };
        Shelf {
            kinds: self.kinds.clone(),
            unread: Arc::clone(&self.unread),
            ..Shelf::of(self.files.iter().map(close).collect(), self.blocks.clone())
        }
    }

    /// These blocks, and those of files behind them.
    pub(super) fn with(&self, files: Vec<SegmentFile>, blocks: Vec<BlockPlace>) -> Shelf {
        let before = self.files.len() as u32;
        let behind = blocks.into_iter().map(|block| BlockPlace {
            file: block.file + before,
            ..block
        });
        Shelf::of(
            self.files.iter().cloned().chain(files).collect(),
            self.blocks.iter().copied().chain(behind).collect(),
        )
    }
}

/// How many records were in blocks that could not be handed out: their files were removed before they were read, or they
/// made no sense.
#[derive(Clone, Debug, Default)]
pub(super) struct Vanished(Arc<AtomicU64>);

impl Vanished {
    pub(super) fn add(&self, records: u64) {
        let sum = |count: u64| Some(count.saturating_add(records));
        // A count, which orders nothing; what a damaged block says of itself may be any number.
        let _ = (self.0).fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
    }

    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_claim_more_records_than_can_be_counted_make_the_count_no_smaller() {
        let vanished = Vanished::default();
        vanished.add(u64::MAX);
        vanished.add(7);
        assert_eq!(vanished.count(), u64::MAX);
    }
}
