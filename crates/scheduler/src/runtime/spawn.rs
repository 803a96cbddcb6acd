//! Owns how a task comes into being: admitted, recorded, entered in the registry, pushed.

use crate::runtime::entered;
use crate::runtime::shared::Shared;
use crate::task::{Class, Home, JoinHandle, Joining, Parts, Task, allocate, allocate_local};
use glasshouse_pal::TaskId;
use glasshouse_telemetry::SpawnSite;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// A spawn that was refused; it gives the future back.
///
/// ```
/// use glasshouse_scheduler::{Builder, SpawnError, try_spawn};
/// let scheduler = Builder::deterministic(1).capacity(1).build().unwrap();
/// scheduler.block_on(async {
///     let first = try_spawn(std::future::pending::<()>()).unwrap();
///     let refused = try_spawn(std::future::ready(5)).unwrap_err();
///     assert!(matches!(refused, SpawnError::AtCapacity { capacity: 1, .. }));
///     assert_eq!(refused.into_future().await, 5);
///     first.abort();
/// });
/// ```
pub enum SpawnError<F> {
    /// The scheduler holds as many tasks as it may.
    AtCapacity {
        /// The limit in tasks.
        capacity: usize,
        /// What was to be spawned.
        future: F,
    },
    /// The scheduler has ended.
    Closed {
        /// What was to be spawned.
        future: F,
    },
}

impl<F> SpawnError<F> {
    /// What was to be spawned.
    pub fn into_future(self) -> F {
        match self {
            SpawnError::AtCapacity { future, .. } | SpawnError::Closed { future } => future,
        }
    }

    /// The same error of the future that `f` makes of this one.
    pub(crate) fn map<G>(self, f: impl FnOnce(F) -> G) -> SpawnError<G> {
        match self {
            SpawnError::AtCapacity { capacity, future } => SpawnError::AtCapacity {
                capacity,
                future: f(future),
            },
            SpawnError::Closed { future } => SpawnError::Closed { future: f(future) },
        }
    }
}

impl<F> fmt::Display for SpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SpawnError::AtCapacity { capacity, .. } => write!(
                f,
                "the scheduler is at its capacity of {capacity} tasks; let some end, or raise Builder::capacity"
            ),
            SpawnError::Closed { .. } => {
                f.write_str("the scheduler has been shut down; spawn before its shutdown")
            }
        }
    }
}

impl<F> fmt::Debug for SpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpawnError({self})")
    }
}

impl<F> std::error::Error for SpawnError<F> {}

/// A refused spawn, with the id that its handle will carry.
pub(crate) struct Refused<F> {
    pub(crate) id: TaskId,
    pub(crate) error: SpawnError<F>,
}

/// Spawns a future of this class on this scheduler, from any thread.
pub(crate) fn spawn_on<F>(
    shared: &Arc<Shared>,
    future: F,
    site: &SpawnSite<'_>,
    class: Class,
) -> Result<JoinHandle<F::Output>, Refused<F>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_with(shared, future, site, class, allocate)
}

/// Spawns a future that stays on this thread, which owns the scheduler.
pub(crate) fn spawn_local_on<F>(
    shared: &Arc<Shared>,
    future: F,
    site: &SpawnSite<'_>,
) -> Result<JoinHandle<F::Output>, Refused<F>>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_with(shared, future, site, Class::Default, allocate_local)
}

fn spawn_with<F: Future>(
    shared: &Arc<Shared>,
    future: F,
    site: &SpawnSite<'_>,
    class: Class,
    allocate: impl FnOnce(F, Parts) -> (Task, Joining<F::Output>),
) -> Result<JoinHandle<F::Output>, Refused<F>> {
    entered::with_worker_of(Arc::as_ptr(shared), |worker| {
        // A worker ends after its tasks have been seen to; any other thread must not come too late.
        let index = worker.and_then(|worker| worker.index);
        let _gate = index.is_none().then(|| shared.phase.gate());
        if shared.phase.is_closed() {
            return Err(refused(shared, SpawnError::Closed { future }));
        }
        if let Err(capacity) = shared.live.admit() {
            match worker {
                Some(worker) => worker.seam.denied(site, worker.current(), capacity),
                None => shared.hub.denied(site, capacity),
            }
            return Err(refused(shared, SpawnError::AtCapacity { capacity, future }));
        }
        let trace = match worker {
            Some(worker) => worker.seam.spawned(site, worker.current()),
            None => shared.hub.spawned(site),
        };
        let (task, join) = allocate(
            future,
            Parts {
                shared: worker.map_or_else(|| shared.clone(), |worker| worker.references.take()),
                trace,
                class,
                home: Home::Workers,
            },
        );
        shared.registry.insert(&task);
        if class == Class::Default {
            shared.live.spawned(index);
        }
        match worker {
            Some(worker) => worker.push_woken(task),
            None => {
                shared.hub.pushed();
                shared.inject(task);
            }
        }
        Ok(JoinHandle::new(join))
    })
}

fn refused<F>(shared: &Shared, error: SpawnError<F>) -> Refused<F> {
    Refused {
        id: shared.hub.next_id(),
        error,
    }
}
