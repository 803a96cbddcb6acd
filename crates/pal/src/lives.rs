//! Owns the fold of records into lives: what each task did with its time, and where a record does not fit.
//!
//! The records of one task must come in the order in which it lived them, as the reader gives them;
//! those of different tasks may come in any order. Stamps and sums are in ticks of the log's clock,
//! which turns them into nanoseconds.
//!
//! Where the rings have wrapped, a fold begins at the horizon: earlier records are left out, and a task
//! that is first seen in mid-life is taken as it is found and judged from there. What came late and is stamped within a
//! gap is left out too: what went on there beside it is not known.

mod ended;
mod gaps;
mod last_ended;
mod life;
mod rows;
mod store;

pub use last_ended::LastEnded;
pub use life::{Life, WAITS};

use crate::automaton::{self, Violation};
use crate::reader::Gap;
use crate::{SiteId, TaskEvent, TaskId, TaskState};
use ended::Ended;
use gaps::Gaps;
pub(crate) use store::Store;

/// Why a record does not follow the one before it in its task's life.
///
/// ```
/// use glasshouse_pal::lives::Fault;
/// let fault = Fault::Gap { expected: 7, found: 9 };
/// assert_eq!(fault.to_string(), "records are missing: transition 7 (modulo 256) was due, 9 is there");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The count of transitions leaves some out, or repeats.
    #[error("records are missing: transition {expected} (modulo 256) was due, {found} is there")]
    Gap {
        /// The count that was due.
        expected: u8,
        /// The count in the record.
        found: u8,
    },
    /// Its stamp puts it behind a later transition of the task.
    #[error(
        "its stamp puts it out of order: transition {expected} (modulo 256) was due, {found} is there"
    )]
    Disorder {
        /// The count that was due.
        expected: u8,
        /// The count in the record.
        found: u8,
    },
    /// The life of a task has no such edge.
    #[error(transparent)]
    Rule(#[from] Violation),
    /// Its stamp lies before that of the record before it.
    #[error("its stamp lies {by_ticks} clock ticks before that of the record before it")]
    Backwards {
        /// By how many clock ticks.
        by_ticks: u64,
    },
}

/// What one record did to its task's life.
///
/// ```
/// use glasshouse_pal::{lives::Lives, SiteId, TaskEvent, TaskId, TaskState};
/// let tid = TaskId::new(1).expect("in range");
/// let mut lives = Lives::whole();
/// lives.feed(5, 0, &TaskEvent::Spawned { tid, parent: None, site: SiteId(0) });
/// let step = lives.feed(9, 1, &TaskEvent::Running { tid }).expect("a transition");
/// assert_eq!(step.left, Some((TaskState::Scheduled, 4)));
/// assert_eq!(step.fault, None);
/// ```
#[derive(Debug)]
pub struct Step<'a> {
    /// The task.
    pub tid: TaskId,
    /// Its life with this record in it.
    pub life: &'a Life,
    /// The state that it was in by the record before; `None` where there was none.
    pub before: Option<TaskState>,
    /// The state that it left, and how many clock ticks it had been in it; `None` where that is not known.
    pub left: Option<(TaskState, u64)>,
    /// Why the record does not fit, if it does not.
    pub fault: Option<Fault>,
}

/// The lives of all tasks that the records fed so far speak of.
///
/// A record that does not fit is told once and then believed, so that one fault is one report.
///
/// ```
/// use glasshouse_pal::{lives::{Fault, Lives}, TaskEvent, TaskId};
/// let tid = TaskId::new(1).expect("in range");
/// let unborn = Lives::whole().feed(5, 0, &TaskEvent::Running { tid }).and_then(|step| step.fault);
/// assert!(matches!(unborn, Some(Fault::Rule(_))));
/// assert!(Lives::from_horizon(6).feed(5, 0, &TaskEvent::Running { tid }).is_none());
/// ```
#[derive(Debug)]
pub struct Lives {
    lives: Store<Life>,
    /// Records before it are left out; `None` where the log holds everything since its beginning.
    horizon: Option<u64>,
    gaps: Gaps,
    /// When the rows of the task table were noted; `None` where they are read as they are now.
    rows_noted: Option<u64>,
    /// Those that have ended, where their lives are given up.
    ended: Option<Ended>,
    /// The task that the last record ended, where its life is to be given up some day.
    last_end: Option<TaskId>,
    /// The most transitions that a record can be ahead of its task's last one. One further ahead is behind it.
    ahead_max: u8,
}

/// Half of what transitions are counted by.
const AHEAD_MAX: u8 = u8::MAX / 2;

impl Lives {
    /// For a log that has lost nothing: every life begins with its spawn.
    pub fn whole() -> Lives {
        Lives {
            lives: Store::default(),
            horizon: None,
            gaps: Gaps::default(),
            rows_noted: None,
            ended: None,
            last_end: None,
            ahead_max: AHEAD_MAX,
        }
    }

    /// For a log whose rings have wrapped: records stamped before `horizon` are left out, and a life
    /// may begin with any record.
    pub fn from_horizon(horizon: u64) -> Lives {
        Lives {
            lives: Store::default(),
            horizon: Some(horizon),
            gaps: Gaps::default(),
            rows_noted: None,
            ended: None,
            last_end: None,
            ahead_max: AHEAD_MAX,
        }
    }

    /// The same for a log that has gaps: a task's first record behind a gap is taken as it is found, and the time
    /// since its last one before is nobody's. A life that may have begun in a gap need not begin with its spawn. Records
    /// that came late and are stamped within a gap are left out.
    pub fn with_gaps(mut self, gaps: &[Gap]) -> Lives {
        self.gaps = Gaps::new(gaps);
        self
    }

    /// The same for a log whose writer could not write so many events: where a task's count of transitions has
    /// turned back, that many may be missing, and it may be ahead.
    ///
    /// ```
    /// use glasshouse_pal::{lives::{Fault, Lives}, TaskEvent, TaskId};
    /// let tid = TaskId::new(1).expect("in range");
    /// let mut lives = Lives::from_horizon(0).with_unwritten(200);
    /// lives.feed(5, 0, &TaskEvent::Running { tid });
    /// let fault = lives.feed(9, 201, &TaskEvent::Wait { tid }).and_then(|step| step.fault);
    /// assert_eq!(fault, Some(Fault::Gap { expected: 1, found: 201 }));
    /// ```
    pub fn with_unwritten(mut self, events: u64) -> Lives {
        self.ahead_max = u8::try_from(events).unwrap_or(u8::MAX).max(AHEAD_MAX);
        self
    }

    /// The same for who asks of tasks only as they live: those that have ended long before are given up, so that the
    /// memory goes with the tasks that live at a time, and not with all that ever did. So are those that were last seen
    /// before a gap, where there are many: most of them have ended in it.
    ///
    /// ```
    /// use glasshouse_pal::lives::Lives;
    /// assert_eq!(Lives::whole().giving_up_ended().given_up(), 0);
    /// ```
    pub fn giving_up_ended(mut self) -> Lives {
        self.ended = Some(Ended::default());
        self
    }

    /// How many tasks were given up: all of them had ended.
    pub fn given_up(&self) -> u64 {
        self.ended.as_ref().map_or(0, |ended| ended.count)
    }

    /// How many tasks were given up because a gap lay behind their last record, and were not seen again.
    ///
    /// ```
    /// use glasshouse_pal::lives::Lives;
    /// assert_eq!(Lives::whole().giving_up_ended().given_up_unseen(), 0);
    /// ```
    pub fn given_up_unseen(&self) -> u64 {
        self.ended.as_ref().map_or(0, |ended| ended.unseen_count)
    }

    /// Gives up the lives that may have ended in a gap.
    #[cold]
    fn give_up_unseen(&mut self) {
        let unseen = |life: &Life| !life.state.is_end() && !self.is_followed(life);
        let lives = self.iter();
        let unseen: Vec<(TaskId, SiteId)> = lives
            .filter(|(_, life)| unseen(life))
            .map(|(tid, life)| (tid, life.spawned_at().unwrap_or_default()))
            .collect();
        for (tid, _) in &unseen {
            self.forget(*tid);
        }
        let left = self.iter().count();
        if let Some(ended) = &mut self.ended {
            ended.give_up_unseen(&unseen, left);
        }
    }

    /// Gives up the life of a task that ended long before the one that ended last.
    fn give_up(&mut self) {
        let (Some(ended), Some(tid)) = (&mut self.ended, self.last_end.take()) else {
            return;
        };
        // One that went on after its end, against the rule, is judged on.
        if let Some(first) = ended.kept.push(tid)
            && let Some(end) = self.lives.get(first).map(|life| life.state)
            && end.is_end()
        {
            self.lives.remove(first);
            ended.give_up(first, end);
        }
    }

    /// Takes in the next record; `None` where it is no transition of a task, or lies before the horizon or in a gap.
    pub fn feed(&mut self, stamp: u64, aux: u8, event: &TaskEvent) -> Option<Step<'_>> {
        let (tid, entered) = (event.tid()?, event.state()?);
        if self.leaves_out(stamp) {
            return None;
        }
        self.give_up();
        let passed = self.gaps.passed_at(stamp);
        if self.ended.as_ref().is_some_and(Ended::is_due) {
            self.give_up_unseen();
        }
        let begin_life = || Life {
            gaps_passed: passed,
            ..Life::beginning(stamp, aux, entered)
        };
        let (life, is_new) = self.lives.get_or_begin(tid, begin_life);
        let before = Some(life.state).filter(|_| !is_new);
        let (left, fault) = if is_new {
            let end = self.ended.as_ref().and_then(|ended| ended.end_of(tid));
            let fault = match end {
                Some(end) => Some(Fault::Rule(Violation::AfterEnd { end, entered })),
                None => begin(aux, event, self.horizon.is_none() && passed == 0),
            };
            let again = (self.ended.as_mut()).and_then(|ended| ended.begin(tid));
            life.has_gap = again.is_some();
            life.site_before = again.unwrap_or_default();
            (None, fault)
        } else if life.gaps_passed == passed {
            follow(life, stamp, aux, event, self.ahead_max)
        } else {
            resume(life, stamp, aux, passed)
        };
        life.faults = life.faults.saturating_add(u32::from(fault.is_some()));
        if !matches!(fault, Some(Fault::Disorder { .. })) {
            life.enter(entered, event);
        }
        if self.ended.is_some() && life.state.is_end() {
            self.last_end = Some(tid);
        }
        Some(Step {
            tid,
            life,
            before,
            left,
            fault,
        })
    }

    /// The life of the task, where a record spoke of it.
    pub fn of(&self, tid: TaskId) -> Option<&Life> {
        self.lives.get(tid)
    }

    /// Forgets a task, for a fold that is done with those that have ended: it then keeps only what is alive.
    ///
    /// ```
    /// use glasshouse_pal::{lives::Lives, SiteId, TaskEvent, TaskId};
    /// let tid = TaskId::new(1).expect("in range");
    /// let mut lives = Lives::whole();
    /// lives.feed(5, 0, &TaskEvent::Spawned { tid, parent: None, site: SiteId(0) });
    /// assert_eq!(lives.forget(tid).map(|life| life.first), Some(5));
    /// assert_eq!(lives.of(tid), None);
    /// ```
    pub fn forget(&mut self, tid: TaskId) -> Option<Life> {
        self.lives.remove(tid)
    }

    /// Whether no gap lies between the task's last record and the newest: behind one it may have ended unseen.
    pub fn is_followed(&self, life: &Life) -> bool {
        life.gaps_passed == self.gaps.passed
    }

    /// Whether a gap lies between these stamps: what was so at the first one need not have lasted.
    ///
    /// ```
    /// use glasshouse_pal::{lives::Lives, reader::{Gap, GapCause}};
    /// let gap = Gap { from: 100, to: 250, records: 7, causes: vec![GapCause::Overrun] };
    /// let lives = Lives::whole().with_gaps(&[gap]);
    /// assert!(lives.has_gap_between(90, 250));
    /// assert!(!lives.has_gap_between(250, 900));
    /// ```
    pub fn has_gap_between(&self, from: u64, to: u64) -> bool {
        self.gaps.has_between(from, to)
    }

    /// Whether records of this stamp are left out, for they lie before the horizon or in a gap.
    pub(crate) fn leaves_out(&self, stamp: u64) -> bool {
        self.horizon.is_some_and(|horizon| stamp < horizon) || self.gaps.has(stamp)
    }

    /// Every life, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (TaskId, &Life)> {
        self.lives.iter()
    }
}

/// Takes a known life up behind a gap, as it is found there.
fn resume(
    life: &mut Life,
    stamp: u64,
    aux: u8,
    passed: u32,
) -> (Option<(TaskState, u64)>, Option<Fault>) {
    life.gaps_passed = passed;
    life.has_gap = true;
    life.since = stamp;
    life.aux = aux;
    (None, None)
}

/// What does not fit in the first record seen of a task.
fn begin(aux: u8, event: &TaskEvent, is_whole: bool) -> Option<Fault> {
    match automaton::next(None, event) {
        // A spawn is transition zero.
        Ok(_) if aux != 0 => Some(Fault::Gap {
            expected: 0,
            found: aux,
        }),
        Ok(_) => None,
        Err(rule) => is_whole.then_some(Fault::Rule(rule)),
    }
}

/// Moves a known life on to the next record: the state left with the time in it, and what does not fit.
fn follow(
    life: &mut Life,
    stamp: u64,
    aux: u8,
    event: &TaskEvent,
    ahead_max: u8,
) -> (Option<(TaskState, u64)>, Option<Fault>) {
    let (expected, found) = (life.aux.wrapping_add(1), aux);
    let ahead = found.wrapping_sub(expected);
    if ahead > ahead_max {
        // What came later in the task's life was believed before; this one is left out.
        return (None, Some(Fault::Disorder { expected, found }));
    }
    let was = std::mem::replace(&mut life.since, stamp);
    life.aux = aux;
    if ahead > 0 {
        // What it did in between is not known, so neither is how long it was in the state it left.
        return (None, Some(Fault::Gap { expected, found }));
    }
    let spent = stamp.saturating_sub(was);
    let left = (life.state, spent);
    life.spend(life.state, spent);
    let rule = automaton::next(Some(life.state), event).err();
    let by_ticks = was.saturating_sub(stamp);
    let backwards = (by_ticks > 0).then_some(Fault::Backwards { by_ticks });
    (Some(left), rule.map(Fault::Rule).or(backwards))
}

#[cfg(test)]
mod tests;
