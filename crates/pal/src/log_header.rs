//! Owns the writing of a log's first page, once, when the log is made.

use crate::clock::{Clock, Rate};
use crate::format::header::{
    COMMAND_WORDS, ENDIANNESS, FLAG_COUNTER, FLAG_CRASH_SAFE, FLAG_VIRTUAL, Header, Lifecycle,
    MAGIC, VERSION_MAJOR, VERSION_MINOR,
};
use crate::format::layout::Layout;
use crate::host::ProcessId;
use crate::record::publish;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// Whose log it is, and whether it outlives its process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Birth {
    process: ProcessId,
    command: [u64; COMMAND_WORDS],
    pub(crate) is_crash_safe: bool,
}

impl Birth {
    pub(crate) fn of_this_process(is_crash_safe: bool) -> Birth {
        Birth {
            process: ProcessId::current(),
            command: own_command(),
            is_crash_safe,
        }
    }

    /// For logs in which nothing depends on the process.
    pub(crate) fn of_nobody() -> Birth {
        Birth {
            process: ProcessId::default(),
            command: [0; COMMAND_WORDS],
            is_crash_safe: false,
        }
    }
}

/// Fills the page; the magic number comes last, so that a log under construction is not one yet.
pub(crate) fn fill_header(header: &Header, layout: &Layout, clock: &Clock, birth: Birth) {
    let version = u64::from(VERSION_MAJOR) << 32 | u64::from(VERSION_MINOR);
    let flags = [
        (birth.is_crash_safe, FLAG_CRASH_SAFE),
        (clock.is_counter(), FLAG_COUNTER),
        (clock.is_virtual(), FLAG_VIRTUAL),
    ];
    let flags = flags
        .iter()
        .filter(|(is_set, _)| *is_set)
        .map(|(_, flag)| flag);
    let pair = clock.pair();
    header.endianness.store(ENDIANNESS, Relaxed);
    header.version.store(version, Relaxed);
    header.flags.store(flags.sum(), Relaxed);
    header.file_bytes.store(layout.file_bytes as u64, Relaxed);
    header.pid.store(u64::from(birth.process.pid), Relaxed);
    header.start_time.store(birth.process.start_time, Relaxed);
    header.pid_namespace.store(birth.process.namespace, Relaxed);
    header.boot_id[0].store((birth.process.boot_id >> 64) as u64, Relaxed);
    header.boot_id[1].store(birth.process.boot_id as u64, Relaxed);
    header
        .lifecycle
        .store(Lifecycle::Running.to_word(), Relaxed);
    header.rate_mult.store(clock.rate().mult(), Relaxed);
    header.rate_shift.store(u64::from(Rate::SHIFT), Relaxed);
    header.start_stamp.store(pair.ticks, Relaxed);
    publish(
        &header.pairs[0].words,
        [1 << 16, pair.ticks, pair.monotonic_ns, pair.wall_ns],
    );
    let parts = layout.parts();
    for (section, part) in header.sections.iter().zip(parts) {
        section.offset.store(part.offset as u64, Relaxed);
        section.length.store(part.length as u64, Relaxed);
        section.stride.store(part.stride as u64, Relaxed);
        section.kind.store(part.kind as u64, Relaxed);
    }
    for (word, part) in header.command.iter().zip(birth.command) {
        word.store(part, Relaxed);
    }
    header.section_count.store(parts.len() as u64, Relaxed);
    header.magic.store(MAGIC, Release);
}

/// The name of this process, cut to the words there are; zeros where the kernel does not tell.
fn own_command() -> [u64; COMMAND_WORDS] {
    let name = std::fs::read("/proc/self/comm").unwrap_or_default();
    let mut words = [0; COMMAND_WORDS];
    for (word, bytes) in words.iter_mut().zip(name.trim_ascii_end().chunks(8)) {
        let mut padded = [0; 8];
        padded[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_ne_bytes(padded);
    }
    words
}
