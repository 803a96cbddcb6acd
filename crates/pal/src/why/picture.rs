//! Owns the picture of a process's waits: who waits for whom, and what may come of it.

use super::circles;
use super::knots;
use super::reason::Reason;
use super::waits::{Known, Waiting};
use crate::{SiteId, TaskId, TaskState, TextId};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What may come of a wait.
///
/// ```
/// use glasshouse_pal::why::Prospect;
/// assert_ne!(Prospect::Open, Prospect::Stuck);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prospect {
    /// It can end: by a deadline, by a descriptor, or by who ended such a wait before and still may.
    Open,
    /// Nothing is known of who may end it, for nobody has before, who took the lane's permits has ended, or the records
    /// that tell are gone; tasks that can act there may be.
    Unknown,
    /// It serves others, none of which asks anything of it: idle, and no hang.
    Idle,
    /// Nothing that the log knows of can end it: it waits for tasks that are stuck themselves, who woke it before
    /// has ended or is stuck, or nobody ever woke it and no task can act.
    Stuck,
}

/// What the tasks of a spawn site are.
///
/// ```
/// use glasshouse_pal::why::Role;
/// assert_ne!(Role::Task, Role::Host);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Tasks like any other.
    Task,
    /// Tasks that serve others, and wait until those ask: such a wait is no hang.
    Host,
    /// Tasks that stand for a blocking function: such a wait ends with the function, on a thread of its own.
    Function,
    /// Tasks that keep the runtime itself up, as its spiller does: they go on by themselves, and never wake another.
    Upkeep,
}

/// Who waits for whom.
///
/// A thread outside the scheduler, a task that never woke another before, and what a task awaits beside what its poll
/// came to leave no record before they act: what is stuck by this picture may be freed by them.
///
/// ```
/// use glasshouse_pal::{lives::Lives, why::Waits};
/// let picture = Waits::new(Lives::whole()).picture();
/// assert!(picture.waiting.is_empty() && picture.cycles.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// The tasks that wait, the longest first.
    pub waiting: Vec<Waiting>,
    /// What may come of each.
    pub prospects: HashMap<TaskId, Prospect>,
    /// The state of every task that has not ended, as far as that is known.
    pub states: HashMap<TaskId, TaskState>,
    /// Tasks that had not ended before a gap of the log, of which nothing tells how they went on.
    pub unseen: HashSet<TaskId>,
    /// Tasks that are stuck in a circle: each waits for the next, and the last for the first.
    pub cycles: Vec<Vec<TaskId>>,
    /// Who holds the permits of a lane of which all are known to be held, each task once.
    pub lane_holders: HashMap<TextId, Vec<TaskId>>,
    /// The tasks that keep the runtime itself up.
    pub upkeep: BTreeSet<TaskId>,
    /// Whether the log holds every record since its beginning.
    pub is_whole: bool,
}

impl Picture {
    /// Whether there are any of [`Picture::acting`]. Who is unseen may be such a one.
    pub fn can_any_act(&self) -> bool {
        let mut unseen = self.unseen.iter();
        unseen.any(|task| !self.upkeep.contains(task)) || self.acting().next().is_some()
    }

    /// The tasks that can act by themselves, in no order: those that run, are ready, or wait for a deadline, a descriptor or a
    /// blocking function. What keeps the runtime up is none of them, for it wakes no task.
    ///
    /// ```
    /// use glasshouse_pal::{lives::Lives, why::Waits};
    /// assert_eq!(Waits::new(Lives::whole()).picture().acting().count(), 0);
    /// ```
    pub fn acting(&self) -> impl Iterator<Item = TaskId> {
        let states = self.states.iter();
        let going = states.filter(|(_, state)| !state.is_waiting());
        let waiting = self.waiting.iter();
        let by_itself = waiting.filter(|waiting| waiting.ends_by_itself());
        let acting = going.map(|(task, _)| *task);
        let acting = acting.chain(by_itself.map(|waiting| waiting.task));
        acting.filter(|task| !self.upkeep.contains(task))
    }

    /// What may come of a task's wait; `None` where it does not wait.
    pub fn prospect(&self, task: TaskId) -> Option<Prospect> {
        self.prospects.get(&task).copied()
    }

    pub(super) fn of(
        alive: Vec<(TaskId, Known)>,
        unseen: Vec<(TaskId, Option<SiteId>)>,
        lane_holders: HashMap<TextId, Vec<TaskId>>,
        is_whole: bool,
        mut role: impl FnMut(SiteId) -> Role,
    ) -> Picture {
        let mut role_of = |site: Option<SiteId>| site.map_or(Role::Task, &mut role);
        let all_unseen = unseen.iter();
        let upkeep = all_unseen.filter(|(_, site)| role_of(*site) == Role::Upkeep);
        let mut picture = Picture {
            upkeep: upkeep.map(|(task, _)| *task).collect(),
            unseen: unseen.iter().map(|(task, _)| *task).collect(),
            lane_holders,
            is_whole,
            ..Picture::default()
        };
        for (task, known) in alive {
            picture.states.insert(task, known.state);
            let role = role_of(known.site);
            if role == Role::Upkeep {
                picture.upkeep.insert(task);
            }
            let Some(reason) = known.reason else { continue };
            picture.waiting.push(Waiting {
                task,
                site: known.site,
                reason: match reason {
                    Reason::Other => unnamed(role),
                    _ => reason,
                },
                since: known.since,
                ways_out: known.ways_out,
                wakers: known.wakers,
            });
        }
        picture
            .waiting
            .sort_by_key(|waiting| (waiting.since, waiting.task));
        picture.prospects = knots::prospects(&picture);
        picture.cycles = circles::circles(&picture);
        picture
    }

    /// The tasks one of which would have to act to end this wait, by what the log knows; empty where it does not know.
    pub fn awaited<'a>(&'a self, waiting: &'a Waiting) -> &'a [TaskId] {
        match &waiting.reason {
            Reason::Join { on } => on.as_slice(),
            Reason::Lane { lane: Some(lane) } => self.holders(*lane),
            Reason::Other => &waiting.wakers.tasks,
            _ => &[],
        }
    }
}

/// What a task of this kind waits for when it claims nothing.
fn unnamed(role: Role) -> Reason {
    match role {
        Role::Task => Reason::Other,
        Role::Host => Reason::Request,
        // What blocks in the runtime itself it does as a function.
        Role::Function | Role::Upkeep => Reason::Function,
    }
}
