//! Owns how a blocking function becomes a task: queued at once, awaited by a task of its own.

use crate::blocking::job::{Cancel, Job, Run, Waiting};
use crate::handle::Handle;
use crate::task::{Class, JoinHandle};
use glasshouse_telemetry::SpawnSite;
use std::sync::Arc;

/// Runs `f` on a thread of the scheduler's pool; in place, as a task, where the scheduler is deterministic.
///
/// # Panics
/// When there is no thread for it and none can be started.
pub(crate) fn spawn_blocking_on<F, R>(handle: &Handle, f: F, site: &SpawnSite<'_>) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let shared = handle.shared();
    if shared.is_deterministic() {
        return handle.spawn_as(async move { f() }, site, Class::Default);
    }
    let inside = handle.clone();
    // On its thread the function finds this scheduler as the current one, and its recorder.
    let job = Job::new(move || inside.shared().hub.enter(|| inside.enter(f)));
    let mut task = handle.spawn_as(Waiting::new(Arc::clone(&job)), site, Class::Default);
    if task.is_refused() {
        return task;
    }
    let cancel: Arc<dyn Cancel> = Arc::clone(&job) as _;
    task.stands_for(cancel);
    let run: Arc<dyn Run> = job;
    if let Err(error) = shared.blocking.push(run) {
        panic!(
            "no thread for a blocking function could be started: {error}; look at the limit of threads \
             (ulimit -u)"
        );
    }
    task
}
