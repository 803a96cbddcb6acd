//! Owns what schedulers push under the fixed names although the exporter could have pulled.

use super::scrape::{Histogram, Scrape, whole_ns};
use crate::buckets::bound_ns;
use crate::catalog::{
    DEFAULT_BUCKETS, DEPTH, ENDED, READY, RUN, STATE_LABEL, STATES, THROTTLED, WAIT,
};
use crate::meter::{SAMPLES, STATES as STATE_NUMBERS};
use glasshouse_pal::TaskState;
use metrics::{Counter, Gauge, HistogramFn, Key};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The pushed series, in a form that is added to the pulled ones.
#[derive(Debug)]
pub(super) struct Pushed {
    /// Whether anybody registered a handle here.
    is_used: AtomicBool,
    /// The bits of an `f64`, as the facade's gauges keep them.
    depth: Arc<AtomicU64>,
    states: [Arc<AtomicU64>; STATE_NUMBERS],
    samples: [Arc<Samples>; SAMPLES],
}

#[derive(Debug)]
struct Samples {
    bounds: Arc<[f64]>,
    sums: Mutex<(Vec<u64>, u128)>,
}

impl Default for Pushed {
    fn default() -> Pushed {
        let bounds: Arc<[f64]> = DEFAULT_BUCKETS.into();
        let samples = || {
            Arc::new(Samples {
                bounds: bounds.clone(),
                sums: Mutex::new((vec![0; DEFAULT_BUCKETS.len() + 1], 0)),
            })
        };
        Pushed {
            is_used: AtomicBool::new(false),
            depth: Arc::default(),
            states: Default::default(),
            samples: [samples(), samples(), samples()],
        }
    }
}

impl Pushed {
    fn used(&self) {
        self.is_used.store(true, Ordering::Release);
    }

    /// A handle for a counter of the scheduler's; `None` for any other counter.
    pub(super) fn counter(&self, key: &Key) -> Option<Counter> {
        if key.name() == ENDED.name || key.name() == THROTTLED.name {
            // Both are read off the counter by state.
            return Some(Counter::noop());
        }
        if key.name() != STATES.name {
            return None;
        }
        let label = key.labels().find(|label| label.key() == STATE_LABEL)?;
        let state = TaskState::ALL
            .into_iter()
            .find(|state| state.name() == label.value())?;
        self.used();
        Some(Counter::from_arc(self.states[state as usize].clone()))
    }

    /// A handle for the scheduler's gauge; `None` for any other gauge.
    pub(super) fn gauge(&self, key: &Key) -> Option<Gauge> {
        (key.name() == DEPTH.name).then(|| Gauge::from_arc(self.depth.clone()))
    }

    /// A handle for a histogram of the scheduler's; `None` for any other histogram.
    pub(super) fn histogram(&self, key: &Key) -> Option<metrics::Histogram> {
        let index = [RUN.name, WAIT.name, READY.name]
            .iter()
            .position(|&name| name == key.name())?;
        self.used();
        Some(metrics::Histogram::from_arc(self.samples[index].clone()))
    }

    /// Adds what was pushed to `scrape`.
    pub(super) fn add_to(&self, scrape: &mut Scrape) {
        if !self.is_used.load(Ordering::Acquire) {
            return;
        }
        scrape.depth += f64::from_bits(self.depth.load(Ordering::Acquire)) as u64;
        for (sum, count) in scrape.states.iter_mut().zip(&self.states) {
            *sum += count.load(Ordering::Acquire);
        }
        for (histogram, samples) in scrape.histograms.iter_mut().zip(&self.samples) {
            samples.add_to(histogram);
        }
    }
}

impl Samples {
    fn add_to(&self, histogram: &mut Histogram) {
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        histogram.add(&self.bounds, &sums.0, sums.1);
    }
}

impl HistogramFn for Samples {
    fn record(&self, value: f64) {
        let ns = whole_ns(value);
        let bucket = self
            .bounds
            .iter()
            .take_while(|&&b| bound_ns(b) < ns)
            .count();
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        sums.0[bucket] += 1;
        sums.1 += u128::from(ns);
    }
}
