//! Owns the question whether anybody was in the middle of writing a log.

use crate::format::header::Lifecycle;
use crate::owner::WorkerState;
use crate::reader::{Log, RingInfo};

/// Whether a log was at rest, and so how much of it must agree.
///
/// ```
/// use glasshouse_pal::verify::Rest;
/// assert_eq!(Rest::Stopped.name(), "stopped");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rest {
    /// Nobody was writing: everything must agree.
    AtRest,
    /// The process ended while its workers ran, as by `kill -9`: each of them may have left one step
    /// half done, and tasks may have been on their way to a worker that would have recorded them.
    Stopped,
    /// It is in segments, which hold records and neither counts nor, but for those at the spiller's end, rows: only
    /// the records are judged.
    Spilled,
    /// It is being written: the task table and the counts have moved on since the records were read,
    /// and are not compared.
    Live,
}

impl Rest {
    /// The name as reports print it.
    pub const fn name(self) -> &'static str {
        match self {
            Rest::AtRest => "at_rest",
            Rest::Stopped => "stopped",
            Rest::Spilled => "spilled",
            Rest::Live => "live",
        }
    }

    pub(super) fn of(log: &Log, rings: &[RingInfo]) -> Rest {
        if log.is_segments() {
            return Rest::Spilled;
        }
        if rings.iter().all(|ring| !ring.is_leased) {
            return Rest::AtRest;
        }
        if log.is_alive() {
            return Rest::Live;
        }
        // At an orderly end a thread that lives as long as the process still holds its ring; it is
        // done with it unless it says that it runs a task.
        let is_in_tick =
            |ring: &RingInfo| ring.is_leased && ring.state == Some(WorkerState::Running);
        match log.lifecycle() {
            Lifecycle::CleanExit if !rings.iter().any(is_in_tick) => Rest::AtRest,
            _ => Rest::Stopped,
        }
    }

    /// Whether its task table and its counts are compared with the records.
    pub(super) fn is_compared(self) -> bool {
        matches!(self, Rest::AtRest | Rest::Stopped)
    }

    /// How many steps can be half done: one for each ring in use.
    pub(super) fn half_done_max(self, rings: &[RingInfo]) -> u64 {
        match self {
            Rest::AtRest | Rest::Spilled => 0,
            Rest::Stopped | Rest::Live => rings.iter().filter(|ring| ring.is_leased).count() as u64,
        }
    }
}
