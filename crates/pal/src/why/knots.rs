//! Owns what follows from who waits for whom: which waits nothing can end, and which go round in a circle.

use super::picture::{Picture, Prospect};
use super::waits::{Reason, Waiting};
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
    let mut orphans = Vec::new();
    for waiting in &picture.waiting {
        prospects.insert(waiting.task, Prospect::Stuck);
        match hold(picture, waiting) {
            Hold::None => freed.push(waiting.task),
            Hold::Nobody => orphans.push(waiting.task),
            Hold::By(tasks) => {
                for task in tasks {
                    frees.entry(task).or_default().push(waiting.task);
                }
            }
        }
    }
    // A task that runs or is ready can act, and frees who waits for it.
    let acting = frees.keys().filter(|task| !prospects.contains_key(*task));
    freed.extend(acting.copied().collect::<Vec<_>>());
    spread(&mut prospects, &frees, freed, Prospect::Open);
    if picture.can_any_act() {
        let orphans = orphans
            .into_iter()
            .filter(|orphan| prospects.get(orphan) == Some(&Prospect::Stuck));
        let orphans: Vec<TaskId> = orphans.collect();
        spread(&mut prospects, &frees, orphans, Prospect::Unknown);
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

/// Who keeps a task waiting.
enum Hold {
    /// Its wait can end without any task that is known to be waiting.
    None,
    /// One of these tasks must end it.
    By(Vec<TaskId>),
    /// Nobody is known that could.
    Nobody,
}

fn hold(picture: &Picture, waiting: &Waiting) -> Hold {
    let awaited = picture.awaited(waiting);
    let is_alive = |task: &TaskId| picture.states.contains_key(task);
    let mut alive = awaited.iter().copied().filter(is_alive);
    match waiting.reason {
        Reason::Deadline { .. } | Reason::Descriptor { .. } => Hold::None,
        // Whoever it waits for has ended, and its wake is on the way; or it is not known.
        Reason::Join { .. } => match alive.next() {
            Some(on) => Hold::By(vec![on]),
            None => Hold::None,
        },
        Reason::Lane { .. } => {
            let holders: Vec<TaskId> = alive.collect();
            // A permit may have moved to another task: then it is not known who holds it.
            match holders.len() == awaited.len() && !holders.is_empty() {
                true => Hold::By(holders),
                false => Hold::None,
            }
        }
        Reason::Other => {
            let wakers = &waiting.wakers;
            if wakers.has_more || !wakers.others.is_empty() {
                return Hold::None;
            }
            match wakers.tasks.is_empty() {
                true => Hold::Nobody,
                false => Hold::By(alive.collect()),
            }
        }
    }
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
