//! Owns what is known of one task's life, and how its time adds up.

use crate::{Failure, SiteId, TaskEvent, TaskId, TaskState};

/// The states in which a task waits, in the order of [`Life::wait_ticks`].
pub const WAITS: [TaskState; 5] = [
    TaskState::Sleeping,
    TaskState::IoWait,
    TaskState::JoinWait,
    TaskState::LaneWait,
    TaskState::Waiting,
];

/// What is known of one task from its records.
///
/// As long as no record of it was at fault, and none lies behind a gap, `run_ticks + ready_ticks + wait_total_ticks() = since - first`.
///
/// ```
/// use glasshouse_pal::{lives::Lives, SiteId, TaskEvent, TaskId, TaskState};
/// let tid = TaskId::new(1).expect("in range");
/// let mut lives = Lives::whole();
/// lives.feed(100, 0, &TaskEvent::Spawned { tid, parent: None, site: SiteId(0) });
/// lives.feed(130, 1, &TaskEvent::Running { tid });
/// lives.feed(150, 2, &TaskEvent::Done { tid });
/// let life = lives.of(tid).expect("it was fed");
/// assert_eq!((life.ready_ticks, life.run_ticks, life.state), (30, 20, TaskState::Done));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Where it was spawned; `None` where the spawn was not seen.
    pub site: Option<SiteId>,
    /// The task that spawned it, where one did and the spawn was seen.
    pub parent: Option<TaskId>,
    /// The stamp of the first record seen: of its spawn, if `site` is known.
    pub first: u64,
    /// The state it is in.
    pub state: TaskState,
    /// The stamp of the last record: since when it is in `state`.
    pub since: u64,
    /// The last record's count of the task's transitions, modulo 256.
    pub aux: u8,
    /// How many times it was put on a worker.
    pub polls: u64,
    /// Time on a worker.
    pub run_ticks: u64,
    /// Time ready and not on a worker.
    pub ready_ticks: u64,
    /// Time waiting, by cause in the order of [`WAITS`].
    pub wait_ticks: [u64; WAITS.len()],
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// How many of its records were at fault.
    pub faults: u32,
    /// Whether a gap of the log lies between two of its records: what the task did there is not known, and the time
    /// is nobody's. Of one behind its last record [`Lives::has_gap_between`](super::Lives::has_gap_between) tells.
    pub has_gap: bool,
    /// The gaps that lay before its last record.
    pub(super) gaps_passed: u32,
    /// What was known of `site` when the life was given up; unknown for one that never was.
    pub(super) site_before: SiteId,
}

impl Life {
    pub(super) fn beginning(stamp: u64, aux: u8, state: TaskState) -> Life {
        Life {
            site: None,
            parent: None,
            first: stamp,
            state,
            since: stamp,
            aux,
            polls: 0,
            run_ticks: 0,
            ready_ticks: 0,
            wait_ticks: [0; WAITS.len()],
            failure: None,
            faults: 0,
            has_gap: false,
            gaps_passed: 0,
            site_before: SiteId::UNKNOWN,
        }
    }

    /// Where it was spawned, also of a task whose life was [given up](super::Lives::giving_up_ended) behind a gap and is
    /// taken up without its beginning; `None` where no record said.
    ///
    /// ```
    /// use glasshouse_pal::{lives::Lives, SiteId, TaskEvent, TaskId};
    /// let tid = TaskId::new(1).expect("in range");
    /// let mut lives = Lives::whole();
    /// lives.feed(100, 0, &TaskEvent::Spawned { tid, parent: None, site: SiteId(7) });
    /// assert_eq!(lives.of(tid).and_then(|life| life.spawned_at()), Some(SiteId(7)));
    /// ```
    pub fn spawned_at(&self) -> Option<SiteId> {
        let before = Some(self.site_before).filter(|site| *site != SiteId::UNKNOWN);
        self.site.or(before)
    }

    /// Time waiting for whatever cause.
    pub fn wait_total_ticks(&self) -> u64 {
        self.wait_ticks
            .iter()
            .fold(0, |sum, w| sum.saturating_add(*w))
    }

    /// The life as of a later stamp: what the task is in the midst of counts up to then. One that has ended stays as
    /// it is.
    pub fn as_of(&self, stamp: u64) -> Life {
        let mut life = self.clone();
        if life.state.is_end() {
            return life;
        }
        life.spend(self.state, stamp.saturating_sub(self.since));
        life.since = self.since.max(stamp);
        life
    }

    /// Adds `spent` to the sum that `state` belongs to; nothing is spent after an end.
    pub(super) fn spend(&mut self, state: TaskState, spent: u64) {
        let sum = if state == TaskState::Running {
            &mut self.run_ticks
        } else if state.is_ready() {
            &mut self.ready_ticks
        } else if let Some(cause) = WAITS.iter().position(|wait| *wait == state) {
            &mut self.wait_ticks[cause]
        } else {
            return;
        };
        *sum = sum.saturating_add(spent);
    }

    pub(super) fn enter(&mut self, state: TaskState, event: &TaskEvent) {
        self.state = state;
        match *event {
            TaskEvent::Spawned { parent, site, .. } => {
                self.parent = parent;
                self.site = Some(site);
            }
            TaskEvent::Running { .. } => self.polls += 1,
            TaskEvent::Failed { error, .. } => self.failure = Some(error),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_takes_120_bytes() {
        assert_eq!(size_of::<Life>(), 120);
    }
}
