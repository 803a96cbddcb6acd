//! Owns what is known of a log's segments before any record is decoded: which blocks there are and where, and what
//! the files note beside them.
//!
//! Made in one pass over the files, in which every checksum is compared. It takes some hundred bytes a block, and the notes.

use super::notes::Notes;
use super::scan::{Refused, Scan};
use crate::clock::ClockPair;
use crate::reader::gap::{Gap, GapCause};
use crate::reader::kinds::Kinds;
use crate::reader::wall::WallClock;
use crate::reader::{OpenError, RingId};
use crate::segment::{BlockHead, GapFact, HeaderFault, SectionKind, SegmentHeader};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A block's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockPlace {
    /// Which of the files.
    pub(super) file: u32,
    /// Where its payload is there.
    pub(super) at: u64,
    pub(super) length: u32,
    /// The stamps of its first and last record.
    pub(super) first: u64,
    pub(super) last: u64,
}

/// A segment's file.
pub(super) struct SegmentFile {
    pub(super) path: PathBuf,
    /// Open, so that it can be read when its spiller has removed it; `None` beyond so many.
    pub(super) file: Option<File>,
}

/// The segments that are held open, of the thousand files that a process may mostly have.
const OPEN_MAX: usize = 256;

/// What the segments hold of a ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) records: u64,
    /// The newest record's sequence number.
    pub(super) newest: u64,
    /// Records that gaps tell of.
    pub(super) in_gaps: u64,
}

pub(super) struct Index {
    /// The first segment's header.
    pub(super) header: SegmentHeader,
    pub(super) files: Vec<SegmentFile>,
    /// In the order in which they were written.
    pub(super) blocks: Vec<BlockPlace>,
    pub(super) notes: Notes,
    pub(super) kinds: Kinds,
    pub(super) gaps: Vec<Gap>,
    pub(super) rings: BTreeMap<RingId, Held>,
    pub(super) wall: WallClock,
    pub(super) unreadable: u64,
    pub(super) torn_bytes: u64,
    pub(super) damaged_segments: u64,
}

impl Index {
    /// Reads the files, which are in the order of their names; `path` is what the user called them.
    pub(super) fn of(path: &Path, files: Vec<PathBuf>) -> Result<Index, OpenError> {
        let mut building: Option<Building> = None;
        let mut damaged = Vec::new();
        for file in files {
            match Scan::open(&file) {
                Ok((scan, header)) => match &mut building {
                    None => {
                        let mut begun = Building::new(header.clone());
                        begun.add(file, header, scan);
                        building = Some(begun);
                    }
                    Some(building) if building.header.is_of_same_log(&header) => {
                        building.add(file, header, scan);
                    }
                    // Somebody copied another log's segment here.
                    Some(building) => building.damaged_segments += 1,
                },
                Err(refused) => damaged.push(refusal(file, refused)),
            }
        }
        let Some(mut building) = building else {
            let first = damaged.into_iter().next();
            return Err(first.unwrap_or(OpenError::NoSegments {
                path: path.to_owned(),
            }));
        };
        // A later release's segments must not look like a small loss.
        if let Some(later) = damaged.iter().position(is_later_version) {
            return Err(damaged.swap_remove(later));
        }
        building.damaged_segments += damaged.len() as u64;
        Ok(building.finish())
    }

    /// The least and the greatest stamp.
    pub(super) fn stamps(&self) -> Option<(u64, u64)> {
        let first = self.blocks.iter().map(|block| block.first).min()?;
        let last = self.blocks.iter().map(|block| block.last).max()?;
        Some((first, last))
    }
}

fn is_later_version(error: &OpenError) -> bool {
    matches!(error, OpenError::Version { .. })
}

fn refusal(path: PathBuf, refused: Refused) -> OpenError {
    match refused {
        Refused::Io(source) => OpenError::Io { path, source },
        Refused::Header(fault) => match fault {
            HeaderFault::NotASegment => OpenError::NotALog { path },
            HeaderFault::CutShort => OpenError::Damaged {
                path,
                offset: 0,
                what: "its header is cut short",
            },
            HeaderFault::Version { major, minor } => OpenError::Version { path, major, minor },
            HeaderFault::Damaged(what) => OpenError::Damaged {
                path,
                offset: 0,
                what,
            },
        },
    }
}

/// An index in the making.
struct Building {
    header: SegmentHeader,
    files: Vec<SegmentFile>,
    blocks: Vec<BlockPlace>,
    notes: Notes,
    pairs: Vec<ClockPair>,
    gaps: Vec<Gap>,
    rings: BTreeMap<RingId, Held>,
    /// The last segment's number.
    number: u64,
    unreadable: u64,
    torn_bytes: u64,
    /// Whether the last segment lacks its end.
    is_torn: bool,
    damaged_segments: u64,
}

impl Building {
    fn new(header: SegmentHeader) -> Building {
        Building {
            number: header.number.saturating_sub(1),
            pairs: vec![header.start_pair],
            header,
            files: Vec::new(),
            blocks: Vec::new(),
            notes: Notes::default(),
            gaps: Vec::new(),
            rings: BTreeMap::new(),
            unreadable: 0,
            torn_bytes: 0,
            is_torn: false,
            damaged_segments: 0,
        }
    }

    fn add(&mut self, path: PathBuf, header: SegmentHeader, mut scan: Scan) {
        let file = self.files.len() as u32;
        let is_missing = header.number != self.number.wrapping_add(1);
        if is_missing || std::mem::take(&mut self.is_torn) {
            self.gaps.push(Gap {
                from: self.blocks.last().map_or(0, |block| block.last),
                to: header.whole_from,
                records: 0,
                causes: vec![GapCause::Removed],
            });
        }
        self.number = header.number;
        let torn_bytes = self.torn_bytes;
        while let Some(found) = scan.next() {
            let Some(kind) = found.kind else { continue };
            let (at, payload) = (found.at, found.payload);
            let taken = match kind {
                SectionKind::Block => self.block(file, at, payload),
                SectionKind::Gap => self.gap(payload),
                kind => self.notes.take(kind, payload),
            };
            if taken.is_none() {
                // Whole, and not what a spiller writes.
                self.torn_bytes += payload.len() as u64;
            }
        }
        self.torn_bytes += scan.rest_bytes();
        self.is_torn = self.torn_bytes > torn_bytes;
        let file = scan.into_file();
        self.files.push(SegmentFile {
            path,
            file: Some(file).filter(|_| self.files.len() < OPEN_MAX),
        });
    }

    fn block(&mut self, file: u32, at: u64, payload: &[u8]) -> Option<()> {
        let head = BlockHead::of(payload)?;
        for span in &head.rings {
            let held = self.rings.entry(span.ring).or_default();
            held.records = held.records.saturating_add(span.records);
            held.newest = held.newest.max(span.newest);
        }
        self.unreadable = self.unreadable.saturating_add(head.unreadable);
        self.pairs.push(head.pair);
        self.blocks.push(BlockPlace {
            file,
            at,
            length: payload.len() as u32,
            first: head.first,
            last: head.last,
        });
        Some(())
    }

    fn gap(&mut self, payload: &[u8]) -> Option<()> {
        let gap = GapFact::take(payload)?;
        for missing in &gap.rings {
            let held = self.rings.entry(missing.ring).or_default();
            held.in_gaps = held.in_gaps.saturating_add(missing.records);
            held.newest = held.newest.max(missing.newest);
        }
        self.gaps.push(Gap {
            records: gap.records(),
            from: gap.from,
            to: gap.to,
            causes: GapCause::of_bits(gap.causes),
        });
        Some(())
    }

    fn finish(self) -> Index {
        let mut pairs = self.pairs;
        pairs.extend(self.notes.status.as_ref().map(|status| status.pair));
        // A clock that nobody moved shows zeros.
        pairs.retain(|pair| *pair != ClockPair::default());
        pairs.sort_unstable_by_key(|pair| pair.ticks);
        pairs.dedup();
        Index {
            wall: WallClock::new(pairs, self.header.rate),
            header: self.header,
            files: self.files,
            blocks: self.blocks,
            kinds: self.notes.field_counts(),
            notes: self.notes,
            gaps: self.gaps,
            rings: self.rings,
            unreadable: self.unreadable,
            torn_bytes: self.torn_bytes,
            damaged_segments: self.damaged_segments,
        }
    }
}
