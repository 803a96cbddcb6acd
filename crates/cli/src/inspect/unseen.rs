//! Owns which tasks have ended although no record says so.

use foldhash::HashSet;
use glasshouse_pal::reader::Log;
use glasshouse_pal::{LossCause, TaskId};

/// What is said of a task that has ended, and no record says how.
pub const ENDED_UNSEEN: &str =
    "it has ended by the task table: its last records found no ring, and how long it lived is lost";
/// What is said behind the state in which a row of the task table was noted before a gap.
pub const BEFORE_GAP: &str =
    "how it went on is not in the log: a gap lies behind what was noted of it";

/// The tasks that had not ended by the task table, where records may be missing that say so of others: in the log of a
/// process that has ended, when events found no ring. `None` where nothing was left out, or the table cannot tell.
pub fn living(log: &Log) -> Option<HashSet<TaskId>> {
    let loss = log.loss();
    let is_short = loss.unwritten_events() > 0;
    let has_all = loss.unwritten(LossCause::TableFull) == 0;
    (is_short && has_all && !log.is_alive() && !log.is_segments())
        .then(|| log.tasks().map(|row| row.id).collect())
}

/// Whether a task that has not ended by its records has ended by the task table.
pub fn ended_unseen(log: &Log, task: TaskId) -> bool {
    living(log).is_some_and(|living| !living.contains(&task))
}
