//! Owns the layout of the log's first page and of the rings' headers.

use crate::record::Record;
use std::sync::atomic::AtomicU64;

/// The first eight bytes of a log.
pub(crate) const MAGIC: u64 = u64::from_ne_bytes(*b"GLASSPAL");
/// Reads as itself only in the byte order of its writer.
pub(crate) const ENDIANNESS: u64 = 0x0102_0304_0506_0708;
/// A reader refuses a higher one.
pub(crate) const VERSION_MAJOR: u32 = 1;
/// A reader ignores what a higher one added.
pub(crate) const VERSION_MINOR: u32 = 0;
/// The header's size.
pub(crate) const HEADER_BYTES: usize = 4096;
/// The entries of the table of sections.
pub(crate) const SECTIONS_MAX: usize = 16;
/// The words of a process's name: the kernel keeps fifteen bytes of it.
pub(crate) const COMMAND_WORDS: usize = 2;
/// The words for losses, one a cause.
pub(crate) const LOSS_WORDS: usize = 16;

/// Flag: the log is in a file that outlives its process.
pub(crate) const FLAG_CRASH_SAFE: u64 = 1;
/// Flag: ticks are those of the processor's counter.
pub(crate) const FLAG_COUNTER: u64 = 2;
/// Flag: the clock was virtual, and nothing in the log depends on the process.
pub(crate) const FLAG_VIRTUAL: u64 = 4;

/// The log's first page.
#[repr(C, align(4096))]
pub(crate) struct Header {
    pub(crate) magic: AtomicU64,
    pub(crate) endianness: AtomicU64,
    /// major:32 | minor:32
    pub(crate) version: AtomicU64,
    pub(crate) flags: AtomicU64,
    pub(crate) file_bytes: AtomicU64,
    pub(crate) section_count: AtomicU64,
    pub(crate) pid: AtomicU64,
    /// The process's start in clock ticks since boot, as /proc/PID/stat shows it.
    pub(crate) start_time: AtomicU64,
    pub(crate) boot_id: [AtomicU64; 2],
    /// See [`Lifecycle`].
    pub(crate) lifecycle: AtomicU64,
    /// Nanoseconds per tick in units of 2^-`rate_shift`.
    pub(crate) rate_mult: AtomicU64,
    pub(crate) rate_shift: AtomicU64,
    /// The stamp at which the log begins.
    pub(crate) start_stamp: AtomicU64,
    /// The slots of the task table that were ever made ready for use.
    pub(crate) slots_touched: AtomicU64,
    /// The namespace of `pid`, by its inode's number; zero where it is not known.
    pub(crate) pid_namespace: AtomicU64,
    /// What the writer could not record, by cause.
    pub(crate) loss: [AtomicU64; LOSS_WORDS],
    /// The clock pairs at the start and at the exit, as records.
    pub(crate) pairs: [Record; 2],
    pub(crate) sections: [Section; SECTIONS_MAX],
    /// The process's name, padded with zeros.
    pub(crate) command: [AtomicU64; COMMAND_WORDS],
}

/// One entry of the table of sections.
#[repr(C)]
pub(crate) struct Section {
    /// See [`SectionKind`]; zero for an unused entry.
    pub(crate) kind: AtomicU64,
    /// In bytes from the start of the file.
    pub(crate) offset: AtomicU64,
    /// In bytes.
    pub(crate) length: AtomicU64,
    /// The bytes of one entry of the section.
    pub(crate) stride: AtomicU64,
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum SectionKind {
    Schema = 1,
    RingHeaders = 2,
    TextIndex = 3,
    Text = 4,
    Sites = 5,
    Rings = 6,
    Tasks = 7,
}

/// What became of the process that wrote a log.
///
/// ```
/// use glasshouse_pal::{Lifecycle, Pal};
/// let log = Pal::memory().log();
/// assert_eq!(log.lifecycle(), Lifecycle::Running);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// It runs, or it was killed: see whether it is alive.
    Running,
    /// It ended in an orderly way.
    CleanExit,
    /// A panic ended it, or is about to.
    Panicking,
}

impl Lifecycle {
    pub(crate) const fn to_word(self) -> u64 {
        match self {
            Lifecycle::Running => 1,
            Lifecycle::CleanExit => 2,
            Lifecycle::Panicking => 3,
        }
    }

    pub(crate) const fn from_word(word: u64) -> Option<Lifecycle> {
        match word {
            1 => Some(Lifecycle::Running),
            2 => Some(Lifecycle::CleanExit),
            3 => Some(Lifecycle::Panicking),
            _ => None,
        }
    }

    /// The name as the log prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Lifecycle::Running => "running",
            Lifecycle::CleanExit => "clean_exit",
            Lifecycle::Panicking => "panicking",
        }
    }
}

/// The size of a ring's header.
pub(crate) const RING_HEADER_BYTES: usize = 8192;
/// The clock pairs that a ring's header keeps: the newest, each at least a second after the last.
pub(crate) const RING_PAIRS: usize = 128;

/// A ring's header. Its owner alone writes it.
#[repr(C, align(4096))]
pub(crate) struct RingHeader {
    /// The sequence number of the last record that is complete.
    pub(crate) head: AtomicU64,
    /// When the owner last said that it is alive, if it did so after `state_since`.
    pub(crate) heartbeat: AtomicU64,
    /// The task that the owner runs.
    pub(crate) task: AtomicU64,
    /// See [`crate::WorkerState`].
    pub(crate) state: AtomicU64,
    /// When it entered that state.
    pub(crate) state_since: AtomicU64,
    /// Ticks spent in each state, indexed by the state's number.
    pub(crate) state_ticks: [AtomicU64; 3],
    /// On lines of their own from here: written at a lease only.
    pub(crate) offset: AtomicU64,
    /// The ring's size in bytes: a power of two.
    pub(crate) length: AtomicU64,
    /// 1 for a worker's ring, 2 for one that other threads lease.
    pub(crate) class: AtomicU64,
    /// The number within its class.
    pub(crate) index: AtomicU64,
    /// class:32 | number:32 of who leased it last; zero when it never was.
    pub(crate) owner: AtomicU64,
    /// The operating system's number of that thread.
    pub(crate) thread: AtomicU64,
    /// 1 while leased.
    pub(crate) leased: AtomicU64,
    pub(crate) reserved: [AtomicU64; 1],
    /// The clock pairs that were begun.
    pub(crate) pair_head: AtomicU64,
    /// How often a pair was written, in a new place or over another.
    pub(crate) pair_writes: AtomicU64,
    pub(crate) reserved_pairs: [AtomicU64; 6],
    pub(crate) reserved_lines: [[AtomicU64; 8]; 29],
    /// Events written, by kind.
    pub(crate) events: [AtomicU64; 256],
    /// The clock pairs, as records.
    pub(crate) pairs: [Record; RING_PAIRS],
}

/// `class` of a ring that workers lease first.
pub(crate) const CLASS_WORKER: u64 = 1;
/// `class` of a ring for other threads.
pub(crate) const CLASS_EXTERNAL: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn the_header_is_where_format_1_says() {
        assert_eq!(size_of::<Header>(), HEADER_BYTES);
        assert_eq!(offset_of!(Header, magic), 0);
        assert_eq!(offset_of!(Header, endianness), 8);
        assert_eq!(offset_of!(Header, version), 16);
        assert_eq!(offset_of!(Header, flags), 24);
        assert_eq!(offset_of!(Header, file_bytes), 32);
        assert_eq!(offset_of!(Header, section_count), 40);
        assert_eq!(offset_of!(Header, pid), 48);
        assert_eq!(offset_of!(Header, start_time), 56);
        assert_eq!(offset_of!(Header, boot_id), 64);
        assert_eq!(offset_of!(Header, lifecycle), 80);
        assert_eq!(offset_of!(Header, rate_mult), 88);
        assert_eq!(offset_of!(Header, rate_shift), 96);
        assert_eq!(offset_of!(Header, start_stamp), 104);
        assert_eq!(offset_of!(Header, slots_touched), 112);
        assert_eq!(offset_of!(Header, loss), 128);
        assert_eq!(offset_of!(Header, pairs), 256);
        assert_eq!(offset_of!(Header, sections), 320);
        assert_eq!(offset_of!(Header, command), 832);
        assert_eq!(size_of::<Section>(), 32);
        assert_eq!(&MAGIC.to_ne_bytes(), b"GLASSPAL");
    }

    #[test]
    fn a_ring_header_is_where_format_1_says() {
        assert_eq!(size_of::<RingHeader>(), RING_HEADER_BYTES);
        assert_eq!(offset_of!(RingHeader, head), 0);
        assert_eq!(offset_of!(RingHeader, heartbeat), 8);
        assert_eq!(offset_of!(RingHeader, task), 16);
        assert_eq!(offset_of!(RingHeader, state), 24);
        assert_eq!(offset_of!(RingHeader, state_since), 32);
        assert_eq!(offset_of!(RingHeader, state_ticks), 40);
        assert_eq!(offset_of!(RingHeader, offset), 64);
        assert_eq!(offset_of!(RingHeader, length), 72);
        assert_eq!(offset_of!(RingHeader, class), 80);
        assert_eq!(offset_of!(RingHeader, index), 88);
        assert_eq!(offset_of!(RingHeader, owner), 96);
        assert_eq!(offset_of!(RingHeader, thread), 104);
        assert_eq!(offset_of!(RingHeader, leased), 112);
        assert_eq!(offset_of!(RingHeader, pair_head), 128);
        assert_eq!(offset_of!(RingHeader, events), 2048);
        assert_eq!(offset_of!(RingHeader, pairs), 4096);
    }

    #[test]
    fn a_lifecycle_survives_its_word() {
        for lifecycle in [
            Lifecycle::Running,
            Lifecycle::CleanExit,
            Lifecycle::Panicking,
        ] {
            assert_eq!(Lifecycle::from_word(lifecycle.to_word()), Some(lifecycle));
        }
        assert_eq!(Lifecycle::from_word(0), None);
        assert_eq!(Lifecycle::from_word(4), None);
    }
}
