//! Owns the bytes that a session keeps of its output: the newest ones, in memory set aside beforehand.
//!
//! Every byte that was ever pushed has an offset, counted from zero. The ring holds the offsets
//! `start..end`; pushing past the capacity drops the oldest. Nothing is allocated by a push.
//!
//! Invariants: `end - start <= capacity`, `start == end.saturating_sub(capacity)`, and the byte with
//! offset `n` lies at `n % capacity`.

use std::fmt;

/// The newest bytes of an output, at most as many as its capacity; the oldest are dropped first.
///
/// ```
/// use glasshouse_pty::OutputRing;
/// let mut ring = OutputRing::new(4);
/// ring.push(b"abcdef");
/// assert_eq!(ring.snapshot(), b"cdef");
/// assert_eq!((ring.total_bytes(), ring.dropped_bytes()), (6, 2));
/// ```
pub struct OutputRing {
    bytes: Box<[u8]>,
    end: u64,
}

/// A reader's place in a ring: the offset of the next byte that it has not seen.
///
/// ```
/// use glasshouse_pty::{Cursor, OutputRing};
/// let mut ring = OutputRing::new(4);
/// let (mut cursor, mut seen) = (Cursor::default(), Vec::new());
/// ring.push(b"ab");
/// assert_eq!(ring.read(&mut cursor, &mut seen), 0);
/// ring.push(b"cdefgh");
/// assert_eq!(ring.read(&mut cursor, &mut seen), 2);
/// assert_eq!(seen, b"abefgh");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    next: u64,
}

impl Cursor {
    /// The offset of the next byte to read, counted from the output's first byte.
    pub fn offset(self) -> u64 {
        self.next
    }
}

impl OutputRing {
    /// A ring that keeps the newest `capacity_bytes` bytes; with zero it keeps none and counts all.
    ///
    /// The memory is reserved here and never grows. The system backs its pages when they are first
    /// written, so that a session that prints little costs little.
    pub fn new(capacity_bytes: usize) -> OutputRing {
        OutputRing {
            bytes: vec![0; capacity_bytes].into_boxed_slice(),
            end: 0,
        }
    }

    /// Appends `bytes`, dropping as many of the oldest as it takes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.end += bytes.len() as u64;
        let kept_len = bytes.len().min(self.bytes.len());
        let kept = &bytes[bytes.len() - kept_len..];
        let (head, tail) = self.places(self.end - kept_len as u64, kept_len);
        let (first, second) = kept.split_at(head.len());
        self.bytes[head].copy_from_slice(first);
        self.bytes[tail].copy_from_slice(second);
    }

    /// The bytes that it can hold.
    pub fn capacity_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes that it holds.
    pub fn len_bytes(&self) -> usize {
        (self.end - self.start()) as usize
    }

    /// Every byte that was ever pushed.
    pub fn total_bytes(&self) -> u64 {
        self.end
    }

    /// The bytes that were pushed and are no longer held.
    pub fn dropped_bytes(&self) -> u64 {
        self.start()
    }

    /// A copy of all that it holds, oldest first.
    pub fn snapshot(&self) -> Vec<u8> {
        self.tail(self.bytes.len())
    }

    /// A copy of the newest `max_bytes` bytes, or of all when it holds fewer, oldest first.
    pub fn tail(&self, max_bytes: usize) -> Vec<u8> {
        let kept_len = max_bytes.min(self.len_bytes());
        let mut copy = Vec::with_capacity(kept_len);
        self.copy_from(self.end - kept_len as u64, &mut copy);
        copy
    }

    /// Appends to `into` all that `cursor` has not seen, moves it to the end, and returns how many
    /// bytes it missed because they were dropped before it came.
    pub fn read(&self, cursor: &mut Cursor, into: &mut Vec<u8>) -> u64 {
        // A cursor of another ring may lie past this one's end: there is nothing to read then.
        let seen = cursor.next.min(self.end);
        let from = seen.max(self.start());
        self.copy_from(from, into);
        cursor.next = self.end;
        from - seen
    }

    /// A cursor behind the last byte: it reads only what is pushed from now on.
    pub fn end_cursor(&self) -> Cursor {
        Cursor { next: self.end }
    }

    fn start(&self) -> u64 {
        self.end.saturating_sub(self.bytes.len() as u64)
    }

    fn copy_from(&self, offset: u64, into: &mut Vec<u8>) {
        let (head, tail) = self.places(offset, (self.end - offset) as usize);
        into.extend_from_slice(&self.bytes[head]);
        into.extend_from_slice(&self.bytes[tail]);
    }

    /// Where `len` bytes from `offset` lie: up to the edge of the memory, and from its beginning.
    fn places(&self, offset: u64, len: usize) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        if len == 0 {
            return (0..0, 0..0);
        }
        let at = (offset % self.bytes.len() as u64) as usize;
        let head_len = len.min(self.bytes.len() - at);
        (at..at + head_len, 0..len - head_len)
    }
}

impl fmt::Debug for OutputRing {
    /// Without the bytes, which are many and may be confidential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutputRing")
            .field("capacity_bytes", &self.capacity_bytes())
            .field("total_bytes", &self.total_bytes())
            .field("dropped_bytes", &self.dropped_bytes())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    //! Properties: the ring holds the newest `capacity` bytes in order; totals are exact; a reader
    //! gets each byte once, or is told how many it missed; the memory never moves.
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    #[derive(Clone, Debug)]
    enum Op {
        Push(Vec<u8>),
        Read,
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let op = prop_oneof![
            3 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Op::Push),
            1 => Just(Op::Read),
        ];
        prop::collection::vec(op, 0..60)
    }

    proptest! {
        #[test]
        fn agrees_with_a_queue_that_pops_its_front(capacity in 0usize..24, ops in ops()) {
            let mut ring = OutputRing::new(capacity);
            let memory = ring.bytes.as_ptr();
            let mut model = VecDeque::new();
            let mut all = Vec::new();
            let (mut cursor, mut model_next) = (Cursor::default(), 0usize);
            for op in ops {
                match op {
                    Op::Push(bytes) => {
                        ring.push(&bytes);
                        all.extend_from_slice(&bytes);
                        model.extend(bytes);
                        while model.len() > capacity {
                            model.pop_front();
                        }
                    }
                    Op::Read => {
                        let mut got = Vec::new();
                        let missed = ring.read(&mut cursor, &mut got);
                        let from = model_next.max(all.len() - model.len());
                        prop_assert_eq!(missed, (from - model_next) as u64);
                        prop_assert_eq!(got, &all[from..]);
                        model_next = all.len();
                    }
                }
                let held: Vec<u8> = model.iter().copied().collect();
                prop_assert_eq!(ring.snapshot(), &held[..]);
                prop_assert_eq!(ring.len_bytes(), held.len());
                prop_assert_eq!(ring.total_bytes(), all.len() as u64);
                prop_assert_eq!(ring.dropped_bytes(), (all.len() - held.len()) as u64);
                for max in [0, 1, capacity / 2, capacity, capacity + 1] {
                    prop_assert_eq!(ring.tail(max), &held[held.len() - max.min(held.len())..]);
                }
            }
            prop_assert_eq!(ring.bytes.as_ptr(), memory);
            prop_assert_eq!(ring.capacity_bytes(), capacity);
        }
    }

    #[test]
    fn a_cursor_at_the_end_reads_only_what_comes_later() {
        let mut ring = OutputRing::new(8);
        ring.push(b"old");
        let mut cursor = ring.end_cursor();
        assert_eq!(cursor.offset(), 3);
        ring.push(b"new");
        let mut got = Vec::new();
        assert_eq!(ring.read(&mut cursor, &mut got), 0);
        assert_eq!(got, b"new");
    }

    #[test]
    fn its_debug_form_shows_no_output() {
        let mut ring = OutputRing::new(4);
        ring.push(b"secret");
        let shown = format!("{ring:?}");
        assert_eq!(
            shown,
            "OutputRing { capacity_bytes: 4, total_bytes: 6, dropped_bytes: 2 }"
        );
    }

    #[test]
    fn a_cursor_of_a_longer_output_reads_nothing() {
        let mut long = OutputRing::new(8);
        long.push(b"0123456789");
        let mut cursor = long.end_cursor();
        let mut got = Vec::new();
        assert_eq!(OutputRing::new(8).read(&mut cursor, &mut got), 0);
        assert!(got.is_empty());
    }
}
