//! Owns what can be asked of a spawn into a set.

use crate::handle::Handle;
use crate::runtime::SpawnError;
use crate::task::{self, AbortHandle, JoinSet};
use std::fmt;
use std::future::Future;

/// Sets up a task of a [`JoinSet`].
///
/// ```
/// use glasshouse_scheduler::task::{JoinSet, join_set::Builder};
/// let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     let mut set = JoinSet::new();
///     let named: Builder<'_, u8> = set.build_task().name("pump");
///     named.spawn(async { 5 });
///     assert_eq!(set.join_next().await.unwrap().unwrap(), 5);
/// });
/// ```
#[must_use = "a builder does nothing until a future is spawned"]
pub struct Builder<'a, T> {
    set: &'a mut JoinSet<T>,
    task: task::Builder<'a>,
}

impl<'a, T> Builder<'a, T> {
    pub(super) fn new(set: &'a mut JoinSet<T>) -> Builder<'a, T> {
        Builder {
            set,
            task: task::Builder::new(),
        }
    }

    /// What the log calls the task, beside its location.
    pub fn name(mut self, name: &'a str) -> Builder<'a, T> {
        self.task = self.task.name(name);
        self
    }

    /// As [`task::Builder::in_current_span`].
    pub fn in_current_span(mut self) -> Builder<'a, T> {
        self.task = self.task.in_current_span();
        self
    }
}

impl<T: 'static> Builder<'_, T> {
    /// As [`JoinSet::spawn`].
    ///
    /// # Panics
    /// Outside of a scheduler.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.set.insert(self.task.spawn(future))
    }

    /// As [`JoinSet::spawn_on`].
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.set.insert(self.task.spawn_on(future, handle))
    }

    /// As [`JoinSet::spawn_blocking`].
    ///
    /// # Panics
    /// Outside of a scheduler, and when there is no thread for it and none can be started.
    #[track_caller]
    pub fn spawn_blocking<F>(self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.set.insert(self.task.spawn_blocking(f))
    }

    /// As [`JoinSet::spawn_local`].
    ///
    /// # Panics
    /// When the current scheduler is no `LocalScheduler` of this thread, and outside of a scheduler.
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.set.insert(self.task.spawn_local(future))
    }

    /// As [`JoinSet::try_spawn`].
    ///
    /// # Errors
    /// At the scheduler's capacity, and after its end.
    ///
    /// # Panics
    /// Outside of a scheduler.
    #[track_caller]
    pub fn try_spawn<F>(self, future: F) -> Result<AbortHandle, SpawnError<F>>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let handle = self.task.try_spawn(future)?;
        Ok(self.set.insert(handle))
    }
}

impl<T> fmt::Debug for Builder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}
