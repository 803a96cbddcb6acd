//! Owns what follows from who waits for whom: which waits nothing can end, and which go round in a circle.

use super::picture::{Picture, Prospect};
use super::reason::Reason;
use super::waits::Waiting;
use crate::TaskId;
use std::collections::{HashMap, HashSet};

/// The circles that are told, at most.
const CYCLES_MAX: usize = 32;

/// What may come of each wait. All are taken for stuck that may be, and freed as long as one of those can end that it
/// waits for.
pub(super) fn prospects(picture: &Picture) -> HashMap<TaskId, Prospect> {
    let mut prospects: HashMap<TaskId, Prospect> = HashMap::new();
    // Who is freed when this task is.
    let mut frees: HashMap<TaskId, Vec<TaskId>> = HashMap::new();
    let mut freed = Vec::new();
    let mut unknown = Vec::new();
    let can_any_act = picture.can_any_act();
    for waiting in &picture.waiting {
        let task = waiting.task;
        prospects.insert(task, Prospect::Stuck);
        let hold = hold(picture, waiting);
        for by in hold.by {
            frees.entry(by).or_default().push(task);
        }
        match hold.beside {
            Beside::Itself => freed.push(task),
            Beside::Anyone => unknown.push(task),
            Beside::AnyTask if can_any_act => unknown.push(task),
            Beside::AnyTask | Beside::Nobody => {}
        }
    }
    // A task that runs or is ready can act, and frees who waits for it.
    let acting = frees.keys().filter(|task| !prospects.contains_key(*task));
    freed.extend(acting.copied().collect::<Vec<_>>());
    spread(&mut prospects, &frees, freed, Prospect::Open);
    spread(&mut prospects, &frees, unknown, Prospect::Unknown);
    let hosts = picture.waiting.iter();
    for host in hosts.filter(|waiting| waiting.reason == Reason::Request) {
        prospects.insert(host.task, Prospect::Idle);
    }
    prospects
}

/// Gives the tasks this prospect, and all that they free in turn.
fn spread(
    prospects: &mut HashMap<TaskId, Prospect>,
    frees: &HashMap<TaskId, Vec<TaskId>>,
    mut freed: Vec<TaskId>,
    to: Prospect,
) {
    while let Some(task) = freed.pop() {
        match prospects.get_mut(&task) {
            Some(prospect) if *prospect == Prospect::Stuck => *prospect = to,
            Some(_) => continue,
            // It does not wait.
            None => {}
        }
        freed.extend(frees.get(&task).into_iter().flatten());
    }
}

/// Who can end a wait.
struct Hold {
    /// Any of these tasks, all of which live.
    by: Vec<TaskId>,
    beside: Beside,
}

/// Who else can end a wait.
enum Beside {
    /// It ends without any task that is known to be waiting.
    Itself,
    /// Somebody of whom the log does not tell, or not any more.
    Anyone,
    /// Some task, if any can act.
    AnyTask,
    Nobody,
}

fn hold(picture: &Picture, waiting: &Waiting) -> Hold {
    let awaited = picture.awaited(waiting);
    let is_alive = |task: &TaskId| picture.states.contains_key(task);
    let by: Vec<TaskId> = awaited.iter().copied().filter(is_alive).collect();
    let is_any_unseen = awaited.iter().any(|task| picture.unseen.contains(task));
    let beside = match waiting.reason {
        Reason::Deadline { .. } | Reason::Descriptor { .. } | Reason::Function => Beside::Itself,
        Reason::Request => Beside::AnyTask,
        Reason::Join { on: None } | Reason::Lane { lane: None } => Beside::Anyone,
        // Who may have ended, or may act.
        Reason::Join { .. } if is_any_unseen => Beside::Anyone,
        // Whoever it waits for has ended, and its wake is on the way.
        Reason::Join { .. } if by.is_empty() => Beside::Itself,
        Reason::Join { .. } => Beside::Nobody,
        // It has room, and its waiters wait for a limit over all lanes.
        Reason::Lane { .. } if awaited.is_empty() && picture.is_whole => Beside::Itself,
        Reason::Lane { .. } if awaited.is_empty() => Beside::Anyone,
        // Who took a permit and ended may have given it to another task before.
        Reason::Lane { .. } if by.len() < awaited.len() => Beside::AnyTask,
        Reason::Lane { .. } => Beside::Nobody,
        Reason::Other if !waiting.wakers.others.is_empty() => Beside::Itself,
        Reason::Other if waiting.wakers.has_more || is_any_unseen => Beside::Anyone,
        Reason::Other if waiting.wakers.tasks.is_empty() => Beside::AnyTask,
        Reason::Other => Beside::Nobody,
    };
    Hold { by, beside }
}

/// The circles among the tasks that are stuck, each from its least task on; one for every task at least that is in
/// any, up to [`CYCLES_MAX`].
pub(super) fn cycles(picture: &Picture) -> Vec<Vec<TaskId>> {
    let stuck: Vec<&Waiting> = picture
        .waiting
        .iter()
        .filter(|waiting| picture.prospect(waiting.task) == Some(Prospect::Stuck))
        .collect();
    let next: HashMap<TaskId, &[TaskId]> = stuck
        .iter()
        .map(|waiting| (waiting.task, picture.awaited(waiting)))
        .collect();
    let mut search = Search {
        next,
        done: HashSet::new(),
        told: HashSet::new(),
        cycles: Vec::new(),
    };
    for waiting in stuck {
        search.from(waiting.task);
    }
    let mut cycles = search.cycles;
    cycles.sort();
    cycles
}

/// A search in depth, which finds at least one circle in every knot.
struct Search<'a> {
    next: HashMap<TaskId, &'a [TaskId]>,
    done: HashSet<TaskId>,
    told: HashSet<TaskId>,
    cycles: Vec<Vec<TaskId>>,
}

impl Search<'_> {
    fn from(&mut self, start: TaskId) {
        // The way from the start, each task with how many of its edges were followed.
        let mut way: Vec<(TaskId, usize)> = Vec::new();
        let mut place_on_way: HashMap<TaskId, usize> = HashMap::new();
        let mut enter = Some(start).filter(|start| !self.done.contains(start));
        loop {
            if let Some(task) = enter.take() {
                place_on_way.insert(task, way.len());
                way.push((task, 0));
            }
            let Some((task, followed)) = way.last_mut() else {
                return;
            };
            let edges = self.next.get(task).copied().unwrap_or_default();
            let Some(to) = edges.get(*followed).copied() else {
                self.done.insert(*task);
                place_on_way.remove(task);
                way.pop();
                continue;
            };
            *followed += 1;
            if let Some(place) = place_on_way.get(&to) {
                let circle = way[*place..].iter().map(|(task, _)| *task).collect();
                self.tell(circle);
            } else if self.next.contains_key(&to) && !self.done.contains(&to) {
                enter = Some(to);
            }
        }
    }

    fn tell(&mut self, mut circle: Vec<TaskId>) {
        let is_news = circle.iter().any(|task| !self.told.contains(task));
        if !is_news || self.cycles.len() == CYCLES_MAX {
            return;
        }
        self.told.extend(&circle);
        let least = (0..circle.len()).min_by_key(|at| circle[*at]).unwrap_or(0);
        circle.rotate_left(least);
        self.cycles.push(circle);
    }
}
