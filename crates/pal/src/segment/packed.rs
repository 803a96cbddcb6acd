//! Owns one event as segments keep it: the words of its record, and those that continue it.

use crate::reader::RingId;
use crate::record::Tag;

/// The words of an event's first record, and where those of its continuation are. In the order of these words an
/// event is decoded again exactly as it was in its ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    /// As in a ring: tag, stamp, task, argument.
    pub(crate) raw: [u64; 4],
    /// The ring.
    pub(crate) ring: RingId,
    /// Records that continue it.
    pub(crate) more: u8,
    /// Where in the batch's words its continuation begins: three words a record.
    pub(crate) words_at: u32,
}

impl Packed {
    pub(crate) fn tag(&self) -> Tag {
        Tag::from_word(self.raw[0])
    }

    pub(crate) fn stamp(&self) -> u64 {
        self.raw[1]
    }

    /// The records that it took in its ring.
    pub(crate) fn records(&self) -> u64 {
        1 + u64::from(self.more)
    }

    /// Its continuation's words.
    pub(crate) fn words<'a>(&self, words: &'a [u64]) -> &'a [u64] {
        let first = self.words_at as usize;
        words
            .get(first..first + usize::from(self.more) * 3)
            .unwrap_or_default()
    }
}
