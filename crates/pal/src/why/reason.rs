//! Owns what a task waits for.

use crate::{IoTarget, TaskEvent, TaskId, TaskState, TextId};
use std::time::Duration;

/// What a task waits for.
///
/// ```
/// use glasshouse_pal::{TaskId, TaskState, why::Reason};
/// assert_eq!(Reason::Join { on: Some(TaskId::MAX) }.state(), TaskState::JoinWait);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A deadline, which lay so far ahead when it began to wait.
    Deadline {
        /// `None` where only the task table tells of the wait.
        dur: Option<Duration>,
    },
    /// A descriptor.
    Descriptor {
        /// `None` where only the task table tells of the wait.
        io: Option<IoTarget>,
    },
    /// The end of another task; of a set of tasks it is one.
    Join {
        /// `None` where only the task table tells of the wait.
        on: Option<TaskId>,
    },
    /// A lane's permit.
    Lane {
        /// `None` where only the task table tells of the wait.
        lane: Option<TextId>,
    },
    /// The end of a blocking function, which has a thread of its own.
    Function,
    /// That somebody asks something of it: it serves others.
    Request,
    /// Something that the log has no name for: a channel, a lock, a function on another thread.
    Other,
}

impl Reason {
    /// The state of a task that waits so.
    pub const fn state(self) -> TaskState {
        match self {
            Reason::Deadline { .. } => TaskState::Sleeping,
            Reason::Descriptor { .. } => TaskState::IoWait,
            Reason::Join { .. } => TaskState::JoinWait,
            Reason::Lane { .. } => TaskState::LaneWait,
            Reason::Function | Reason::Request | Reason::Other => TaskState::Waiting,
        }
    }

    pub(super) fn of_event(event: &TaskEvent) -> Option<Reason> {
        Some(match *event {
            TaskEvent::Sleep { dur, .. } => Reason::Deadline { dur: Some(dur) },
            TaskEvent::IoWait { io, .. } => Reason::Descriptor { io: Some(io) },
            TaskEvent::JoinWait { on, .. } => Reason::Join { on: Some(on) },
            TaskEvent::LaneWait { lane, .. } => Reason::Lane { lane: Some(lane) },
            TaskEvent::Wait { .. } => Reason::Other,
            _ => return None,
        })
    }

    pub(super) fn of_state(state: TaskState) -> Option<Reason> {
        Some(match state {
            TaskState::Sleeping => Reason::Deadline { dur: None },
            TaskState::IoWait => Reason::Descriptor { io: None },
            TaskState::JoinWait => Reason::Join { on: None },
            TaskState::LaneWait => Reason::Lane { lane: None },
            TaskState::Waiting => Reason::Other,
            _ => return None,
        })
    }
}
