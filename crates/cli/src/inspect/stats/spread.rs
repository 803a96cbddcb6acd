//! Owns how durations are spread: their percentiles by the nearest rank, and sums, in bounded memory.

use serde::Serialize;

/// The samples that are kept as they are. Beyond them their buckets are counted.
const EXACT_MAX: usize = 4096;
/// The bits by which a bucket is told from its neighbour: it is a 64th as wide as its samples are large.
const PRECISION_BITS: u32 = 6;
const SUB_BUCKETS: usize = 1 << PRECISION_BITS;
/// Those of every power of two that 64 bits hold.
const BUCKETS: usize = (64 - PRECISION_BITS as usize + 1) * SUB_BUCKETS;

/// Durations in nanoseconds, as they come.
#[derive(Default)]
pub struct Samples {
    exact: Vec<u64>,
    /// Counts by bucket, once there are too many samples to keep.
    buckets: Option<Box<[u64; BUCKETS]>>,
    count: u64,
    max: u64,
    sum: u64,
}

impl Samples {
    pub fn add(&mut self, ns: u64) {
        self.count += 1;
        self.max = self.max.max(ns);
        self.sum = self.sum.saturating_add(ns);
        if let Some(buckets) = &mut self.buckets {
            buckets[bucket(ns)] += 1;
            return;
        }
        self.exact.push(ns);
        if self.exact.len() > EXACT_MAX {
            let mut buckets = Box::new([0; BUCKETS]);
            for ns in std::mem::take(&mut self.exact) {
                buckets[bucket(ns)] += 1;
            }
            self.buckets = Some(buckets);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Sorts them out.
    pub fn spread(mut self) -> Spread {
        self.exact.sort_unstable();
        Spread {
            p50: self.at(50),
            p90: self.at(90),
            p99: self.at(99),
            max: (self.count > 0).then_some(self.max),
            sum: self.sum,
        }
    }

    /// The least sample that `percent` of all do not exceed; where buckets are counted the greatest of its bucket.
    fn at(&self, percent: u64) -> Option<u64> {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100) as u64;
        let before = rank.checked_sub(1)?;
        let Some(buckets) = &self.buckets else {
            return self.exact.get(before as usize).copied();
        };
        let mut passed = 0;
        let found = buckets.iter().position(|count| {
            passed += count;
            passed > before
        });
        found.map(|bucket| greatest(bucket).min(self.max))
    }
}

/// The bucket that a sample is counted in: small ones have one each.
fn bucket(ns: u64) -> usize {
    if ns < SUB_BUCKETS as u64 {
        return ns as usize;
    }
    let power = ns.ilog2() - PRECISION_BITS;
    (power as usize + 1) * SUB_BUCKETS + (ns >> power) as usize - SUB_BUCKETS
}

/// The greatest sample that is counted in a bucket.
fn greatest(bucket: usize) -> u64 {
    let (row, place) = (bucket / SUB_BUCKETS, (bucket % SUB_BUCKETS) as u64);
    let Some(power) = row.checked_sub(1) else {
        return place;
    };
    let least = (place + SUB_BUCKETS as u64) << power;
    least + ((1 << power) - 1)
}

/// Durations in nanoseconds by rank; `None` where there is no sample. Of more than 4,096 samples a
/// percentile is up to a 64th too large; the largest and the sum are exact.
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
        let mut all = Samples::default();
        samples.into_iter().for_each(|ns| all.add(ns));
        all.spread()
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

    #[test]
    fn of_many_samples_a_percentile_is_at_most_a_64th_too_large() {
        let count = 100_000;
        let of = |rank: u64| rank * rank * 37;
        let many = spread((1..=count).rev().map(of));
        for (percent, told) in [(50, many.p50), (90, many.p90), (99, many.p99)] {
            let exact = of(count * percent / 100);
            let told = told.expect("samples");
            assert!(
                told >= exact && told - exact <= exact / 64,
                "{told} for {exact}"
            );
        }
        assert_eq!(many.max, Some(of(count)));
        assert_eq!(many.sum, (1..=count).map(of).sum::<u64>());
    }

    #[test]
    fn every_sample_is_in_a_bucket_that_ends_with_it_or_behind_it() {
        let around = (0..64).flat_map(|power| {
            let at = 1u64 << power;
            [at - 1, at, at + 1, at + at / 3]
        });
        for ns in around.chain([u64::MAX]) {
            let at = bucket(ns);
            assert!(greatest(at) >= ns, "{ns}");
            assert!(at == 0 || greatest(at - 1) < ns, "{ns}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }
}
