//! Owns what one seam counts: states entered, and the three histograms.
//!
//! The meter of a worker or a guest has one writer, so that counting is a load and a store, never a locked
//! instruction; whoever scrapes reads beside it. Threads without a seam count in one that they share, by
//! read-modify-write. All accesses are relaxed: each number stands for itself, and a scrape claims equality with
//! the log only at rest.

use crate::buckets::{Bounds, MAX_BUCKETS};
use glasshouse_pal::TaskState;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

/// The three histograms, in the order in which totals keep them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    Run = 0,
    Wait = 1,
    Ready = 2,
}

impl Sample {
    const ALL: [Sample; SAMPLES] = [Sample::Run, Sample::Wait, Sample::Ready];

    /// The state that every task enters with which such a duration ends, and which is counted by that.
    fn enters(self) -> Option<TaskState> {
        match self {
            // One of many.
            Sample::Run => None,
            Sample::Wait => Some(TaskState::Scheduled),
            Sample::Ready => Some(TaskState::Running),
        }
    }
}

/// How many histograms there are.
pub(crate) const SAMPLES: usize = 3;
/// As many buckets as a byte can number.
const PLACES: usize = 256;
const _: () = assert!(MAX_BUCKETS < PLACES);
/// One more than the largest number of a [`TaskState`].
pub(crate) const STATES: usize = TaskState::ALL.len() + 1;

/// One seam's counters. On cache lines of their own, those by bucket, too: two workers must not write to one
/// line, and processors fetch lines in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Meter {
    bounds: Arc<Bounds>,
    /// Without what the histograms count: each start of a tick ends a ready delay, and each wake a wait.
    states: [AtomicU64; STATES],
    bins: [Bins; SAMPLES],
}

/// One histogram: a count by bucket, and the sum.
#[derive(Debug)]
struct Bins {
    /// The bucket of the last duration that was not in the one before: the next is mostly of it, too.
    /// The writer's own, as the two below.
    last: AtomicU8,
    /// The shortest duration of that bucket, and how many longer ones it has, in raw ticks.
    from: AtomicU64,
    width: AtomicU64,
    /// The bits of an `f64`, in raw ticks. A million waiting tasks add a million seconds each second,
    /// which in raw ticks overflows a `u64` within hours; a double keeps 34 days of ticks exactly and
    /// never falls.
    sum: AtomicU64,
    /// One for each number of a bucket, and of those more than there can be: in place, so that counting takes no
    /// pointer, no length and no check.
    counts: [AtomicU64; PLACES],
}

#[inline]
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Relaxed) + 1, Relaxed);
}

impl Meter {
    pub(crate) fn new(bounds: &Arc<Bounds>) -> Meter {
        let bins = || Bins {
            last: AtomicU8::new(0),
            from: AtomicU64::new(0),
            width: AtomicU64::new(*bounds.within(0).end()),
            sum: AtomicU64::new(0.0_f64.to_bits()),
            counts: [const { AtomicU64::new(0) }; PLACES],
        };
        Meter {
            bounds: bounds.clone(),
            states: Default::default(),
            bins: [bins(), bins(), bins()],
        }
    }

    /// Counts a transition into `state`, other than the start of a tick and a wake: their samples count those.
    #[inline]
    pub(crate) fn entered(&self, state: TaskState) {
        bump(&self.states[state as usize]);
    }

    /// Counts a duration of `raw` ticks.
    #[inline(always)]
    pub(crate) fn sample(&self, kind: Sample, raw: u64) {
        let bins = &self.bins[kind as usize];
        if raw.wrapping_sub(bins.from.load(Relaxed)) > bins.width.load(Relaxed) {
            self.change_bucket(bins, raw);
        }
        bump(&bins.counts[usize::from(bins.last.load(Relaxed))]);
        let sum = f64::from_bits(bins.sum.load(Relaxed));
        // Through i64: the conversion from u64 takes a branch, and no duration has 63 bits.
        bins.sum.store((sum + raw as i64 as f64).to_bits(), Relaxed);
    }

    #[inline(never)]
    fn change_bucket(&self, bins: &Bins, raw: u64) {
        let bucket = self.bounds.index(raw);
        let within = self.bounds.within(bucket);
        // At most MAX_BUCKETS.
        bins.last.store(bucket as u8, Relaxed);
        bins.from.store(*within.start(), Relaxed);
        bins.width.store(within.end() - within.start(), Relaxed);
    }

    /// Counts a duration in a meter that many threads count in.
    pub(crate) fn sample_shared(&self, kind: Sample, raw: u64) {
        let bins = &self.bins[kind as usize];
        bins.counts[self.bounds.index(raw)].fetch_add(1, Relaxed);
        let mut sum = bins.sum.load(Relaxed);
        loop {
            let next = (f64::from_bits(sum) + raw as f64).to_bits();
            match bins.sum.compare_exchange_weak(sum, next, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(now) => sum = now,
            }
        }
    }

    /// Adds what this meter holds to `totals`, reading every number once.
    pub(crate) fn add_to(&self, totals: &mut Totals) {
        for (total, count) in totals.states.iter_mut().zip(&self.states) {
            *total += count.load(Relaxed);
        }
        for (kind, bins) in Sample::ALL.into_iter().zip(&self.bins) {
            let total = &mut totals.histograms[kind as usize];
            total.sum_raw += f64::from_bits(bins.sum.load(Relaxed));
            let mut samples = 0;
            for (total, count) in total.counts.iter_mut().zip(&bins.counts) {
                let count = count.load(Relaxed);
                *total += count;
                samples += count;
            }
            if let Some(state) = kind.enters() {
                totals.states[state as usize] += samples;
            }
        }
    }
}

/// What several meters with the same bounds add up to.
#[derive(Clone, Debug)]
pub(crate) struct Totals {
    pub(crate) states: [u64; STATES],
    pub(crate) histograms: [HistogramTotal; SAMPLES],
}

/// One histogram's total.
#[derive(Clone, Debug)]
pub(crate) struct HistogramTotal {
    /// By bucket, not cumulated.
    pub(crate) counts: Vec<u64>,
    /// In raw ticks.
    pub(crate) sum_raw: f64,
}

impl Totals {
    pub(crate) fn new(bounds: &Bounds) -> Totals {
        let none = HistogramTotal {
            counts: vec![0; bounds.len()],
            sum_raw: 0.0,
        };
        Totals {
            states: [0; STATES],
            histograms: [none.clone(), none.clone(), none],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{DEFAULT_BUCKETS, MICROSECOND_BUCKETS};
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn two_meters_add_up() {
        let bounds = Arc::new(Bounds::new([0.001, 0.01].as_slice().into(), |raw| raw));
        let (one, two) = (Meter::new(&bounds), Meter::new(&bounds));
        one.entered(TaskState::Scheduled);
        two.entered(TaskState::Scheduled);
        two.entered(TaskState::Failed);
        one.sample(Sample::Run, 1_000_000);
        two.sample(Sample::Run, 1_000_001);
        two.sample(Sample::Run, u64::from(u32::MAX));
        two.sample(Sample::Wait, 5);
        let mut totals = Totals::new(&bounds);
        one.add_to(&mut totals);
        two.add_to(&mut totals);
        // Two spawns, and the wake that ended a wait.
        assert_eq!(totals.states[TaskState::Scheduled as usize], 3);
        assert_eq!(totals.states[TaskState::Failed as usize], 1);
        let [run, wait, ready] = &totals.histograms;
        assert_eq!(run.counts, [1, 1, 1]);
        assert_eq!(run.sum_raw, 2_000_001.0 + f64::from(u32::MAX));
        assert_eq!(
            (wait.counts.as_slice(), wait.sum_raw),
            ([1, 0, 0].as_slice(), 5.0)
        );
        assert_eq!(ready.counts, [0, 0, 0]);
    }

    /// Ticks of a clock in nanoseconds, bounds of two and of many steps.
    fn all_bounds() -> [Arc<Bounds>; 3] {
        let tiny: &[f64] = &[2e-9, 3e-9];
        [tiny, &DEFAULT_BUCKETS, &MICROSECOND_BUCKETS]
            .map(|seconds| Arc::new(Bounds::new(seconds.into(), |raw| raw)))
    }

    /// The durations around each bound, the shortest one and one beyond all bounds.
    fn edges(bounds: &Bounds) -> Vec<u64> {
        let ends = (0..bounds.len() - 1).map(|bucket| *bounds.within(bucket).end());
        let around = ends.flat_map(|end| [end - 1, end, end + 1]);
        around.chain([0, 1 << 62]).collect()
    }

    #[test]
    fn every_duration_is_counted_in_its_bucket_whatever_came_before() {
        for bounds in all_bounds() {
            let edges = edges(&bounds);
            for &before in &edges {
                for &raw in &edges {
                    // The bucket of the one before is kept for the next: also for one of the same bucket.
                    let sequence = [before, raw, raw, before];
                    let (meter, shared) = (Meter::new(&bounds), Meter::new(&bounds));
                    let mut expected = vec![0; bounds.len()];
                    for raw in sequence {
                        meter.sample(Sample::Ready, raw);
                        shared.sample_shared(Sample::Ready, raw);
                        expected[bounds.index(raw)] += 1;
                    }
                    let sum: f64 = sequence.iter().map(|&raw| raw as f64).sum();
                    for meter in [meter, shared] {
                        let mut totals = Totals::new(&bounds);
                        meter.add_to(&mut totals);
                        let [_, _, ready] = totals.histograms;
                        assert_eq!(ready.counts, expected, "{sequence:?}");
                        assert_eq!(ready.sum_raw, sum, "{sequence:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_is_lost_where_many_threads_count() {
        const THREADS: u64 = 4;
        const SAMPLES_EACH: u64 = 50_000;
        let [_, bounds, _] = all_bounds();
        let meter = Meter::new(&bounds);
        let edges = edges(&bounds);
        let durations = || edges.iter().copied().filter(|&raw| raw < 1 << 40);
        let all = || durations().cycle().take(SAMPLES_EACH as usize);
        let begin = Barrier::new(THREADS as usize);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    begin.wait();
                    all().for_each(|raw| meter.sample_shared(Sample::Wait, raw));
                });
            }
        });
        let mut totals = Totals::new(&bounds);
        meter.add_to(&mut totals);
        let [_, wait, _] = totals.histograms;
        let mut expected = vec![0; bounds.len()];
        all().for_each(|raw| expected[bounds.index(raw)] += THREADS);
        assert_eq!(wait.counts, expected);
        // Below 2^53, so that a double holds each sum on the way.
        assert_eq!(wait.sum_raw, (all().sum::<u64>() * THREADS) as f64);
    }

    #[test]
    fn neighbouring_meters_share_no_pair_of_cache_lines() {
        assert_eq!(align_of::<Meter>(), 128);
    }
}
