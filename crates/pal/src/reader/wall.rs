//! Owns the dates of stamps: found from the clock pairs that the writer left.

use crate::clock::{ClockPair, Rate};

/// The wall clock as a function of stamps.
pub(crate) struct WallClock {
    /// In the order of their ticks.
    pairs: Vec<ClockPair>,
    rate: Rate,
}

/// Between two pairs that disagree with the rate by more than this part, somebody set the clock:
/// the date then counts on from the earlier pair.
const DRIFT_LIMIT: u64 = 100;

/// The pairs that are kept of those before the newest, for records that come late. A guess: blocks are a second apart
/// mostly, and few records come later than the next.
const BEFORE_MAX: usize = 1024;

impl WallClock {
    pub(crate) fn new(mut pairs: Vec<ClockPair>, rate: Rate) -> WallClock {
        pairs.sort_unstable_by_key(|pair| pair.ticks);
        WallClock { pairs, rate }
    }

    pub(crate) fn pairs(&self) -> &[ClockPair] {
        &self.pairs
    }

    /// Learns of newer pairs, and forgets the oldest of many.
    pub(crate) fn learn(&mut self, newer: &[ClockPair]) {
        let surplus = self.pairs.len().saturating_sub(BEFORE_MAX);
        self.pairs.drain(..surplus);
        self.pairs.extend(newer);
        self.pairs.sort_unstable_by_key(|pair| pair.ticks);
        self.pairs.dedup();
    }

    /// Nanoseconds since 1970 UTC at a stamp; `None` without any pair.
    pub(crate) fn at(&self, stamp: u64) -> Option<u64> {
        let behind = self.pairs.partition_point(|pair| pair.ticks <= stamp);
        let Some(earlier) = behind.checked_sub(1).map(|index| self.pairs[index]) else {
            let first = self.pairs.first()?;
            return Some(
                first
                    .wall_ns
                    .saturating_sub(self.rate.ns(first.ticks - stamp)),
            );
        };
        let since = self.rate.ns(stamp - earlier.ticks);
        let counted_on = earlier.wall_ns.saturating_add(since);
        let Some(later) = self.pairs.get(behind) else {
            return Some(counted_on);
        };
        let by_rate = self.rate.ns(later.ticks - earlier.ticks);
        let by_wall = later.wall_ns.saturating_sub(earlier.wall_ns);
        if by_rate == 0 || by_rate.abs_diff(by_wall) > by_rate / DRIFT_LIMIT {
            return Some(counted_on);
        }
        // The rate is good to a few parts in a million; the pairs on either side are exact.
        let share = u128::from(since) * u128::from(by_wall) / u128::from(by_rate);
        Some(
            earlier
                .wall_ns
                .saturating_add(u64::try_from(share).unwrap_or(u64::MAX)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(ticks: u64, wall_ns: u64) -> ClockPair {
        ClockPair {
            ticks,
            monotonic_ns: ticks,
            wall_ns,
        }
    }

    #[test]
    fn a_date_lies_between_its_pairs_and_counts_on_beyond_them() {
        let pairs = vec![pair(20_000, 1_010_100), pair(10_000, 1_000_000)];
        let wall = WallClock::new(pairs, Rate::UNITY);
        assert_eq!(wall.at(9_000), Some(999_000));
        assert_eq!(wall.at(10_000), Some(1_000_000));
        assert_eq!(wall.at(15_000), Some(1_005_050));
        assert_eq!(wall.at(20_000), Some(1_010_100));
        assert_eq!(wall.at(20_500), Some(1_010_600));
    }

    #[test]
    fn a_clock_that_was_set_is_believed_from_the_next_pair_on() {
        let wall = WallClock::new(vec![pair(0, 5_000), pair(1_000, 3_000)], Rate::UNITY);
        assert_eq!(wall.at(999), Some(5_999));
        assert_eq!(wall.at(1_000), Some(3_000));
    }

    #[test]
    fn a_clock_that_learns_for_long_keeps_the_pairs_that_came_last() {
        let mut wall = WallClock::new(vec![pair(5, 1_000_005)], Rate::UNITY);
        let later = |number: u64| pair(number * 1000, 2_000_000 + number * 1001);
        let count = 3 * BEFORE_MAX as u64;
        for number in 1..=count {
            // Another tells of it, too.
            wall.learn(&[later(number - 1), later(number)]);
            assert!(wall.pairs().len() <= BEFORE_MAX + 2);
        }
        for number in [count, count - 100] {
            let between = wall.at(later(number - 1).ticks + 500);
            assert_eq!(between, Some(later(number - 1).wall_ns + 500));
            assert_eq!(wall.at(later(number).ticks), Some(later(number).wall_ns));
        }
    }

    #[test]
    fn no_pair_is_no_date_and_odd_pairs_do_not_overflow() {
        assert_eq!(WallClock::new(Vec::new(), Rate::UNITY).at(5), None);
        let odd = vec![pair(0, u64::MAX), pair(u64::MAX, 0)];
        assert_eq!(
            WallClock::new(odd, Rate::UNITY).at(u64::MAX - 1),
            Some(u64::MAX)
        );
    }
}
