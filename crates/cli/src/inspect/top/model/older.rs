//! Owns what the task table knows of tasks that are older than the records: what they did before the first of
//! them, and that those which no record speaks of were where they are all along.

use super::moment::Task;
use glasshouse_pal::lives::{Life, Lives, Step};
use glasshouse_pal::{SiteId, TaskId, TaskRow};
use std::collections::{HashMap, HashSet};

/// The task table as it was read before the records were, and what follows from both.
#[derive(Debug, Default)]
pub struct Older {
    /// Rows that no record was held against yet.
    rows: HashMap<TaskId, TaskRow>,
    /// What tasks had done before their first record.
    before: HashMap<TaskId, Before>,
    /// Every task that had a row.
    alive: HashSet<TaskId>,
}

/// What a task had done before its first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Before {
    site: SiteId,
    parent: Option<TaskId>,
    polls: u64,
    run: u64,
    wait: u64,
    ready: u64,
}

impl Older {
    /// From the task table, read before the records that are fed to `learn`.
    pub fn new(rows: impl Iterator<Item = TaskRow>) -> Older {
        let rows: HashMap<TaskId, TaskRow> = rows.map(|row| (row.id, row)).collect();
        Older {
            alive: rows.keys().copied().collect(),
            before: HashMap::new(),
            rows,
        }
    }

    /// Takes in what a record did to its task's life. To be shown every record, once.
    pub fn learn(&mut self, step: &Step<'_>) {
        let Some(row) = self.rows.get(&step.tid) else {
            return;
        };
        let life = step.life;
        if life.site.is_some() {
            // Its records tell all of it.
            self.rows.remove(&step.tid);
        } else if life.since == row.since && Some(life.state) == row.state {
            // The row is as of this record: the difference lies before the first.
            let before = Before::between(&whole(row), life);
            self.before.insert(step.tid, before);
            self.rows.remove(&step.tid);
        } else if step.before.is_none() && life.since > row.since {
            // The row is as of the transition before the first record.
            let before = Before::between(&Task::of_row(row, life.since), life);
            self.before.insert(step.tid, before);
            self.rows.remove(&step.tid);
        } else if life.state.is_end() {
            // It fits no record, and is not to outlive them.
            self.rows.remove(&step.tid);
        }
    }

    /// Whether the task had not ended when the table was read.
    pub fn is_alive(&self, task: TaskId) -> bool {
        self.alive.contains(&task)
    }

    /// Adds to a task what it did before the first record of it.
    pub fn complete(&self, task: &mut Task) {
        if task.site.is_some() {
            return;
        }
        if let Some(before) = self.before.get(&task.id) {
            task.site = Some(before.site).filter(|site| *site != SiteId::UNKNOWN);
            task.parent = before.parent;
            task.polls = task.polls.saturating_add(before.polls);
            task.run = task.run.saturating_add(before.run);
            task.wait = task.wait.saturating_add(before.wait);
            task.ready = task.ready.saturating_add(before.ready);
        }
    }

    /// The tasks that had been in one state since before all records, as of a moment.
    pub fn unheard<'a>(&'a self, lives: &'a Lives, at: u64) -> impl Iterator<Item = Task> + 'a {
        let unheard = self.rows.values();
        let unheard = unheard.filter(move |row| row.since <= at && lives.of(row.id).is_none());
        unheard.map(move |row| Task::of_row(row, at))
    }
}

/// The row's sums as they were at its last transition.
fn whole(row: &TaskRow) -> Task {
    Task::of_row(row, row.since)
}

impl Before {
    /// What `task` had done that is not in the records of its life.
    fn between(task: &Task, life: &Life) -> Before {
        Before {
            site: task.site.unwrap_or(SiteId::UNKNOWN),
            parent: task.parent,
            polls: task.polls.saturating_sub(life.polls),
            run: task.run.saturating_sub(life.run_ticks),
            wait: task.wait.saturating_sub(life.wait_total_ticks()),
            ready: task.ready.saturating_sub(life.ready_ticks),
        }
    }
}
