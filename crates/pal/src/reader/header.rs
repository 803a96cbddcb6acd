//! Owns the checking of a log's first page: after it every section lies inside the file.

use super::error::OpenError;
use super::source::Source;
use crate::clock::{ClockPair, Rate};
use crate::format::header::RING_HEADER_BYTES;
use crate::format::header::{
    COMMAND_WORDS, ENDIANNESS, FLAG_CRASH_SAFE, HEADER_BYTES, Header, LOSS_WORDS, Lifecycle, MAGIC,
    SECTIONS_MAX, SectionKind, VERSION_MAJOR,
};
use crate::format::layout::{
    KINDS, RINGS_MAX, SCHEMA_BYTES, SITE_BYTES, SLOT_BYTES, TEXT_ENTRY_BYTES,
};
use crate::host::ProcessId;
use crate::record::RECORD_BYTES;
use std::mem::offset_of;
use std::path::Path;

/// A part of the log that lies inside the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Section {
    pub(crate) offset: u64,
    /// Of one entry; at least what this version of the format needs.
    pub(crate) stride: u64,
    /// Entries.
    pub(crate) count: u64,
}

impl Section {
    /// Where an entry begins; `None` beyond the last.
    pub(crate) fn entry(&self, index: u64) -> Option<u64> {
        (index < self.count).then(|| self.offset + index * self.stride)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.count * self.stride
    }
}

/// What the first page says, checked.
#[derive(Debug)]
pub(crate) struct LogHeader {
    pub(crate) process: ProcessId,
    pub(crate) command: String,
    pub(crate) is_crash_safe: bool,
    pub(crate) rate: Rate,
    pub(crate) start_stamp: u64,
    pub(crate) start_pair: Option<ClockPair>,
    pub(crate) schema: Section,
    pub(crate) ring_headers: Section,
    pub(crate) text_index: Section,
    pub(crate) text: Section,
    pub(crate) sites: Section,
    pub(crate) rings: Section,
    pub(crate) tasks: Section,
}

type Page = [u64; HEADER_BYTES / 8];

impl LogHeader {
    pub(crate) fn read(source: &Source, path: &Path) -> Result<LogHeader, OpenError> {
        let io = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        let found_bytes = source.bytes().map_err(io)?;
        let mut page: Page = [0; HEADER_BYTES / 8];
        let there = found_bytes.min(HEADER_BYTES as u64) as usize / 8;
        source.read(0, &mut page[..there]).map_err(io)?;
        let expected_bytes = page[offset_of!(Header, file_bytes) / 8].max(HEADER_BYTES as u64);
        let cut_short = || OpenError::CutShort {
            path: path.to_owned(),
            expected_bytes,
            found_bytes,
        };
        if page[offset_of!(Header, magic) / 8] != MAGIC {
            return Err(OpenError::NotALog {
                path: path.to_owned(),
            });
        }
        // Of less than a page not even the byte order is there for certain.
        if found_bytes < HEADER_BYTES as u64 {
            return Err(cut_short());
        }
        check_version(&page, path)?;
        if found_bytes < expected_bytes {
            return Err(cut_short());
        }
        let damage = |offset: usize, what| OpenError::Damaged {
            path: path.to_owned(),
            offset: offset as u64,
            what,
        };
        parse(&page, found_bytes).map_err(|(offset, what)| damage(offset, what))
    }
}

fn check_version(page: &Page, path: &Path) -> Result<(), OpenError> {
    let path = || path.to_owned();
    if page[offset_of!(Header, endianness) / 8] != ENDIANNESS {
        return Err(OpenError::ByteOrder { path: path() });
    }
    let version = page[offset_of!(Header, version) / 8];
    let (major, minor) = ((version >> 32) as u32, version as u32);
    if major != VERSION_MAJOR {
        return Err(OpenError::Version {
            path: path(),
            major,
            minor,
        });
    }
    Ok(())
}

/// The largest stride that a later minor version can come to: several entries are copied at once.
const STRIDE_MAX: u64 = 64 << 10;

/// Where the damage is, and what it is.
type Damage = (usize, &'static str);

fn parse(page: &Page, file_bytes: u64) -> Result<LogHeader, Damage> {
    let word = |offset: usize| page[offset / 8];
    let shift_at = offset_of!(Header, rate_shift);
    if word(shift_at) != u64::from(Rate::SHIFT) {
        return Err((shift_at, "the clock's rate has an unknown unit"));
    }
    let rate_at = offset_of!(Header, rate_mult);
    let rate = Rate::from_mult(word(rate_at)).ok_or((rate_at, "no clock has this rate"))?;
    let section = |kind, least_stride| find_section(page, file_bytes, kind, least_stride);
    let header = LogHeader {
        process: ProcessId {
            pid: u32::try_from(word(offset_of!(Header, pid))).unwrap_or(0),
            start_time: word(offset_of!(Header, start_time)),
            boot_id: u128::from(word(offset_of!(Header, boot_id))) << 64
                | u128::from(word(offset_of!(Header, boot_id) + 8)),
            namespace: word(offset_of!(Header, pid_namespace)),
        },
        command: command(page),
        is_crash_safe: word(offset_of!(Header, flags)) & FLAG_CRASH_SAFE != 0,
        rate,
        start_stamp: word(offset_of!(Header, start_stamp)),
        start_pair: pair(page, 0),
        schema: section(SectionKind::Schema, SCHEMA_BYTES)?,
        ring_headers: section(SectionKind::RingHeaders, RING_HEADER_BYTES)?,
        text_index: section(SectionKind::TextIndex, TEXT_ENTRY_BYTES)?,
        text: section(SectionKind::Text, 1)?,
        sites: section(SectionKind::Sites, SITE_BYTES)?,
        rings: section(SectionKind::Rings, RECORD_BYTES)?,
        tasks: section(SectionKind::Tasks, SLOT_BYTES)?,
    };
    let sections_at = offset_of!(Header, sections);
    if header.schema.count > KINDS as u64 || header.ring_headers.count > RINGS_MAX as u64 {
        return Err((
            sections_at,
            "there are more rings or kinds than a log can have",
        ));
    }
    Ok(header)
}

fn command(page: &Page) -> String {
    let at = offset_of!(Header, command) / 8;
    let words = &page[at..at + COMMAND_WORDS];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

/// The section of a kind, cut to whole entries; an error when it is missing or reaches outside.
fn find_section(
    page: &Page,
    file_bytes: u64,
    kind: SectionKind,
    least_stride: usize,
) -> Result<Section, Damage> {
    let sections_at = offset_of!(Header, sections);
    let count = page[offset_of!(Header, section_count) / 8].min(SECTIONS_MAX as u64) as usize;
    for index in 0..count {
        let at = sections_at + index * 32;
        let [found, offset, length, stride] = [0, 1, 2, 3].map(|word| page[at / 8 + word]);
        if found != kind as u64 {
            continue;
        }
        let end = offset.checked_add(length);
        if end.is_none_or(|end| end > file_bytes) || !offset.is_multiple_of(8) {
            return Err((at, "a section reaches outside the file"));
        }
        let is_odd = stride > 1 && !stride.is_multiple_of(8);
        if stride < least_stride as u64 || stride > STRIDE_MAX || is_odd {
            return Err((at, "a section's entries have the wrong size"));
        }
        return Ok(Section {
            offset,
            stride,
            count: length / stride,
        });
    }
    Err((sections_at, "a section is missing"))
}

/// One of the two clock pairs of the first page; `None` while it is not written.
fn pair(page: &[u64], index: usize) -> Option<ClockPair> {
    let at = (offset_of!(Header, pairs) + index * RECORD_BYTES) / 8;
    (page[at] != 0).then(|| ClockPair {
        ticks: page[at + 1],
        monotonic_ns: page[at + 2],
        wall_ns: page[at + 3],
    })
}

/// The parts of the first page that change while the log is written.
pub(crate) struct Changing {
    pub(crate) lifecycle: Option<Lifecycle>,
    pub(crate) slots_touched: u64,
    pub(crate) loss: [u64; LOSS_WORDS],
    pub(crate) exit_pair: Option<ClockPair>,
}

impl Changing {
    pub(crate) fn read(source: &Source) -> std::io::Result<Changing> {
        let mut page: Page = [0; HEADER_BYTES / 8];
        source.read(0, &mut page)?;
        let mut loss = [0; LOSS_WORDS];
        let loss_at = offset_of!(Header, loss) / 8;
        loss.copy_from_slice(&page[loss_at..loss_at + LOSS_WORDS]);
        Ok(Changing {
            lifecycle: Lifecycle::from_word(page[offset_of!(Header, lifecycle) / 8]),
            slots_touched: page[offset_of!(Header, slots_touched) / 8],
            loss,
            exit_pair: pair(&page, 1),
        })
    }
}
