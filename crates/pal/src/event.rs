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

use crate::cause::{Failure, IoTarget, WakeSource};
use crate::format::codec::encode;
use crate::format::kind::BUILT_IN;
use crate::id::TaskId;
use crate::state::TaskState;
use crate::text_id::{SiteId, TextId};
use std::time::Duration;

/// One edge of a task's life, or of its scheduler's.
///
/// ```
/// use glasshouse_pal::{TaskEvent, TaskId, TaskState, WakeSource};
/// let tid = TaskId::new(3).expect("in range");
/// let event = TaskEvent::Wake { tid, by: WakeSource::Timer };
/// assert_eq!(event.name(), "wake");
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
        /// Ready tasks in that worker's queues.
        queued: u32,
        /// Workers that do not stall themselves, and so can serve what this one holds up; none where it is
        /// the only worker.
        others: u16,
    },
}

impl TaskEvent {
    /// The event's name in snake_case, as the log's schema has it.
    pub fn name(&self) -> &'static str {
        let kind = encode(self).kind;
        let built_in = BUILT_IN.iter().find(|built_in| built_in.kind == kind);
        // Every kind that an event becomes is described there.
        built_in.map_or("unknown", |built_in| built_in.name)
    }

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
