//! Owns the bounded window of samples: the last so many, the oldest dropped first.

use crate::percentile::Summary;
use std::collections::VecDeque;
use std::num::NonZeroUsize;

/// The last `capacity` samples of a series, and how many there were in all.
///
/// Room is taken as samples come, up to the capacity, and kept.
///
/// ```
/// use glasshouse_diag::SampleRing;
/// let mut ring = SampleRing::new(2.try_into().expect("not zero"));
/// for sample in [5, 6, 7] {
///     ring.push(sample);
/// }
/// assert_eq!(ring.iter().collect::<Vec<_>>(), [6, 7]);
/// assert_eq!((ring.len(), ring.total()), (2, 3));
/// assert_eq!(ring.summary().max, 7);
/// ```
#[derive(Clone, Debug)]
pub struct SampleRing {
    samples: VecDeque<u64>,
    capacity: NonZeroUsize,
    total: u64,
}

impl SampleRing {
    /// An empty window for this many samples.
    pub const fn new(capacity: NonZeroUsize) -> SampleRing {
        SampleRing {
            samples: VecDeque::new(),
            capacity,
            total: 0,
        }
    }

    /// Adds a sample; the oldest goes when the window is full.
    pub fn push(&mut self, sample: u64) {
        if self.samples.len() == self.capacity.get() {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
        self.total += 1;
    }

    /// How many samples the window holds now.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether no sample was ever pushed.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// How many samples the window can hold.
    pub const fn capacity(&self) -> NonZeroUsize {
        self.capacity
    }

    /// How many samples were ever pushed, those that fell out included.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The samples in the window, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.samples.iter().copied()
    }

    /// Percentiles, maximum and sum over the window. Sorts a copy: for reports, not for hot paths.
    pub fn summary(&self) -> Summary {
        Summary::of(&mut self.iter().collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_window_is_the_tail_of_all_that_was_pushed(
            samples in prop::collection::vec(any::<u32>(), 0..300),
            capacity in 1usize..64,
        ) {
            let mut ring = SampleRing::new(capacity.try_into().expect("not zero"));
            for &sample in &samples {
                ring.push(u64::from(sample));
            }
            let kept = samples.len().min(capacity);
            let tail: Vec<u64> =
                samples[samples.len() - kept..].iter().map(|&sample| u64::from(sample)).collect();
            prop_assert_eq!(ring.iter().collect::<Vec<_>>(), tail.clone());
            prop_assert_eq!(ring.len(), kept);
            prop_assert_eq!(ring.is_empty(), samples.is_empty());
            prop_assert_eq!(ring.total(), samples.len() as u64);
            let summary = ring.summary();
            prop_assert_eq!(summary.max, tail.iter().copied().max().unwrap_or(0));
            prop_assert_eq!(summary.sum, tail.iter().sum::<u64>());
        }
    }
}
