//! Owns what an application has around Glasshouse: tracing, and an exporter that is scraped or a recorder that
//! is pushed into.

use glasshouse::telemetry::prometheus::Exporter;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// What a Prometheus server that is set to one second does.
const SCRAPE_EVERY: Duration = Duration::from_secs(1);
/// The name of the thread that scrapes, by which the idle row leaves it out.
pub const SCRAPER: &str = "scraper";

/// The exporter as the global recorder, scraped on a thread of its own; tracing beside it.
pub fn install_exporter(phase: Duration) {
    install_tracing();
    let exporter = Exporter::install().expect("no recorder is installed in a fresh process");
    thread::Builder::new()
        .name(SCRAPER.to_owned())
        .spawn(move || {
            thread::sleep(phase);
            loop {
                black_box(exporter.render());
                thread::sleep(SCRAPE_EVERY);
            }
        })
        .expect("a thread can be had");
}

/// A recorder that is not ours as the global one; tracing beside it.
pub fn install_foreign_recorder() {
    install_tracing();
    metrics::set_global_recorder(Adder).expect("no recorder is installed in a fresh process");
}

/// As in the examples: everything from INFO on, without one line per spawn.
fn install_tracing() {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("info,glasshouse::spawn=off"))
        .with_writer(io::stderr)
        .init();
}

/// The least that a recorder can do with what it is pushed: one sum a handle. Real ones do more.
struct Adder;

#[derive(Default)]
struct Sum {
    count: AtomicU64,
    bits: AtomicU64,
}

impl CounterFn for Sum {
    fn increment(&self, value: u64) {
        self.count.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.count.fetch_max(value, Ordering::Relaxed);
    }
}

impl GaugeFn for Sum {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.bits.store(value.to_bits(), Ordering::Relaxed);
    }
}

impl HistogramFn for Sum {
    fn record(&self, value: f64) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.add(value);
    }
}

impl Sum {
    fn add(&self, value: f64) {
        let mut bits = self.bits.load(Ordering::Relaxed);
        loop {
            let sum = (f64::from_bits(bits) + value).to_bits();
            let swap =
                self.bits
                    .compare_exchange_weak(bits, sum, Ordering::Relaxed, Ordering::Relaxed);
            match swap {
                Ok(_) => return,
                Err(newer) => bits = newer,
            }
        }
    }
}

impl Recorder for Adder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Sum::default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(Sum::default()))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Sum::default()))
    }
}
