//! Owns the exporter: the wrapped recorder for the application's metrics, and the schedulers it reads.

use super::pushed::Pushed;
use super::recorder::ExporterRecorder;
use super::scrape::Scrape;
use super::server::Server;
use super::upkeep::Upkeep;
use crate::catalog::{DEFAULT_BUCKETS, READY, RUN, WAIT};
use crate::meters::Meters;
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use once_cell::sync::OnceCell;
use std::fmt;
use std::io;
use std::net::ToSocketAddrs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The Prometheus exporter. Clones share everything.
///
/// A scheduler reports into it by being built with it, or on a thread whose current recorder it is
/// (as [`Exporter::install`] makes it everywhere). Several schedulers in one exporter are summed.
///
/// ```
/// use glasshouse_telemetry::{Hub, Settings, prometheus::Exporter};
/// let exporter = Exporter::new();
/// let hub = Hub::new(Settings {
///     pal: Some(glasshouse_telemetry::pal::Pal::memory()),
///     exporter: Some(exporter.clone()),
///     workers: 1,
///     ..Settings::default()
/// });
/// # #[cfg(feature = "record")]
/// assert!(exporter.render().contains("scheduler_ready_queue_depth 0"));
/// ```
#[derive(Clone)]
pub struct Exporter {
    shared: Arc<Shared>,
}

/// What an exporter's clones and its recorder share.
pub(super) struct Shared {
    wrapped: PrometheusRecorder,
    handle: PrometheusHandle,
    pushed: Pushed,
    sources: Mutex<Sources>,
    /// Started with the application's first histogram.
    upkeep: OnceCell<Upkeep>,
}

#[derive(Debug, Default)]
struct Sources {
    living: Vec<Arc<Meters>>,
    ended: Scrape,
}

/// Why an exporter could not become the global recorder.
///
/// ```
/// use glasshouse_telemetry::prometheus::InstallError;
/// assert!(InstallError::AlreadyInstalled.to_string().contains("builder"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstallError {
    /// Another recorder is installed, and `metrics` allows one a process.
    #[error(
        "a global metrics recorder is installed already; give the exporter to the scheduler's builder instead"
    )]
    AlreadyInstalled,
}

impl Default for Exporter {
    fn default() -> Exporter {
        Exporter::new()
    }
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schedulers = self.shared.sources().living.len();
        f.debug_struct("Exporter")
            .field("schedulers", &schedulers)
            .finish_non_exhaustive()
    }
}

impl Exporter {
    /// An exporter that is nobody's recorder yet.
    pub fn new() -> Exporter {
        let wrapped = wrapped_builder().build_recorder();
        Exporter {
            shared: Arc::new(Shared {
                handle: wrapped.handle(),
                wrapped,
                pushed: Pushed::default(),
                sources: Mutex::default(),
                upkeep: OnceCell::new(),
            }),
        }
    }

    /// An exporter that is the process's global recorder.
    ///
    /// # Errors
    /// When a global recorder is installed already.
    ///
    /// ```
    /// use glasshouse_telemetry::prometheus::{Exporter, InstallError};
    /// let exporter = Exporter::install()?;
    /// metrics::gauge!("sessions").set(3.0);
    /// assert!(exporter.render().contains("sessions 3"));
    /// assert!(Exporter::install().is_err());
    /// # Ok::<(), InstallError>(())
    /// ```
    pub fn install() -> Result<Exporter, InstallError> {
        let exporter = Exporter::new();
        metrics::set_global_recorder(exporter.recorder())
            .map_err(|_| InstallError::AlreadyInstalled)?;
        Ok(exporter)
    }

    /// The exporter as a recorder, for `metrics::with_local_recorder` or to put inside another one.
    /// Inside another one the schedulers do not see it and push their metrics, to the same series.
    pub fn recorder(&self) -> ExporterRecorder {
        ExporterRecorder::new(self.shared.clone())
    }

    /// Everything in Prometheus' text format: the application's metrics, then the schedulers'.
    pub fn render(&self) -> String {
        let mut text = self.shared.handle.render();
        let scrape = self.shared.scrape();
        if !scrape.is_empty() {
            // A string takes everything that is written to it.
            let _ = scrape.write(&mut text);
        }
        text
    }

    /// Serves [`Exporter::render`] over HTTP under `/metrics`, on a thread of its own, until the
    /// returned server is dropped. Port 0 chooses a free port; see [`Server::addr`].
    ///
    /// # Errors
    /// When the address cannot be bound or no thread can be started.
    pub fn serve(&self, addr: impl ToSocketAddrs) -> io::Result<Server> {
        Server::start(self.clone(), addr)
    }

    /// Whether both are clones of one exporter.
    pub fn is_same(&self, other: &Exporter) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    pub(super) fn from_shared(shared: Arc<Shared>) -> Exporter {
        Exporter { shared }
    }

    #[cfg(test)]
    pub(super) fn upkeep_runs(&self) -> bool {
        self.shared.upkeep.get().is_some()
    }

    /// Reads `meters` from now on with every scrape.
    pub(crate) fn attach(&self, meters: &Arc<Meters>) {
        self.shared.sources().living.push(meters.clone());
    }

    /// Reads `meters` a last time and keeps their totals. Once: what is not attached is left alone.
    pub(crate) fn detach(&self, meters: &Arc<Meters>) {
        let mut sources = self.shared.sources();
        let Sources { living, ended } = &mut *sources;
        living.retain(|living| {
            let stays = !Arc::ptr_eq(living, meters);
            if !stays {
                ended.add_totals(living);
            }
            stays
        });
    }
}

/// The wrapped exporter's settings. Under a prefixing layer the scheduler's histograms arrive by
/// other names; they keep their buckets.
fn wrapped_builder() -> PrometheusBuilder {
    let mut builder = PrometheusBuilder::new();
    for family in [&RUN, &WAIT, &READY] {
        let matcher = Matcher::Suffix(family.name.to_owned());
        builder = builder
            .set_buckets_for_metric(matcher, &DEFAULT_BUCKETS)
            // It refuses only an empty list of buckets, and this one is a constant of nine.
            .unwrap_or_else(|_| PrometheusBuilder::new());
    }
    builder
}

impl Shared {
    pub(super) fn wrapped(&self) -> &PrometheusRecorder {
        &self.wrapped
    }

    pub(super) fn pushed(&self) -> &Pushed {
        &self.pushed
    }

    /// Starts the upkeep if it does not run. Where the system has no thread for it, each later
    /// histogram tries again, and each scrape does the same work.
    pub(super) fn start_upkeep(&self) {
        let _ = self
            .upkeep
            .get_or_try_init(|| Upkeep::start(self.handle.clone()));
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scrape(&self) -> Scrape {
        // One lock over both: a scheduler that ends meanwhile is read once, as living or as ended.
        let sources = self.sources();
        let mut scrape = sources.ended.clone();
        for meters in &sources.living {
            scrape.add_totals(meters);
            scrape.depth += meters.depth.read();
        }
        self.pushed.add_to(&mut scrape);
        scrape
    }
}
