//! Owns percentiles by nearest rank: the only kind used here, because each one is a sample that was
//! really taken.
//!
//! The `p`-th percentile of `n` sorted samples is the one at rank `ceil(n * p)`, counted from one:
//! the smallest sample that at least the share `p` of all samples do not exceed. This is the
//! inverse of the empirical distribution function, definition 1 in Hyndman and Fan, "Sample
//! Quantiles in Statistical Packages", The American Statistician 50(4), 1996. No interpolation, and
//! no floating point: `p` is a whole number of thousandths, so that ranks are exact.

use serde::Serialize;

/// A share of the samples in thousandths, from 1 (0.1 %) to 1000 (the maximum).
///
/// ```
/// use glasshouse_diag::Percentile;
/// let sorted = [10, 20, 30, 40];
/// assert_eq!(Percentile::P50.of_sorted(&sorted), Some(20));
/// assert_eq!(Percentile::P99.of_sorted(&sorted), Some(40));
/// assert_eq!(Percentile::P50.of_sorted(&[]), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percentile(u16);

/// The whole of the samples, in the unit of [`Percentile`].
const WHOLE_PERMILLE: u16 = 1000;

impl Percentile {
    /// The median.
    pub const P50: Percentile = Percentile(500);
    /// Nine in ten samples do not exceed it.
    pub const P90: Percentile = Percentile(900);
    /// Ninety-nine in a hundred samples do not exceed it.
    pub const P99: Percentile = Percentile(990);

    /// The percentile of this many thousandths; `None` outside 1 to 1000.
    pub const fn from_permille(permille: u16) -> Option<Percentile> {
        match permille {
            1..=WHOLE_PERMILLE => Some(Percentile(permille)),
            _ => None,
        }
    }

    /// The rank among `len` samples, counted from one: `ceil(len * p)`; zero for no samples.
    pub const fn rank(self, len: usize) -> usize {
        // In 128 bits the product cannot overflow; the rank is at most `len`, so it fits again.
        (len as u128 * self.0 as u128).div_ceil(WHOLE_PERMILLE as u128) as usize
    }

    /// The percentile of samples sorted in ascending order; `None` for no samples.
    pub fn of_sorted(self, sorted: &[u64]) -> Option<u64> {
        debug_assert!(
            sorted.is_sorted(),
            "percentiles are taken of sorted samples"
        );
        sorted.get(self.rank(sorted.len()).checked_sub(1)?).copied()
    }
}

/// What a window of samples says: how many, three percentiles, the largest and the sum. All values are
/// in the samples' own unit; nanoseconds for everything measured in this crate. All zero for no samples.
///
/// ```
/// use glasshouse_diag::Summary;
/// let summary = Summary::of(&mut [30, 10, 20]);
/// assert_eq!((summary.samples, summary.p50, summary.max, summary.sum), (3, 20, 30, 60));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Summary {
    /// How many samples the window holds.
    pub samples: u64,
    /// The median.
    pub p50: u64,
    /// The 90th percentile.
    pub p90: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The largest sample.
    pub max: u64,
    /// The sum, saturating.
    pub sum: u64,
}

impl Summary {
    /// Summarises samples in any order; sorts them in place.
    pub fn of(samples: &mut [u64]) -> Summary {
        samples.sort_unstable();
        let Some(&max) = samples.last() else {
            return Summary::default();
        };
        let at = |percentile: Percentile| percentile.of_sorted(samples).unwrap_or(max);
        Summary {
            samples: samples.len() as u64,
            p50: at(Percentile::P50),
            p90: at(Percentile::P90),
            p99: at(Percentile::P99),
            max,
            sum: samples
                .iter()
                .fold(0, |sum: u64, &sample| sum.saturating_add(sample)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranks_are_exact_where_floating_point_would_round_up() {
        // 0.07 * 100 is 7.000000000000001 in binary floating point, whose ceiling is 8.
        let seven = Percentile::from_permille(70).expect("in range");
        assert_eq!(seven.rank(100), 7);
        assert_eq!(Percentile::P99.rank(100), 99);
        assert_eq!(Percentile::P99.rank(101), 100);
        assert_eq!(Percentile::P50.rank(1), 1);
        assert_eq!(Percentile::P50.rank(0), 0);
        assert_eq!(Percentile::P99.rank(usize::MAX), 18_262_276_632_972_456_099);
    }

    #[test]
    fn shares_outside_the_range_are_refused() {
        assert_eq!(Percentile::from_permille(0), None);
        assert_eq!(Percentile::from_permille(1001), None);
        assert!(Percentile::from_permille(1000).is_some());
    }

    #[test]
    fn a_sum_saturates() {
        assert_eq!(Summary::of(&mut [u64::MAX, 1]).sum, u64::MAX);
    }

    proptest! {
        /// The definition itself: the smallest sample that at least the share `p` does not exceed.
        #[test]
        fn a_percentile_is_the_smallest_sample_that_covers_its_share(
            mut samples in prop::collection::vec(0u64..50, 1..200),
            permille in 1u16..=1000,
        ) {
            samples.sort_unstable();
            let found = Percentile::from_permille(permille).expect("in range").of_sorted(&samples);
            let model = samples.iter().copied().find(|&candidate| {
                let covered = samples.iter().filter(|&&sample| sample <= candidate).count() as u64;
                covered * 1000 >= samples.len() as u64 * u64::from(permille)
            });
            prop_assert_eq!(found, model);
        }
    }
}
