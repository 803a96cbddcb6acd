//! Owns where the blocks of segments are: the files, and the places in them.

use super::unread::Hearer;
use crate::reader::kinds::Kinds;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

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

/// Blocks, and the files that they are in.
pub(super) type New = (Vec<SegmentFile>, Vec<BlockPlace>);

/// Blocks that are to be read, one after the other.
pub(super) struct Shelf {
    pub(super) files: Vec<SegmentFile>,
    /// In the order in which they were written.
    pub(super) blocks: Vec<BlockPlace>,
    pub(super) kinds: Kinds,
    pub(super) hearer: Hearer,
}

impl Shelf {
    /// The same without open files: these would take room on the disk for as long as they are open, and longer than
    /// their spiller keeps them.
    pub(super) fn closed(&self) -> Shelf {
        let close = |file: &SegmentFile| SegmentFile {
            file: None,
            ..file.clone()
        };
        Shelf {
            files: self.files.iter().map(close).collect(),
            blocks: self.blocks.clone(),
            kinds: self.kinds.clone(),
            hearer: self.hearer.clone(),
        }
    }

    /// Where these blocks are, and behind them those of more files.
    pub(super) fn and(&self, (files, blocks): New) -> New {
        let before = self.files.len() as u32;
        let behind = blocks.into_iter().map(|block| BlockPlace {
            file: block.file + before,
            ..block
        });
        (
            self.files.iter().cloned().chain(files).collect(),
            self.blocks.iter().copied().chain(behind).collect(),
        )
    }
}
