//! Owns a scheduler that stays on its thread, and whose tasks may do so too.

use crate::handle::{Handle, here};
use crate::runtime::Shutdown;
use crate::scheduler::Scheduler;
use crate::task::{JoinHandle, spawn_owned};
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

/// A scheduler whose one worker is the thread in [`block_on`](LocalScheduler::block_on), made by
/// [`Builder::build_local`](crate::Builder::build_local). Its tasks need not be Send
/// ([`task::spawn_local`](crate::task::spawn_local)); they run, and its timers fire, only while its thread is
/// inside `block_on`. It cannot leave its thread; its [`Handle`] can, to spawn and to wake from elsewhere.
///
/// Dropping it cancels the tasks that are left, on its thread.
///
/// ```
/// use glasshouse_scheduler::{Builder, LocalScheduler};
/// use std::{cell::Cell, rc::Rc};
/// let local: LocalScheduler = Builder::new().build_local().unwrap();
/// let count = Rc::new(Cell::new(0));
/// let task = local.spawn_local({
///     let count = count.clone();
///     async move { count.set(count.get() + 1) }
/// });
/// local.block_on(task).unwrap();
/// assert_eq!(count.get(), 1);
/// ```
///
/// What stays on its thread cannot be sent away, neither the scheduler nor the handle of an output that is not
/// Send:
///
/// ```compile_fail,E0277
/// let local = glasshouse_scheduler::Builder::new().build_local().unwrap();
/// std::thread::spawn(move || drop(local));
/// ```
///
/// ```compile_fail,E0277
/// let local = glasshouse_scheduler::Builder::new().build_local().unwrap();
/// let task = local.spawn_local(async { std::rc::Rc::new(5) });
/// std::thread::spawn(move || drop(task));
/// ```
pub struct LocalScheduler {
    scheduler: Scheduler,
    /// Neither Send nor Sync: its tasks may not be.
    stays: PhantomData<*mut ()>,
}

impl LocalScheduler {
    pub(crate) fn new(scheduler: Scheduler) -> LocalScheduler {
        LocalScheduler {
            scheduler,
            stays: PhantomData,
        }
    }

    /// A handle, also for other threads.
    pub fn handle(&self) -> &Handle {
        self.scheduler.handle()
    }

    /// Runs `future`, and the tasks beside it, on this thread until it ends. It is a task like any other in
    /// the log.
    ///
    /// # Panics
    /// On a thread that runs tasks, and when the future does.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.scheduler.block_on(future)
    }

    /// Spawns a task that need not be Send; [`task::spawn_local`](crate::task::spawn_local) says more.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn_owned(self.handle(), future, &here(None))
    }

    /// Lets the default tasks end by themselves for at most `timeout`, then cancels what is left. System
    /// tasks are cancelled when the last default task has ended.
    pub fn shutdown(self, timeout: Duration) -> Shutdown {
        self.scheduler.shutdown(timeout)
    }
}

impl fmt::Debug for LocalScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalScheduler")
            .field("handle", self.handle())
            .finish_non_exhaustive()
    }
}
