//! Owns the transitions of all tasks while one of them lived, each with the one that it follows from.
//!
//! A walk back from a task goes from each step to one before it: of the task itself, or of who woke or spawned it. So of
//! the steps of a long log only those are of use to which a walk from a task leads that lives, or ended just now, and the
//! others are dropped from time to time.

use super::room::Room;
use crate::lives::LastEnded;
use crate::{TaskId, TaskState};
use foldhash::HashMap;

/// The steps of use that are kept, at most; 96 MiB of memory. All rings of a log hold half as many records.
/// A path with more is followed back as far as they reach.
pub(super) const STEPS_MAX: usize = 1 << 22;
/// With fewer steps nobody asks which are of use.
const STEPS_MIN: usize = 1 << 16;

/// A step's place among those that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StepId(u32);

impl StepId {
    /// Stands for none, so that a step takes 24 bytes.
    const NONE: StepId = StepId(u32::MAX);
    /// Stands for one that was dropped, though it is of use.
    const DROPPED: StepId = StepId(u32::MAX - 1);

    fn is_kept(self) -> bool {
        self.0 < StepId::DROPPED.0
    }

    /// Where a walk goes that comes to this step.
    fn way(self) -> Way {
        match self {
            StepId::NONE => Way::Begin,
            StepId::DROPPED => Way::Dropped,
            id => Way::Step(id),
        }
    }
}

/// Where a walk back goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Behind this step.
    Step(StepId),
    /// There is none before it.
    Begin,
    /// There is one, and it is not kept.
    Dropped,
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

impl Link {
    /// Whether it leads to another task, where there is one.
    fn has_peer(self) -> bool {
        matches!(
            self,
            Link::Woken | Link::Permit | Link::Aborted | Link::Spawned
        )
    }
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
    from: StepId,
}

impl Step {
    /// What it follows from: the last step of [`Step::peer`] then, where [`Step::link`] has one, else the task's own step
    /// before. Where there is none, that task was in [`Step::peer_state`], or in [`Step::before`], from the beginning.
    pub(super) fn from(&self) -> Way {
        self.from.way()
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

/// The steps of use, and those since they were looked through last.
#[derive(Debug)]
pub(super) struct Steps {
    /// In the order of the records.
    steps: Vec<Step>,
    /// Of the tasks that live, or ended just now.
    latest: HashMap<TaskId, StepId>,
    /// Those from which a walk may still come: who joined them is woken behind their end.
    ended: LastEnded,
    room: Room,
}

impl Default for Steps {
    fn default() -> Steps {
        Steps::within(Room::between(STEPS_MIN, STEPS_MAX), LastEnded::default())
    }
}

impl Steps {
    fn within(room: Room, ended: LastEnded) -> Steps {
        Steps {
            steps: Vec::new(),
            latest: HashMap::default(),
            ended,
            room,
        }
    }

    /// Looked through from the first step on, for a dozen tasks.
    #[cfg(test)]
    pub(super) fn sparing() -> Steps {
        Steps::within(Room::between(0, STEPS_MAX), LastEnded::of(16))
    }

    pub(super) fn push(&mut self, new: NewStep) {
        if self.room.is_full_with(self.steps.len()) {
            self.make_room();
        }
        let before = match (new.link.has_peer(), new.peer) {
            (false, _) => Some(new.tid),
            (true, peer) => peer,
        };
        let from = before.and_then(|tid| self.latest.get(&tid).copied());
        // There are fewer than `STEPS_MAX`.
        let id = StepId(self.steps.len() as u32);
        self.steps.push(Step {
            stamp: new.stamp,
            before: new.before,
            entered: new.entered,
            link: new.link,
            peer: new.peer,
            peer_state: new.peer_state,
            from: from.unwrap_or(StepId::NONE),
        });
        self.latest.insert(new.tid, id);
        if new.entered.is_end() {
            self.end(new.tid);
        }
    }

    /// The task has ended. From one that ended long before no walk comes any more.
    fn end(&mut self, tid: TaskId) {
        let Some(first) = self.ended.push(tid) else {
            return;
        };
        // One that went on after its end, against the rule, is kept.
        let is_over = match self.latest.get(&first) {
            Some(id) if id.is_kept() => self.steps[id.0 as usize].entered.is_end(),
            _ => true,
        };
        if is_over {
            self.latest.remove(&first);
        }
    }

    /// Drops what is of no use, and where that is not enough the older half of what is.
    fn make_room(&mut self) {
        let mut kept = self.of_use();
        let mut count = kept.iter().filter(|is_kept| **is_kept).count();
        if self.room.is_too_small_for(count) {
            let dropped = count / 2;
            let older = kept.iter_mut().filter(|is_kept| **is_kept);
            older.take(dropped).for_each(|is_kept| *is_kept = false);
            count -= dropped;
        }
        self.keep(&kept);
        self.room.looked_through(count);
    }

    /// To which steps a walk leads.
    fn of_use(&self) -> Vec<bool> {
        let mut of_use = vec![false; self.steps.len()];
        for id in self.latest.values() {
            let mut next = *id;
            while next.is_kept() && !std::mem::replace(&mut of_use[next.0 as usize], true) {
                next = self.steps[next.0 as usize].from;
            }
        }
        of_use
    }

    /// Drops the others.
    fn keep(&mut self, kept: &[bool]) {
        // Where each step comes to stand.
        let mut places = Vec::with_capacity(self.steps.len());
        let mut count = 0;
        for (at, is_kept) in kept.iter().enumerate() {
            places.push(match is_kept {
                true => StepId(count),
                false => StepId::DROPPED,
            });
            if !is_kept {
                continue;
            }
            let mut step = self.steps[at];
            // It lies before, so its place is known.
            step.from = moved(&places, step.from);
            self.steps[count as usize] = step;
            count += 1;
        }
        self.steps.truncate(count as usize);
        for id in self.latest.values_mut() {
            *id = moved(&places, *id);
        }
    }

    /// Where a walk back from a task begins.
    pub(super) fn latest(&self, tid: TaskId) -> Way {
        let latest = self.latest.get(&tid).copied();
        latest.unwrap_or(StepId::NONE).way()
    }

    /// The step at this place; `None` for a place that is not of these steps.
    pub(super) fn at(&self, id: StepId) -> Option<&Step> {
        self.steps.get(id.0 as usize)
    }
}

/// Where a step is now.
fn moved(places: &[StepId], id: StepId) -> StepId {
    places.get(id.0 as usize).copied().unwrap_or(id)
}

#[cfg(test)]
mod tests;
