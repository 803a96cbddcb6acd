//! Owns what the models of a whole scheduler stand on: all that its threads share, and loom's threads as its
//! workers.

use crate::runtime::{self, Phase, Shared};
use crate::{Builder, Handle};
use glasshouse_pal::Pal;
use loom::thread;
use std::sync::Arc;
use std::time::Duration;

/// Out of reach: how long a tick takes is chance.
const QUANTUM: Duration = Duration::from_secs(3600);

/// A scheduler without its threads, and without a log.
pub(super) fn scheduler(workers: usize) -> Arc<Shared> {
    // Not the same for all: which slots are free decides what a spawn does, and must not differ.
    scheduler_with(workers, Pal::off())
}

/// A scheduler without its threads.
pub(super) fn scheduler_with(workers: usize, pal: Pal) -> Arc<Shared> {
    Builder::new()
        .workers(workers)
        .quantum(QUANTUM)
        .pal(pal)
        .share(None)
        .expect("nothing of it can be lacking")
}

pub(super) fn handle(shared: &Arc<Shared>) -> Handle {
    Handle::new(shared.clone())
}

/// A thread of loom's as this worker. It ends when the scheduler closes.
pub(super) fn start_worker(shared: &Arc<Shared>, index: usize) -> thread::JoinHandle<()> {
    let shared = shared.clone();
    thread::spawn(move || runtime::run_worker(shared, index))
}

/// What a shutdown does to workers: it may be called by a task.
pub(super) fn close(shared: &Shared) {
    shared.phase.set(Phase::Closed);
    shared.unpark_all();
}
