//! Owns a set of tasks whose results are taken in the order in which they end.
//!
//! Each member's handle holds a waker of its own (`ended.rs`), which puts the member on the list of those that
//! ended. Taking a result pops that list: it costs the same however many members there are.

mod builder;
mod ended;

pub use builder::Builder;

use crate::handle::{Handle, here};
use crate::runtime::{SpawnError, context};
use crate::task::{AbortHandle, Class, Id, JoinError, JoinHandle, coop};
use ended::{Ended, Place};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

/// Tasks that are awaited together. Dropping the set aborts those that are left.
///
/// While [`join_next`](JoinSet::join_next) waits, the log has the task in `JoinWait` on one member of the set, and that
/// others may end first, if it has others.
///
/// ```
/// use glasshouse_scheduler::{Builder, task::JoinSet};
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// let sum: u64 = scheduler.block_on(async {
///     let mut set = JoinSet::new();
///     for n in 1..=10 {
///         set.spawn(async move { n });
///     }
///     let mut sum = 0;
///     while let Some(result) = set.join_next().await {
///         sum += result.unwrap();
///     }
///     sum
/// });
/// assert_eq!(sum, 55);
/// ```
pub struct JoinSet<T> {
    /// In no order: a member that leaves is replaced by the last.
    members: Vec<Member<T>>,
    ended: Arc<Ended>,
}

struct Member<T> {
    handle: JoinHandle<T>,
    /// Knows this member's index.
    place: Arc<Place>,
}

impl<T> JoinSet<T> {
    /// A set without tasks.
    pub fn new() -> JoinSet<T> {
        JoinSet {
            members: Vec::new(),
            ended: Arc::new(Ended::default()),
        }
    }

    /// How many tasks are in the set, with those that ended and were not taken.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no task is in the set.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Sets up a task of this set: its name, and whether it runs in the current span.
    ///
    /// ```
    /// use glasshouse_scheduler::{Builder, task::JoinSet};
    /// let scheduler = Builder::deterministic(1).build().unwrap();
    /// scheduler.block_on(async {
    ///     let mut set = JoinSet::new();
    ///     set.build_task().name("pump").spawn(async { 5 });
    ///     assert_eq!(set.join_all().await, [5]);
    /// });
    /// ```
    pub fn build_task(&mut self) -> Builder<'_, T> {
        Builder::new(self)
    }

    /// Takes the result of a task that has ended; `None` when none has, or the set is empty.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.take_ended().map(|(_, result)| result)
    }

    /// As [`JoinSet::try_join_next`], with the task's id; an error has its own.
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.take_ended().map(with_id)
    }

    /// The next result, in the order in which the tasks end; `None` when the set is empty. Nothing is lost
    /// when the future is dropped before it ends.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// As [`JoinSet::join_next`], with the task's id; an error has its own.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// As [`JoinSet::join_next`], for futures written by hand. While it is pending, only the waker of the
    /// last call is woken.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        let polled = self.poll_ended(cx);
        polled.map(|ended| ended.map(|(_, result)| result))
    }

    /// As [`JoinSet::poll_join_next`], with the task's id; an error has its own.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        self.poll_ended(cx).map(|ended| ended.map(with_id))
    }

    /// Aborts every task and waits until all have ended. Their results and panics are dropped.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// The values of all tasks, in the order in which they ended.
    ///
    /// # Panics
    /// When a task gave none: with its own panic, or with what the [`JoinError`] says. The others are aborted.
    pub async fn join_all(mut self) -> Vec<T> {
        let mut values = Vec::with_capacity(self.len());
        while let Some(result) = self.join_next().await {
            match result {
                Ok(value) => values.push(value),
                Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                Err(error) => panic!("{error}"),
            }
        }
        values
    }

    /// Aborts every task. They stay in the set until their results are taken.
    pub fn abort_all(&mut self) {
        for member in &self.members {
            member.handle.abort();
        }
    }

    /// Takes every task out of the set and lets it run on by itself.
    pub fn detach_all(&mut self) {
        for member in self.members.drain(..) {
            member.place.leave();
        }
    }

    fn insert(&mut self, mut handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        let place = Place::new(self.members.len(), &self.ended);
        let waker = Waker::from(Arc::clone(&place));
        if handle.is_finished_or_leave(&waker) {
            waker.wake();
        }
        self.members.push(Member { handle, place });
        abort
    }

    /// The result of a member that ended, which leaves the set.
    fn take_ended(&mut self) -> Option<(Id, Result<T, JoinError>)> {
        let index = self.ended.pop()?;
        Some(self.take(index))
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Id, Result<T, JoinError>)>> {
        let Some(any) = self.members.first() else {
            return Poll::Ready(None);
        };
        ready!(coop::poll_proceed(cx));
        match self.ended.pop_or_leave(cx.waker()) {
            Some(index) => {
                coop::made_progress();
                Poll::Ready(Some(self.take(index)))
            }
            None => {
                match self.members.len() {
                    1 => context::claim_join(any.handle.id()),
                    _ => context::claim_join_any(any.handle.id()),
                }
                Poll::Pending
            }
        }
    }

    fn take(&mut self, index: usize) -> (Id, Result<T, JoinError>) {
        let mut member = self.members.swap_remove(index);
        if let Some(moved) = self.members.get(index) {
            moved.place.move_to(index);
        }
        let id = member.handle.id();
        match member.handle.take_or_leave(Waker::noop()) {
            Poll::Ready(result) => (id, result),
            Poll::Pending => unreachable!("only its end puts a member on the list of ended ones"),
        }
    }
}

impl<T: 'static> JoinSet<T> {
    /// Spawns a task of this set as [`crate::spawn`] does.
    ///
    /// # Panics
    /// Outside of a scheduler.
    #[track_caller]
    pub fn spawn<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(crate::spawn(future))
    }

    /// Spawns a task of this set on another scheduler than the current one.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, future: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn(future))
    }

    /// Spawns a task of this set, or gives its future back.
    ///
    /// # Errors
    /// At the scheduler's capacity, and after its end.
    ///
    /// # Panics
    /// Outside of a scheduler.
    #[track_caller]
    pub fn try_spawn<F>(&mut self, future: F) -> Result<AbortHandle, SpawnError<F>>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let handle = Handle::current().try_spawn_as(future, &here(None), Class::Default)?;
        Ok(self.insert(handle))
    }

    /// Spawns a task of this set that need not be Send; [`crate::task::spawn_local`] says more.
    ///
    /// # Panics
    /// When the current scheduler is no `LocalScheduler` of this thread, and outside of a scheduler.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(crate::task::spawn_local(future))
    }

    /// Runs a blocking function as a member of this set; [`crate::spawn_blocking`] says more.
    ///
    /// # Panics
    /// Outside of a scheduler.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(crate::spawn_blocking(f))
    }

    /// Runs a blocking function on another scheduler than the current one.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn_blocking(f))
    }
}

fn with_id<T>((id, result): (Id, Result<T, JoinError>)) -> Result<(Id, T), JoinError> {
    result.map(|value| (id, value))
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.abort_all();
        // Wakers of members outlive the set; they hold the list, so it must not hold them.
        self.ended.close();
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> JoinSet<T> {
        JoinSet::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

/// Spawns each future on the current scheduler.
///
/// # Panics
/// Outside of a scheduler.
impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> JoinSet<T> {
        let mut set = JoinSet::new();
        set.extend(futures);
        set
    }
}

/// Spawns each future on the current scheduler.
///
/// # Panics
/// Outside of a scheduler.
impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        for future in futures {
            self.spawn(future);
        }
    }
}
