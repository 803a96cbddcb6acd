//! Owns a scheduler from outside: it runs futures, and ends when it is dropped or shut down.

use crate::handle::Handle;
use crate::runtime::{self, Shared, Shutdown};
use crate::task::JoinHandle;
use glasshouse_telemetry::SpawnSite;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A running scheduler. Dropping it cancels the tasks that are left and waits for its workers, unless one of
/// its own tasks drops it: then the workers end by themselves.
///
/// ```
/// use glasshouse_scheduler::{Builder, Scheduler, Shutdown};
/// use std::time::Duration;
/// let scheduler: Scheduler = Builder::new().workers(2).build().unwrap();
/// let task = scheduler.spawn(async { 6 * 7 });
/// assert_eq!(scheduler.block_on(task).unwrap(), 42);
/// assert_eq!(scheduler.shutdown(Duration::from_secs(5)), Shutdown::Clean);
/// ```
pub struct Scheduler {
    handle: Handle,
    /// None once it has been shut down.
    threads: Option<Vec<thread::JoinHandle<()>>>,
}

impl Scheduler {
    pub(crate) fn new(shared: Arc<Shared>, threads: Vec<thread::JoinHandle<()>>) -> Scheduler {
        Scheduler {
            handle: Handle::new(shared),
            threads: Some(threads),
        }
    }

    /// A handle for other threads.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs `future` on this thread until it ends. It is a task like any other in the log.
    ///
    /// # Panics
    /// On a thread that runs tasks, and when the future does.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let site = SpawnSite {
            location: Location::caller(),
            name: Some("block_on"),
        };
        runtime::block_on(self.handle.shared(), future, &site)
    }

    /// Spawns a task; [`crate::spawn`] says more.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Lets the default tasks end by themselves for at most `timeout`, then cancels what is left. System
    /// tasks are cancelled when the last default task has ended.
    ///
    /// A poll that does not return delays this by little: a worker whose poll, or drop of a task, has lasted
    /// 50 ms when the time is over is left behind, and with it the tasks that are not cancelled yet. A
    /// `Stalled` record, a warning and [`Builder::on_stall`](crate::Builder::on_stall) tell of it. What is called
    /// between two polls may hold a worker as well: a recorder, a subscriber, a waker of another executor, the
    /// drop of an output that nobody wants. Such a worker is left behind after another 50 ms, and nothing tells
    /// of it, since no task is known to be at fault. A worker that comes back cancels what is left; those
    /// records follow `ShutdownComplete`, which otherwise is the last one.
    /// Cancelling may take up to one second beyond the time where a great many tasks are left, and goes on by
    /// itself after that. Blocking functions that have begun are not waited for beyond the time.
    ///
    /// Called by one of the scheduler's own tasks it closes the scheduler at once, as a drop there does: the
    /// tasks are cancelled after their polls, the caller's own among them.
    pub fn shutdown(mut self, timeout: Duration) -> Shutdown {
        let threads = self.threads.take().unwrap_or_default();
        runtime::shut_down(self.handle.shared(), threads, Some(timeout))
    }

    /// Cancels what is left, and waits neither for that nor for anything that has begun: the workers go by
    /// themselves, and the last to go records `ShutdownComplete`. A deterministic scheduler, whose one worker is
    /// the thread that calls this, ends here.
    ///
    /// ```
    /// let scheduler = glasshouse_scheduler::Builder::new().workers(1).build().unwrap();
    /// let task = scheduler.spawn(std::future::pending::<()>());
    /// scheduler.shutdown_background();
    /// while !task.is_finished() {
    ///     std::thread::yield_now();
    /// }
    /// ```
    pub fn shutdown_background(mut self) {
        // Its threads go on unwatched.
        drop(self.threads.take());
        runtime::shut_down_in_background(self.handle.shared());
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            let _ = runtime::shut_down(self.handle.shared(), threads, None);
        }
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}
