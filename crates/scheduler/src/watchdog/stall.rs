//! Owns what the application is told of a stall.

use crate::task::Id;
use glasshouse_pal::reader::Site;
use glasshouse_telemetry::Stalled;
use std::fmt;
use std::time::Duration;

/// A tick that is longer than [`Builder::stall_threshold`](crate::Builder::stall_threshold), and still runs.
///
/// ```
/// use glasshouse_scheduler::{Builder, Stall, spawn, time};
/// use std::sync::mpsc;
/// use std::time::Duration;
/// let (tell, told) = mpsc::channel();
/// let scheduler = Builder::deterministic(1)
///     .on_stall(move |stall: &Stall| tell.send(stall.clone()).unwrap())
///     .build()
///     .unwrap();
/// scheduler.block_on(async {
///     let task = spawn(async { time::advance(Duration::from_secs(3)) });
///     let id = task.id();
///     task.await.unwrap();
///     let stall = told.try_recv().unwrap();
///     assert_eq!((stall.task, stall.busy), (id, Duration::from_secs(3)));
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stall {
    /// The task that holds its worker.
    pub task: Id,
    /// The worker's number.
    pub worker: usize,
    /// How long the tick has lasted.
    pub busy: Duration,
    /// Ready tasks that it holds up: those in its worker's queues, and where no other worker is free also
    /// those in the shared one.
    pub queued: usize,
    /// Workers that do not stall themselves, and so serve what this one holds up. Where it is zero, nothing
    /// does.
    pub others: usize,
    /// The task's name, where it has one and there is a log.
    pub name: Option<String>,
    /// Where the task was spawned (`file:line:column`), where there is a log.
    pub location: Option<String>,
}

impl Stall {
    pub(super) fn new(stalled: &Stalled, site: Option<Site>) -> Stall {
        Stall {
            task: stalled.tick.task,
            worker: stalled.worker,
            busy: stalled.busy,
            queued: stalled.queued,
            others: stalled.others,
            location: site.as_ref().map(Site::to_string),
            name: site.and_then(|site| site.name),
        }
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.task)?;
        if let Some(name) = &self.name {
            write!(f, " ({name})")?;
        }
        if let Some(location) = &self.location {
            write!(f, " spawned at {location}")?;
        }
        write!(
            f,
            " has held worker {} for {:?} in one poll",
            self.worker, self.busy
        )
    }
}
