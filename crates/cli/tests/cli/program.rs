//! Owns the programs that tests look into while they run: tasks of this process, with a log of their own.

use crate::place::Place;
use glasshouse_pal::{Pal, TaskId};
use glasshouse_scheduler::{Builder, Handle, JoinHandle, Scheduler, task};
use std::future::Future;

/// A scheduler whose log is `run.pal` in a place of its own.
pub struct Program {
    // Dropped first: it cancels what is left, and waits for it.
    scheduler: Scheduler,
    pub place: Place,
}

impl Program {
    pub fn new(workers: usize) -> Program {
        Program::with(workers, |builder| builder)
    }

    /// With further settings.
    pub fn with(workers: usize, set: impl FnOnce(Builder) -> Builder) -> Program {
        let place = Place::new();
        let pal = Pal::create(&place.path("run.pal"), workers).expect("room for a log");
        let built = set(Builder::new().workers(workers).pal(pal)).build();
        Program {
            scheduler: built.expect("a scheduler"),
            place,
        }
    }

    pub fn spawn<F>(&self, name: &str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let named = task::Builder::new().name(name);
        named.spawn_on(future, self.scheduler.handle())
    }

    pub fn handle(&self) -> &Handle {
        self.scheduler.handle()
    }

    /// The state that the task is in now; `None` once it has ended.
    pub fn state(&self, task: TaskId) -> Option<glasshouse_pal::TaskState> {
        let log = self.scheduler.handle().pal().log();
        let row = log.tasks().find(|row| row.id == task);
        row.and_then(|row| row.state)
    }

    /// Tasks that have not ended.
    pub fn live_tasks(&self) -> usize {
        self.scheduler.handle().pal().log().tasks().count()
    }
}
