//! Owns the comparison of the task table with the records.

use super::{Finding, Judge, Rest};
use crate::automaton;
use crate::id::TaskId;
use crate::lives::{Life, Lives};
use crate::loss::LossCause;
use crate::reader::{Log, Loss};
use crate::slot::TaskRow;
use crate::state::TaskState;
use std::collections::HashSet;
use std::fmt::Display;

pub(super) fn judge(judge: &mut Judge, log: &Log, lives: &Lives, loss: &Loss) {
    if matches!(judge.report.rest, Rest::Live | Rest::Spilled) {
        return;
    }
    let mut listed = HashSet::new();
    for row in log.tasks() {
        judge.report.rows += 1;
        listed.insert(row.id);
        match lives.of(row.id) {
            Some(life) => judge_row(judge, &row, life),
            None => judge_unseen(judge, &row),
        }
    }
    // A task without a row is one that has ended, or that found the table full.
    let without_row = lives
        .iter()
        .filter(|(tid, life)| !life.state.is_end() && life.faults == 0 && !listed.contains(tid));
    let mut without_row: Vec<TaskId> = without_row.map(|(tid, _)| tid).collect();
    // In an order of which the same log says the same each time.
    without_row.sort_unstable();
    let excused = usize::try_from(loss.unwritten(LossCause::TableFull)).unwrap_or(usize::MAX);
    for tid in without_row.into_iter().skip(excused) {
        let what = "it has not ended by its records, and has no row in the task table";
        judge.report.find(Finding::Missing { tid, what });
    }
}

/// A row of a task that no record speaks of.
fn judge_unseen(judge: &mut Judge, row: &TaskRow) {
    let is_on_its_way =
        judge.report.rest == Rest::Stopped && row.state == Some(TaskState::Scheduled);
    if judge.report.horizon.is_some() || judge.report.unwritten > 0 {
        return;
    }
    if is_on_its_way && row.polls == 0 {
        judge.report.half_done += 1;
        return;
    }
    judge.report.find(Finding::Missing {
        tid: row.id,
        what: "it has a row in the task table, and no record speaks of it",
    });
}

fn judge_row(judge: &mut Judge, row: &TaskRow, life: &Life) {
    if life.faults > 0 || judge.report.unwritten > 0 {
        // Told already; its sums are short of what is missing.
        return;
    }
    if is_ahead(judge, row, life) || is_being_counted(judge, row, life) {
        return;
    }
    let mut compare = Compare { judge, tid: row.id };
    let state = row.state.map_or("unknown", TaskState::name);
    compare.equal("its state is", state, life.state.name());
    compare.equal("it is in that state since", row.since, life.since);
    let [run, wait, ready] = [row.run_ticks, row.wait_ticks, row.ready_ticks];
    let polls = u64::from(row.polls);
    if let Some(site) = life.site {
        compare.equal("its spawn site is", row.site.0, site.0);
        compare.equal("its parent is", number(row.parent), number(life.parent));
        compare.equal("it ran, in clock ticks,", run, life.run_ticks);
        compare.equal("it waited, in clock ticks,", wait, life.wait_total_ticks());
        compare.equal("it was ready, in clock ticks,", ready, life.ready_ticks);
        compare.equal("it was polled", polls, life.polls.min(u64::from(u32::MAX)));
        compare.sum(row, row.since.saturating_sub(life.first));
    } else {
        // Seen in mid-life: the row knows more.
        compare.at_least("it ran, in clock ticks,", run, life.run_ticks);
        compare.at_least("it waited, in clock ticks,", wait, life.wait_total_ticks());
        compare.at_least("it was ready, in clock ticks,", ready, life.ready_ticks);
    }
}

/// Whether the row is one step ahead of the records, as a killed process may have left it: the row is
/// written first. Who wakes a task from outside leaves the record to a worker altogether.
fn is_ahead(judge: &mut Judge, row: &TaskRow, life: &Life) -> bool {
    if judge.report.rest != Rest::Stopped
        || (row.state, row.since) == (Some(life.state), life.since)
    {
        return false;
    }
    let Some(entered) = row.state else {
        return false;
    };
    if row.since < life.since || automaton::follow(life.state, entered).is_err() {
        return false;
    }
    if entered == TaskState::Scheduled {
        judge.report.half_done += 1;
        return true;
    }
    judge.excuse_half_done()
}

/// Whether the row's counts, and they alone, are one step ahead of the records: the time in the state that a
/// task leaves is added, and a poll counted, before the state changes.
fn is_being_counted(judge: &mut Judge, row: &TaskRow, life: &Life) -> bool {
    if judge.report.rest != Rest::Stopped
        || (row.state, row.since) != (Some(life.state), life.since)
    {
        return false;
    }
    let run = row.run_ticks.checked_sub(life.run_ticks);
    let wait = row.wait_ticks.checked_sub(life.wait_total_ticks());
    let ready = row.ready_ticks.checked_sub(life.ready_ticks);
    let polls = u64::from(row.polls).checked_sub(life.polls);
    let (Some(run), Some(wait), Some(ready), Some(polls)) = (run, wait, ready, polls) else {
        return false;
    };
    match life.state {
        TaskState::Running if run > 0 && (wait, ready, polls) == (0, 0, 0) => {
            judge.excuse_half_done()
        }
        state if state.is_ready() && (run, wait) == (0, 0) && ready + polls > 0 && polls <= 1 => {
            judge.excuse_half_done()
        }
        // Who wakes it may own no ring.
        state if state.is_waiting() && wait > 0 && (run, ready, polls) == (0, 0, 0) => {
            judge.report.half_done += 1;
            true
        }
        _ => false,
    }
}

struct Compare<'a> {
    judge: &'a mut Judge,
    tid: TaskId,
}

impl Compare<'_> {
    fn equal<T: PartialEq + Display>(&mut self, what: &'static str, row: T, records: T) {
        if row != records {
            self.disagree(what, row, records);
        }
    }

    fn sum(&mut self, row: &TaskRow, life_ticks: u64) {
        let parts = [row.run_ticks, row.wait_ticks, row.ready_ticks];
        if parts.iter().map(|part| u128::from(*part)).sum::<u128>() != u128::from(life_ticks) {
            let [run_ticks, wait_ticks, ready_ticks] = parts;
            self.judge.report.find(Finding::Sum {
                tid: self.tid,
                run_ticks,
                wait_ticks,
                ready_ticks,
                life_ticks,
            });
        }
    }

    fn at_least(&mut self, what: &'static str, row: u64, records: u64) {
        if row < records {
            self.disagree(what, row, records);
        }
    }

    fn disagree(&mut self, what: &'static str, row: impl Display, records: impl Display) {
        self.judge.report.find(Finding::Row {
            tid: self.tid,
            what,
            row: row.to_string(),
            records: records.to_string(),
        });
    }
}

fn number(task: Option<TaskId>) -> u64 {
    task.map_or(0, TaskId::number)
}
