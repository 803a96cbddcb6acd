//! Owns which tasks have ended although no record says so.

use foldhash::HashSet;
use glasshouse_pal::reader::Log;
use glasshouse_pal::{LossCause, TaskId};

/// The tasks that had not ended by the task table, where records may be missing that say so of others: in the log of a
/// process that has ended, when events found no ring. `None` where nothing was left out, or the table cannot tell.
pub fn living(log: &Log) -> Option<HashSet<TaskId>> {
    let loss = log.loss();
    let is_short = loss.unwritten_events() > 0;
    let has_all = loss.unwritten(LossCause::TableFull) == 0;
    (is_short && has_all && !log.is_alive() && !log.is_segments())
        .then(|| log.tasks().map(|row| row.id).collect())
}
