//! Owns the histogram bounds: their check, and the search from a duration in clock ticks to its bucket.

use std::ops::RangeInclusive;
use std::sync::Arc;

/// The most bounds a histogram of the scheduler can have.
pub const MAX_BUCKETS: usize = 128;

/// Why histogram bounds cannot be used.
///
/// ```
/// use glasshouse_telemetry::{BucketsError, check_buckets};
/// let error = check_buckets(&[0.5, 0.1]).expect_err("they descend");
/// assert_eq!(error, BucketsError::NotAscending { bound: 0.1 });
/// assert!(error.to_string().ends_with("sort the bounds"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum BucketsError {
    /// There is no bound at all.
    #[error("no histogram bounds were given; give at least one, in seconds")]
    Empty,
    /// There are more than [`MAX_BUCKETS`].
    #[error("{count} histogram bounds were given; give at most {MAX_BUCKETS}")]
    TooMany {
        /// How many were given.
        count: usize,
    },
    /// A bound is negative, not a number, or beyond what a `u64` of nanoseconds holds.
    #[error("histogram bound {bound} is not usable; give seconds between 0 and 1e9")]
    OutOfRange {
        /// The bound.
        bound: f64,
    },
    /// A bound is not above the one before it.
    #[error("histogram bound {bound} is not above the one before it; sort the bounds")]
    NotAscending {
        /// The bound.
        bound: f64,
    },
}

/// The largest bound, in seconds: some thirty years.
const LARGEST_SECONDS: f64 = 1e9;

/// Checks histogram bounds in seconds: at least one and at most [`MAX_BUCKETS`], ascending, in range.
///
/// # Errors
/// The first reason for which the bounds cannot be used.
///
/// ```
/// use glasshouse_telemetry::{check_buckets, BucketsError, DEFAULT_BUCKETS};
/// assert_eq!(check_buckets(&DEFAULT_BUCKETS), Ok(()));
/// assert_eq!(check_buckets(&[]), Err(BucketsError::Empty));
/// ```
pub fn check_buckets(seconds: &[f64]) -> Result<(), BucketsError> {
    if seconds.is_empty() {
        return Err(BucketsError::Empty);
    }
    if seconds.len() > MAX_BUCKETS {
        return Err(BucketsError::TooMany {
            count: seconds.len(),
        });
    }
    let mut previous = None;
    for &bound in seconds {
        if !(0.0..=LARGEST_SECONDS).contains(&bound) {
            return Err(BucketsError::OutOfRange { bound });
        }
        if previous.is_some_and(|previous| bound <= previous) {
            return Err(BucketsError::NotAscending { bound });
        }
        previous = Some(bound);
    }
    Ok(())
}

/// Bounds made ready for the hot path: in raw clock ticks, with a table of where to begin the search.
///
/// A duration belongs to the first bucket whose bound is not below it (`le`), judged in nanoseconds
/// as a reader of the log converts them: each raw bound is the largest duration whose nanoseconds do
/// not exceed the bound's.
#[derive(Debug)]
pub(crate) struct Bounds {
    /// As given, in seconds.
    seconds: Arc<[f64]>,
    /// As raw ticks, and a last one that nothing exceeds.
    raw: Box<[u64]>,
    /// By number of significant bits of a duration: the first bucket that it can belong to.
    start: [u8; 65],
}

impl Bounds {
    /// Bounds in seconds, which [`check_buckets`] accepts, for a clock that converts by `ns`.
    pub(crate) fn new(seconds: Arc<[f64]>, ns: impl Fn(u64) -> u64) -> Bounds {
        let raw: Box<[u64]> = seconds
            .iter()
            .map(|&bound| last_within(bound_ns(bound), &ns))
            .chain([u64::MAX])
            .collect();
        let mut start = [0; 65];
        for (bits, first) in start.iter_mut().enumerate() {
            let smallest = if bits == 0 { 0 } else { 1 << (bits - 1) };
            let index = raw.iter().take_while(|&&bound| bound < smallest).count();
            // At most MAX_BUCKETS, which a byte holds.
            *first = index as u8;
        }
        Bounds {
            seconds,
            raw,
            start,
        }
    }

    /// The bounds in seconds, without the last, infinite one.
    pub(crate) fn seconds(&self) -> &Arc<[f64]> {
        &self.seconds
    }

    /// How many buckets there are, with the last, infinite one.
    pub(crate) fn len(&self) -> usize {
        self.raw.len()
    }

    /// The durations of a bucket, in raw ticks.
    pub(crate) fn within(&self, bucket: usize) -> RangeInclusive<u64> {
        let from = bucket.checked_sub(1).map_or(0, |below| self.raw[below] + 1);
        from..=self.raw[bucket]
    }

    /// The bucket of a duration in raw ticks.
    #[inline]
    pub(crate) fn index(&self, raw: u64) -> usize {
        let mut index = usize::from(self.start[(u64::BITS - raw.leading_zeros()) as usize]);
        // Ends at the last bound at the latest, which nothing exceeds.
        while self.raw[index] < raw {
            index += 1;
        }
        index
    }
}

/// A bound in nanoseconds, rounded: bounds are written in decimal, and a decimal of nanoseconds is exact.
pub(crate) fn bound_ns(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

/// The largest raw duration whose nanoseconds do not exceed `limit_ns`; `ns` is monotonic with `ns(0) == 0`.
fn last_within(limit_ns: u64, ns: impl Fn(u64) -> u64) -> u64 {
    // A stamp has at most 63 bits; a conversion need not be defined above.
    const TOP: u64 = 1 << 62;
    let mut beyond = 1;
    while beyond < TOP && ns(beyond) <= limit_ns {
        beyond *= 2;
    }
    let mut within = beyond / 2;
    while beyond - within > 1 {
        let middle = within + (beyond - within) / 2;
        if ns(middle) <= limit_ns {
            within = middle;
        } else {
            beyond = middle;
        }
    }
    within
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{DEFAULT_BUCKETS, MICROSECOND_BUCKETS};

    fn by_definition(seconds: &[f64], ns: u64) -> usize {
        seconds
            .iter()
            .position(|&bound| ns <= bound_ns(bound))
            .unwrap_or(seconds.len())
    }

    #[test]
    fn both_presets_pass_the_check() {
        assert_eq!(check_buckets(&DEFAULT_BUCKETS), Ok(()));
        assert_eq!(check_buckets(&MICROSECOND_BUCKETS), Ok(()));
    }

    #[test]
    fn unusable_bounds_are_named() {
        assert_eq!(
            check_buckets(&[1.0, -1.0]),
            Err(BucketsError::OutOfRange { bound: -1.0 })
        );
        assert!(matches!(
            check_buckets(&[f64::NAN]),
            Err(BucketsError::OutOfRange { .. })
        ));
        assert_eq!(
            check_buckets(&[1.0, 1.0]),
            Err(BucketsError::NotAscending { bound: 1.0 })
        );
        assert_eq!(
            check_buckets(&[0.5; 200]),
            Err(BucketsError::TooMany { count: 200 })
        );
    }

    #[test]
    fn a_bound_belongs_to_its_own_bucket() {
        let bounds = Bounds::new(DEFAULT_BUCKETS.into(), |raw| raw);
        for (i, &bound) in DEFAULT_BUCKETS.iter().enumerate() {
            let ns = bound_ns(bound);
            assert_eq!(bounds.index(ns - 1), i);
            assert_eq!(bounds.index(ns), i);
            assert_eq!(bounds.index(ns + 1), i + 1);
        }
        assert_eq!(bounds.index(0), 0);
        assert_eq!(bounds.index(u64::MAX), DEFAULT_BUCKETS.len());
    }

    proptest::proptest! {
        #[test]
        fn every_duration_is_counted_where_its_nanoseconds_belong(
            multiplier in 1u64 << 28..1 << 34, // ticks of 1/16 ns to 4 ns
            raw in 0u64..1 << 44,
            fine in proptest::bool::ANY,
        ) {
            let ns = |raw: u64| ((u128::from(raw) * u128::from(multiplier)) >> 32) as u64;
            let seconds: &[f64] = if fine { &MICROSECOND_BUCKETS } else { &DEFAULT_BUCKETS };
            let bounds = Bounds::new(seconds.into(), ns);
            for raw in [raw, raw >> 10, raw >> 20, raw >> 30] {
                proptest::prop_assert_eq!(bounds.index(raw), by_definition(seconds, ns(raw)));
            }
            for &bound in seconds {
                let edge = last_within(bound_ns(bound), ns);
                for raw in [edge - 1, edge, edge + 1] {
                    proptest::prop_assert_eq!(bounds.index(raw), by_definition(seconds, ns(raw)));
                }
            }
        }
    }
}
