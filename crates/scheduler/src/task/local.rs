//! Owns the spawn of tasks that stay on their thread.

use crate::handle::{Handle, here};
use crate::runtime::{entered, spawn_local_on};
use crate::task::JoinHandle;
use glasshouse_telemetry::SpawnSite;
use std::future::Future;

/// Spawns a task that need not be Send, on the current scheduler, which must be a
/// [`LocalScheduler`](crate::LocalScheduler) of this thread. Its future is polled and dropped on this thread,
/// whoever wakes or aborts it. All else is as in [`crate::spawn`].
///
/// # Panics
/// When the current scheduler is no `LocalScheduler` of this thread, and outside of a scheduler.
///
/// ```
/// use glasshouse_scheduler::{Builder, task};
/// use std::rc::Rc;
/// let local = Builder::new().build_local().unwrap();
/// let answer = local.block_on(async {
///     let shared = Rc::new(6);
///     let task = task::spawn_local({
///         let shared = shared.clone();
///         async move { Rc::new(*shared * 7) }
///     });
///     task.await.unwrap()
/// });
/// assert_eq!(*answer, 42);
/// ```
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_local_at(future, &here(None))
}

/// As [`spawn_local`], with the caller's site.
#[track_caller]
pub(crate) fn spawn_local_at<F>(future: F, site: &SpawnSite<'_>) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    entered::with_current(|shared| {
        let is_owner = shared.is_some_and(|shared| shared.is_owner());
        assert!(
            is_owner,
            "spawn_local was called where tasks do not stay on their thread; use spawn, or run this in a \
             scheduler from Builder::build_local"
        );
    });
    spawn_owned(&Handle::current(), future, site)
}

/// Spawns on a scheduler that this thread owns.
pub(crate) fn spawn_owned<F>(
    handle: &Handle,
    future: F,
    site: &SpawnSite<'_>,
) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_local_on(handle.shared(), future, site).unwrap_or_else(JoinHandle::refused)
}
