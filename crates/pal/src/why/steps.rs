//! Owns the transitions of all tasks while one of them lived, each with the one that it follows from.

use crate::{TaskId, TaskState};
use std::collections::{HashMap, VecDeque};

/// The transitions that are kept, at most; 128 MiB of memory. All rings of a log hold half as many records.
/// A life with more is followed back as far as they reach.
pub(super) const STEPS_MAX: usize = 1 << 22;

/// The number of a step, in the order of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StepId(u32);

impl StepId {
    /// Stands for none, so that a step takes 32 bytes.
    const NONE: StepId = StepId(u32::MAX);

    fn some(self) -> Option<StepId> {
        (self != StepId::NONE).then_some(self)
    }
}

/// What a step follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The task's own step before.
    Own,
    /// A wake, without a task behind it.
    Timer,
    Io,
    External,
    Lane,
    Abort,
    /// The task in [`Step::peer`] woke it.
    Woken,
    /// The same, with a lane's permit.
    Permit,
    /// The same, by an abort.
    Aborted,
    /// The task in [`Step::peer`] spawned it; none where a thread outside did.
    Spawned,
}

/// One transition.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) stamp: u64,
    /// The state that it was in before, as far as the record implies it; `None` where records of it are missing.
    pub(super) before: Option<TaskState>,
    pub(super) entered: TaskState,
    pub(super) link: Link,
    /// Who woke or spawned it.
    pub(super) peer: Option<TaskId>,
    /// The state of `peer` then, where no step of it is kept.
    pub(super) peer_state: TaskState,
    prev: StepId,
    by: StepId,
}

impl Step {
    /// The task's step before; `None` where it was in [`Step::before`] from the beginning.
    pub(super) fn prev(&self) -> Option<StepId> {
        self.prev.some()
    }

    /// The last step of [`Step::peer`] then; `None` where it was in [`Step::peer_state`] from the beginning.
    pub(super) fn by(&self) -> Option<StepId> {
        self.by.some()
    }
}

/// A step before it has a place.
pub(super) struct NewStep {
    pub(super) stamp: u64,
    pub(super) tid: TaskId,
    pub(super) before: Option<TaskState>,
    pub(super) entered: TaskState,
    pub(super) link: Link,
    pub(super) peer: Option<TaskId>,
    pub(super) peer_state: TaskState,
}

/// The last [`STEPS_MAX`] steps.
#[derive(Debug, Default)]
pub(super) struct Steps {
    steps: VecDeque<Step>,
    /// The number of the oldest that is kept.
    base: u32,
    latest: HashMap<TaskId, StepId>,
}

impl Steps {
    pub(super) fn push(&mut self, new: NewStep) {
        self.push_within(new, STEPS_MAX);
    }

    fn push_within(&mut self, new: NewStep, max: usize) {
        if self.steps.len() >= max {
            self.drop_older_half();
        }
        // Numbers run out after four billion steps; those behind are found no more, as if dropped.
        let id = StepId(self.base.saturating_add(self.steps.len() as u32));
        let latest = |tid: &TaskId| self.latest.get(tid).copied().unwrap_or(StepId::NONE);
        let step = Step {
            stamp: new.stamp,
            before: new.before,
            entered: new.entered,
            link: new.link,
            peer: new.peer,
            peer_state: new.peer_state,
            prev: latest(&new.tid),
            by: new.peer.as_ref().map_or(StepId::NONE, latest),
        };
        self.steps.push_back(step);
        self.latest.insert(new.tid, id);
    }

    fn drop_older_half(&mut self) {
        let dropped = self.steps.len() / 2;
        self.steps.drain(..dropped);
        self.base = self.base.saturating_add(dropped as u32);
        let base = self.base;
        self.latest.retain(|_, id| id.0 >= base);
    }

    /// Whether a step was dropped.
    pub(super) fn is_cut(&self) -> bool {
        self.base > 0
    }

    /// The last step of a task.
    pub(super) fn latest(&self, tid: TaskId) -> Option<StepId> {
        self.latest.get(&tid).copied()
    }

    /// The step with this number; `None` where it was dropped.
    pub(super) fn at(&self, id: StepId) -> Option<&Step> {
        self.steps.get(id.0.checked_sub(self.base)? as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(tid: u64, stamp: u64) -> NewStep {
        NewStep {
            stamp,
            tid: TaskId::new(tid).expect("in range"),
            before: Some(TaskState::Running),
            entered: TaskState::Yielded,
            link: Link::Own,
            peer: None,
            peer_state: TaskState::Running,
        }
    }

    #[test]
    fn the_newest_steps_are_kept_and_older_ones_are_known_to_be_gone() {
        let mut steps = Steps::default();
        let tid = TaskId::new(1).expect("in range");
        for stamp in 0..9 {
            steps.push_within(step(1, stamp), 4);
        }
        let mut seen = Vec::new();
        let mut next = steps.latest(tid);
        while let Some(kept) = next.and_then(|id| steps.at(id)) {
            seen.push(kept.stamp);
            next = kept.prev();
        }
        assert_eq!(seen, [8, 7, 6]);
        assert!(steps.is_cut());
        assert!(next.is_some(), "it follows from a step that is gone");
    }

    #[test]
    fn a_step_takes_32_bytes() {
        assert_eq!(size_of::<Step>(), 32);
    }
}
