//! Owns the critical path: the walk back from a task's end.

use super::steps::{Link, Step, StepId, Steps};
use super::tree::{Hop, PathNode, Tree};
use crate::{TaskId, TaskState};
use std::collections::HashSet;

/// What a task did in a stretch of the path.
///
/// ```
/// use glasshouse_pal::{TaskState, why::Activity};
/// let slept = Activity::Wait { state: TaskState::Sleeping, ended_by: Some("timer") };
/// assert_ne!(slept, Activity::Run);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Activity {
    /// It ran.
    Run,
    /// It was ready.
    Ready,
    /// It waited, and what ended the wait was no task.
    Wait {
        /// What for.
        state: TaskState,
        /// What ended it, as [`WakeSource::name`](crate::WakeSource::name) has it; `None` where it goes on.
        ended_by: Option<&'static str>,
    },
    /// It did not exist yet: a thread outside the scheduler spawned it at the stretch's end.
    Unborn,
    /// Records that would tell are missing.
    Unrecorded,
}

/// A stretch of the path: one task, one activity. Stamps are in ticks of the log's clock.
///
/// ```
/// use glasshouse_pal::{TaskId, why::{Activity, Stretch}};
/// let stretch = Stretch { task: TaskId::MAX, activity: Activity::Run, from: 20, to: 50 };
/// assert_eq!(stretch.ticks(), 30);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Whose time it is.
    pub task: TaskId,
    /// What it did.
    pub activity: Activity,
    /// When it begins.
    pub from: u64,
    /// When it ends.
    pub to: u64,
}

impl Stretch {
    /// How long it is.
    pub fn ticks(&self) -> u64 {
        self.to.saturating_sub(self.from)
    }
}

/// The critical path of a task, from its beginning to its end.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, SiteId, TaskEvent, TaskId, why::{Activity, Inquiry}};
/// let pal = Pal::memory();
/// let tid = TaskId::new(1).expect("in range");
/// let ring = pal.lease(RingOwner::Worker(0));
/// ring.write(10, 0, &TaskEvent::Spawned { tid, parent: None, site: SiteId(0) });
/// ring.write(12, 1, &TaskEvent::Running { tid });
/// ring.write(19, 2, &TaskEvent::Done { tid });
/// let mut inquiry = Inquiry::whole(tid);
/// pal.log().records().for_each(|entry| inquiry.feed(&entry));
/// let path = inquiry.finish(30).expect("the log knows it").path;
/// assert_eq!((path.from, path.to), (10, 19));
/// let told: Vec<_> = path.stretches.iter().map(|s| (s.activity, s.ticks())).collect();
/// assert_eq!(told, [(Activity::Ready, 2), (Activity::Run, 7)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// When the task was spawned, or the stamp of the oldest record of it.
    pub from: u64,
    /// When it ended, or until when it is judged.
    pub to: u64,
    /// In the order of time; each begins where the one before ends. None is empty, and no two neighbours are of the
    /// same task and activity.
    pub stretches: Vec<Stretch>,
    /// The tasks on the path; a node comes after the one above it.
    pub nodes: Vec<PathNode>,
}

/// Walks back from `to` until `from`.
pub(super) fn walk(steps: &Steps, task: TaskId, from: u64, to: u64) -> Path {
    let mut walk = Walk {
        steps,
        from,
        now: to.max(from),
        stretches: Vec::new(),
        tree: Tree::new(task),
    };
    walk.run(task);
    let Walk {
        mut stretches,
        mut tree,
        ..
    } = walk;
    stretches.reverse();
    for node in &mut tree.nodes {
        node.shares
            .sort_by_key(|share| (std::cmp::Reverse(share.ticks), share.activity));
    }
    Path {
        from,
        to: to.max(from),
        stretches,
        nodes: tree.nodes,
    }
}

/// Where the walk is.
enum Place {
    /// Behind this step.
    Behind(StepId),
    /// In this state since before the first step, or records were dropped.
    Since(Activity),
}

struct Walk<'a> {
    steps: &'a Steps,
    from: u64,
    /// What is later is told.
    now: u64,
    stretches: Vec<Stretch>,
    tree: Tree,
}

impl Walk<'_> {
    fn run(&mut self, asked: TaskId) {
        let mut task = asked;
        let mut place = match self.steps.latest(asked) {
            Some(step) => self.begin(step, &mut task),
            None => Place::Since(Activity::Unrecorded),
        };
        // What ended the wait that is told next.
        let mut ended_by = None;
        while self.now > self.from {
            let step = match place {
                Place::Since(activity) => {
                    self.tell(task, activity, self.from);
                    return;
                }
                Place::Behind(id) => match self.steps.at(id) {
                    Some(step) => *step,
                    None => {
                        place = Place::Since(Activity::Unrecorded);
                        continue;
                    }
                },
            };
            self.tell(task, activity(step.entered, ended_by), step.stamp);
            ended_by = None;
            place = match step.link {
                Link::Own => self.back(&step, None),
                Link::Gap => {
                    let before = step.prev().and_then(|id| self.steps.at(id));
                    self.tell(
                        task,
                        Activity::Unrecorded,
                        before.map_or(self.from, |before| before.stamp),
                    );
                    self.back(&step, None)
                }
                Link::Timer | Link::Io | Link::External | Link::Lane | Link::Abort => {
                    ended_by = Some(name(step.link));
                    self.back(&step, ended_by)
                }
                Link::Woken | Link::Permit | Link::Aborted | Link::Spawned => match step.peer {
                    Some(peer) => {
                        self.tree.hop(peer, hop(step.link));
                        task = peer;
                        match step.by() {
                            Some(by) => Place::Behind(by),
                            None => Place::Since(activity(step.peer_state, None)),
                        }
                    }
                    None => Place::Since(Activity::Unborn),
                },
            };
        }
    }

    /// Where a task was before a step of its own.
    fn back(&self, step: &Step, ended_by: Option<&'static str>) -> Place {
        match step.prev() {
            Some(prev) => Place::Behind(prev),
            None => Place::Since(activity(step.before, ended_by)),
        }
    }

    /// Where a walk begins: at its task's last step, or where that one waits for the end of a task that lives, at that
    /// one's.
    fn begin(&mut self, mut id: StepId, task: &mut TaskId) -> Place {
        let mut seen = HashSet::from([*task]);
        loop {
            let joins = self.steps.at(id).copied();
            let joins = joins.filter(|step| step.entered == TaskState::JoinWait);
            let Some((step, on)) = joins.and_then(|step| Some((step, step.peer?))) else {
                return Place::Behind(id);
            };
            let last = self.steps.latest(on);
            let has_ended = last
                .and_then(|last| self.steps.at(last))
                .is_some_and(|last| last.entered.is_end());
            if has_ended || !seen.insert(on) {
                return Place::Behind(id);
            }
            self.tree.hop(on, Hop::Awaited);
            *task = on;
            match last {
                Some(last) => id = last,
                None => return Place::Since(activity(step.peer_state, None)),
            }
        }
    }

    /// The time from `since` on, as far as it is not told yet, is the task's.
    fn tell(&mut self, task: TaskId, activity: Activity, since: u64) {
        let from = since.max(self.from);
        if from >= self.now {
            return;
        }
        let stretch = Stretch {
            task,
            activity,
            from,
            to: self.now,
        };
        self.now = from;
        match self.stretches.last_mut() {
            Some(later) if later.task == task && later.activity == activity => later.from = from,
            _ => self.stretches.push(stretch),
        }
        self.tree.add(activity, stretch.ticks());
    }
}

/// What a task does in this state.
fn activity(state: TaskState, ended_by: Option<&'static str>) -> Activity {
    if state.is_ready() {
        Activity::Ready
    } else if state.is_waiting() {
        Activity::Wait { state, ended_by }
    } else {
        // Its end is published within its last tick.
        Activity::Run
    }
}

const fn name(link: Link) -> &'static str {
    match link {
        Link::Timer => "timer",
        Link::Io => "io",
        Link::External => "external",
        Link::Lane | Link::Permit => "lane",
        Link::Abort | Link::Aborted => "abort",
        Link::Woken => "task",
        Link::Own | Link::Gap | Link::Spawned => "",
    }
}

const fn hop(link: Link) -> Hop {
    match link {
        Link::Permit => Hop::Permit,
        Link::Aborted => Hop::Aborted,
        Link::Spawned => Hop::Spawned,
        _ => Hop::Woke,
    }
}
