//! Owns one leased ring: the placing of records, and the refusal to do so while one is being placed.
//!
//! ```text
//! open ──push──► closed ──all records placed──► open
//!   │              └─ push: refused (a signal handler)
//!   └──retire──► closed for good; push: refused
//! ```

use crate::format::header::RingHeader;
use crate::format::kind;
use crate::map::{One, Round, View};
use crate::record::{Record, SEQ_MAX, Tag, publish};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, compiler_fence};

/// A ring that one thread may write.
pub(crate) struct Ring {
    index: usize,
    header: One<RingHeader>,
    records: Round<Record>,
    /// An event is being placed, or the ring is retired. Only this thread, and signal handlers that
    /// interrupt it, look at this: a handler either finds it set and refuses, or places its own event
    /// whole before the interrupted one reads the head.
    is_closed: AtomicBool,
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

/// How many records ahead the processor is told to fetch: a ring is larger than the caches near it, and the next
/// locked instruction waits for every store before it. Four cache lines; two and eight came to the same.
const AHEAD: u64 = 8;

/// Whether a place ahead is fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetch {
    /// The one that is that far ahead.
    Ahead,
    /// The record before has fetched the cache line that it shares with this one, or the next will fetch its own.
    Done,
}

impl Ring {
    pub(crate) fn new(index: usize, header: One<RingHeader>, records: View<Record>) -> Ring {
        let ring = Ring {
            index,
            header,
            records: Round::new(records),
            is_closed: AtomicBool::new(false),
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
        fetch: Fetch,
        kind: u8,
        aux: u8,
        words: [u64; 3],
        more: &[[u64; 3]],
    ) -> Result<(), Refusal> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(self.refusal());
        }
        self.is_closed.store(true, Ordering::Relaxed);
        // A signal handler on this thread finds the ring closed before the head is read below.
        compiler_fence(Ordering::SeqCst);
        let header = self.header();
        let head = header.head.load(Ordering::Relaxed);
        if fetch == Fetch::Ahead {
            self.records.prefetch(head + AHEAD);
        }
        self.place(head + 1, kind, aux, words);
        for (seq, words) in (head + 2..).zip(more) {
            self.place(seq, kind::CONTINUED, 0, *words);
        }
        add(&header.events[usize::from(kind)], 1);
        // Pairs with the reader's acquire load: below the head all records were complete.
        let last = head + 1 + more.len() as u64;
        header.head.store(last, Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        self.is_closed.store(false, Ordering::Relaxed);
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
    fn refusal(&self) -> Refusal {
        match self.is_exhausted() {
            true => Refusal::Exhausted,
            false => Refusal::Reentrant,
        }
    }

    /// Closes the ring for good when its sequence numbers are about to run out. To be called every
    /// few seconds while the ring is written.
    pub(crate) fn retire_if_exhausted(&self) {
        if self.is_exhausted() {
            self.is_closed.store(true, Ordering::Relaxed);
        }
    }

    fn is_exhausted(&self) -> bool {
        self.header.head.load(Ordering::Relaxed) > LAST_SEQ
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
        assert_eq!(ring.push(Fetch::Ahead, 1, 0, [1, 2, 3], &[]), Ok(()));
        // As a signal handler finds it in the midst of a record.
        ring.is_closed.store(true, Ordering::Relaxed);
        assert_eq!(
            ring.push(Fetch::Ahead, 1, 0, [4, 5, 6], &[]),
            Err(Refusal::Reentrant)
        );
        ring.is_closed.store(false, Ordering::Relaxed);
        assert_eq!(ring.push(Fetch::Ahead, 1, 0, [7, 8, 9], &[]), Ok(()));
        assert_eq!(ring.header().head.load(Ordering::Relaxed), 2);
        assert_eq!(ring.header().events[1].load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_ring_near_its_last_sequence_number_retires() {
        let ring = ring(LAST_SEQ);
        assert_eq!(ring.push(Fetch::Ahead, 1, 0, [1, 2, 3], &[]), Ok(()));
        ring.retire_if_exhausted();
        assert_eq!(
            ring.push(Fetch::Ahead, 1, 0, [1, 2, 3], &[]),
            Err(Refusal::Exhausted)
        );
    }
}
