//! Owns the identity of a task: a number that is never used again within a process.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

/// The identity of a task. Never reused within a process; shown as its number.
///
/// ```
/// use glasshouse_pal::TaskId;
/// let id = TaskId::new(7).expect("seven is in range");
/// assert_eq!(id.to_string(), "7");
/// assert!(TaskId::new(0).is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(NonZeroU64);

impl TaskId {
    /// The bits a task's number may use: a record packs it with eight bits of cause.
    pub const BITS: u32 = 56;
    /// The largest number a task can have.
    pub const MAX: TaskId = match TaskId::new((1 << TaskId::BITS) - 1) {
        Some(id) => id,
        None => unreachable!(),
    };

    /// The id with this number; `None` for zero and for numbers of more than [`TaskId::BITS`] bits.
    pub const fn new(number: u64) -> Option<TaskId> {
        if number >> TaskId::BITS != 0 {
            return None;
        }
        match NonZeroU64::new(number) {
            Some(number) => Some(TaskId(number)),
            None => None,
        }
    }

    /// The number.
    pub const fn number(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskId({})", self.0)
    }
}

/// Hands out task numbers in blocks, so that workers need not meet at one cache line for each.
///
/// ```
/// use glasshouse_pal::IdSource;
/// let ids = IdSource::starting_at_one();
/// assert_eq!(ids.take(64), 1);
/// assert_eq!(ids.take(1), 65);
/// ```
#[derive(Debug)]
pub struct IdSource {
    next: AtomicU64,
}

static PROCESS: IdSource = IdSource::starting_at_one();

impl IdSource {
    /// A source of its own, as a deterministic scheduler and a memory log have it.
    pub const fn starting_at_one() -> IdSource {
        IdSource {
            next: AtomicU64::new(1),
        }
    }

    /// The source that every log of this process shares.
    pub fn process() -> &'static IdSource {
        &PROCESS
    }

    /// Takes `count` consecutive numbers and returns the first.
    pub fn take(&self, count: u64) -> u64 {
        // Relaxed: the numbers only need to differ; nothing else is published through them.
        self.next.fetch_add(count, Ordering::Relaxed)
    }
}
