//! Owns what a scheduler tells the seam when it is built and at each spawn.

use crate::prometheus::Exporter;
use glasshouse_pal::Pal;
use metrics::Recorder;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// What a [`Hub`](crate::Hub) is built with.
///
/// ```
/// use glasshouse_telemetry::{Hub, Settings, pal::Pal, testing::Registry};
/// use std::sync::Arc;
/// let registry = Registry::new();
/// let hub = Hub::new(Settings {
///     pal: Some(Pal::memory()),
///     recorder: Some(Arc::new(registry.clone())),
///     workers: 2,
///     ..Settings::default()
/// });
/// assert_eq!(hub.ready_depth(), 0);
/// ```
#[derive(Clone, Default)]
pub struct Settings {
    /// The log; `None` for the process's own.
    pub pal: Option<Pal>,
    /// The recorder to push metrics into, which becomes the workers' recorder too; `None` for the one
    /// that is current when the hub is made, if there is one.
    pub recorder: Option<Arc<dyn Recorder + Send + Sync>>,
    /// The exporter that reads the metrics when it is scraped.
    pub exporter: Option<Exporter>,
    /// Histogram bounds in seconds; `None` for [`DEFAULT_BUCKETS`](crate::DEFAULT_BUCKETS).
    pub buckets: Option<Vec<f64>>,
    /// How many workers there will be.
    pub workers: usize,
    /// Whether task ids start at one, apart from those of the log's other schedulers.
    pub own_ids: bool,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("recorder", &self.recorder.is_some())
            .field("exporter", &self.exporter)
            .field("buckets", &self.buckets)
            .field("workers", &self.workers)
            .field("own_ids", &self.own_ids)
            .finish_non_exhaustive()
    }
}

/// Where a task is spawned, and the name it is given.
///
/// ```
/// use glasshouse_telemetry::SpawnSite;
/// use std::panic::Location;
/// let site = SpawnSite { location: Location::caller(), name: Some("pump") };
/// assert!(site.location.line() > 0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SpawnSite<'a> {
    /// The caller's place in the source.
    pub location: &'static Location<'static>,
    /// The task's name, where it has one.
    pub name: Option<&'a str>,
}
