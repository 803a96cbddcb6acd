//! Owns what one moment of a log looks like: its workers, tasks, lanes and pseudo-terminals. Durations are
//! in ticks of the log's clock, and count up to the moment.

use glasshouse_pal::reader::RingId;
use glasshouse_pal::{SiteId, TaskId, TaskRow, TaskState, TextId, WakeSource, WorkerState};

/// One moment.
#[derive(Debug, Default)]
pub struct Moment {
    /// Its stamp.
    pub at: u64,
    /// In the order of their rings.
    pub workers: Vec<Worker>,
    /// The tasks that had not ended, in no order.
    pub tasks: Vec<Task>,
    /// In the order in which they were seen first.
    pub lanes: Vec<Lane>,
    /// The newest last.
    pub ptys: Vec<Pty>,
}

/// A thread that runs tasks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worker {
    pub ring: RingId,
    /// What it does; `None` where it has ended, and of the past where it does not run: no record says more.
    pub state: Option<WorkerState>,
    /// The task that it runs, and for how long.
    pub task: Option<(TaskId, u64)>,
    /// Its load over about a second.
    pub now: Load,
    /// And over about ten.
    pub lately: Load,
}

/// What a worker did with a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// The share that it ran tasks for, from 0 to 1; `None` where nothing is known yet.
    pub busy: Option<f64>,
    /// Ticks begun in a second.
    pub ticks_per_s: Option<f64>,
}

/// A task that has not ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Task {
    pub id: TaskId,
    /// `None` where the log is damaged.
    pub state: Option<TaskState>,
    /// How long it has been in this state.
    pub stay: u64,
    pub site: Option<SiteId>,
    pub parent: Option<TaskId>,
    /// Who made it ready last.
    pub waker: Option<WakeSource>,
    pub polls: u64,
    pub run: u64,
    pub wait: u64,
    pub ready: u64,
    /// The share of a processor that it used over the last second or two, from 0 to 1.
    pub busy: Option<f64>,
    /// The lane that it waits for or works on.
    pub lane: Option<TextId>,
}

impl Task {
    /// As the task table had it, if it has been in the same state since.
    pub fn of_row(row: &TaskRow, at: u64) -> Task {
        let mut task = Task {
            id: row.id,
            state: row.state,
            stay: at.saturating_sub(row.since),
            site: Some(row.site).filter(|site| *site != SiteId::UNKNOWN),
            parent: row.parent,
            waker: row.waker,
            polls: row.polls.into(),
            run: row.run_ticks,
            wait: row.wait_ticks,
            ready: row.ready_ticks,
            busy: None,
            lane: None,
        };
        task.count_stay();
        task
    }

    /// Since its spawn: run, wait and ready delay are its life.
    pub fn age(&self) -> u64 {
        self.run
            .saturating_add(self.wait)
            .saturating_add(self.ready)
    }

    /// Counts the stay that is under way to what it belongs to.
    pub fn count_stay(&mut self) {
        let sum = match self.state {
            Some(TaskState::Running) => &mut self.run,
            Some(state) if state.is_ready() => &mut self.ready,
            Some(state) if state.is_waiting() => &mut self.wait,
            _ => return,
        };
        *sum = sum.saturating_add(self.stay);
    }
}

/// A lane, by what tasks recorded of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    pub name: TextId,
    /// How many may be on it; `None` where no record says.
    pub limit: Option<u64>,
    /// Permits out.
    pub held: u64,
    /// Permits may be out that were taken before what is known begins.
    pub is_at_least: bool,
    /// Tasks that wait for one.
    pub waiting: u64,
    /// Permits taken since what is known begins.
    pub taken: u64,
    /// The longest that one of their takers waited, in nanoseconds.
    pub waited_max_ns: u64,
}

/// A program in a pseudo-terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pty {
    pub pid: u64,
    pub name: TextId,
    /// When it was spawned; `None` where that is not known.
    pub since: Option<u64>,
    pub ended: Option<Ended>,
    /// Records were lost since the last one of it: it may have ended unseen.
    pub is_lost: bool,
    /// The bytes that its ring holds, if it wrote more than that.
    pub outgrown: Option<u64>,
}

/// How a program in a pseudo-terminal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    pub at: u64,
    /// -1 where a signal ended it.
    pub code: i64,
    /// 0 where none ended it.
    pub signal: u64,
    pub output_bytes: u64,
    pub dropped_bytes: u64,
}
