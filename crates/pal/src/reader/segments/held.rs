//! Owns the count of what segments hold of a ring, and of what they lack.
//!
//! What is neither held nor in a gap is lost, but for records that a later block brings: within a ring stamps may go
//! back, and blocks go by stamps. So what is lacking is the least of what was lacking for a while.

use super::stream::AHEAD;

/// What the segments hold of a ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) records: u64,
    /// The newest record's sequence number.
    pub(super) newest: u64,
    /// Records that gaps tell of.
    pub(super) in_gaps: u64,
    /// What was lacking before the last interruption.
    before: u64,
    /// The least that was lacking since then; `None` while no block held any of it.
    least: Option<u64>,
    /// Whether what was lost by the interruption has still to be told.
    is_interrupted: bool,
    /// The number of the first block behind the interruption that held some of it.
    since: u64,
}

impl Held {
    /// A ring of which nothing is held yet, although segments are missing.
    pub(super) fn behind_interruption() -> Held {
        Held {
            is_interrupted: true,
            ..Held::default()
        }
    }

    /// Records that are neither held nor in a gap.
    pub(super) fn lacking(&self) -> u64 {
        (self.newest)
            .saturating_sub(self.records)
            .saturating_sub(self.in_gaps)
    }

    /// The block with this number held some of its records.
    pub(super) fn saw_block(&mut self, number: u64) {
        let lacking = self.lacking();
        if self.least.is_none() {
            self.since = number;
        }
        self.least = Some(self.least.map_or(lacking, |least| least.min(lacking)));
    }

    /// Segments are missing here. What the interruption before has lost is told by now.
    pub(super) fn interrupt(&mut self) -> u64 {
        let lost = self.lost();
        self.forget();
        self.least = None;
        self.is_interrupted = true;
        lost
    }

    /// What is lacking by now has not to be told any more.
    pub(super) fn forget(&mut self) {
        self.before = match self.least {
            Some(least) => least,
            None if self.is_interrupted => self.before,
            None => self.lacking(),
        };
        self.is_interrupted = false;
    }

    /// What the interruption has lost, as far as is known.
    pub(super) fn lost(&self) -> u64 {
        match (self.is_interrupted, self.least) {
            (true, Some(least)) => least.saturating_sub(self.before),
            _ => 0,
        }
    }

    /// The same, once, when enough blocks are behind it, of so many in all, or no more will come.
    pub(super) fn settle(&mut self, blocks: u64, is_over: bool) -> u64 {
        let is_settled = self.least.is_some() && blocks - self.since > AHEAD as u64;
        if !self.is_interrupted || !is_settled && !is_over {
            return 0;
        }
        let lost = self.lost();
        self.forget();
        lost
    }
}
