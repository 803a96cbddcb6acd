//! Owns what follows from who waits for whom: which waits nothing can end.

use super::picture::{Picture, Prospect};
use super::reason::Reason;
use super::waits::Waiting;
use crate::{TaskId, TextId};
use std::collections::HashMap;

/// Who can end a wait. A lane stands for all who hold its permits: each of its waiters waits for it, and not for each of
/// them, so that the graph grows with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Node {
    Task(TaskId),
    Lane(TextId),
}

/// Whom a task waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next<'a> {
    /// Any of these.
    Tasks(&'a [TaskId]),
    /// The permits of this lane.
    Lane(TextId),
}

impl Picture {
    pub(super) fn next<'a>(&'a self, waiting: &'a Waiting) -> Next<'a> {
        match waiting.reason {
            Reason::Lane { lane: Some(lane) } => Next::Lane(lane),
            _ => Next::Tasks(self.awaited(waiting)),
        }
    }

    /// The tasks that are known to hold all permits of a lane; none where that is not known.
    pub(super) fn holders(&self, lane: TextId) -> &[TaskId] {
        self.lane_holders.get(&lane).map_or(&[], Vec::as_slice)
    }

    fn is_alive(&self, task: TaskId) -> bool {
        self.states.contains_key(&task)
    }
}

/// What may come of each wait. All are taken for stuck that may be, and freed as long as one of those can end that it
/// waits for.
pub(super) fn prospects(picture: &Picture) -> HashMap<TaskId, Prospect> {
    let Knots {
        mut prospects,
        frees,
        mut freed,
        mut unknown,
        by_any,
        ..
    } = Knots::of(picture);
    // Whose wait may end by who is none of them can act then.
    let may_act = |node: &Node| !matches!(node, Node::Task(task) if picture.upkeep.contains(task));
    if picture.can_any_act() || freed.iter().chain(&unknown).any(may_act) {
        unknown.extend(by_any);
    }
    // A task that runs or is ready can act, and frees who waits for it.
    let acting = frees.keys().filter(|node| !prospects.contains_key(*node));
    freed.extend(acting.copied().collect::<Vec<_>>());
    spread(&mut prospects, &frees, freed, Prospect::Open);
    spread(&mut prospects, &frees, unknown, Prospect::Unknown);
    let of_tasks = prospects
        .into_iter()
        .filter_map(|(node, prospect)| match node {
            Node::Task(task) => Some((task, prospect)),
            Node::Lane(_) => None,
        });
    let mut prospects: HashMap<TaskId, Prospect> = of_tasks.collect();
    let hosts = picture.waiting.iter();
    for host in hosts.filter(|waiting| waiting.reason == Reason::Request) {
        prospects.insert(host.task, Prospect::Idle);
    }
    prospects
}

/// Who can end which waits.
struct Knots<'a> {
    picture: &'a Picture,
    prospects: HashMap<Node, Prospect>,
    /// Who is freed when this one is.
    frees: HashMap<Node, Vec<Node>>,
    freed: Vec<Node>,
    unknown: Vec<Node>,
    /// Those that any task may free which can act.
    by_any: Vec<Node>,
}

impl Knots<'_> {
    fn of(picture: &Picture) -> Knots<'_> {
        let mut knots = Knots {
            picture,
            prospects: HashMap::new(),
            frees: HashMap::new(),
            freed: Vec::new(),
            unknown: Vec::new(),
            by_any: Vec::new(),
        };
        for waiting in &picture.waiting {
            knots.add(waiting);
        }
        knots
    }

    fn add(&mut self, waiting: &Waiting) {
        let (picture, node) = (self.picture, Node::Task(waiting.task));
        self.prospects.insert(node, Prospect::Stuck);
        match picture.next(waiting) {
            Next::Tasks(by) => {
                for by in by.iter().filter(|by| picture.is_alive(**by)) {
                    self.frees.entry(Node::Task(*by)).or_default().push(node);
                }
            }
            Next::Lane(lane) => {
                self.add_lane(lane);
                self.frees.entry(Node::Lane(lane)).or_default().push(node);
            }
        }
        self.end(node, self.beside(waiting));
    }

    /// A lane for which somebody waits: the first one adds it.
    fn add_lane(&mut self, lane: TextId) {
        let node = Node::Lane(lane);
        if self.prospects.insert(node, Prospect::Stuck).is_some() {
            return;
        }
        let holders = self.picture.holders(lane);
        let mut is_any_gone = false;
        for by in holders {
            match self.picture.is_alive(*by) {
                true => self.frees.entry(Node::Task(*by)).or_default().push(node),
                false => is_any_gone = true,
            }
        }
        let beside = match holders.is_empty() {
            // It has room, and its waiters wait for a limit over all lanes.
            true if self.picture.is_whole => Beside::Itself,
            true => Beside::Anyone,
            // Who took a permit and ended may have given it to another task before.
            false if is_any_gone => Beside::AnyTask,
            false => Beside::Nobody,
        };
        self.end(node, beside);
    }

    fn end(&mut self, node: Node, beside: Beside) {
        match beside {
            Beside::Itself => self.freed.push(node),
            Beside::Anyone => self.unknown.push(node),
            Beside::AnyTask => self.by_any.push(node),
            Beside::Nobody => {}
        }
    }

    /// Who else can end a wait than the living ones that it is known to be for.
    fn beside(&self, waiting: &Waiting) -> Beside {
        let awaited = || self.picture.awaited(waiting).iter();
        let is_any_unseen = || awaited().any(|task| self.picture.unseen.contains(task));
        match waiting.reason {
            _ if waiting.ways_out.deadline => Beside::Itself,
            Reason::Deadline { .. } | Reason::Descriptor { .. } | Reason::Function => {
                Beside::Itself
            }
            Reason::Request => Beside::AnyTask,
            Reason::Join { on: None } | Reason::Lane { lane: None } => Beside::Anyone,
            // Who may have ended, or may act.
            Reason::Join { .. } if is_any_unseen() => Beside::Anyone,
            // Whoever it waits for has ended, and its wake is on the way.
            Reason::Join { .. } if !awaited().any(|task| self.picture.is_alive(*task)) => {
                Beside::Itself
            }
            // What else that is the log does not tell.
            Reason::Join { .. } | Reason::Lane { .. } if waiting.ways_out.other => Beside::AnyTask,
            Reason::Join { .. } | Reason::Lane { .. } => Beside::Nobody,
            Reason::Other if !waiting.wakers.others.is_empty() => Beside::Itself,
            Reason::Other if waiting.wakers.has_more || is_any_unseen() => Beside::Anyone,
            Reason::Other if waiting.wakers.tasks.is_empty() => Beside::AnyTask,
            Reason::Other => Beside::Nobody,
        }
    }
}

/// Who else can end a wait.
enum Beside {
    /// It ends without any task that is known to be waiting.
    Itself,
    /// Somebody of whom the log does not tell, or not any more.
    Anyone,
    /// Some task, if any can act, or may yet.
    AnyTask,
    Nobody,
}

/// Gives those this prospect, and all that they free in turn.
fn spread(
    prospects: &mut HashMap<Node, Prospect>,
    frees: &HashMap<Node, Vec<Node>>,
    mut freed: Vec<Node>,
    to: Prospect,
) {
    while let Some(node) = freed.pop() {
        match prospects.get_mut(&node) {
            Some(prospect) if *prospect == Prospect::Stuck => *prospect = to,
            Some(_) => continue,
            // It does not wait.
            None => {}
        }
        freed.extend(frees.get(&node).into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::why::circles::tests::crowd;

    #[test]
    fn a_lane_s_waiters_and_holders_are_taken_in_once_each() {
        let picture = crowd(50, 30);
        let frees = Knots::of(&picture).frees;
        // Each waiter by its lane, the lane by each holder, and each holder by whom it joins.
        assert_eq!(frees.values().map(Vec::len).sum::<usize>(), 50 + 30 + 30);
    }
}
