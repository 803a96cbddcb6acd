//! Owns how durations are spread: their percentiles, exact, by the nearest rank.

use serde::Serialize;

/// Durations in nanoseconds, as they come.
#[derive(Default)]
pub struct Samples(Vec<u64>);

impl Samples {
    pub fn add(&mut self, ns: u64) {
        self.0.push(ns);
    }

    /// Sorts them out.
    pub fn spread(mut self) -> Spread {
        self.0.sort_unstable();
        Spread {
            p50: self.at(50),
            p90: self.at(90),
            p99: self.at(99),
            max: self.0.last().copied(),
            sum: self
                .0
                .iter()
                .fold(0, |sum: u64, ns| sum.saturating_add(*ns)),
        }
    }

    /// The least sample that `percent` of all do not exceed.
    fn at(&self, percent: usize) -> Option<u64> {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0.get(rank.checked_sub(1)?).copied()
    }
}

/// Durations in nanoseconds by rank; `None` where there is no sample.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Spread {
    pub p50: Option<u64>,
    pub p90: Option<u64>,
    pub p99: Option<u64>,
    pub max: Option<u64>,
    pub sum: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(samples: impl IntoIterator<Item = u64>) -> Spread {
        Samples(samples.into_iter().collect()).spread()
    }

    #[test]
    fn percentiles_are_samples_by_the_nearest_rank() {
        let hundred = spread((1..=100).rev());
        assert_eq!((hundred.p50, hundred.p90), (Some(50), Some(90)));
        assert_eq!((hundred.p99, hundred.max), (Some(99), Some(100)));
        assert_eq!(hundred.sum, 5050);
        let few = spread([30, 10, 20]);
        assert_eq!((few.p50, few.p90, few.p99), (Some(20), Some(30), Some(30)));
    }

    #[test]
    fn no_sample_is_no_percentile() {
        let none = spread([]);
        assert_eq!((none.p50, none.max, none.sum), (None, None, 0));
    }
}
