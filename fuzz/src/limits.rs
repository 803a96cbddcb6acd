//! Owns what a log of so many bytes may say at most, and what it may cost to hear it.

use crate::memory::Bound;

/// The fold of a record of 32 bytes may begin a life, a finding, and a step towards an answer.
const RINGS_FOLD_TIMES: usize = 24;

/// A byte of a segment stands for so many events at most (`docs/pal-format.md`).
const SEGMENT_EVENTS_A_BYTE: usize = 64;
/// What such an event takes while its block is decoded and it is held back.
const SEGMENT_EVENT_BYTES: usize = 256;
/// What blocks take at most, however many there are: those that are held back for records that came late.
const SEGMENT_BLOCKS_BYTES: usize = 64 << 20;
/// A byte and a quarter of a segment may be a row of the task table, and a byte the name of a task.
const SEGMENT_TIMES: usize = 400;
const SEGMENT_FOLD_TIMES: usize = 800;

/// The limits for files of so many bytes together.
pub struct Limits {
    pub file_bytes: usize,
    /// Events.
    pub events: usize,
    /// Rows of the task table.
    pub rows: usize,
    pub open: Bound,
    pub records: Bound,
    pub tasks: Bound,
    pub known_tasks: Bound,
    pub fold: Bound,
}

impl Limits {
    /// For a log with rings.
    pub fn of_rings(file_bytes: usize) -> Limits {
        Limits {
            file_bytes,
            events: file_bytes / 32,
            rows: file_bytes / 64,
            // Its copy of the bytes is the file's size.
            open: Bound::times(2),
            records: Bound::times(2),
            tasks: Bound::times(1),
            // The rows all at once, in a list that grows.
            known_tasks: Bound::times(4),
            fold: Bound::times(RINGS_FOLD_TIMES),
        }
    }

    /// For segments.
    pub fn of_segments(file_bytes: usize) -> Limits {
        let over_blocks = |times| Bound {
            times,
            unpacked_times: SEGMENT_EVENTS_A_BYTE * SEGMENT_EVENT_BYTES,
            unpacked_most: SEGMENT_BLOCKS_BYTES,
        };
        Limits {
            file_bytes,
            events: file_bytes * SEGMENT_EVENTS_A_BYTE,
            rows: file_bytes,
            open: Bound::times(SEGMENT_TIMES),
            records: over_blocks(SEGMENT_TIMES),
            tasks: Bound::times(SEGMENT_TIMES),
            known_tasks: Bound::times(SEGMENT_TIMES),
            fold: over_blocks(SEGMENT_FOLD_TIMES),
        }
    }
}
