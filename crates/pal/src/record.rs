//! Owns the record: four words of a ring, and the protocol by which one thread writes them while
//! others read.
//!
//! ```text
//! word 0   seq:48 | kind:8 | aux:8      word 2   task
//! word 1   raw clock                    word 3   argument, by kind
//! ```
//!
//! The writer sets word 0 to zero, writes words 1 to 3, then word 0. A reader copies the words
//! between two reads of word 0, and takes the copy only if both show the same non-zero word. If it
//! copied any word of a later record, then the second read of word 0 comes after that record's
//! first step, and shows zero or a later sequence number: sequence numbers never come again.

use crate::sync::Word;
use std::sync::atomic::{AtomicU64, Ordering};

/// The words of one record.
pub(crate) const RECORD_WORDS: usize = 4;
/// The bytes of one record.
pub(crate) const RECORD_BYTES: usize = RECORD_WORDS * 8;
/// The largest sequence number.
pub(crate) const SEQ_MAX: u64 = (1 << 48) - 1;

/// A record's place in a ring.
#[repr(C, align(32))]
pub(crate) struct Record {
    pub(crate) words: [AtomicU64; RECORD_WORDS],
}

/// Word 0, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) seq: u64,
    pub(crate) kind: u8,
    pub(crate) aux: u8,
}

impl Tag {
    #[inline(always)]
    pub(crate) const fn to_word(self) -> u64 {
        self.seq << 16 | (self.kind as u64) << 8 | self.aux as u64
    }

    pub(crate) const fn from_word(word: u64) -> Tag {
        Tag {
            seq: word >> 16,
            kind: (word >> 8) as u8,
            aux: word as u8,
        }
    }
}

/// Writes one record. Only the owner of the ring calls this.
#[inline(always)]
pub(crate) fn publish<W: Word>(words: &[W; RECORD_WORDS], record: [u64; RECORD_WORDS]) {
    words[0].store(0, Ordering::Relaxed);
    // Pairs with the acquire fence in `snapshot`: who copied a word written below sees the zero
    // above, or something later, in its second read of word 0.
    W::fence(Ordering::Release);
    words[1].store(record[1], Ordering::Relaxed);
    words[2].store(record[2], Ordering::Relaxed);
    words[3].store(record[3], Ordering::Relaxed);
    // Pairs with the acquire load in `snapshot`: who sees this word sees the three above.
    words[0].store(record[0], Ordering::Release);
}

/// Copies one record; `None` when there is none, or while it is being replaced.
pub(crate) fn snapshot<W: Word>(words: &[W; RECORD_WORDS]) -> Option<[u64; RECORD_WORDS]> {
    let before = words[0].load(Ordering::Acquire);
    if before == 0 {
        return None;
    }
    let copy = [
        before,
        words[1].load(Ordering::Relaxed),
        words[2].load(Ordering::Relaxed),
        words[3].load(Ordering::Relaxed),
    ];
    // Pairs with the release fence in `publish`.
    W::fence(Ordering::Acquire);
    let after = words[0].load(Ordering::Relaxed);
    (before == after).then_some(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_zero_holds_sequence_kind_and_count() {
        let tag = Tag {
            seq: SEQ_MAX,
            kind: 0xab,
            aux: 0xcd,
        };
        assert_eq!(tag.to_word(), 0xffff_ffff_ffff_abcd);
        assert_eq!(Tag::from_word(tag.to_word()), tag);
    }

    #[test]
    fn a_record_is_32_aligned_bytes() {
        assert_eq!(size_of::<Record>(), RECORD_BYTES);
        assert_eq!(align_of::<Record>(), RECORD_BYTES);
    }

    #[test]
    fn an_unwritten_place_holds_no_record() {
        let place: [AtomicU64; 4] = Default::default();
        assert_eq!(snapshot(&place), None);
        publish(&place, [1 << 16, 2, 3, 4]);
        assert_eq!(snapshot(&place), Some([1 << 16, 2, 3, 4]));
    }
}

/// A model of the protocol:
/// `RUSTFLAGS="--cfg glasshouse_loom" cargo test -p glasshouse-pal --lib --release record::model`.
#[cfg(all(test, glasshouse_loom))]
mod model {
    use super::*;
    use crate::sync::explore;
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicU64;
    use loom::thread;

    /// The record number `seq` of the model: each word tells which record it belongs to.
    fn record(seq: u64) -> [u64; RECORD_WORDS] {
        [
            Tag {
                seq,
                kind: 1,
                aux: 0,
            }
            .to_word(),
            seq * 10,
            seq * 100,
            seq * 1000,
        ]
    }

    #[test]
    fn a_reader_never_takes_a_mixture_of_two_records() {
        explore(|| {
            // A ring of one place, so that each record replaces the one before.
            let place: Arc<[AtomicU64; RECORD_WORDS]> = Arc::new(Default::default());
            let shared = Arc::clone(&place);
            let writer = thread::spawn(move || {
                publish(&*shared, record(1));
                publish(&*shared, record(2));
            });
            if let Some(copy) = snapshot(&*place) {
                let seq = Tag::from_word(copy[0]).seq;
                assert_eq!(copy, record(seq));
            }
            writer.join().expect("the writer does not panic");
            assert_eq!(snapshot(&*place), Some(record(2)));
        });
    }

    #[test]
    fn what_lies_below_a_head_that_was_seen_is_there() {
        explore(|| {
            let ring: Arc<[[AtomicU64; RECORD_WORDS]; 2]> = Arc::new(Default::default());
            let head = Arc::new(AtomicU64::new(0));
            let (shared, shared_head) = (Arc::clone(&ring), Arc::clone(&head));
            let writer = thread::spawn(move || {
                for seq in 1..=2 {
                    publish(&shared[(seq as usize - 1) % 2], record(seq));
                    shared_head.store(seq, Ordering::Release);
                }
            });
            let seen = head.load(Ordering::Acquire);
            for seq in 1..=seen {
                assert_eq!(snapshot(&ring[(seq as usize - 1) % 2]), Some(record(seq)));
            }
            writer.join().expect("the writer does not panic");
        });
    }
}
