//! Owns the metrics registry for tests: a `metrics` recorder whose every value can be asked for by name.

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Label, Metadata, Recorder, SharedString,
    Unit,
};
use metrics_util::registry::{AtomicStorage, Registry as Handles, Storage};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A recorder for tests. Clones share what is recorded; reading takes nothing away.
///
/// ```
/// use glasshouse_telemetry::testing::Registry;
/// let registry = Registry::new();
/// metrics::with_local_recorder(&registry, || {
///     metrics::gauge!("depth").set(3.0);
///     metrics::counter!("ended", "how" => "well").increment(2);
///     metrics::histogram!("seconds").record(0.5);
/// });
/// assert_eq!(registry.gauge("depth"), Some(3.0));
/// assert_eq!(registry.counter_with("ended", &[("how", "well")]), Some(2));
/// assert_eq!(registry.histogram("seconds"), [0.5]);
/// assert_eq!(registry.gauge("no such gauge"), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Registry {
    inner: Arc<Inner>,
}

/// What a metric was described with.
///
/// ```
/// use glasshouse_telemetry::testing::Registry;
/// let registry = Registry::new();
/// metrics::with_local_recorder(&registry, || {
///     metrics::describe_counter!("ended", metrics::Unit::Count, "Tasks that ended.");
/// });
/// let described = registry.description("ended").expect("it was described");
/// assert_eq!(described.unit, Some(metrics::Unit::Count));
/// assert_eq!(described.help, "Tasks that ended.");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The unit, where one was given.
    pub unit: Option<Unit>,
    /// The help text.
    pub help: String,
}

#[derive(Debug)]
struct Inner {
    handles: Handles<Key, Ordered>,
    descriptions: Mutex<HashMap<String, Description>>,
}

impl Default for Inner {
    fn default() -> Inner {
        Inner {
            handles: Handles::new(Ordered),
            descriptions: Mutex::default(),
        }
    }
}

impl Registry {
    /// An empty registry.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// The gauge of this name without labels; `None` if nobody registered it.
    pub fn gauge(&self, name: &str) -> Option<f64> {
        self.gauge_with(name, &[])
    }

    /// The gauge of this name with exactly these labels; `None` if nobody registered it.
    pub fn gauge_with(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let gauge = self.inner.handles.get_gauge(&key(name, labels))?;
        Some(f64::from_bits(gauge.load(Ordering::Acquire)))
    }

    /// The counter of this name, summed over its labels; `None` if nobody registered it.
    pub fn counter(&self, name: &str) -> Option<u64> {
        let mut sum = None;
        self.inner.handles.visit_counters(|key, counter| {
            if key.name() == name {
                *sum.get_or_insert(0) += counter.load(Ordering::Acquire);
            }
        });
        sum
    }

    /// The counter of this name with exactly these labels; `None` if nobody registered it.
    pub fn counter_with(&self, name: &str, labels: &[(&str, &str)]) -> Option<u64> {
        let counter = self.inner.handles.get_counter(&key(name, labels))?;
        Some(counter.load(Ordering::Acquire))
    }

    /// The samples of the histogram of this name without labels, in the order in which they were
    /// recorded; empty if nobody registered it.
    pub fn histogram(&self, name: &str) -> Vec<f64> {
        self.histogram_with(name, &[])
    }

    /// The samples of the histogram of this name with exactly these labels, as [`Registry::histogram`].
    pub fn histogram_with(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let samples = self.inner.handles.get_histogram(&key(name, labels));
        samples.map_or_else(Vec::new, |samples| samples.all())
    }

    /// What the metric of this name was described with; `None` if nobody described it.
    pub fn description(&self, name: &str) -> Option<Description> {
        let descriptions = self.inner.descriptions.lock();
        let descriptions = descriptions.unwrap_or_else(PoisonError::into_inner);
        descriptions.get(name).cloned()
    }

    fn describe(&self, name: &KeyName, unit: Option<Unit>, help: &str) {
        let descriptions = self.inner.descriptions.lock();
        let mut descriptions = descriptions.unwrap_or_else(PoisonError::into_inner);
        let help = help.to_owned();
        descriptions.insert(name.as_str().to_owned(), Description { unit, help });
    }
}

fn key(name: &str, labels: &[(&str, &str)]) -> Key {
    let label = |&(name, value): &(&str, &str)| Label::new(name.to_owned(), value.to_owned());
    Key::from_parts(
        name.to_owned(),
        labels.iter().map(label).collect::<Vec<_>>(),
    )
}

impl Recorder for Registry {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe(&name, unit, &help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe(&name, unit, &help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.describe(&name, unit, &help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let handles = &self.inner.handles;
        handles.get_or_create_counter(key, |counter| Counter::from_arc(counter.clone()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let handles = &self.inner.handles;
        handles.get_or_create_gauge(key, |gauge| Gauge::from_arc(gauge.clone()))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let handles = &self.inner.handles;
        handles.get_or_create_histogram(key, |samples| Histogram::from_arc(samples.clone()))
    }
}

/// Storage that keeps a histogram's samples in their order, which metrics-util's own does not.
#[derive(Debug)]
struct Ordered;

impl Storage<Key> for Ordered {
    type Counter = Arc<AtomicU64>;
    type Gauge = Arc<AtomicU64>;
    type Histogram = Arc<Samples>;

    fn counter(&self, key: &Key) -> Self::Counter {
        AtomicStorage.counter(key)
    }

    fn gauge(&self, key: &Key) -> Self::Gauge {
        AtomicStorage.gauge(key)
    }

    fn histogram(&self, _: &Key) -> Self::Histogram {
        Arc::default()
    }
}

#[derive(Debug, Default)]
struct Samples(Mutex<Vec<f64>>);

impl Samples {
    fn all(&self) -> Vec<f64> {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.clone()
    }
}

impl HistogramFn for Samples {
    fn record(&self, value: f64) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_takes_nothing_away() {
        let registry = Registry::new();
        metrics::with_local_recorder(&registry, || {
            metrics::counter!("c").increment(1);
            metrics::histogram!("h").record(1.0);
            metrics::histogram!("h").record(0.5);
        });
        for _ in 0..2 {
            assert_eq!(registry.counter("c"), Some(1));
            assert_eq!(registry.histogram("h"), [1.0, 0.5]);
        }
    }

    #[test]
    fn a_counter_asked_for_without_labels_is_the_sum_over_them() {
        let registry = Registry::new();
        metrics::with_local_recorder(&registry, || {
            metrics::counter!("c", "a" => "1").increment(1);
            metrics::counter!("c", "a" => "2").increment(2);
        });
        assert_eq!(registry.counter("c"), Some(3));
        assert_eq!(registry.counter_with("c", &[("a", "2")]), Some(2));
        assert_eq!(registry.counter_with("c", &[]), None);
        assert_eq!(registry.counter("d"), None);
    }
}
