//! Owns the exporter's side of the `metrics` facade, and the test whether a recorder is that side.

use super::Exporter;
use super::exporter::Shared;
use crate::catalog::{self, DEPTH};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;

/// The recorder of an [`Exporter`], to be given to `metrics` or to a scheduler's builder.
///
/// ```
/// use glasshouse_telemetry::prometheus::Exporter;
/// let exporter = Exporter::new();
/// metrics::with_local_recorder(&exporter.recorder(), || {
///     metrics::counter!("requests").increment(1);
/// });
/// assert!(exporter.render().contains("requests 1"));
/// ```
#[derive(Clone)]
pub struct ExporterRecorder {
    shared: Arc<Shared>,
}

impl fmt::Debug for ExporterRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExporterRecorder").finish_non_exhaustive()
    }
}

impl ExporterRecorder {
    pub(super) fn new(shared: Arc<Shared>) -> ExporterRecorder {
        ExporterRecorder { shared }
    }
}

thread_local! {
    /// Whether this thread asks right now who its recorder is.
    static ASKS: Cell<bool> = const { Cell::new(false) };
    /// The answer: an exporter's recorder, by the address at which it was called.
    static ANSWER: RefCell<Option<(*const (), Arc<Shared>)>> = const { RefCell::new(None) };
}

/// The exporter whose recorder `recorder` is; `None` for any other, also for one that wraps an exporter's.
/// Describes the scheduler's metrics to it on the way.
///
/// A recorder's type cannot be asked for through the facade. So it is called, and an exporter's
/// recorder that hears the call notes its address: it is the one that was asked only if the
/// addresses and the sizes agree.
pub(crate) fn exporter_behind(recorder: &dyn Recorder) -> Option<Exporter> {
    ASKS.set(true);
    catalog::describe(recorder);
    ASKS.set(false);
    let (address, shared) = ANSWER.take()?;
    let is_same = std::ptr::addr_eq(recorder, address)
        && size_of_val(recorder) == size_of::<ExporterRecorder>();
    is_same.then(|| Exporter::from_shared(shared))
}

impl Recorder for ExporterRecorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.shared.wrapped().describe_counter(name, unit, help);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        if ASKS.get() && name.as_str() == DEPTH.name {
            let address = std::ptr::from_ref(self).cast();
            ANSWER.set(Some((address, self.shared.clone())));
        }
        self.shared.wrapped().describe_gauge(name, unit, help);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.shared.wrapped().describe_histogram(name, unit, help);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        let own = self.shared.pushed().counter(key);
        own.unwrap_or_else(|| self.shared.wrapped().register_counter(key, metadata))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        let own = self.shared.pushed().gauge(key);
        own.unwrap_or_else(|| self.shared.wrapped().register_gauge(key, metadata))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let own = self.shared.pushed().histogram(key);
        own.unwrap_or_else(|| {
            self.shared.start_upkeep();
            self.shared.wrapped().register_histogram(key, metadata)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Registry;

    /// A recorder that passes everything on, as a layer does, and has something of its own.
    struct Layer(ExporterRecorder, #[allow(dead_code)] u64);

    impl Recorder for Layer {
        fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
            self.0.describe_counter(name, unit, help);
        }
        fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
            self.0.describe_gauge(name, unit, help);
        }
        fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
            self.0.describe_histogram(name, unit, help);
        }
        fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
            self.0.register_counter(key, metadata)
        }
        fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
            self.0.register_gauge(key, metadata)
        }
        fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
            self.0.register_histogram(key, metadata)
        }
    }

    #[test]
    fn an_exporter_is_recognised_by_its_recorder_alone() {
        let exporter = Exporter::new();
        let recorder = exporter.recorder();
        let found = exporter_behind(&recorder).expect("it is an exporter's");
        assert!(found.is_same(&exporter));
        assert!(!found.is_same(&Exporter::new()));
        assert!(exporter_behind(&Registry::new()).is_none());
        assert!(exporter_behind(&metrics::NoopRecorder).is_none());
    }

    #[test]
    fn an_exporter_inside_another_recorder_is_not_taken_for_it() {
        let layer = Layer(Exporter::new().recorder(), 0);
        assert!(exporter_behind(&layer).is_none());
        let boxed: Box<dyn Recorder> = Box::new(layer);
        assert!(exporter_behind(&boxed).is_none());
    }

    #[test]
    fn the_recorder_current_on_a_thread_is_recognised() {
        let exporter = Exporter::new();
        let found = metrics::with_local_recorder(&exporter.recorder(), || {
            metrics::with_recorder(exporter_behind)
        });
        assert!(found.is_some_and(|found| found.is_same(&exporter)));
    }
}
