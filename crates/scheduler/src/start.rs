//! Owns the start of a scheduler's threads: its workers, and the watchdog.

use crate::runtime::{self, Shape, Shared};
use crate::thread_names::ThreadNames;
use crate::watchdog::run_watchdog;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Starts the workers that are threads of their own, and the watchdog where time is real: last, as it watches
/// those who are there.
pub(crate) fn start_threads(
    shared: &Arc<Shared>,
    names: &ThreadNames,
) -> io::Result<Vec<JoinHandle<()>>> {
    let workers = match shared.shape {
        Shape::Threads => shared.remotes.len(),
        Shape::Local => 0,
        Shape::Deterministic { .. } => return Ok(Vec::new()),
    };
    let mut threads = Vec::with_capacity(workers + 1);
    for index in 0..=workers {
        let started = match index == workers {
            false => start(shared, names.worker(index), move |shared| {
                runtime::run_worker(shared, index);
            }),
            true => start(shared, names.watchdog(), |shared| run_watchdog(&shared)),
        };
        match started {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                // The workers that did start leave again, and nothing of the scheduler stays behind.
                shared.phase.workers_missing(workers - index);
                let _ = runtime::shut_down(shared, threads, None);
                return Err(error);
            }
        }
    }
    Ok(threads)
}

fn start(
    shared: &Arc<Shared>,
    name: String,
    body: impl FnOnce(Arc<Shared>) + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let shared = shared.clone();
    thread::Builder::new()
        .name(name)
        .spawn(move || body(shared))
}
