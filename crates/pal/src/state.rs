//! Owns the states that a task's life is made of.

/// The state that an event takes its task into.
///
/// `Yielded` and `Throttled` are ready like `Scheduled`; they are told apart because they say why.
///
/// ```
/// use glasshouse_pal::TaskState;
/// assert!(TaskState::Throttled.is_ready());
/// assert!(TaskState::IoWait.is_waiting());
/// assert_eq!(TaskState::from_number(TaskState::Done as u8), Some(TaskState::Done));
/// ```
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
