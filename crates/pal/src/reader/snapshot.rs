//! Owns the records of all rings at one moment, checked and in time order.

use super::entry::{Entry, RingId};
use super::header::LogHeader;
use super::kinds::Kinds;
use super::loss::RingLoss;
use super::names::field_counts;
use super::order;
use super::rings::{self, Raw, RingPlace};
use super::source::Source;
use crate::clock::Rate;
use crate::domain::{Event, FIELDS_MAX};
use crate::format::kind;
use crate::record::Tag;
use crate::segment::Packed;
use crate::ways_out::WaysOut;

/// All rings at one moment.
pub(crate) struct Snapshot {
    /// Ring after ring, each in the order of its sequence numbers.
    raws: Vec<Raw>,
    /// Indices of the records that begin an event, in time order.
    order: Vec<u32>,
    rings: Vec<RingPart>,
    kinds: Kinds,
    /// Records that are whole and make no sense.
    pub(crate) unreadable: u64,
    /// Rings whose header makes no sense.
    pub(crate) damaged_rings: u64,
}

/// One ring's part of the snapshot.
struct RingPart {
    id: RingId,
    /// Index behind its last record.
    end: u32,
    newest: u64,
    missing: u64,
    /// Records that it has room for.
    capacity: u64,
}

impl Snapshot {
    /// Copies the records above the sequence numbers in `after`, ring by ring as
    /// [`rings::places`] lists them; all where it is shorter.
    pub(crate) fn take(
        source: &Source,
        header: &LogHeader,
        is_alive: bool,
        after: &[u64],
    ) -> Snapshot {
        let (places, damaged_rings) = rings::places(source, header);
        // All heads before any record, so that what one ring shows is not much later than another.
        let head = |place: &RingPlace| is_alive.then(|| rings::head(source, place).unwrap_or(0));
        let heads: Vec<Option<u64>> = places.iter().map(head).collect();
        let mut snapshot = Snapshot {
            raws: Vec::new(),
            order: Vec::new(),
            rings: Vec::new(),
            kinds: Kinds::new(field_counts(source, header)),
            unreadable: 0,
            damaged_rings,
        };
        for (index, (place, head)) in places.iter().zip(heads).enumerate() {
            let after = after.get(index).copied().unwrap_or(0);
            let start = snapshot.raws.len();
            let copied = rings::copy(source, place, head, after, &mut snapshot.raws);
            snapshot.find_events(start);
            snapshot.rings.push(RingPart {
                id: place.id,
                end: snapshot.raws.len() as u32,
                newest: copied.newest,
                missing: copied.missing,
                capacity: place.capacity,
            });
        }
        let rings = &snapshot.rings;
        order::sort(&mut snapshot.order, &snapshot.raws, |index| {
            ring_at(rings, index)
        });
        snapshot
    }

    /// Lists the records from `start` on that begin a whole event.
    fn find_events(&mut self, start: usize) {
        let mut index = start;
        while index < self.raws.len() {
            let tag = Tag::from_word(self.raws[index][0]);
            if tag.kind == kind::CONTINUED {
                // Its beginning is gone, or made no sense.
                index += 1;
                continue;
            }
            match self.event_at(index) {
                Some((_, length)) => {
                    self.order.push(index as u32);
                    index += length;
                }
                None => {
                    self.unreadable += 1;
                    index += 1;
                }
            }
        }
    }

    /// The event that begins at an index, and how many records it takes.
    fn event_at(&self, index: usize) -> Option<(Event, usize)> {
        let raw = &self.raws[index];
        let more = self.continuation(index);
        let most = self.kinds.continuations(raw).unwrap_or(more.len());
        let more = more.get(..most)?;
        let words = more.iter().flat_map(|raw| [raw[1], raw[2], raw[3]]);
        Some((self.kinds.event(raw, words)?, 1 + more.len()))
    }

    /// The records of payload that follow an index without a gap, at most as many as an event has.
    fn continuation(&self, index: usize) -> &[Raw] {
        let seq = Tag::from_word(self.raws[index][0]).seq;
        let rest = &self.raws[index + 1..];
        let most = FIELDS_MAX.div_ceil(3);
        let length = (0..most.min(rest.len()))
            .take_while(|next| {
                let tag = Tag::from_word(rest[*next][0]);
                tag.kind == kind::CONTINUED && tag.seq == seq + 1 + *next as u64
            })
            .count();
        &rest[..length]
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// The event at a place of the time order.
    pub(crate) fn entry(&self, place: usize, rate: Rate, start_ns: u64) -> Option<Entry> {
        let index = *self.order.get(place)?;
        let (event, _) = self.event_at(index as usize)?;
        let raw = &self.raws[index as usize];
        let tag = Tag::from_word(raw[0]);
        Some(Entry {
            seq: tag.seq,
            ring: self.rings[ring_at(&self.rings, index)].id,
            stamp: raw[1],
            at_ns: rate.ns(raw[1]).saturating_sub(start_ns),
            aux: tag.aux,
            event,
            ways_out: WaysOut::of(tag.kind, raw[3]),
        })
    }

    /// Appends all events in time order as segments keep them.
    pub(crate) fn pack(&self, events: &mut Vec<Packed>, words: &mut Vec<u64>) {
        for index in &self.order {
            let first = *index as usize;
            // Every index in `order` begins an event.
            let Some((_, length)) = self.event_at(first) else {
                continue;
            };
            events.push(Packed {
                raw: self.raws[first],
                ring: self.rings[ring_at(&self.rings, *index)].id,
                more: (length - 1) as u8,
                words_at: words.len() as u32,
            });
            let more = &self.raws[first + 1..first + length];
            words.extend(more.iter().flat_map(|raw| [raw[1], raw[2], raw[3]]));
        }
    }

    /// How full the fullest ring got with what was copied or missed, in hundredths of its room.
    pub(crate) fn fullest_percent(&self) -> u64 {
        let mut start = 0;
        let percent = self.rings.iter().map(|ring| {
            let copied = u64::from(ring.end) - std::mem::replace(&mut start, u64::from(ring.end));
            (copied + ring.missing).saturating_mul(100) / ring.capacity
        });
        percent.max().unwrap_or(0)
    }

    /// What each ring has lost, for rings that were written to.
    pub(crate) fn ring_losses(&self) -> Vec<RingLoss> {
        let written = self.rings.iter().filter(|ring| ring.newest > 0);
        let loss = |ring: &RingPart| RingLoss {
            ring: ring.id,
            newest_seq: ring.newest,
            overwritten: ring.missing,
        };
        written.map(loss).collect()
    }

    /// The newest sequence number of each ring.
    pub(crate) fn newest(&self) -> impl Iterator<Item = u64> {
        self.rings.iter().map(|ring| ring.newest)
    }

    /// The newest of the wrapped rings' oldest stamps.
    pub(crate) fn horizon(&self) -> Option<u64> {
        let mut start = 0;
        let mut horizon = None;
        for ring in &self.rings {
            let part = &self.raws[start..ring.end as usize];
            start = ring.end as usize;
            if ring.missing > 0 {
                horizon = horizon.max(Some(oldest_stamp(part)));
            }
        }
        horizon
    }

    /// The first and the last stamp in time order.
    pub(crate) fn stamps(&self) -> Option<(u64, u64)> {
        let stamp = |index: &u32| self.raws[*index as usize][1];
        Some((stamp(self.order.first()?), stamp(self.order.last()?)))
    }
}

/// The ring that an index belongs to.
fn ring_at(rings: &[RingPart], index: u32) -> usize {
    rings.partition_point(|ring| ring.end <= index)
}

/// A stamp before which a wrapped ring is not complete. Its oldest record will not do if it is one
/// that a worker writes for a thread without a ring: it carries the stamp of a moment before.
/// Such are only spawns and wakes, so the first other record counts.
fn oldest_stamp(part: &[Raw]) -> u64 {
    let is_own = |raw: &&Raw| {
        let kind = Tag::from_word(raw[0]).kind;
        !matches!(kind, kind::SPAWNED | kind::WAKE | kind::CONTINUED)
    };
    match part.iter().find(is_own) {
        Some(raw) => raw[1],
        None => part.iter().map(|raw| raw[1]).max().unwrap_or(u64::MAX),
    }
}
