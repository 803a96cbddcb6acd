//! Owns the words for what does not hold in a log.

use crate::id::TaskId;
use crate::lives::Fault;
use crate::reader::RingId;

/// One thing that does not hold, with its place.
///
/// ```
/// use glasshouse_pal::{reader::RingId, verify::Finding};
/// let finding = Finding::Unreadable { records: 3 };
/// assert_eq!(finding.to_string(), "3 records make no sense");
/// assert_eq!(finding.name(), "unreadable");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A record does not follow the one before it in its task's life.
    #[error("task {tid}, record {seq} of ring {ring}: {fault}")]
    Record {
        /// The task.
        tid: TaskId,
        /// The ring that the record is in.
        ring: RingId,
        /// Its sequence number there.
        seq: u64,
        /// Why it does not follow.
        fault: Fault,
    },
    /// The times in a task's row do not add up to its life.
    #[error(
        "task {tid}: in the task table run {run_ticks} + wait {wait_ticks} + ready {ready_ticks} is not its life of \
         {life_ticks} clock ticks"
    )]
    Sum {
        /// The task.
        tid: TaskId,
        /// Time on a worker.
        run_ticks: u64,
        /// Time waiting.
        wait_ticks: u64,
        /// Time ready and not on a worker.
        ready_ticks: u64,
        /// From its spawn to its last transition.
        life_ticks: u64,
    },
    /// A task's row in the task table and its records disagree.
    #[error("task {tid}: the task table says {what} {row}, its records {records}")]
    Row {
        /// The task.
        tid: TaskId,
        /// What they disagree about.
        what: &'static str,
        /// What the row says.
        row: String,
        /// What the records say.
        records: String,
    },
    /// A task that has not ended by its records has no row in the task table, or the other way round.
    #[error("task {tid}: {what}")]
    Missing {
        /// The task.
        tid: TaskId,
        /// What there is and what is missing.
        what: &'static str,
    },
    /// A ring's header counted another number of events of a kind than there are.
    #[error("ring {ring}: its header counted {counted} events of kind {kind}, {found} are there")]
    Count {
        /// The ring.
        ring: RingId,
        /// The record kind.
        kind: u8,
        /// What the header says.
        counted: u64,
        /// What the ring holds.
        found: u64,
    },
    /// A ring's header and its newest record disagree.
    #[error("ring {ring}: its header ends at record {head}, its newest record is {newest}")]
    Head {
        /// The ring.
        ring: RingId,
        /// The newest record by the header.
        head: u64,
        /// The newest record that is there.
        newest: u64,
    },
    /// Records are missing that nothing has overwritten.
    #[error("ring {ring}: {records} records are missing among those that it should hold")]
    Hole {
        /// The ring.
        ring: RingId,
        /// How many.
        records: u64,
    },
    /// Records that are whole and make no sense.
    #[error("{records} records make no sense")]
    Unreadable {
        /// How many.
        records: u64,
    },
    /// Records that a segment should hold, and that could not be read.
    #[error("segment {segment}: {records} records cannot be read")]
    Unread {
        /// The segment's number.
        segment: u64,
        /// How many.
        records: u64,
    },
    /// Rings whose place in the file makes no sense.
    #[error("{rings} rings cannot be read")]
    Rings {
        /// How many.
        rings: u64,
    },
}

impl Finding {
    /// The finding's name in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Finding::Record { .. } => "record",
            Finding::Sum { .. } => "sum",
            Finding::Row { .. } => "row",
            Finding::Missing { .. } => "missing",
            Finding::Count { .. } => "count",
            Finding::Head { .. } => "head",
            Finding::Hole { .. } => "hole",
            Finding::Unreadable { .. } => "unreadable",
            Finding::Unread { .. } => "unread",
            Finding::Rings { .. } => "rings",
        }
    }

    /// The task that it is about, where it is about one.
    pub const fn task(&self) -> Option<TaskId> {
        match *self {
            Finding::Record { tid, .. }
            | Finding::Sum { tid, .. }
            | Finding::Row { tid, .. }
            | Finding::Missing { tid, .. } => Some(tid),
            _ => None,
        }
    }
}
