//! Owns what is gathered from the segments of one log, section by section: which blocks there are and where, which
//! records they hold, and which are missing.

use super::held::Held;
use super::notes::Notes;
use super::scan::Scan;
use super::shelf::{BlockPlace, OPEN_MAX, SegmentFile};
use crate::clock::ClockPair;
use crate::reader::RingId;
use crate::reader::gap::{Gap, GapCause};
use crate::segment::{BlockHead, GapFact, SectionKind, SegmentHeader};
use std::collections::BTreeMap;
use std::path::Path;

/// What was gathered so far. The notes are kept elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Gathered {
    /// The first segment's header.
    pub(super) header: SegmentHeader,
    pub(super) files: Vec<SegmentFile>,
    /// In the order in which they were written.
    pub(super) blocks: Vec<BlockPlace>,
    pub(super) pairs: Vec<ClockPair>,
    pub(super) gaps: Vec<Gap>,
    pub(super) rings: BTreeMap<RingId, Held>,
    /// The least and the greatest stamp.
    pub(super) stamps: Option<(u64, u64)>,
    pub(super) unreadable: u64,
    pub(super) torn_bytes: u64,
    pub(super) damaged_segments: u64,
    /// Records that gaps and missing segments have lost, and that were not told.
    pub(super) lost: u64,
    /// A gap and no block behind it: who could not write both takes it back, and tells it anew.
    gap: Vec<GapFact>,
    /// The last segment's number.
    number: u64,
    /// The blocks that were ever met.
    block_count: u64,
    /// The stamp of the last block's last record.
    last: u64,
    /// Whether the last segment lacks its end.
    is_torn: bool,
    /// Whether segments were missing.
    was_interrupted: bool,
}

impl Gathered {
    /// Nothing yet of the log whose first segment has this header.
    pub(super) fn new(header: SegmentHeader) -> Gathered {
        Gathered {
            number: header.number.saturating_sub(1),
            pairs: vec![header.start_pair],
            header,
            files: Vec::new(),
            blocks: Vec::new(),
            gaps: Vec::new(),
            rings: BTreeMap::new(),
            stamps: None,
            unreadable: 0,
            torn_bytes: 0,
            damaged_segments: 0,
            lost: 0,
            gap: Vec::new(),
            block_count: 0,
            last: 0,
            is_torn: false,
            was_interrupted: false,
        }
    }

    /// The next segment begins.
    pub(super) fn begin(&mut self, path: &Path, header: &SegmentHeader, scan: &Scan) {
        let is_missing = header.number != self.number.wrapping_add(1);
        let was_torn = std::mem::take(&mut self.is_torn);
        if is_missing || was_torn {
            self.gaps.push(Gap {
                from: self.last,
                to: header.whole_from,
                records: 0,
                causes: vec![GapCause::Removed],
            });
            self.interrupt();
        }
        self.number = header.number;
        self.files.push(SegmentFile {
            number: header.number,
            path: path.to_owned(),
            file: Some(scan.file()).filter(|_| self.files.len() < OPEN_MAX),
        });
    }

    fn interrupt(&mut self) {
        self.was_interrupted = true;
        for held in self.rings.values_mut() {
            self.lost = self.lost.saturating_add(held.interrupt());
        }
    }

    /// Takes in the sections that are whole, of the segment that began last.
    pub(super) fn read(&mut self, scan: &mut Scan, notes: &mut Notes) {
        while let Some(found) = scan.next() {
            let Some(kind) = found.kind else { continue };
            let (at, payload) = (found.at, found.payload);
            let taken = match kind {
                SectionKind::Block => self.block(at, payload, notes),
                SectionKind::Gap => GapFact::take(payload).map(|gap| {
                    notes.saw_gap(gap.to);
                    self.gap.push(gap);
                }),
                kind => notes.take(kind, payload),
            };
            if taken.is_none() {
                // Whole, and not what a spiller writes.
                self.torn_bytes += payload.len() as u64;
                self.is_torn = true;
            }
        }
    }

    /// The segment that began last has come to its end, with so many bytes behind what is whole.
    pub(super) fn end(&mut self, rest_bytes: u64) {
        self.take_gap();
        self.torn_bytes += rest_bytes;
        self.is_torn |= rest_bytes > 0;
    }

    /// The segment that began last has come to its end, before where it was read to: what had no block behind it yet is
    /// told anew.
    pub(super) fn take_back(&mut self) {
        self.gap.clear();
    }

    fn block(&mut self, at: u64, payload: &[u8], notes: &mut Notes) -> Option<()> {
        let head = BlockHead::of(payload)?;
        self.take_gap();
        let was_interrupted = self.was_interrupted;
        for span in &head.rings {
            let held = self
                .rings
                .entry(span.ring)
                .or_insert_with(|| new(was_interrupted));
            held.records = held.records.saturating_add(span.records);
            held.newest = held.newest.max(span.newest);
            held.saw_block(self.block_count);
        }
        self.block_count += 1;
        self.unreadable = self.unreadable.saturating_add(head.unreadable);
        notes.saw_block(head.last.max(head.pair.ticks));
        self.pairs.push(head.pair);
        self.blocks.push(BlockPlace {
            file: (self.files.len() - 1) as u32,
            at,
            length: payload.len() as u32,
            first: head.first,
            records: head.records(),
        });
        self.last = head.last;
        self.stamps = Some(match self.stamps {
            None => (head.first, head.last),
            Some((first, last)) => (first.min(head.first), last.max(head.last)),
        });
        Some(())
    }

    fn take_gap(&mut self) {
        let was_interrupted = self.was_interrupted;
        for gap in std::mem::take(&mut self.gap) {
            for missing in &gap.rings {
                let held = self
                    .rings
                    .entry(missing.ring)
                    .or_insert_with(|| new(was_interrupted));
                held.in_gaps = held.in_gaps.saturating_add(missing.records);
                held.newest = held.newest.max(missing.newest);
            }
            self.lost = self.lost.saturating_add(gap.records());
            self.gaps.push(Gap {
                records: gap.records(),
                from: gap.from,
                to: gap.to,
                causes: GapCause::of_bits(gap.causes),
            });
        }
    }

    /// Moves what is known to be lost by now to `lost`: all of it, where no more blocks come.
    pub(super) fn settle(&mut self, is_over: bool) {
        for held in self.rings.values_mut() {
            let lost = held.settle(self.block_count, is_over);
            self.lost = self.lost.saturating_add(lost);
        }
    }

    /// What missing segments have lost and [`Gathered::settle`] has not moved.
    pub(super) fn unsettled(&self) -> u64 {
        let lost = self.rings.values().map(Held::lost);
        lost.fold(0, u64::saturating_add)
    }

    /// What was lost up to here is told.
    pub(super) fn forget_loss(&mut self) {
        self.rings.values_mut().for_each(Held::forget);
        self.was_interrupted = false;
        self.lost = 0;
    }
}

/// A ring that no block or gap told of before.
fn new(was_interrupted: bool) -> Held {
    match was_interrupted {
        true => Held::behind_interruption(),
        false => Held::default(),
    }
}
