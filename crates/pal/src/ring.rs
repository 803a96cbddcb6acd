//! Owns one leased ring: the placing of records, and the refusal to do so while one is being placed.
//!
//! ```text
//! settled ──push──► writing ──all records placed──► settled
//!    │                 └─ push: refused (a signal handler)
//!    └──retire──► shut, for good; push: refused
//! ```

use crate::format::header::RingHeader;
use crate::format::kind;
use crate::map::{One, Round, View};
use crate::record::{Record, SEQ_MAX, Tag, publish};
use std::sync::atomic::{AtomicU64, Ordering, compiler_fence};

/// A ring that one thread may write.
pub(crate) struct Ring {
    index: usize,
    header: One<RingHeader>,
    records: Round<Record>,
    /// What the head will be when the event that is being placed is complete: equal to the head when
    /// none is. So one store tells a signal handler on this thread that the ring is in use.
    writing: AtomicU64,
}

/// Why an event was not placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// This thread is recording another event.
    Reentrant,
    /// There is no ring, or it has run out of sequence numbers.
    Exhausted,
}

/// The sequence number at which a ring is shut for good, before they run out: at a million records
/// a second after nine years. As it is looked at only now and then, a minute's worth is left, at a
/// record each nanosecond.
const LAST_SEQ: u64 = SEQ_MAX - (1 << 36);
/// In `writing`: nothing is to be placed.
const SHUT: u64 = u64::MAX;

impl Ring {
    pub(crate) fn new(index: usize, header: One<RingHeader>, records: View<Record>) -> Ring {
        // Only this ring's former owners wrote it; their lease ended before this one began.
        let head = header.head.load(Ordering::Acquire);
        let ring = Ring {
            index,
            header,
            records: Round::new(records),
            writing: AtomicU64::new(head),
        };
        ring.retire_if_exhausted();
        ring
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }

    #[inline(always)]
    pub(crate) fn header(&self) -> &RingHeader {
        &self.header
    }

    /// Places an event: the words 1 to 3 of its record, and of each record that continues it.
    #[inline(always)]
    pub(crate) fn push(
        &self,
        kind: u8,
        aux: u8,
        words: [u64; 3],
        more: &[[u64; 3]],
    ) -> Result<(), Refusal> {
        let header = self.header();
        let head = header.head.load(Ordering::Relaxed);
        if self.writing.load(Ordering::Relaxed) != head {
            return Err(self.refusal(head));
        }
        let last = head + 1 + more.len() as u64;
        self.writing.store(last, Ordering::Relaxed);
        // A signal handler on this thread sees the store before any word of the record changes.
        compiler_fence(Ordering::SeqCst);
        self.place(head + 1, kind, aux, words);
        for (seq, words) in (head + 2..).zip(more) {
            self.place(seq, kind::CONTINUED, 0, *words);
        }
        add(&header.events[usize::from(kind)], 1);
        compiler_fence(Ordering::SeqCst);
        // Pairs with the reader's acquire load: below the head all records were complete.
        header.head.store(last, Ordering::Release);
        Ok(())
    }

    #[inline(always)]
    fn place(&self, seq: u64, kind: u8, aux: u8, words: [u64; 3]) {
        let tag = Tag { seq, kind, aux };
        publish(
            &self.records.at(seq - 1).words,
            [tag.to_word(), words[0], words[1], words[2]],
        );
    }

    #[cold]
    fn refusal(&self, head: u64) -> Refusal {
        match head > LAST_SEQ {
            true => Refusal::Exhausted,
            false => Refusal::Reentrant,
        }
    }

    /// Shuts the ring for good when its sequence numbers are about to run out. To be called every
    /// few seconds while the ring is written.
    pub(crate) fn retire_if_exhausted(&self) {
        if self.header.head.load(Ordering::Relaxed) > LAST_SEQ {
            self.writing.store(SHUT, Ordering::Relaxed);
        }
    }
}

/// Adds to a count that one thread writes.
#[inline(always)]
pub(crate) fn add(count: &AtomicU64, by: u64) {
    let sum = count.load(Ordering::Relaxed).wrapping_add(by);
    count.store(sum, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::header::RING_HEADER_BYTES;
    use crate::map::Mapping;
    use std::sync::Arc;

    fn ring(head: u64) -> Ring {
        let mapping = Arc::new(Mapping::private(3 * RING_HEADER_BYTES).expect("mapped"));
        let header: One<RingHeader> = One::at(&mapping, 0);
        header.head.store(head, Ordering::Relaxed);
        Ring::new(0, header, mapping.view(RING_HEADER_BYTES, 4))
    }

    #[test]
    fn nothing_is_placed_while_an_event_is() {
        let ring = ring(0);
        assert_eq!(ring.push(1, 0, [1, 2, 3], &[]), Ok(()));
        // As a signal handler finds it in the midst of a record.
        ring.writing.store(2, Ordering::Relaxed);
        assert_eq!(ring.push(1, 0, [4, 5, 6], &[]), Err(Refusal::Reentrant));
        ring.writing.store(1, Ordering::Relaxed);
        assert_eq!(ring.push(1, 0, [7, 8, 9], &[]), Ok(()));
        assert_eq!(ring.header().head.load(Ordering::Relaxed), 2);
        assert_eq!(ring.header().events[1].load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_ring_near_its_last_sequence_number_retires() {
        let ring = ring(LAST_SEQ);
        assert_eq!(ring.push(1, 0, [1, 2, 3], &[]), Ok(()));
        ring.retire_if_exhausted();
        assert_eq!(ring.push(1, 0, [1, 2, 3], &[]), Err(Refusal::Exhausted));
    }
}
