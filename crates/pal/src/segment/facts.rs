//! Owns what a segment says beside its records: the gaps, the log's own losses, and its end.

use super::block::{ring_number, ring_of_number};
use super::column::{self, Column};
use crate::clock::ClockPair;
use crate::format::header::{LOSS_WORDS, Lifecycle};
use crate::format::layout::RINGS_MAX;
use crate::reader::RingId;

/// A window of time that is missing, as a section has it: all between its ends, but for what came late into its ring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GapFact {
    /// The stamp up to which everything was kept before.
    pub(crate) from: u64,
    /// The stamp from which on everything is kept again.
    pub(crate) to: u64,
    /// Why, as the bits of [`GapCause`](crate::reader::GapCause).
    pub(crate) causes: u64,
    /// What is missing of each ring.
    pub(crate) rings: Vec<MissingFact>,
}

/// What is missing of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MissingFact {
    pub(crate) ring: RingId,
    pub(crate) records: u64,
    /// The newest record that the ring was known to have.
    pub(crate) newest: u64,
}

impl GapFact {
    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        let to = self.to.saturating_sub(self.from);
        for number in [self.from, to, self.causes, self.rings.len() as u64] {
            column::put(bytes, number);
        }
        for missing in &self.rings {
            let ring = ring_number(missing.ring);
            for number in [ring, missing.records, missing.newest] {
                column::put(bytes, number);
            }
        }
    }

    pub(crate) fn take(payload: &[u8]) -> Option<GapFact> {
        let mut from = Column(payload);
        let begin = from.number()?;
        let to = begin.checked_add(from.number()?)?;
        let causes = from.number()?;
        let count = from.count(RINGS_MAX.min(payload.len()))?;
        let mut rings = Vec::with_capacity(count);
        for _ in 0..count {
            rings.push(MissingFact {
                ring: ring_of_number(from.number()?)?,
                records: from.number()?,
                newest: from.number()?,
            });
        }
        Some(GapFact {
            from: begin,
            to,
            causes,
            rings,
        })
    }

    /// Adds to the missing records of a ring.
    pub(crate) fn add(&mut self, ring: RingId, records: u64, newest: u64) {
        let known = self.rings.iter_mut().find(|missing| missing.ring == ring);
        match known {
            Some(missing) => {
                missing.records += records;
                missing.newest = missing.newest.max(newest);
            }
            None => self.rings.push(MissingFact {
                ring,
                records,
                newest,
            }),
        }
    }

    /// How many records of all rings are missing.
    pub(crate) fn records(&self) -> u64 {
        let records = self.rings.iter().map(|missing| missing.records);
        records.fold(0, u64::saturating_add)
    }
}

/// What the log said of itself at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// Whether the spiller came to its end: what follows is not in any segment.
    pub(crate) is_final: bool,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) pair: ClockPair,
    /// What the writer could not record, by cause.
    pub(crate) loss: [u64; LOSS_WORDS],
}

impl Status {
    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        let fixed = [
            u64::from(self.is_final),
            self.lifecycle.to_word(),
            self.pair.ticks,
            self.pair.monotonic_ns,
            self.pair.wall_ns,
        ];
        for number in fixed.into_iter().chain(self.loss) {
            column::put(bytes, number);
        }
    }

    pub(crate) fn take(payload: &[u8]) -> Option<Status> {
        let mut from = Column(payload);
        let is_final = from.number()? & 1 == 1;
        let lifecycle = Lifecycle::from_word(from.number()?)?;
        let pair = ClockPair {
            ticks: from.number()?,
            monotonic_ns: from.number()?,
            wall_ns: from.number()?,
        };
        let mut loss = [0; LOSS_WORDS];
        for count in &mut loss {
            *count = from.number()?;
        }
        Some(Status {
            is_final,
            lifecycle,
            pair,
            loss,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_and_a_status_come_back_as_they_were_written() {
        let mut gap = GapFact {
            from: 5,
            to: 900,
            causes: 3,
            rings: Vec::new(),
        };
        gap.add(RingId::Worker(1), 70, 900);
        gap.add(RingId::External(0), 1, 1);
        gap.add(RingId::Worker(1), 30, 930);
        let mut bytes = Vec::new();
        gap.put(&mut bytes);
        assert_eq!(gap.records(), 101);
        assert_eq!(GapFact::take(&bytes), Some(gap));
        let mut loss = [0; LOSS_WORDS];
        loss[2] = 9;
        let status = Status {
            is_final: true,
            lifecycle: Lifecycle::CleanExit,
            pair: ClockPair {
                ticks: 1,
                monotonic_ns: 2,
                wall_ns: u64::MAX,
            },
            loss,
        };
        let mut bytes = Vec::new();
        status.put(&mut bytes);
        assert_eq!(Status::take(&bytes), Some(status));
        assert_eq!(Status::take(&bytes[..bytes.len() - 1]), None);
    }
}
