//! Dumps: all live tasks of a scheduler, with their states, spawn sites, and what they wait for.
//!
//! [`Handle::dump`](crate::Handle::dump) makes one, from any thread, also while every worker is stuck: it takes no
//! lock that a tick needs, and stops nobody. A dump therefore is no single moment: each task is looked at on its
//! own. It is read from the log's task table; what exactly a task waits for is looked up in the log's records, and
//! left out where they have been overwritten or are not made.

mod print;
mod take;

pub use glasshouse_pal::reader::Site;
pub use glasshouse_pal::{Interest, IoTarget, TaskState};

pub(crate) use take::take;

use crate::task::{Id, Stats};
use std::time::Duration;

/// All live tasks of a scheduler, roots (the futures of `block_on`) included.
///
/// Printed, it is a line for how many there are, and then a line for each task in the order of their ids:
///
/// ```text
/// 2 tasks
/// task 1 "block_on" at src/main.rs:9:15: join_wait for 1.5s, on task 2; 1 poll, ran 40µs, ...
/// task 2 at src/main.rs:11:5, by task 1: io_wait for 1.2s, to read descriptor 7; 3 polls, ...
/// ```
///
/// ```
/// use glasshouse_scheduler::dump::{Dump, Task, WaitsFor};
/// use glasshouse_scheduler::{Builder, Handle, task, time};
/// use std::time::Duration;
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     let sleeper = task::Builder::new().name("sleeper").spawn(time::sleep(Duration::from_secs(9)));
///     time::sleep(Duration::from_secs(1)).await;
///     let dump: Dump = Handle::current().dump();
///     let found: &Task = dump.tasks().iter().find(|task| task.id == sleeper.id()).unwrap();
///     assert_eq!((found.name(), found.since), (Some("sleeper"), Duration::from_secs(1)));
/// #   #[cfg(feature = "telemetry")]
///     assert_eq!(found.waits_for, Some(WaitsFor::Deadline { ahead: Duration::from_secs(9) }));
/// #   sleeper.abort();
/// });
/// ```
#[derive(Clone, Debug)]
pub struct Dump {
    tasks: Vec<Task>,
    without_slot: usize,
}

impl Dump {
    /// The tasks, in the order of their ids.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// How many live tasks are missing here, because they found no room in the log's table of ten million.
    pub fn without_slot(&self) -> usize {
        self.without_slot
    }
}

/// A live task, as it was at a moment of the dump.
///
/// ```
/// use glasshouse_scheduler::dump::{Task, TaskState};
/// use glasshouse_scheduler::{Builder, Handle, task, time};
/// use std::time::Duration;
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     let quiet = task::Builder::new().name("quiet").spawn(std::future::pending::<()>());
///     time::sleep(Duration::from_secs(1)).await;
///     let dump = Handle::current().dump();
///     let found: &Task = dump.tasks().iter().find(|task| task.id == quiet.id()).unwrap();
///     assert_eq!((found.name(), found.state), (Some("quiet"), TaskState::Waiting));
///     assert_eq!((found.since, found.waits_for.as_ref()), (Duration::from_secs(1), None));
/// #   quiet.abort();
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Task {
    /// Its id, which is also its number in the log.
    pub id: Id,
    /// Where it was spawned, and its name; `None` where there is no log.
    pub site: Option<Site>,
    /// The task that spawned it, where one did.
    pub parent: Option<Id>,
    /// What it does.
    pub state: TaskState,
    /// For how long.
    pub since: Duration,
    /// What it waits for, where it waits and the log still has it.
    pub waits_for: Option<WaitsFor>,
    /// Where its life has gone until now, and who ended its last wait.
    pub stats: Stats,
}

impl Task {
    /// The name that it was given at its spawn.
    pub fn name(&self) -> Option<&str> {
        self.site.as_ref()?.name.as_deref()
    }
}

/// What a task waits for. Printed it goes on after the state, as a line of a [`Dump`] does.
///
/// ```
/// use glasshouse_scheduler::dump::WaitsFor;
/// use std::time::Duration;
/// let told = |waits_for: WaitsFor| waits_for.to_string();
/// assert_eq!(told(WaitsFor::Deadline { ahead: Duration::from_secs(9) }), "until 9s had passed");
/// assert_eq!(told(WaitsFor::Lane("disk".to_owned())), "in lane \"disk\"");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitsFor {
    /// A deadline.
    Deadline {
        /// How far ahead it lay when it was armed, which was just before the wait.
        ahead: Duration,
    },
    /// A descriptor.
    Io(IoTarget),
    /// Another task's end.
    Task(Id),
    /// A permit of the lane with this name.
    Lane(String),
}
