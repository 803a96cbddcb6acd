//! Owns the causes that events carry: who woke a task, what it waits for, how it failed.

use crate::id::TaskId;
use crate::text_id::TextId;

/// Who made a task ready.
///
/// ```
/// use glasshouse_pal::{TaskId, WakeSource};
/// let by = WakeSource::Lane(TaskId::new(4));
/// assert_eq!((by.name(), by.task()), ("lane", TaskId::new(4)));
/// assert_eq!(WakeSource::from_word(by.to_word()), Some(by));
/// ```
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
///
/// ```
/// assert_eq!(glasshouse_pal::Interest::Write.name(), "write");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// Data, a connection, or the end of the stream.
    Read,
    /// Room to write.
    Write,
}

impl Interest {
    /// The readiness as the log prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Interest::Read => "read",
            Interest::Write => "write",
        }
    }
}

/// A descriptor and the readiness that a task waits for.
///
/// ```
/// use glasshouse_pal::{Interest, IoTarget, TaskEvent, TaskId};
/// let io = IoTarget { fd: 0, interest: Interest::Read };
/// let event = TaskEvent::IoWait { tid: TaskId::new(1).expect("in range"), io };
/// assert_eq!(event.name(), "io_wait");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IoTarget {
    /// The descriptor's number in its process.
    pub fd: i32,
    /// The readiness.
    pub interest: Interest,
}

/// How a task failed.
///
/// ```
/// assert_eq!(glasshouse_pal::FailureKind::Cancelled.name(), "cancelled");
/// ```
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
///
/// ```
/// use glasshouse_pal::{Failure, FailureKind, Pal};
/// let pal = Pal::memory();
/// let why = Failure { kind: FailureKind::Error, text: pal.text("no such file") };
/// assert_eq!(pal.log().text(why.text).as_deref(), Some("no such file"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Failure {
    /// How.
    pub kind: FailureKind,
    /// The panic message or error text, cut to a bound; empty when there is none.
    pub text: TextId,
}
