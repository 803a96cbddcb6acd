//! Owns the tree of a critical path: whose time it is, below those whom they kept waiting.

use super::path::Activity;
use crate::TaskId;
use foldhash::HashMap;

/// How the path came to a task.
///
/// ```
/// use glasshouse_pal::why::Hop;
/// assert_eq!(Hop::Spawned.name(), "spawned");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hop {
    /// It is the task that was asked about.
    Asked,
    /// It woke the one above.
    Woke,
    /// The same, with a lane's permit.
    Permit,
    /// The same, by an abort.
    Aborted,
    /// It spawned the one above.
    Spawned,
    /// The one above waits for its end.
    Awaited,
}

impl Hop {
    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Hop::Asked => "asked",
            Hop::Woke => "woke",
            Hop::Permit => "permit",
            Hop::Aborted => "aborted",
            Hop::Spawned => "spawned",
            Hop::Awaited => "awaited",
        }
    }
}

/// The part of the path that is one task's and one activity's.
///
/// ```
/// use glasshouse_pal::why::{Activity, Share};
/// let share = Share { activity: Activity::Ready, ticks: 8, stretches: 2 };
/// assert_eq!(share.ticks / share.stretches, 4);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// What the task did.
    pub activity: Activity,
    /// For how long in all.
    pub ticks: u64,
    /// In how many stretches.
    pub stretches: u64,
}

/// A task on the path, below the task to which it leads. A path that comes back to a task above goes on
/// there, so a task occurs once between a node and the root.
///
/// ```
/// use glasshouse_pal::{TaskId, why::{Hop, PathNode}};
/// let node = PathNode { task: TaskId::MAX, hop: Hop::Asked, above: None, visits: 1, shares: Vec::new() };
/// assert_eq!(node.own_ticks(), 0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathNode {
    /// The task.
    pub task: TaskId,
    /// How the path came to it.
    pub hop: Hop,
    /// The index of the node above; `None` for the root, which is the first.
    pub above: Option<usize>,
    /// How often the path came to it from above.
    pub visits: u64,
    /// What it did on the path, without the nodes below; the longest first.
    pub shares: Vec<Share>,
}

impl PathNode {
    /// The task's own time on the path.
    pub fn own_ticks(&self) -> u64 {
        let shares = self.shares.iter();
        shares.fold(0, |sum, share| sum.saturating_add(share.ticks))
    }
}

/// The tree as the walk makes it.
pub(super) struct Tree {
    pub(super) nodes: Vec<PathNode>,
    /// The node that the walk is in.
    at: usize,
    /// That node and those above it, by task.
    above: HashMap<TaskId, usize>,
    below: HashMap<(usize, TaskId, Hop), usize>,
}

impl Tree {
    pub(super) fn new(task: TaskId) -> Tree {
        Tree {
            nodes: vec![PathNode {
                task,
                hop: Hop::Asked,
                above: None,
                visits: 1,
                shares: Vec::new(),
            }],
            at: 0,
            above: HashMap::from_iter([(task, 0)]),
            below: HashMap::default(),
        }
    }

    /// The path goes on in another task: one above, or one below.
    pub(super) fn hop(&mut self, task: TaskId, hop: Hop) {
        if let Some(back_at) = self.above.get(&task).copied() {
            while self.at != back_at {
                let left = &self.nodes[self.at];
                self.above.remove(&left.task);
                // Only the root has none above, and it is among those that one can come back to.
                self.at = left.above.unwrap_or(back_at);
            }
            return;
        }
        let at = self.at;
        let nodes = &mut self.nodes;
        let below = *self.below.entry((at, task, hop)).or_insert_with(|| {
            nodes.push(PathNode {
                task,
                hop,
                above: Some(at),
                visits: 0,
                shares: Vec::new(),
            });
            nodes.len() - 1
        });
        self.nodes[below].visits += 1;
        self.above.insert(task, below);
        self.at = below;
    }

    pub(super) fn add(&mut self, activity: Activity, ticks: u64) {
        // A task has few kinds of activity.
        let shares = &mut self.nodes[self.at].shares;
        match shares.iter_mut().find(|share| share.activity == activity) {
            Some(share) => {
                share.ticks = share.ticks.saturating_add(ticks);
                share.stretches += 1;
            }
            None => shares.push(Share {
                activity,
                ticks,
                stretches: 1,
            }),
        }
    }
}
