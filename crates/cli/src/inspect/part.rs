//! Owns how a whole is told in parts that add up to it: in nanoseconds, and in tenths of a percent.

use glasshouse_pal::Rate;
use std::fmt;

/// Parts of one whole, in clock ticks: each in nanoseconds, so that they add up to the whole's.
pub struct Nanos {
    rate: Rate,
    at: u64,
}

impl Nanos {
    /// The whole begins at this stamp.
    pub fn from(rate: Rate, stamp: u64) -> Nanos {
        Nanos { rate, at: stamp }
    }

    /// The next part.
    pub fn part(&mut self, ticks: u64) -> u64 {
        let from = self.at;
        self.at = from.saturating_add(ticks);
        self.rate.ns(self.at).saturating_sub(self.rate.ns(from))
    }
}

/// A share in tenths of a percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tenths(pub u64);

/// All of a whole.
pub const WHOLE: u64 = 1000;

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{} %", self.0 / 10, self.0 % 10))
    }
}

impl Tenths {
    /// As a number of percent.
    pub fn percent(self) -> f64 {
        self.0 as f64 / 10.0
    }
}

/// The share of each part, rounded so that together they are the whole: those that were cut down most are
/// rounded up. All are zero where the parts are.
pub fn shares(parts: &[u64]) -> Vec<Tenths> {
    let whole: u128 = parts.iter().map(|part| u128::from(*part)).sum();
    if whole == 0 {
        return vec![Tenths(0); parts.len()];
    }
    let scaled = |part: &u64| u128::from(*part) * u128::from(WHOLE);
    let mut shares: Vec<Tenths> = parts
        .iter()
        .map(|part| Tenths((scaled(part) / whole) as u64))
        .collect();
    let missing = WHOLE - shares.iter().map(|share| share.0).sum::<u64>();
    let mut by_rest: Vec<usize> = (0..parts.len()).collect();
    by_rest.sort_by_key(|at| std::cmp::Reverse(scaled(&parts[*at]) % whole));
    for at in by_rest.into_iter().take(missing as usize) {
        shares[at].0 += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_whole() {
        let of = |parts: &[u64]| -> Vec<u64> { shares(parts).iter().map(|s| s.0).collect() };
        assert_eq!(of(&[1, 1, 1]), [334, 333, 333]);
        assert_eq!(of(&[999_999, 1]), [1000, 0]);
        assert_eq!(of(&[1, 2, 3, 0]), [167, 333, 500, 0]);
        assert_eq!(of(&[u64::MAX, u64::MAX]), [500, 500]);
        assert_eq!(of(&[0, 0]), [0, 0]);
        assert_eq!(of(&[]), [0; 0]);
        for count in 1..200 {
            let parts: Vec<u64> = (0..count).map(|n| n * n + 1).collect();
            assert_eq!(of(&parts).iter().sum::<u64>(), WHOLE, "{count}");
        }
    }

    #[test]
    fn nanoseconds_of_parts_add_up_to_those_of_the_whole() {
        let rate = Rate::per_second(2_700_000_000);
        let mut nanos = Nanos::from(rate, 17);
        let sum: u64 = (0..100).map(|ticks| nanos.part(ticks)).sum();
        assert_eq!(sum, rate.ns(17 + 4950) - rate.ns(17));
    }

    #[test]
    fn a_share_is_written_with_one_decimal() {
        assert_eq!(format!("{:>7}", Tenths(5)), "  0.5 %");
        assert_eq!(Tenths(1000).to_string(), "100.0 %");
    }
}
