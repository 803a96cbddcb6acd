//! Owns what the samples of a row say: medians, ratios of neighbours, and how sure one can be of them.
//!
//! A ratio is a *speed*: the other's time over ours, measured side by side, so that 2 is twice as fast and
//! what slowed the machine down for both cancels out. The interval around the median ratio is the one of the sign
//! test: it is made of two of the ratios themselves, holds for any distribution, and draws no random number.

/// How sure an interval is at least.
const CONFIDENCE: f64 = 0.95;

/// The middle sample, or the mean of the two in the middle; `None` of none.
pub fn median(samples: &[f64]) -> Option<f64> {
    let sorted = sorted(samples);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        len if len % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// The sample that `part` of the samples (0 to 1) are not above, by nearest rank; `None` of none.
pub fn quantile(samples: &[f64], part: f64) -> Option<f64> {
    let sorted = sorted(samples);
    let rank = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// The mean of ratios; `None` of none.
pub fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    let logarithms: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (!ratios.is_empty()).then(|| (logarithms / ratios.len() as f64).exp())
}

/// How fast we are as measured by the other: `theirs / ours`, pair by pair.
pub fn speeds(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter()
        .zip(theirs)
        .map(|(ours, theirs)| theirs / ours)
        .collect()
}

/// Between what values the true median lies, 95 times of 100 at least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// The interval of the median by the sign test; `None` where the samples are too few (under six) for one.
///
/// Of n samples each is above the true median with probability one half, so that the k smallest of them
/// are all above it, or the k largest all below, with twice the binomial tail below k.
pub fn median_interval(samples: &[f64]) -> Option<Interval> {
    let sorted = sorted(samples);
    let cut = samples_cut(sorted.len())?;
    Some(Interval {
        low: sorted[cut],
        high: sorted[sorted.len() - 1 - cut],
    })
}

/// How many samples may be left out at each end.
fn samples_cut(len: usize) -> Option<usize> {
    let mut outside = 0.0;
    let mut term = 0.5f64.powi(i32::try_from(len).ok()?);
    let mut cut = None;
    for k in 0..len.div_ceil(2) {
        outside += 2.0 * term;
        if outside > 1.0 - CONFIDENCE {
            break;
        }
        cut = Some(k);
        term *= (len - k) as f64 / (k + 1) as f64;
    }
    cut
}

/// What the ratios of a row say about its bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval is above 1: faster.
    Faster,
    /// The interval reaches the bar.
    NoSlower,
    /// The whole interval is below the bar.
    Slower,
    /// There are too few pairs to say.
    Unknown,
}

impl Verdict {
    /// Judges speeds by the ratio that the interval must reach.
    pub fn of(interval: Option<Interval>, must_reach: f64) -> Verdict {
        match interval {
            None => Verdict::Unknown,
            Some(interval) if interval.low > 1.0 => Verdict::Faster,
            Some(interval) if interval.high >= must_reach => Verdict::NoSlower,
            Some(_) => Verdict::Slower,
        }
    }
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}
