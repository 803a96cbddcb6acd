//! Owns what can be asked of a spawn beside its future: a name, and the span of who spawns.

use crate::blocking::spawn_blocking_on;
use crate::handle::{Handle, here};
use crate::runtime::SpawnError;
use crate::task::in_span::InSpan;
use crate::task::{Class, JoinHandle, spawn_local_at};
use glasshouse_telemetry::{SpanContext, SpawnSite};
use std::future::Future;

/// Spawns a task with a name, or in the current span, on the current scheduler.
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
    is_in_span: bool,
}

impl<'a> Builder<'a> {
    /// A task that is called after its location, and is in no span.
    pub fn new() -> Builder<'a> {
        Builder::default()
    }

    /// What the log calls the task, beside its location; that of a blocking function with `spawn_blocking:` before it.
    pub fn name(mut self, name: &'a str) -> Builder<'a> {
        self.name = Some(name);
        self
    }

    /// Lets the task run in the `tracing` span that is current at the spawn: spans and events of the task are
    /// inside of it, whichever worker polls the task, and the drop of the future is too. The span stays open
    /// until then. Where no span is current, it changes nothing; the scheduler's own spans do not count.
    ///
    /// It is the span alone that travels, not the subscriber: that is the process's, or each thread's own.
    ///
    /// ```
    /// # use glasshouse_scheduler::{Builder, task};
    /// # let scheduler = Builder::deterministic(1).build().unwrap();
    /// # scheduler.block_on(async {
    /// // Inside of tracing::info_span!("request", id = 7), say:
    /// let task = task::Builder::new().name("look-up").in_current_span().spawn(async {
    ///     // and what happens here is told as part of request 7.
    /// });
    /// # task.await.unwrap();
    /// # });
    /// ```
    pub fn in_current_span(mut self) -> Builder<'a> {
        self.is_in_span = true;
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
        self.spawn_as(future, &Handle::current(), &here(self.name), Class::Default)
    }

    /// As [`Handle::spawn`], on another scheduler than the current one.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_as(future, handle, &here(self.name), Class::Default)
    }

    /// As [`crate::spawn_blocking`]; the function, too, runs in the span that was asked for.
    ///
    /// # Panics
    /// Outside of a scheduler, and when there is no thread for it and none can be started.
    #[track_caller]
    pub fn spawn_blocking<F, R>(self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (handle, site) = (Handle::current(), here(self.name));
        match self.span() {
            None => spawn_blocking_on(&handle, f, &site),
            Some(span) => spawn_blocking_on(&handle, move || span.scope(f), &site),
        }
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
        match self.span() {
            None => spawn_local_at(future, &here(self.name)),
            Some(span) => spawn_local_at(InSpan::new(span, future), &here(self.name)),
        }
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
        self.spawn_as(future, &Handle::current(), &here(self.name), Class::System)
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
        let (handle, site) = (Handle::current(), here(self.name));
        match self.span() {
            None => handle.try_spawn_as(future, &site, Class::Default),
            Some(span) => handle
                .try_spawn_as(InSpan::new(span, future), &site, Class::Default)
                .map_err(|refused| refused.map(InSpan::into_future)),
        }
    }

    /// The span to run in, where one was asked for and there is one.
    fn span(&self) -> Option<SpanContext> {
        self.is_in_span.then(SpanContext::current).flatten()
    }

    fn spawn_as<F>(
        self,
        future: F,
        handle: &Handle,
        site: &SpawnSite<'_>,
        class: Class,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self.span() {
            None => handle.spawn_as(future, site, class),
            Some(span) => handle.spawn_as(InSpan::new(span, future), site, class),
        }
    }
}
