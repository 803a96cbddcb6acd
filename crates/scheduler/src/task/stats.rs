//! Owns what a program can ask about a live task: how often it was polled, where its time went, who woke it.
//!
//! The numbers are those of the task's slot in the log's table, which the scheduler keeps at every transition
//! anyway; asking costs the tasks nothing. They are there also where nothing is recorded.

use crate::runtime::entered;
use crate::task::Header;
use glasshouse_pal::{Clock, Slot, TaskRow, TaskState, WakeSource};
use std::fmt;
use std::time::Duration;

/// How often a row that changes meanwhile is read again. A guess: one more look does, unless the reader loses
/// its processor.
const LOOKS: u32 = 8;

/// Where a task's life has gone until now: `run`, `wait` and `ready` add up to it, what is under way included.
///
/// ```
/// use glasshouse_scheduler::task::{self, Stats};
/// use glasshouse_scheduler::{Builder, spawn, time};
/// use std::time::Duration;
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// let stats: Stats = scheduler.block_on(async {
///     let task = spawn(async {
///         time::sleep(Duration::from_millis(20)).await;
///         task::stats()
///     });
///     task.await.unwrap()
/// });
/// assert_eq!((stats.polls, stats.wait), (2, Duration::from_millis(20)));
/// assert_eq!(stats.last_waker, Some(task::WakeSource::Timer));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// How often it was polled, the poll under way included; stops at the largest count.
    pub polls: u32,
    /// How long it ran.
    pub run: Duration,
    /// How long it waited: for a deadline, a descriptor, a task, a permit, or anything else.
    pub wait: Duration,
    /// How long it was ready and did not run.
    pub ready: Duration,
    /// Who ended its last wait; `None` before the first one ended. Who woke it while it ran is in the log.
    pub last_waker: Option<WakeSource>,
}

impl Stats {
    /// How long the task has lived: the sum of its times.
    pub fn life(&self) -> Duration {
        self.run + self.wait + self.ready
    }

    /// The numbers of a row, until the stamp `now`.
    pub(crate) fn of_row(row: &TaskRow, now: u64, clock: &Clock) -> Stats {
        let open = now.saturating_sub(row.since);
        let with_open = |ticks: u64, is_open: bool| {
            let open = if is_open { open } else { 0 };
            clock.duration(ticks.wrapping_add(open))
        };
        let is = |of: fn(TaskState) -> bool| row.state.is_some_and(of);
        Stats {
            polls: row.polls,
            run: with_open(row.run_ticks, is(|state| state == TaskState::Running)),
            wait: with_open(row.wait_ticks, is(TaskState::is_waiting)),
            ready: with_open(row.ready_ticks, is(TaskState::is_ready)),
            last_waker: row.waker,
        }
    }

    /// The numbers of a task; `None` once it has ended, and where it has no slot.
    pub(super) fn of(task: &Header) -> Option<Stats> {
        let hub = &task.shared().hub;
        let now = hub.clock().now();
        let slot = hub.pal().table().slot(task.trace().slot()?);
        let row = settled_row(slot, now)?;
        // The slot may be another task's by now: an id never comes back.
        (row.id == task.trace().id()).then(|| Stats::of_row(&row, now, hub.clock()))
    }
}

/// "5 polls, ran 2ms, waited 10ms, was ready for 1ms, last woken by timer".
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let polls = if self.polls == 1 { "poll" } else { "polls" };
        write!(
            f,
            "{} {polls}, ran {:?}, waited {:?}, was ready for {:?}",
            self.polls, self.run, self.wait, self.ready
        )?;
        match self.last_waker {
            Some(by) => write!(f, ", last woken by {}", WakerName(by)),
            None => Ok(()),
        }
    }
}

/// A waker as texts name it: "timer", "task 7".
pub(crate) struct WakerName(pub(crate) WakeSource);

impl fmt::Display for WakerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())?;
        match (self.0, self.0.task()) {
            (_, None) => Ok(()),
            (WakeSource::Task(_), Some(task)) => write!(f, " {task}"),
            (_, Some(task)) => write!(f, " of task {task}"),
        }
    }
}

/// A slot's row, the same at two looks: else a transition under way could be counted by halves.
pub(crate) fn settled_row(slot: &Slot, now: u64) -> Option<TaskRow> {
    let mut row = slot.row(now)?;
    for _ in 0..LOOKS {
        let again = slot.row(now)?;
        if again == row {
            break;
        }
        row = again;
    }
    Some(row)
}

/// Where the life of the running task has gone until now. Handles have it of other tasks:
/// [`JoinHandle::stats`](crate::JoinHandle::stats).
///
/// # Panics
/// Outside of a task, and for a task that found no room in the log's table of ten million; [`try_stats`] does
/// not.
///
/// ```
/// use glasshouse_scheduler::{Builder, task};
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     task::yield_now().await;
///     assert_eq!(task::stats().polls, 2);
/// });
/// ```
#[track_caller]
pub fn stats() -> Stats {
    match try_stats() {
        Some(stats) => stats,
        None => panic!(
            "task::stats() was called outside of a task, or in one without a slot in the log's table; call \
             it in a future that a scheduler runs, or use try_stats()"
        ),
    }
}

/// Where the life of the running task has gone until now. `None` outside of a task, and for a task that found
/// no room in the log's table.
pub fn try_stats() -> Option<Stats> {
    entered::with_polled(|task| Stats::of(task?))
}
