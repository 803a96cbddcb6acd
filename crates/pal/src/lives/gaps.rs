//! Owns how far a fold has come along a log's gaps.

use crate::reader::Gap;

/// The gaps of a log, and how many of them the records fed so far lie behind.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    /// Where they end, ascending.
    ends: Vec<u64>,
    /// Where the first of those begins that end here or later.
    starts: Vec<u64>,
    pub(super) passed: u32,
}

impl Gaps {
    pub(super) fn new(gaps: &[Gap]) -> Gaps {
        let mut windows: Vec<(u64, u64)> = gaps.iter().map(|gap| (gap.to, gap.from)).collect();
        windows.sort_unstable();
        let mut least = u64::MAX;
        for (_, from) in windows.iter_mut().rev() {
            least = least.min(*from);
            *from = least;
        }
        let (ends, starts) = windows.into_iter().unzip();
        let passed = 0;
        Gaps {
            ends,
            starts,
            passed,
        }
    }

    /// Whether a stamp lies within a gap: behind what was kept before it, and before what is whole behind it.
    #[inline]
    pub(super) fn has(&self, stamp: u64) -> bool {
        let here = self.passed as usize;
        let is_behind = here == 0 || self.ends[here - 1] <= stamp;
        let is_before = self.ends.get(here).is_none_or(|end| stamp < *end);
        let next = match is_behind && is_before {
            true => here,
            false => self.ends.partition_point(|end| *end <= stamp),
        };
        self.starts.get(next).is_some_and(|from| *from < stamp)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_stamp_is_within_where_one_of_the_gaps_holds_it_whatever_was_passed(
            windows in prop::collection::vec((0u64..40, 0u64..12), 0..6),
            stamps in prop::collection::vec(0u64..60, 0..40),
        ) {
            let gap = |(from, length): (u64, u64)| Gap { from, to: from + length, records: 0, causes: Vec::new() };
            let all: Vec<Gap> = windows.into_iter().map(gap).collect();
            let mut gaps = Gaps::new(&all);
            for stamp in stamps {
                let is_within = all.iter().any(|gap| gap.from < stamp && stamp < gap.to);
                prop_assert_eq!(gaps.has(stamp), is_within);
                gaps.passed_at(stamp);
                prop_assert_eq!(gaps.has(stamp), is_within);
            }
        }
    }
}
