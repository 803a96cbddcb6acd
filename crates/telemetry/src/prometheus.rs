//! Owns the way out to Prometheus: an exporter that reads the schedulers' counters when it is scraped.
//!
//! ```text
//! application ──metrics facade──► ExporterRecorder ──► wrapped metrics-exporter-prometheus ┐
//! worker ──counts──► its Meter ◄──reads, when scraped── Exporter ──────────────────────────┴► render, serve
//! ```
//!
//! The application's metrics go through the wrapped exporter. The scheduler's own never do: a tick
//! counts into its worker's meter either way, and nothing more is paid until somebody scrapes. What a
//! scheduler pushes nevertheless, because a wrapper around the recorder hid the exporter from it, is
//! added to the same series, so that a name appears once in a scrape.

mod exporter;
mod pushed;
mod recorder;
mod scrape;
mod server;
mod upkeep;

pub use exporter::{Exporter, InstallError};
pub use recorder::ExporterRecorder;
pub use server::Server;

pub(crate) use recorder::exporter_behind;
