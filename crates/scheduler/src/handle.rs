//! Owns the way to a scheduler from any thread, and the free functions that use the current one.

use crate::blocking::spawn_blocking_on;
use crate::dump::{self, Dump};
use crate::runtime::{self, Shared, SpawnError, entered, spawn_on};
use crate::task::{Class, JoinHandle};
use glasshouse_pal::Pal;
use glasshouse_telemetry::SpawnSite;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;

/// A way to a scheduler from any thread. It does not keep the scheduler running.
///
/// ```
/// use glasshouse_scheduler::{Builder, Handle};
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// let handle: Handle = scheduler.handle().clone();
/// let answer = std::thread::spawn(move || {
///     let task = handle.spawn(async { 6 * 7 });
///     handle.block_on(task)
/// });
/// assert_eq!(answer.join().unwrap().unwrap(), 42);
/// ```
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Handle {
        Handle { shared }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The scheduler that this thread works for.
    ///
    /// # Panics
    /// Outside of a scheduler; [`Handle::try_current`] does not.
    #[track_caller]
    pub fn current() -> Handle {
        match Handle::try_current() {
            Some(handle) => handle,
            None => no_scheduler(),
        }
    }

    /// The scheduler that this thread works for, if there is one.
    pub fn try_current() -> Option<Handle> {
        entered::current_handle()
    }

    /// Makes this scheduler the thread's current one while `f` runs, for functions that ask for it. It takes a
    /// function where other runtimes give a guard: what is entered here is left again in the opposite order.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        let _entered = entered::enter_handle(self);
        f()
    }

    /// Spawns a task; [`crate::spawn`] says more.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_as(future, &here(None), Class::Default)
    }

    /// Spawns a task that is chosen before default ones; [`crate::spawn_system`] says more.
    #[track_caller]
    pub fn spawn_system<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_as(future, &here(None), Class::System)
    }

    /// Spawns a task, or gives its future back.
    ///
    /// # Errors
    /// At the scheduler's capacity, and after its end.
    #[track_caller]
    pub fn try_spawn<F>(&self, future: F) -> Result<JoinHandle<F::Output>, SpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.try_spawn_as(future, &here(None), Class::Default)
    }

    /// Runs a blocking function on a thread of its own; [`crate::spawn_blocking`] says more.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        spawn_blocking_on(self, f, &here(None))
    }

    /// Runs `future` on this thread until it ends.
    ///
    /// # Panics
    /// On a thread that runs tasks, when the scheduler is deterministic and on the thread that owns a
    /// [`LocalScheduler`](crate::LocalScheduler) (their own `block_on` is the one worker), and when the
    /// future does.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        assert!(
            !self.shared.is_deterministic() && !self.shared.is_owner(),
            "the scheduler's one worker is the thread in its own block_on; call that, not the handle's"
        );
        runtime::block_on(&self.shared, future, &here(Some("block_on")))
    }

    /// The log that the scheduler writes.
    pub fn pal(&self) -> &Pal {
        self.shared.hub.pal()
    }

    /// All live tasks, with their states, spawn sites, and what they wait for, from any thread; [`crate::dump`]
    /// says more. Where tasks wait, it reads the log's records, all of them.
    ///
    /// # Panics
    /// When another process wrote over the log's first page.
    pub fn dump(&self) -> Dump {
        dump::take(&self.shared)
    }

    /// Tasks that are ready and not yet taken by a worker; exact whenever no push or pop is under way, and
    /// zero without the feature `telemetry`.
    pub fn ready_depth(&self) -> u64 {
        self.shared.hub.ready_depth()
    }

    pub(crate) fn try_spawn_as<F>(
        &self,
        future: F,
        site: &SpawnSite<'_>,
        class: Class,
    ) -> Result<JoinHandle<F::Output>, SpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn_on(&self.shared, future, site, class).map_err(|refused| refused.error)
    }

    pub(crate) fn spawn_as<F>(
        &self,
        future: F,
        site: &SpawnSite<'_>,
        class: Class,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn_on(&self.shared, future, site, class).unwrap_or_else(JoinHandle::refused)
    }
}

/// Spawns on the current scheduler, without counting another handle of it.
#[track_caller]
fn spawn_current<F>(future: F, site: &SpawnSite<'_>, class: Class) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let spawned = entered::with_current(|shared| {
        Some(spawn_on(shared?, future, site, class).unwrap_or_else(JoinHandle::refused))
    });
    match spawned {
        Some(handle) => handle,
        None => no_scheduler(),
    }
}

#[track_caller]
fn no_scheduler() -> ! {
    panic!(
        "there is no scheduler on this thread; call this in a task, in block_on, or after Handle::enter"
    )
}

/// The site of the caller.
#[track_caller]
pub(crate) fn here(name: Option<&str>) -> SpawnSite<'_> {
    SpawnSite {
        location: Location::caller(),
        name,
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("workers", &self.shared.remotes.len())
            .field("shape", &self.shared.shape)
            .finish_non_exhaustive()
    }
}

/// Spawns a task on the current scheduler. Its location, or the name that [`crate::task::Builder`] gives
/// it, is what the log calls it. At the scheduler's capacity the handle resolves to an error that
/// `is_denied`, and the future is dropped.
///
/// A task that a task spawns is its worker's next tick if nothing else is ready there, and then no sleeping worker is
/// woken for it: what shall run beside the tick under way should be two tasks, or the tick be short.
///
/// # Panics
/// Outside of a scheduler.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_current(future, &here(None), Class::Default)
}

/// Spawns a task on the current scheduler, or gives its future back.
///
/// # Errors
/// At the scheduler's capacity, and after its end.
///
/// # Panics
/// Outside of a scheduler.
#[track_caller]
pub fn try_spawn<F>(future: F) -> Result<JoinHandle<F::Output>, SpawnError<F>>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    Handle::current().try_spawn_as(future, &here(None), Class::Default)
}

/// Spawns a task that is chosen before the default ones: for what serves the others and must never
/// starve. It is throttled like any task, and after a run of system tasks a default one gets its turn.
///
/// # Panics
/// Outside of a scheduler.
#[track_caller]
pub fn spawn_system<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_current(future, &here(None), Class::System)
}

/// Runs a function that blocks on a thread apart from the workers, of which there are at most
/// [`Builder::max_blocking_threads`](crate::Builder::max_blocking_threads); beyond that, functions wait for one
/// in the order of their spawns. In the log it is a task that waits for that thread.
///
/// Aborting it cancels a function that has not begun. One that has goes on, and its result stands. When the
/// scheduler ends, what has not begun is cancelled, and what has is waited for: by a drop as long as it takes,
/// by a shutdown for its time. In a deterministic scheduler the function runs in place.
///
/// # Panics
/// Outside of a scheduler, and when there is no thread for it and none can be started.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    Handle::current().spawn_blocking(f)
}
