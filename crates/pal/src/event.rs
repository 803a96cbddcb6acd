//! Owns the typed events of a task's life: one variant for each edge of its state machine.
//!
//! ```text
//! spawned ─► Scheduled ──running──► Running ──► Done | Failed
//!               ▲                     ├─ yield ─────► Yielded   ┐ ready: next is Running
//!               │                     ├─ throttled ─► Throttled ┘
//!               │                     ├─ sleep ─────► Sleeping  ┐
//!               │                     ├─ io_wait ───► IoWait    │
//!               │                     ├─ join_wait ─► JoinWait  │ waiting: next is Wake
//!               │                     ├─ lane_wait ─► LaneWait  │
//!               │                     └─ wait ──────► Waiting   ┘
//!               └───────────────── wake ─────────────────┘
//! ```

use crate::id::TaskId;
use std::time::Duration;

/// A text in the log's arena: a name, a location's file, an error text. Zero is the empty text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TextId(pub u32);

/// A spawn site in the log's arena: a source location and an optional name. Zero is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SiteId(pub u32);

/// Who made a task ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WakeSource {
    /// A task of the same scheduler, while it ran.
    Task(TaskId),
    /// A deadline that passed.
    Timer,
    /// A descriptor that became ready.
    Io,
    /// A thread that runs none of this scheduler's tasks.
    External,
    /// A lane handed over its permit; the task that gave it back, where a task did.
    Lane(Option<TaskId>),
    /// An abort; the task that asked for it, where a task did.
    Abort(Option<TaskId>),
}

impl WakeSource {
    /// The source's name as the log prints it.
    pub const fn name(self) -> &'static str {
        match self {
            WakeSource::Task(_) => "task",
            WakeSource::Timer => "timer",
            WakeSource::Io => "io",
            WakeSource::External => "external",
            WakeSource::Lane(_) => "lane",
            WakeSource::Abort(_) => "abort",
        }
    }

    /// The task behind the source, where there is one.
    pub const fn task(self) -> Option<TaskId> {
        match self {
            WakeSource::Task(task) => Some(task),
            WakeSource::Lane(task) | WakeSource::Abort(task) => task,
            WakeSource::Timer | WakeSource::Io | WakeSource::External => None,
        }
    }

    /// The source as one non-zero word: eight bits of kind above [`TaskId::BITS`] bits of task.
    pub const fn to_word(self) -> u64 {
        let kind: u64 = match self {
            WakeSource::Task(_) => 1,
            WakeSource::Timer => 2,
            WakeSource::Io => 3,
            WakeSource::External => 4,
            WakeSource::Lane(_) => 5,
            WakeSource::Abort(_) => 6,
        };
        let task = match self.task() {
            Some(task) => task.number(),
            None => 0,
        };
        kind << TaskId::BITS | task
    }

    /// The source that [`WakeSource::to_word`] made; `None` for a word it never makes.
    pub const fn from_word(word: u64) -> Option<WakeSource> {
        let task = TaskId::new(word & ((1 << TaskId::BITS) - 1));
        match (word >> TaskId::BITS, task) {
            (1, Some(task)) => Some(WakeSource::Task(task)),
            (2, None) => Some(WakeSource::Timer),
            (3, None) => Some(WakeSource::Io),
            (4, None) => Some(WakeSource::External),
            (5, task) => Some(WakeSource::Lane(task)),
            (6, task) => Some(WakeSource::Abort(task)),
            _ => None,
        }
    }
}

/// What a task waits for at a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// Data, a connection, or the end of the stream.
    Read,
    /// Room to write.
    Write,
}

/// A descriptor and the readiness that a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IoTarget {
    /// The descriptor's number in its process.
    pub fd: i32,
    /// The readiness.
    pub interest: Interest,
}

/// How a task failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// A panic, contained to the task.
    Panic,
    /// An abort, or the end of its scheduler.
    Cancelled,
    /// The task said so itself.
    Error,
}

impl FailureKind {
    /// The kind's name as the log prints it.
    pub const fn name(self) -> &'static str {
        match self {
            FailureKind::Panic => "panic",
            FailureKind::Cancelled => "cancelled",
            FailureKind::Error => "error",
        }
    }
}

/// Why a task failed: a kind, and a text in the log's arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Failure {
    /// How.
    pub kind: FailureKind,
    /// The panic message or error text, cut to a bound; empty when there is none.
    pub text: TextId,
}

/// The state that an event takes its task into.
///
/// `Yielded` and `Throttled` are ready like `Scheduled`; they are told apart because they say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum TaskState {
    /// Ready: spawned or woken.
    Scheduled = 1,
    /// On a worker.
    Running = 2,
    /// Ready: it was woken while it ran.
    Yielded = 3,
    /// Ready behind its peers: it used up its quantum.
    Throttled = 4,
    /// Waiting for a deadline.
    Sleeping = 5,
    /// Waiting for a descriptor.
    IoWait = 6,
    /// Waiting for another task to end.
    JoinWait = 7,
    /// Waiting for a lane's permit.
    LaneWait = 8,
    /// Waiting for something that claimed no reason.
    Waiting = 9,
    /// Ended with a value.
    Done = 10,
    /// Ended without one.
    Failed = 11,
}

impl TaskState {
    /// Every state, in the order of its number.
    pub const ALL: [TaskState; 11] = [
        TaskState::Scheduled,
        TaskState::Running,
        TaskState::Yielded,
        TaskState::Throttled,
        TaskState::Sleeping,
        TaskState::IoWait,
        TaskState::JoinWait,
        TaskState::LaneWait,
        TaskState::Waiting,
        TaskState::Done,
        TaskState::Failed,
    ];

    /// The state with this number, as the log stores it.
    pub const fn from_number(number: u8) -> Option<TaskState> {
        match number {
            1..=11 => Some(TaskState::ALL[number as usize - 1]),
            _ => None,
        }
    }

    /// The state's name in labels, spans and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            TaskState::Scheduled => "scheduled",
            TaskState::Running => "running",
            TaskState::Yielded => "yielded",
            TaskState::Throttled => "throttled",
            TaskState::Sleeping => "sleeping",
            TaskState::IoWait => "io_wait",
            TaskState::JoinWait => "join_wait",
            TaskState::LaneWait => "lane_wait",
            TaskState::Waiting => "waiting",
            TaskState::Done => "done",
            TaskState::Failed => "failed",
        }
    }

    /// Whether a worker may run the task next.
    pub const fn is_ready(self) -> bool {
        matches!(
            self,
            TaskState::Scheduled | TaskState::Yielded | TaskState::Throttled
        )
    }

    /// Whether the task needs a wake before it can run.
    pub const fn is_waiting(self) -> bool {
        matches!(
            self,
            TaskState::Sleeping
                | TaskState::IoWait
                | TaskState::JoinWait
                | TaskState::LaneWait
                | TaskState::Waiting
        )
    }

    /// Whether the task has ended.
    pub const fn is_end(self) -> bool {
        matches!(self, TaskState::Done | TaskState::Failed)
    }
}

/// One edge of a task's life, or of its scheduler's.
///
/// ```
/// use glasshouse_pal::{TaskEvent, TaskId, TaskState, WakeSource};
/// let tid = TaskId::new(3).expect("in range");
/// let event = TaskEvent::Wake { tid, by: WakeSource::Timer };
/// assert_eq!(event.tid(), Some(tid));
/// assert_eq!(event.state(), Some(TaskState::Scheduled));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskEvent {
    /// The task exists and is ready.
    Spawned {
        /// The task.
        tid: TaskId,
        /// The task that spawned it, where one did.
        parent: Option<TaskId>,
        /// Where it was spawned, and its name.
        site: SiteId,
    },
    /// A worker polls the task.
    Running {
        /// The task.
        tid: TaskId,
    },
    /// It came back ready.
    Yield {
        /// The task.
        tid: TaskId,
        /// Who woke it while it ran.
        by: WakeSource,
    },
    /// It came back ready with its quantum used up, and goes behind its peers.
    Throttled {
        /// The task.
        tid: TaskId,
        /// Who woke it while it ran.
        by: WakeSource,
    },
    /// It waits for a deadline.
    Sleep {
        /// The task.
        tid: TaskId,
        /// How long the deadline lay ahead when it was armed.
        dur: Duration,
    },
    /// It waits for a descriptor.
    IoWait {
        /// The task.
        tid: TaskId,
        /// The descriptor and the readiness.
        io: IoTarget,
    },
    /// It waits for another task to end.
    JoinWait {
        /// The task.
        tid: TaskId,
        /// The task that it waits for.
        on: TaskId,
    },
    /// It waits for a lane's permit.
    LaneWait {
        /// The task.
        tid: TaskId,
        /// The lane's name.
        lane: TextId,
    },
    /// It waits, and no reason was claimed.
    Wait {
        /// The task.
        tid: TaskId,
    },
    /// It became ready.
    Wake {
        /// The task.
        tid: TaskId,
        /// Who made it so.
        by: WakeSource,
    },
    /// It ended with a value.
    Done {
        /// The task.
        tid: TaskId,
    },
    /// It ended without a value.
    Failed {
        /// The task.
        tid: TaskId,
        /// Why.
        error: Failure,
    },
    /// A spawn was refused at the scheduler's capacity.
    SpawnDenied {
        /// The task that asked, where one did.
        parent: Option<TaskId>,
        /// Where it asked.
        site: SiteId,
        /// The capacity in tasks.
        capacity: u32,
    },
    /// The scheduler begins to shut down.
    ShutdownBegin {
        /// How long it may take.
        timeout: Duration,
    },
    /// The scheduler has shut down.
    ShutdownComplete {
        /// Whether every task ended by itself within the time.
        clean: bool,
    },
    /// A tick is longer than the watchdog allows, and still runs.
    Stalled {
        /// The task that holds the worker.
        tid: TaskId,
        /// The worker's number.
        worker: u16,
        /// How long the tick has lasted.
        busy: Duration,
    },
}

impl TaskEvent {
    /// The task that the event is about; `None` for the scheduler's own events.
    pub const fn tid(&self) -> Option<TaskId> {
        match *self {
            TaskEvent::Spawned { tid, .. }
            | TaskEvent::Running { tid }
            | TaskEvent::Yield { tid, .. }
            | TaskEvent::Throttled { tid, .. }
            | TaskEvent::Sleep { tid, .. }
            | TaskEvent::IoWait { tid, .. }
            | TaskEvent::JoinWait { tid, .. }
            | TaskEvent::LaneWait { tid, .. }
            | TaskEvent::Wait { tid }
            | TaskEvent::Wake { tid, .. }
            | TaskEvent::Done { tid }
            | TaskEvent::Failed { tid, .. }
            | TaskEvent::Stalled { tid, .. } => Some(tid),
            TaskEvent::SpawnDenied { .. }
            | TaskEvent::ShutdownBegin { .. }
            | TaskEvent::ShutdownComplete { .. } => None,
        }
    }

    /// The state that the event takes its task into; `None` where it is no transition.
    pub const fn state(&self) -> Option<TaskState> {
        match self {
            TaskEvent::Spawned { .. } | TaskEvent::Wake { .. } => Some(TaskState::Scheduled),
            TaskEvent::Running { .. } => Some(TaskState::Running),
            TaskEvent::Yield { .. } => Some(TaskState::Yielded),
            TaskEvent::Throttled { .. } => Some(TaskState::Throttled),
            TaskEvent::Sleep { .. } => Some(TaskState::Sleeping),
            TaskEvent::IoWait { .. } => Some(TaskState::IoWait),
            TaskEvent::JoinWait { .. } => Some(TaskState::JoinWait),
            TaskEvent::LaneWait { .. } => Some(TaskState::LaneWait),
            TaskEvent::Wait { .. } => Some(TaskState::Waiting),
            TaskEvent::Done { .. } => Some(TaskState::Done),
            TaskEvent::Failed { .. } => Some(TaskState::Failed),
            TaskEvent::SpawnDenied { .. }
            | TaskEvent::ShutdownBegin { .. }
            | TaskEvent::ShutdownComplete { .. }
            | TaskEvent::Stalled { .. } => None,
        }
    }
}
