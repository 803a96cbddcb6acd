//! Owns the circles among tasks that are stuck: who waits for whom in a ring, through lanes too.

use super::knots::Next;
use super::picture::{Picture, Prospect};
use crate::{TaskId, TextId};
use std::collections::{HashMap, VecDeque};

/// The circles that are told, at most.
const CIRCLES_MAX: usize = 32;

/// The circles among the tasks that are stuck, each from its least task on and as short as one through some task of it can
/// be; one for every task at least that is in any, up to [`CIRCLES_MAX`].
pub(super) fn circles(picture: &Picture) -> Vec<Vec<TaskId>> {
    let graph = Graph::of(picture);
    let rings = graph.rings();
    let mut is_told = vec![false; graph.tasks.len()];
    let mut circles: Vec<Vec<TaskId>> = Vec::new();
    for start in 0..graph.tasks.len() {
        if circles.len() == CIRCLES_MAX {
            break;
        }
        if is_told[start] {
            continue;
        }
        let Some(circle) = graph.way_back(start, &rings) else {
            continue;
        };
        for task in &circle {
            is_told[*task] = true;
        }
        let mut circle: Vec<TaskId> = circle.iter().map(|task| graph.tasks[*task]).collect();
        let least = (0..circle.len()).min_by_key(|at| circle[*at]).unwrap_or(0);
        circle.rotate_left(least);
        circles.push(circle);
    }
    circles.sort();
    circles
}

/// Who waits for whom, of those that are stuck: first the tasks, then the lanes that they wait for, with an edge from a
/// lane to each task that holds a permit of it.
struct Graph {
    tasks: Vec<TaskId>,
    /// Where the edges of each node begin, and behind the last one where they end.
    starts: Vec<usize>,
    edges: Vec<usize>,
}

impl Graph {
    fn of(picture: &Picture) -> Graph {
        let stuck = picture.waiting.iter();
        let is_stuck = |task| picture.prospect(task) == Some(Prospect::Stuck);
        let stuck: Vec<_> = stuck.filter(|waiting| is_stuck(waiting.task)).collect();
        let tasks: Vec<TaskId> = stuck.iter().map(|waiting| waiting.task).collect();
        let places: HashMap<TaskId, usize> = tasks.iter().copied().zip(0..).collect();
        let place = |task: &TaskId| places.get(task).copied();
        let mut lanes: Vec<TextId> = Vec::new();
        let mut lane_places: HashMap<TextId, usize> = HashMap::new();
        let (mut starts, mut edges) = (vec![0], Vec::new());
        for waiting in stuck {
            match picture.next(waiting) {
                Next::Tasks(next) => edges.extend(next.iter().filter_map(place)),
                Next::Lane(lane) => edges.push(*lane_places.entry(lane).or_insert_with(|| {
                    lanes.push(lane);
                    tasks.len() + lanes.len() - 1
                })),
            }
            starts.push(edges.len());
        }
        for lane in lanes {
            edges.extend(picture.holders(lane).iter().filter_map(place));
            starts.push(edges.len());
        }
        Graph {
            tasks,
            starts,
            edges,
        }
    }

    fn next(&self, node: usize) -> &[usize] {
        &self.edges[self.starts[node]..self.starts[node + 1]]
    }

    /// A number for each node, the same for all from which each leads to each other.
    fn rings(&self) -> Vec<usize> {
        const UNSEEN: usize = usize::MAX;
        let count = self.starts.len() - 1;
        let mut rings = vec![UNSEEN; count];
        // When each was come to, and the first one on the way that it leads back to.
        let mut seen = vec![UNSEEN; count];
        let mut back = vec![UNSEEN; count];
        let mut open: Vec<usize> = Vec::new();
        // The way from the start, each with how many of its edges were followed.
        let mut way: Vec<(usize, usize)> = Vec::new();
        let mut now = 0;
        for start in 0..count {
            if seen[start] == UNSEEN {
                way.push((start, 0));
            }
            while let Some((node, followed)) = way.last_mut() {
                let node = *node;
                if *followed == 0 && seen[node] == UNSEEN {
                    (seen[node], back[node]) = (now, now);
                    now += 1;
                    open.push(node);
                }
                if let Some(to) = self.next(node).get(*followed).copied() {
                    *followed += 1;
                    if seen[to] == UNSEEN {
                        way.push((to, 0));
                    } else if rings[to] == UNSEEN {
                        back[node] = back[node].min(seen[to]);
                    }
                    continue;
                }
                way.pop();
                if let Some((before, _)) = way.last() {
                    back[*before] = back[*before].min(back[node]);
                }
                if back[node] == seen[node] {
                    while let Some(of_ring) = open.pop() {
                        rings[of_ring] = node;
                        if of_ring == node {
                            break;
                        }
                    }
                }
            }
        }
        rings
    }

    /// The tasks on a shortest way from one back to itself; `None` where there is no way back.
    fn way_back(&self, start: usize, rings: &[usize]) -> Option<Vec<usize>> {
        let mut from: HashMap<usize, usize> = HashMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(node) = open.pop_front() {
            for to in self.next(node) {
                if *to == start {
                    return Some(self.tasks_from(start, node, &from));
                }
                if rings[*to] == rings[start] && !from.contains_key(to) {
                    from.insert(*to, node);
                    open.push_back(*to);
                }
            }
        }
        None
    }

    /// The tasks on the way that leads to `last`.
    fn tasks_from(&self, start: usize, last: usize, from: &HashMap<usize, usize>) -> Vec<usize> {
        let steps = std::iter::successors(Some(last), |node| {
            (*node != start).then(|| from.get(node).copied()).flatten()
        });
        let mut tasks: Vec<usize> = steps.filter(|node| *node < self.tasks.len()).collect();
        tasks.reverse();
        tasks
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::why::{Reason, Waiting, Wakers};
    use crate::{TaskState, WaysOut};
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn tid(number: usize) -> TaskId {
        TaskId::new(number as u64 + 1).expect("in range")
    }

    /// Tasks that are all stuck, each for a lane or for those that woke it before; and who holds each lane.
    fn stuck(waits: Vec<Result<u32, Vec<usize>>>, held: Vec<Vec<usize>>) -> Picture {
        let mut picture = Picture::default();
        for (number, wait) in waits.into_iter().enumerate() {
            let (task, since) = (tid(number), number as u64);
            let (reason, by) = match wait {
                Ok(lane) => {
                    let lane = Some(TextId(lane));
                    (Reason::Lane { lane }, Vec::new())
                }
                Err(by) => (Reason::Other, by),
            };
            let wakers = Wakers {
                tasks: by.into_iter().map(tid).collect(),
                ..Wakers::default()
            };
            picture.states.insert(task, reason.state());
            picture.prospects.insert(task, Prospect::Stuck);
            picture.waiting.push(Waiting {
                task,
                site: None,
                reason,
                since,
                ways_out: WaysOut::default(),
                wakers,
            });
        }
        let lanes = held.into_iter().zip(0..);
        picture.lane_holders = lanes
            .map(|(tasks, lane)| (TextId(lane), tasks.into_iter().map(tid).collect()))
            .collect();
        picture
    }

    /// Tasks that all wait for one lane, and others that hold its permits and wait for the first of them.
    pub(in crate::why) fn crowd(waiters: usize, holders: usize) -> Picture {
        let mut waits = vec![Ok(0); waiters];
        waits.extend(vec![Err(vec![0]); holders]);
        let mut picture = stuck(waits, vec![(waiters..waiters + holders).collect()]);
        // The holders join it, so that they free as joins do.
        for waiting in &mut picture.waiting[waiters..] {
            waiting.reason = Reason::Join { on: Some(tid(0)) };
            picture.states.insert(waiting.task, TaskState::JoinWait);
        }
        picture
    }

    #[test]
    fn a_lane_s_waiters_and_holders_are_edges_once_each() {
        let picture = crowd(50, 30);
        assert_eq!(Graph::of(&picture).edges.len(), 50 + 30 + 30);
        assert_eq!(circles(&picture).len(), 30, "each holder's");
    }

    #[test]
    fn a_task_that_waits_for_the_lane_that_it_holds_is_a_circle_of_its_own() {
        let picture = stuck(vec![Ok(0), Ok(0)], vec![vec![1]]);
        assert_eq!(circles(&picture), [[tid(1)]]);
    }

    /// A task's number, of few.
    fn any_number() -> impl Strategy<Value = usize> {
        0..12usize
    }

    proptest! {
        #[test]
        fn each_task_that_waits_for_itself_over_others_is_in_a_circle_that_is_told(
            waits in vec(
                prop_oneof![(0u32..3).prop_map(Ok), vec(any_number(), 0..3).prop_map(Err)],
                12
            ),
            held in vec(vec(any_number(), 0..4), 3),
        ) {
            let picture = stuck(waits, held);
            let next: HashMap<TaskId, HashSet<TaskId>> = picture
                .waiting
                .iter()
                .map(|waiting| (waiting.task, picture.awaited(waiting).iter().copied().collect()))
                .collect();
            let circles = circles(&picture);
            for circle in &circles {
                for (at, task) in circle.iter().enumerate() {
                    prop_assert!(next[task].contains(&circle[(at + 1) % circle.len()]));
                }
                prop_assert_eq!(circle.iter().min(), circle.first());
            }
            for task in next.keys() {
                let mut reached: HashSet<TaskId> = HashSet::new();
                let mut open: Vec<TaskId> = next[task].iter().copied().collect();
                while let Some(to) = open.pop() {
                    if reached.insert(to) {
                        open.extend(&next[&to]);
                    }
                }
                let is_told = circles.iter().any(|circle| circle.contains(task));
                prop_assert_eq!(is_told, reached.contains(task), "{}", task);
            }
        }
    }
}
