//! Owns the critical path: the walk back from a task's end.

use super::steps::{Link, Step, Steps, Way};
use super::tree::{Hop, PathNode, Tree};
use crate::lives::Lives;
use crate::{TaskId, TaskState};
use foldhash::HashMap;
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
/// let mut inquiry = Inquiry::new(tid, pal.log().lives());
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

/// What is known of all tasks.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) steps: &'a Steps,
    /// Of the tasks that have not ended.
    pub(super) lives: &'a Lives,
    /// Whom each task waits for that waits for another's end.
    pub(super) joins: &'a HashMap<TaskId, TaskId>,
}

/// Walks back from `to` until `from`; the path, and whether steps of it were dropped.
pub(super) fn walk(facts: Facts<'_>, task: TaskId, from: u64, to: u64) -> (Path, bool) {
    let mut walk = Walk {
        facts,
        from,
        now: to.max(from),
        stretches: Vec::new(),
        tree: Tree::new(task),
        is_cut: false,
    };
    walk.run(task);
    let Walk {
        mut stretches,
        mut tree,
        is_cut,
        ..
    } = walk;
    stretches.reverse();
    for node in &mut tree.nodes {
        node.shares
            .sort_by_key(|share| (std::cmp::Reverse(share.ticks), share.activity));
    }
    let path = Path {
        from,
        to: to.max(from),
        stretches,
        nodes: tree.nodes,
    };
    (path, is_cut)
}

/// Where the walk is.
enum Place {
    /// Behind this step.
    Behind(Step),
    /// In this state since before the first step, or steps were dropped.
    Since(Activity),
}

struct Walk<'a> {
    facts: Facts<'a>,
    from: u64,
    /// What is later is told.
    now: u64,
    stretches: Vec<Stretch>,
    tree: Tree,
    /// It came to a step that was dropped.
    is_cut: bool,
}

impl Walk<'_> {
    fn run(&mut self, asked: TaskId) {
        let mut task = asked;
        let mut place = self.begin(&mut task);
        // What ended the wait that is told next.
        let mut ended_by = None;
        while self.now > self.from {
            let step = match &place {
                Place::Since(activity) => {
                    self.tell(task, *activity, self.from);
                    return;
                }
                Place::Behind(step) => *step,
            };
            self.tell(task, activity(step.entered, ended_by), step.stamp);
            ended_by = None;
            place = match step.link {
                Link::Own => self.back(&step, task, None),
                Link::Timer | Link::Io | Link::External | Link::Lane | Link::Abort => {
                    ended_by = Some(name(step.link));
                    self.back(&step, task, ended_by)
                }
                Link::Woken | Link::Permit | Link::Aborted | Link::Spawned => match step.peer {
                    Some(peer) => {
                        self.tree.hop(peer, hop(step.link));
                        task = peer;
                        self.go(step.from(), || activity(step.peer_state, None))
                    }
                    None => Place::Since(Activity::Unborn),
                },
            };
        }
    }

    /// Where a task was before a step of its own. Where records are missing in between, the time is nobody's.
    fn back(&mut self, step: &Step, task: TaskId, ended_by: Option<&'static str>) -> Place {
        let place = self.go(step.from(), || {
            let before = step.before.map(|before| activity(before, ended_by));
            before.unwrap_or(Activity::Unrecorded)
        });
        if step.before.is_none()
            && let Place::Behind(known) = &place
        {
            self.tell(task, Activity::Unrecorded, known.stamp);
        }
        place
    }

    /// Where a way leads; one to the beginning, to what was so since.
    fn go(&mut self, way: Way, since: impl FnOnce() -> Activity) -> Place {
        match way {
            Way::Begin => Place::Since(since()),
            Way::Step(id) => match self.facts.steps.at(id) {
                Some(step) => Place::Behind(*step),
                None => self.cut(),
            },
            Way::Dropped => self.cut(),
        }
    }

    fn cut(&mut self) -> Place {
        self.is_cut = true;
        Place::Since(Activity::Unrecorded)
    }

    /// Where a walk begins: where its task is, or whom that one joins, or whom that joins, as far as they live.
    fn begin(&mut self, task: &mut TaskId) -> Place {
        let Facts {
            steps,
            lives,
            joins,
        } = self.facts;
        let mut seen = HashSet::from([*task]);
        while let Some(on) = joins.get(task).copied()
            // Else it has ended, or may have in a gap.
            && let Some(life) = lives.of(on)
            && !lives.has_gap_between(life.since, self.now)
            && seen.insert(on)
        {
            self.tree.hop(on, Hop::Awaited);
            *task = on;
        }
        self.go(steps.latest(*task), || match lives.of(*task) {
            Some(life) => activity(life.state, None),
            None => Activity::Unrecorded,
        })
    }

    /// The time from `since` on, as far as it is not told yet, is the task's. What was so before a gap of the log is not
    /// known to have lasted.
    fn tell(&mut self, task: TaskId, activity: Activity, since: u64) {
        let from = since.max(self.from);
        if from >= self.now {
            return;
        }
        let activity = match self.facts.lives.has_gap_between(since, self.now) {
            true => Activity::Unrecorded,
            false => activity,
        };
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
        Link::Own | Link::Spawned => "",
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
