//! Owns a segment's first bytes: which log it is a part of, and which part.
//!
//! All numbers in a segment are stored with the lowest byte first.

use super::column::Column;
use crate::clock::{ClockPair, Rate};
use crate::format::header::COMMAND_WORDS;
use crate::host::ProcessId;

/// `GLASSSEG`
const MAGIC: &[u8; 8] = b"GLASSSEG";
/// The version that this release writes. It reads any minor version of this major one.
pub(crate) const VERSION_MAJOR: u32 = 1;
const VERSION_MINOR: u32 = 0;
/// The bytes of the header. A later minor version may have more: the first word behind the version says how many.
pub(crate) const HEADER_BYTES: usize = 144;
/// The longest header that a reader takes.
const HEADER_BYTES_MAX: u64 = 4096;
/// The bytes before the checksum.
const CHECKED_BYTES: usize = HEADER_BYTES - 8;
const COMMAND_BYTES: usize = COMMAND_WORDS * 8;

/// Whether a file that begins with these bytes is meant to be a segment.
pub(crate) fn begins_as_segment(first: &[u8; 8]) -> bool {
    first == MAGIC
}

/// What a segment says of the log that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) process: ProcessId,
    pub(crate) command: String,
    pub(crate) rate: Rate,
    /// The stamp at which the log begins.
    pub(crate) start_stamp: u64,
    /// What the clocks showed then.
    pub(crate) start_pair: ClockPair,
    /// The segment's number, from 1.
    pub(crate) number: u64,
    /// From this stamp on the segments from this one on hold all records, but for gaps that they tell of; zero where
    /// nothing was lost before.
    pub(crate) whole_from: u64,
    /// Where the sections begin.
    pub(crate) bytes: u64,
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderFault {
    NotASegment,
    CutShort,
    Version { major: u32, minor: u32 },
    Damaged(&'static str),
}

impl SegmentHeader {
    /// That of the first segment of a log that nothing is known of.
    #[cfg(test)]
    pub(crate) fn of_nobody() -> SegmentHeader {
        SegmentHeader {
            process: ProcessId::default(),
            command: String::new(),
            rate: crate::Clock::virtual_time().rate(),
            start_stamp: 0,
            start_pair: ClockPair::default(),
            number: 1,
            whole_from: 0,
            bytes: HEADER_BYTES as u64,
        }
    }

    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        bytes.extend_from_slice(MAGIC);
        let boot = self.process.boot_id;
        let words = [
            u64::from(VERSION_MAJOR) << 32 | u64::from(VERSION_MINOR),
            HEADER_BYTES as u64,
            u64::from(self.process.pid),
            self.process.start_time,
            (boot >> 64) as u64,
            boot as u64,
            self.rate.mult(),
            self.start_stamp,
            self.start_pair.ticks,
            self.start_pair.monotonic_ns,
            self.start_pair.wall_ns,
            self.number,
            self.whole_from,
        ];
        for word in words {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        let mut command = [0; COMMAND_BYTES];
        let name = self.command.as_bytes();
        let length = name.len().min(COMMAND_BYTES);
        command[..length].copy_from_slice(&name[..length]);
        bytes.extend_from_slice(&command);
        bytes.extend_from_slice(&self.process.namespace.to_le_bytes());
        bytes.resize(start + CHECKED_BYTES, 0);
        let crc = u64::from(crc32fast::hash(&bytes[start..]));
        bytes.extend_from_slice(&crc.to_le_bytes());
    }

    /// The header in a file's first bytes.
    pub(crate) fn take(bytes: &[u8]) -> Result<SegmentHeader, HeaderFault> {
        let damaged = HeaderFault::Damaged;
        if bytes.len() < 16 || !bytes.starts_with(MAGIC) {
            let begins = bytes.starts_with(MAGIC);
            return Err(match begins {
                true => HeaderFault::CutShort,
                false => HeaderFault::NotASegment,
            });
        }
        let mut from = Column(&bytes[8..]);
        let version = from.word().unwrap_or_default();
        let (major, minor) = ((version >> 32) as u32, version as u32);
        if major != VERSION_MAJOR {
            return Err(HeaderFault::Version { major, minor });
        }
        let checked = bytes.get(..HEADER_BYTES).ok_or(HeaderFault::CutShort)?;
        let crc = Column(&checked[CHECKED_BYTES..]).word();
        if crc != Some(u64::from(crc32fast::hash(&checked[..CHECKED_BYTES]))) {
            return Err(damaged("the header's checksum does not fit"));
        }
        let mut word = || from.word().unwrap_or_default();
        let length = word();
        if !(HEADER_BYTES as u64..=HEADER_BYTES_MAX).contains(&length) {
            return Err(damaged("no header is as long as it says"));
        }
        let mut process = ProcessId {
            pid: u32::try_from(word()).unwrap_or(0),
            start_time: word(),
            boot_id: u128::from(word()) << 64 | u128::from(word()),
            namespace: 0,
        };
        let rate = Rate::from_mult(word()).ok_or(damaged("no clock has this rate"))?;
        let start_stamp = word();
        let start_pair = ClockPair {
            ticks: word(),
            monotonic_ns: word(),
            wall_ns: word(),
        };
        let (number, whole_from) = (word(), word());
        let command = from.bytes(COMMAND_BYTES).unwrap_or_default();
        process.namespace = from.word().unwrap_or_default();
        let name = command.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(SegmentHeader {
            process,
            command: String::from_utf8_lossy(name).into_owned(),
            rate,
            start_stamp,
            start_pair,
            number,
            whole_from,
            bytes: length,
        })
    }

    /// Whether both are parts of one log.
    pub(crate) fn is_of_same_log(&self, other: &SegmentHeader) -> bool {
        let of = |header: &SegmentHeader| (header.process, header.start_stamp, header.rate.mult());
        of(self) == of(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> SegmentHeader {
        SegmentHeader {
            process: ProcessId {
                pid: 7,
                start_time: 9,
                boot_id: 1 << 100 | 5,
                namespace: 4026531836,
            },
            command: "tool".to_owned(),
            rate: Rate::per_second(2_500_000_000),
            start_stamp: 11,
            start_pair: ClockPair {
                ticks: 11,
                monotonic_ns: 12,
                wall_ns: 13,
            },
            number: 3,
            whole_from: 14,
            bytes: HEADER_BYTES as u64,
        }
    }

    fn bytes() -> Vec<u8> {
        let mut bytes = Vec::new();
        header().put(&mut bytes);
        bytes
    }

    #[test]
    fn a_header_comes_back_as_it_was_written() {
        assert_eq!(bytes().len(), HEADER_BYTES);
        assert_eq!(SegmentHeader::take(&bytes()), Ok(header()));
    }

    #[test]
    fn every_flipped_bit_of_a_header_is_found() {
        let mut bytes = bytes();
        for bit in 0..HEADER_BYTES * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentHeader::take(&bytes).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn a_header_that_is_cut_short_or_of_a_later_major_version_is_told_apart_from_no_segment() {
        let mut bytes = bytes();
        for length in 8..HEADER_BYTES {
            let found = SegmentHeader::take(&bytes[..length]);
            assert_eq!(found, Err(HeaderFault::CutShort), "{length} bytes");
        }
        bytes[12] = 2;
        let later = HeaderFault::Version { major: 2, minor: 0 };
        assert_eq!(SegmentHeader::take(&bytes), Err(later));
        let other = SegmentHeader::take(b"GLASSPAL and so on");
        assert_eq!(other, Err(HeaderFault::NotASegment));
    }
}
