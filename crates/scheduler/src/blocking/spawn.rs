//! Owns how a job gets to the pool: a blocking function as a task, a step of the runtime for one that is there.

use crate::blocking::job::{Cancel, Job, Run, Waiting};
use crate::blocking::pool::Kind;
use crate::handle::Handle;
use crate::task::{Class, JoinHandle};
use glasshouse_pal::catch;
use glasshouse_telemetry::SpawnSite;
use std::borrow::Cow;
use std::future::poll_fn;
use std::sync::Arc;
use std::thread;

/// The name of a task that stands for a blocking function; before the one that it was given, if any. Readers of the log
/// go by it.
const NAME: &str = "spawn_blocking";

/// Runs `f` on a thread of the scheduler's pool, awaited by a task of its own; in place, as a task, where the
/// scheduler is deterministic.
///
/// # Panics
/// When there is no thread for it and none can be started.
pub(crate) fn spawn_blocking_on<F, R>(handle: &Handle, f: F, site: &SpawnSite<'_>) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let shared = handle.shared();
    let name = site.name.map_or(Cow::Borrowed(NAME), |given| {
        Cow::Owned(format!("{NAME}:{given}"))
    });
    let site = &SpawnSite {
        name: Some(&name),
        ..*site
    };
    if shared.is_deterministic() {
        return handle.spawn_as(async move { f() }, site, Class::Default);
    }
    let job = Job::new(inside(handle, f));
    let mut task = handle.spawn_as(Waiting::new(Arc::clone(&job)), site, Class::Default);
    if task.is_refused() {
        return task;
    }
    let cancel: Arc<dyn Cancel> = Arc::clone(&job) as _;
    task.stands_for(cancel);
    let run: Arc<dyn Run> = job;
    if let Err(error) = shared.blocking.push(Kind::Function, run) {
        panic!(
            "no thread for a blocking function could be started: {error}; look at the limit of threads \
             (ulimit -u)"
        );
    }
    task
}

/// Runs `f`, a step of the runtime itself, on a thread of the pool of a scheduler that is not deterministic, while the
/// calling task waits. It takes no place of the capacity nor any of the users' threads, and no shutdown waits for it as
/// for a task.
///
/// # Errors
/// What a panic carried: that of `f`, or one that says that there is no thread for it.
pub(crate) async fn run_step<F, R>(handle: &Handle, f: F) -> thread::Result<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let job = Job::new(inside(handle, f));
    let mut waiting = Waiting::new(Arc::clone(&job));
    // Where no thread can be started, or named by the application, the job was refused, and says so.
    let _ = catch(|| handle.shared().blocking.push(Kind::Step, job));
    poll_fn(|cx| waiting.poll_result(cx)).await
}

/// On its thread a function finds this scheduler as the current one, and its recorder.
fn inside<F, R>(handle: &Handle, f: F) -> impl FnOnce() -> R + use<F, R>
where
    F: FnOnce() -> R,
{
    let handle = handle.clone();
    move || handle.shared().hub.enter(|| handle.enter(f))
}
