//! Owns what one tick carries from its start to its record.
//!
//! ```text
//! start_tick ──► Tick ──poll_returned──► Tick ──leave──► Draft ──commit──► recorded
//!                                          │    ▲
//!                                          └────┘ leave again, as Yield, when a wake came in between
//! ```

use crate::spans::TickSpan;
use glasshouse_pal::{FailureKind, IoTarget, TaskEvent, TaskId, TaskState, TextId};
use std::cell::Cell;
use std::time::Duration;

/// A tick under way. Must be committed; dropped otherwise, its span closes without a state.
#[derive(Debug)]
#[must_use = "a tick ends with Worker::commit"]
pub struct Tick {
    pub(crate) tid: TaskId,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The number of the transition out of Running, once `leave` has made it.
    pub(crate) left: Cell<Option<u8>>,
    pub(crate) span: TickSpan,
}

impl Tick {
    /// The task that runs.
    pub fn tid(&self) -> TaskId {
        self.tid
    }

    /// When it began to run, in raw clock ticks.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// How long it ran, in raw clock ticks; zero before the poll has returned.
    pub fn run(&self) -> u64 {
        self.end - self.start
    }
}

/// What a task leaves Running for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// It was woken while it ran; by whom, its trace has noted.
    Yield,
    /// The same, and its quantum is used up.
    Throttled,
    /// It waits for a deadline.
    Sleep {
        /// How far ahead the deadline lay when it was armed.
        dur: Duration,
    },
    /// It waits for a descriptor.
    Io(IoTarget),
    /// It waits for another task to end.
    Join(TaskId),
    /// It waits for a lane's permit.
    Lane(TextId),
    /// It waits, and no reason was claimed.
    Wait,
    /// It ended with a value.
    Done,
    /// It ended without one.
    Failed {
        /// How.
        kind: FailureKind,
        /// The panic message or error text, as `Pal::text` interned it.
        text: TextId,
    },
}

/// A transition out of Running that is not recorded yet: all that its record needs.
#[derive(Clone, Copy, Debug)]
#[must_use = "a draft is recorded by Worker::commit"]
pub struct Draft {
    pub(crate) event: TaskEvent,
    pub(crate) state: TaskState,
    pub(crate) aux: u8,
}

impl Draft {
    /// The event that will be recorded.
    pub fn event(&self) -> TaskEvent {
        self.event
    }
}
