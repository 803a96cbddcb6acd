//! Owns the thread that drains the wrapped exporter's histograms.
//!
//! The wrapped exporter keeps every sample in memory until somebody renders it or runs its upkeep; an
//! application that is never scraped would grow without bound.

use metrics_exporter_prometheus::PrometheusHandle;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often: the wrapped exporter's own choice where it runs its upkeep itself.
const INTERVAL: Duration = Duration::from_secs(5);

/// The running upkeep; ends when dropped.
#[derive(Debug)]
pub(super) struct Upkeep {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Upkeep {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(wrapped: PrometheusHandle) -> io::Result<Upkeep> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let thread = thread::Builder::new()
            .name("glasshouse-upkeep".to_owned())
            .spawn({
                let stop = stop.clone();
                move || run(&wrapped, &stop)
            })?;
        Ok(Upkeep {
            stop,
            thread: Some(thread),
        })
    }
}

fn run(wrapped: &PrometheusHandle, (stop, changed): &(Mutex<bool>, Condvar)) {
    let mut stopped = stop.lock().unwrap_or_else(PoisonError::into_inner);
    while !*stopped {
        let waited = changed.wait_timeout(stopped, INTERVAL);
        let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        stopped = guard;
        if timeout.timed_out() {
            wrapped.run_upkeep();
        }
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        let (stop, changed) = &*self.stop;
        *stop.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // It returns an error only if it panicked, which the panic hook has reported already.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::prometheus::Exporter;

    #[test]
    fn upkeep_runs_from_the_first_histogram_until_the_exporter_is_dropped() {
        let exporter = Exporter::new();
        metrics::with_local_recorder(&exporter.recorder(), || {
            metrics::counter!("pages").increment(1);
            assert!(!exporter.upkeep_runs());
            metrics::histogram!("page_seconds").record(0.25);
            assert!(exporter.upkeep_runs());
        });
        assert!(exporter.render().contains("page_seconds_count 1"));
        // Returns only when the thread has ended.
        drop(exporter);
    }

    #[test]
    fn the_schedulers_histograms_need_no_upkeep() {
        let exporter = Exporter::new();
        metrics::with_local_recorder(&exporter.recorder(), || {
            metrics::histogram!(crate::RUN_LATENCY_SECONDS).record(0.25);
        });
        assert!(!exporter.upkeep_runs());
        assert!(
            exporter
                .render()
                .contains("task_run_latency_seconds_count 1\n")
        );
    }
}
