//! Owns the judgement of a log: whether its records, its task table and its counts tell one story.
//!
//! Checked are, for every task: that its records obey the [`automaton`](crate::automaton), that none is
//! missing, that its stamps never decrease, that its row in the task table says what they say, and that
//! the row's run, wait and ready delay add up to its life; for every ring: that its header counted what
//! is in it. From records alone the three always add up: each stretch ends where the next begins.
//!
//! Where the rings have wrapped, tasks are judged from the horizon on. How strict the rest is follows
//! from [`Rest`]: a process that was killed, or still runs, may have left each ring's last step half
//! done, and no more than that.
//!
//! Where the writer counted events that it could not write, records may be missing: as many as it counted in all, where
//! what is missing is the fewest that can lead from what is there to what follows. What no missing record can
//! explain is found all the same: a life after an end, a second spawn, a stamp that goes back, a row that contradicts
//! itself.

mod finding;
mod missing;
mod rest;
mod rings;
mod rows;

pub use finding::Finding;
pub use rest::Rest;

use crate::automaton::Violation;
use crate::domain::Event;
use crate::event::TaskEvent;
use crate::id::TaskId;
use crate::lives::{Fault, Lives, Step};
use crate::loss::LossCause;
use crate::reader::{Entry, Log, Loss, RingInfo};
use crate::state::TaskState;
use rings::Counts;
use std::collections::HashSet;

/// The findings that a report keeps; further ones are only counted.
pub const FINDINGS_MAX: usize = 1000;

/// What [`verify`] has found.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, SiteId, TaskEvent, TaskId, verify};
/// let pal = Pal::memory();
/// let tid = TaskId::new(1).expect("in range");
/// let ring = pal.lease(RingOwner::Worker(0));
/// ring.write(10, 0, &TaskEvent::Spawned { tid, parent: None, site: SiteId(0) });
/// ring.write(12, 1, &TaskEvent::Running { tid });
/// ring.write(19, 2, &TaskEvent::Done { tid });
/// drop(ring);
/// let report = verify::verify(&pal.log());
/// assert!(report.holds(), "{:?}", report.findings);
/// assert_eq!((report.tasks, report.records), (1, 3));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether the log was at rest, and so how strictly it could be judged.
    pub rest: Rest,
    /// The stamp from which on tasks were judged; `None` for their whole lives.
    pub horizon: Option<u64>,
    /// Events that were read.
    pub records: u64,
    /// Tasks that these speak of.
    pub tasks: u64,
    /// Those of them that have ended.
    pub ended: u64,
    /// Rows of the task table that were compared with the records.
    pub rows: u64,
    /// Rings whose counts were compared with the records.
    pub rings: u64,
    /// Steps that were half done when the process was killed or the log was read: nothing is wrong.
    pub half_done: u64,
    /// Missing records that the log's own count of unwritten events accounts for.
    pub unwritten: u64,
    /// What does not hold, at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// How many things do not hold.
    pub findings_total: u64,
}

impl Report {
    fn new(rest: Rest, horizon: Option<u64>) -> Report {
        Report {
            rest,
            horizon,
            records: 0,
            tasks: 0,
            ended: 0,
            rows: 0,
            rings: 0,
            half_done: 0,
            unwritten: 0,
            findings: Vec::new(),
            findings_total: 0,
        }
    }

    /// Whether everything that was checked holds.
    pub fn holds(&self) -> bool {
        self.findings_total == 0
    }

    fn find(&mut self, finding: Finding) {
        self.findings_total += 1;
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

/// Judges a log by its own words. Never fails: what cannot be read is a finding.
pub fn verify(log: &Log) -> Report {
    let rings = log.rings();
    let loss = log.loss();
    let mut judge = Judge::new(log, &rings, &loss);
    let rest = judge.report.rest;
    let mut lives = match rest {
        // Nobody compares them with a task table, and there may be any number of them.
        Rest::Spilled => log.lives().giving_up_ended(),
        _ => log.lives(),
    };
    let mut counts = Counts::default();
    for entry in log.records() {
        judge.report.records += 1;
        if rest.is_compared() {
            counts.add(&entry);
        }
        if let Event::Task(event) = &entry.event
            && let Some(step) = lives.feed(entry.stamp, entry.aux, event)
        {
            judge.step(&entry, &step);
        }
    }
    judge.lives(&lives);
    let loss = match rest {
        // What of segments cannot be read shows when it is.
        Rest::Spilled => log.loss(),
        _ => loss,
    };
    rings::judge(&mut judge, &counts, &loss, &rings);
    rows::judge(&mut judge, log, &lives, &loss);
    judge.report
}

/// A report in the making, with what may still be excused.
struct Judge {
    report: Report,
    /// Steps that may still turn out to be half done.
    half_done_left: u64,
    /// Records that may still be missing because the writer says that it could not write them.
    unwritten_left: u64,
    /// So many may be missing that the count of a task's transitions cannot show it.
    may_lack_rounds: bool,
    /// Half-done steps that a record which could not be written explains as well.
    half_done_records: u64,
    /// The tasks whose records were found at fault; none where they are compared with no rows, for there may be any number
    /// of them.
    told: HashSet<TaskId>,
}

impl Judge {
    fn new(log: &Log, rings: &[RingInfo], loss: &Loss) -> Judge {
        let rest = Rest::of(log, rings);
        let unwritten = loss.unwritten_events();
        let half_done_max = rest.half_done_max(rings);
        Judge {
            report: Report::new(rest, log.horizon()),
            // A thread without a ring dies in the midst of a step, too, before that is counted.
            half_done_left: half_done_max + loss.unwritten(LossCause::NoRing).min(half_done_max),
            unwritten_left: unwritten,
            may_lack_rounds: unwritten >= missing::ROUND,
            half_done_records: 0,
            told: HashSet::new(),
        }
    }

    fn step(&mut self, entry: &Entry, step: &Step<'_>) {
        let Some(fault) = step.fault else { return };
        if self.excuses(fault, entry, step) {
            return;
        }
        if self.report.rest.is_compared() {
            self.told.insert(step.tid);
        }
        self.report.find(Finding::Record {
            tid: step.tid,
            ring: entry.ring,
            seq: entry.seq,
            fault,
        });
    }

    fn excuses(&mut self, fault: Fault, entry: &Entry, step: &Step<'_>) -> bool {
        let modulo = match fault {
            Fault::Gap { expected, found } => found.wrapping_sub(expected),
            Fault::Rule(Violation::AfterEnd { .. }) => return false,
            // As many are missing as the record counts, or by its count none.
            Fault::Rule(_) if step.before.is_none() => entry.aux,
            Fault::Rule(_) => 0,
            Fault::Disorder { .. } | Fault::Backwards { .. } => return false,
        };
        // A worker publishes that a task has left it before it writes so: of all records this one can
        // come after those that follow it, and only so many workers can be between the two.
        if modulo == 1 && step.before == Some(TaskState::Running) && self.excuse_half_done_record()
        {
            return true;
        }
        // Nothing comes before a spawn.
        if matches!(entry.event, Event::Task(TaskEvent::Spawned { .. })) {
            return false;
        }
        missing::between(step.before, modulo, step.life.state)
            .is_some_and(|missing| self.excuse_unwritten(missing))
    }

    /// The same for a step of which but the record is missing.
    fn excuse_half_done_record(&mut self) -> bool {
        let is_excused = self.excuse_half_done();
        self.half_done_records += u64::from(is_excused);
        is_excused
    }

    fn excuse_half_done(&mut self) -> bool {
        if self.half_done_left == 0 && self.half_done_records > 0 && self.excuse_unwritten(1) {
            self.half_done_records -= 1;
            self.half_done_left += 1;
            self.report.half_done -= 1;
        }
        let is_excused = self.half_done_left > 0;
        if is_excused {
            self.half_done_left -= 1;
            self.report.half_done += 1;
        }
        is_excused
    }

    /// Whether the writer says that it could not write as many more records as are missing here.
    fn excuse_unwritten(&mut self, missing: u64) -> bool {
        let is_excused = missing <= self.unwritten_left;
        if is_excused {
            self.unwritten_left -= missing;
            self.report.unwritten += missing;
        }
        is_excused
    }

    fn lives(&mut self, lives: &Lives) {
        self.report.tasks += lives.given_up() + lives.given_up_unseen();
        self.report.ended += lives.given_up();
        for (_, life) in lives.iter() {
            self.report.tasks += 1;
            self.report.ended += u64::from(life.state.is_end());
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
