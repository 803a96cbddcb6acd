//! Owns the comparison of the task table with the records.

use super::missing::{self, ROUND, ROUND_POLLS};
use super::{Finding, Judge, Rest};
use crate::automaton;
use crate::id::TaskId;
use crate::lives::{Life, Lives};
use crate::loss::LossCause;
use crate::reader::{Log, Loss};
use crate::slot::TaskRow;
use crate::state::TaskState;
use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt::Display;

pub(super) fn judge(judge: &mut Judge, log: &Log, lives: &Lives, loss: &Loss) {
    if !judge.report.rest.is_compared() {
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
    judge_without_row(judge, lives, loss, &listed);
}

/// A task without a row is one that has ended, or that found no room in the table, or whose end could not be written.
fn judge_without_row(judge: &mut Judge, lives: &Lives, loss: &Loss, listed: &HashSet<TaskId>) {
    let without_row = lives.iter().filter(|(tid, life)| {
        !life.state.is_end() && !judge.told.contains(tid) && !listed.contains(tid)
    });
    let to_end = |life: &Life| missing::to(Some(life.state), 0, TaskState::is_end);
    let mut without_row: Vec<(u64, TaskId)> = without_row
        .map(|(tid, life)| (to_end(life).unwrap_or(u64::MAX), tid))
        .collect();
    // Those whose end is furthest found no room: so it takes the fewest records. Of equals in an order of which the
    // same log says the same each time.
    without_row.sort_unstable_by_key(|(missing, tid)| (Reverse(*missing), *tid));
    let excused = usize::try_from(loss.unwritten(LossCause::TableFull)).unwrap_or(usize::MAX);
    for (missing, tid) in without_row.into_iter().skip(excused) {
        if !judge.excuse_unwritten(missing) {
            let what = "it has not ended by its records, and has no row in the task table";
            judge.report.find(Finding::Missing { tid, what });
        }
    }
}

/// A row of a task that no record speaks of.
fn judge_unseen(judge: &mut Judge, row: &TaskRow) {
    let is_on_its_way =
        judge.report.rest == Rest::Stopped && row.state == Some(TaskState::Scheduled);
    if judge.report.horizon.is_some() {
        return;
    }
    if is_on_its_way && row.polls == 0 {
        judge.report.half_done += 1;
        return;
    }
    let lived = row
        .state
        .and_then(|state| missing::to(None, u64::from(row.polls), |reached| reached == state));
    if lived.is_some_and(|missing| judge.excuse_unwritten(missing)) {
        return;
    }
    judge.report.find(Finding::Missing {
        tid: row.id,
        what: "it has a row in the task table, and no record speaks of it",
    });
}

fn judge_row(judge: &mut Judge, row: &TaskRow, life: &Life) {
    if judge.told.contains(&row.id) {
        // Its sums are short of what is missing.
        return;
    }
    // A life that lacks records is not compared so closely.
    let is_whole = life.faults == 0;
    if is_ahead(judge, row, life) || is_whole && is_being_counted(judge, row, life) {
        return;
    }
    let is_further = is_further(judge, row, life);
    let lacks_rounds = lacks_rounds(judge, row, life);
    let lacks_records = is_further || lacks_rounds || !is_whole;
    let is_half_done = lacks_records && judge.report.rest == Rest::Stopped;
    let mut compare = Compare { judge, tid: row.id };
    if !is_further {
        let state = row.state.map_or("unknown", TaskState::name);
        compare.equal("its state is", state, life.state.name());
        compare.equal("it is in that state since", row.since, life.since);
    }
    let times = [
        ("it ran, in clock ticks,", row.run_ticks, life.run_ticks),
        (
            "it waited, in clock ticks,",
            row.wait_ticks,
            life.wait_total_ticks(),
        ),
        (
            "it was ready, in clock ticks,",
            row.ready_ticks,
            life.ready_ticks,
        ),
    ];
    let Some(site) = life.site else {
        // Seen in mid-life: the row knows more.
        return compare.times_at_least(lacks_rounds, times);
    };
    compare.equal("its spawn site is", row.site.0, site.0);
    compare.equal("its parent is", number(row.parent), number(life.parent));
    if lacks_records {
        compare.times_at_least(lacks_rounds, times);
    } else {
        for (what, row, records) in times {
            compare.equal(what, row, records);
        }
        let polls = life.polls.min(u64::from(u32::MAX));
        compare.equal("it was polled", u64::from(row.polls), polls);
    }
    if !is_half_done {
        compare.sum(row, row.since.saturating_sub(life.first));
    }
}

/// Whether the row has gone on from the records, by what could not be written.
fn is_further(judge: &mut Judge, row: &TaskRow, life: &Life) -> bool {
    let Some(state) = row.state else {
        return false;
    };
    if (state, row.since) == (life.state, life.since) || row.since < life.since {
        return false;
    }
    // Of a life that lacks records, or its beginning, it is not known how many polls this is short of.
    let polls = match life.site.is_some() && life.faults == 0 {
        true => u64::from(row.polls).saturating_sub(life.polls),
        false => 0,
    };
    missing::to(Some(life.state), polls, |reached| reached == state)
        .is_some_and(|missing| judge.excuse_unwritten(missing))
}

/// Whether so many records can be missing that the count of transitions came round to where it was: then the
/// task did something else in the meantime than its records seem to say.
fn lacks_rounds(judge: &mut Judge, row: &TaskRow, life: &Life) -> bool {
    let polls = u64::from(row.polls).saturating_sub(life.polls);
    if !judge.may_lack_rounds || polls < ROUND_POLLS {
        return false;
    }
    // Where records were seen to be missing, these are among them; where the beginning is, nobody knows.
    let is_counted = life.faults > 0 || life.site.is_none();
    is_counted || judge.excuse_unwritten(ROUND.max(2 * polls - 1))
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
    judge.excuse_half_done_record()
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
        state
            if state.is_ready()
                && (run, wait) == (0, 0)
                && (ready, polls) != (0, 0)
                && polls <= 1 =>
        {
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

    /// The times are not shorter than the records say, but where these seem to say what was not.
    fn times_at_least(&mut self, lacks_rounds: bool, times: [(&'static str, u64, u64); 3]) {
        if !lacks_rounds {
            for (what, row, records) in times {
                self.at_least(what, row, records);
            }
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
