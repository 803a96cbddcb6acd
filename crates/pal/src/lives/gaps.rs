//! Owns how far a fold has come along a log's gaps.

use crate::reader::Gap;

/// The gaps of a log, and how many of them the records fed so far lie behind.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// Where they end, ascending.
    ends: Vec<u64>,
    pub(super) passed: u32,
}

impl Gaps {
    pub(super) fn new(gaps: &[Gap]) -> Gaps {
        let mut ends: Vec<u64> = gaps.iter().map(|gap| gap.to).collect();
        ends.sort_unstable();
        Gaps { ends, passed: 0 }
    }

    /// Whether one ends behind `from`, and no later than `to`.
    pub(super) fn has_between(&self, from: u64, to: u64) -> bool {
        let next = self.ends.partition_point(|end| *end <= from);
        self.ends.get(next).is_some_and(|end| *end <= to)
    }

    /// How many gaps lie before the stamp of the next record.
    #[inline]
    pub(super) fn passed_at(&mut self, stamp: u64) -> u32 {
        while let Some(end) = self.ends.get(self.passed as usize)
            && *end <= stamp
        {
            self.passed += 1;
        }
        self.passed
    }
}
