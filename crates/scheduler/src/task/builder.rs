//! Owns how a task gets a name.

use crate::blocking::spawn_blocking_on;
use crate::handle::{Handle, here};
use crate::runtime::SpawnError;
use crate::task::{Class, JoinHandle, spawn_local_at};
use std::future::Future;

/// Spawns a task with a name, on the current scheduler.
///
/// ```
/// let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     let task = glasshouse_scheduler::task::Builder::new().name("greeter").spawn(async { "hello" });
///     assert_eq!(task.await.unwrap(), "hello");
/// });
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "a builder does nothing until a future is spawned"]
pub struct Builder<'a> {
    name: Option<&'a str>,
}

impl<'a> Builder<'a> {
    /// A task that is called after its location.
    pub fn new() -> Builder<'a> {
        Builder { name: None }
    }

    /// What the log calls the task, beside its location.
    pub fn name(mut self, name: &'a str) -> Builder<'a> {
        self.name = Some(name);
        self
    }

    /// As [`crate::spawn`].
    ///
    /// # Panics
    /// Outside of a scheduler.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Handle::current().spawn_as(future, &here(self.name), Class::Default)
    }

    /// As [`Handle::spawn`], on another scheduler than the current one.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        handle.spawn_as(future, &here(self.name), Class::Default)
    }

    /// As [`crate::spawn_blocking`].
    ///
    /// # Panics
    /// Outside of a scheduler, and when there is no thread for it and none can be started.
    #[track_caller]
    pub fn spawn_blocking<F, R>(self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        spawn_blocking_on(&Handle::current(), f, &here(self.name))
    }

    /// As [`crate::task::spawn_local`].
    ///
    /// # Panics
    /// When the current scheduler is no `LocalScheduler` of this thread, and outside of a scheduler.
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn_local_at(future, &here(self.name))
    }

    /// As [`crate::spawn_system`].
    ///
    /// # Panics
    /// Outside of a scheduler.
    #[track_caller]
    pub fn spawn_system<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Handle::current().spawn_as(future, &here(self.name), Class::System)
    }

    /// As [`crate::try_spawn`].
    ///
    /// # Errors
    /// At the scheduler's capacity, and after its end.
    ///
    /// # Panics
    /// Outside of a scheduler.
    #[track_caller]
    pub fn try_spawn<F>(self, future: F) -> Result<JoinHandle<F::Output>, SpawnError<F>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Handle::current().try_spawn_as(future, &here(self.name), Class::Default)
    }
}
