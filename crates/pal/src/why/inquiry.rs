//! Owns the question about one task: what is taken in of the records, and the answer.

use super::holders::{Holder, Holders};
use super::origins::{Origin, Origins};
use super::path::{self, Facts, Path};
use super::steps::{Link, NewStep, Steps};
use crate::domain::Event;
use crate::lives::{Fault, Life, Lives};
use crate::reader::Entry;
use crate::{TaskEvent, TaskId, TaskState, WakeSource};
use foldhash::HashMap;

/// Where a task's time went. Durations and stamps are in ticks of the log's clock.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, SiteId, TaskEvent, TaskId, why::{Holding, Inquiry}};
/// let pal = Pal::memory();
/// let [busy, late] = [1, 2].map(|number| TaskId::new(number).expect("in range"));
/// let ring = pal.lease(RingOwner::Worker(0));
/// for (stamp, aux, event) in [
///     (10, 0, TaskEvent::Spawned { tid: busy, parent: None, site: SiteId(0) }),
///     (10, 1, TaskEvent::Running { tid: busy }),
///     (20, 0, TaskEvent::Spawned { tid: late, parent: Some(busy), site: SiteId(0) }),
///     (70, 2, TaskEvent::Done { tid: busy }),
///     (70, 1, TaskEvent::Running { tid: late }),
///     (75, 2, TaskEvent::Done { tid: late }),
/// ] {
///     ring.write(stamp, aux, &event);
/// }
/// let mut inquiry = Inquiry::new(late, pal.log().lives());
/// pal.log().records().for_each(|entry| inquiry.feed(&entry));
/// let answer = inquiry.finish(80).expect("the log knows it");
/// let holder = answer.holders[0];
/// assert_eq!((holder.what, holder.ticks), (Holding::Task(busy), 50));
/// assert_eq!(answer.ancestors[0].task, busy);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its life up to its end, or to when it was asked: run, ready delay, and each kind of wait.
    pub life: Life,
    /// What was missing in its records, so that its state is not known: with it, all times add up to the life.
    pub unknown_ticks: u64,
    /// What held the workers that took it up, while it was ready; the longest first.
    pub holders: Vec<Holder>,
    /// Where it is ready and nobody has taken it up: what every worker did since.
    pub pending: Vec<Holder>,
    /// How the path that led to its end goes.
    pub path: Path,
    /// The path is followed only so far, because its older steps exceed what is kept.
    pub is_cut: bool,
    /// It is judged only up to its last record, because a gap of the log lies behind that: how it went on is not known.
    pub ends_in_gap: bool,
    /// Who spawned it, who spawned that one, and so on up to the root, as far as the log knows.
    pub ancestors: Vec<Origin>,
}

impl Answer {
    /// When its time begins: its spawn, or the oldest record of it.
    pub fn from(&self) -> u64 {
        self.life.first
    }

    /// When it ended, or up to when it is judged.
    pub fn to(&self) -> u64 {
        self.life.since
    }
}

/// A question about one task, to be fed with a log's records in their order.
///
/// Takes memory for what is alive, for those from whom that descends, and for the paths that lead to it since that one
/// task began, up to 128 MiB.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, SiteId, TaskEvent, TaskId, WakeSource, why::Inquiry};
/// let pal = Pal::memory();
/// let tid = TaskId::new(1).expect("in range");
/// let ring = pal.lease(RingOwner::Worker(0));
/// ring.write(10, 0, &TaskEvent::Spawned { tid, parent: None, site: SiteId(0) });
/// ring.write(12, 1, &TaskEvent::Running { tid });
/// ring.write(19, 2, &TaskEvent::Wait { tid });
/// ring.write(50, 3, &TaskEvent::Wake { tid, by: WakeSource::External });
/// let mut inquiry = Inquiry::new(tid, pal.log().lives());
/// pal.log().records().for_each(|entry| inquiry.feed(&entry));
/// let answer = inquiry.finish(54).expect("the log knows it");
/// assert_eq!((answer.from(), answer.to()), (10, 54));
/// let life = &answer.life;
/// assert_eq!((life.run_ticks, life.ready_ticks, life.wait_total_ticks()), (7, 2 + 4, 31));
/// ```
#[derive(Debug)]
pub struct Inquiry {
    task: TaskId,
    lives: Lives,
    /// The newest stamp of all that was fed.
    newest: u64,
    steps: Steps,
    /// Whom each task waits for that waits for that one's end.
    joins: HashMap<TaskId, TaskId>,
    holders: Holders,
    /// Of tasks that were spawned before this one.
    origins: Origins,
    ancestors: Vec<Origin>,
    /// When the task's time begins, once it has.
    from: Option<u64>,
    has_ended: bool,
}

impl Inquiry {
    /// About a task, as [`Log::lives`](crate::reader::Log::lives) folds its log.
    pub fn new(task: TaskId, lives: Lives) -> Inquiry {
        Inquiry {
            task,
            lives,
            newest: 0,
            steps: Steps::default(),
            joins: HashMap::default(),
            holders: Holders::new(task),
            origins: Origins::default(),
            ancestors: Vec::new(),
            from: None,
            has_ended: false,
        }
    }

    /// The same, which drops what is of no use any more from the beginning on.
    #[cfg(test)]
    pub(super) fn sparing(task: TaskId, lives: Lives) -> Inquiry {
        Inquiry {
            steps: Steps::sparing(),
            origins: Origins::sparing(),
            ..Inquiry::new(task, lives)
        }
    }

    /// Takes in the next record.
    pub fn feed(&mut self, entry: &Entry) {
        let Event::Task(event) = &entry.event else {
            return;
        };
        if self.has_ended {
            return;
        }
        let Some(step) = self.lives.feed(entry.stamp, entry.aux, event) else {
            return;
        };
        if matches!(step.fault, Some(Fault::Disorder { .. })) {
            return;
        }
        let (tid, entered) = (step.tid, step.life.state);
        let is_gap = matches!(step.fault, Some(Fault::Gap { .. })) && step.before.is_some();
        let left = step.left.map(|(left, _)| left);
        let before = left.or_else(|| Some(implied(event)).filter(|_| !is_gap));
        if let TaskEvent::JoinWait { on, .. } = *event {
            // Whichever ends first decides: not the one that is named.
            match entry.ways_out.other {
                true => self.joins.remove(&tid),
                false => self.joins.insert(tid, on),
            };
        } else if left.is_none_or(|left| left == TaskState::JoinWait) {
            self.joins.remove(&tid);
        }
        if self.lives.has_gap_between(self.newest, entry.stamp) {
            self.holders.forget();
        }
        self.newest = self.newest.max(entry.stamp);
        self.holders.feed(entry.ring, entry.stamp, event, is_gap);
        if tid == self.task && self.from.is_none() {
            self.from = Some(entry.stamp);
            if let TaskEvent::Spawned { parent, .. } = *event {
                self.ancestors = self.origins.ancestors(parent);
            }
            self.origins = Origins::default();
        }
        if self.from.is_some() {
            self.step(entry.stamp, event, before);
        } else {
            self.origins.feed(entry.stamp, event);
        }
        if !entered.is_end() {
            return;
        }
        if tid == self.task {
            self.has_ended = true;
        } else {
            self.lives.forget(tid);
        }
    }

    /// Whether the task has ended: no further record changes the answer.
    ///
    /// ```
    /// use glasshouse_pal::{TaskId, lives::Lives, why::Inquiry};
    /// assert!(!Inquiry::new(TaskId::MAX, Lives::whole()).is_over());
    /// ```
    pub fn is_over(&self) -> bool {
        self.has_ended
    }

    fn step(&mut self, stamp: u64, event: &TaskEvent, before: Option<TaskState>) {
        let (Some(tid), Some(entered)) = (event.tid(), event.state()) else {
            return;
        };
        let (link, peer) = match *event {
            TaskEvent::Spawned { parent, .. } => (Link::Spawned, parent),
            TaskEvent::Wake { by, .. } => woken(by),
            _ => (Link::Own, None),
        };
        let known = peer.and_then(|peer| self.lives.of(peer));
        let known = known.filter(|life| self.lives.is_followed(life));
        self.steps.push(NewStep {
            stamp,
            tid,
            before,
            entered,
            link,
            peer,
            // Who wakes or spawns does so while it runs.
            peer_state: known.map_or(TaskState::Running, |life| life.state),
        });
    }

    /// The answer; what the task is in the midst of counts up to `until`. `None` where no record spoke of it.
    pub fn finish(self, until: u64) -> Option<Answer> {
        let from = self.from?;
        let life = self.lives.of(self.task)?;
        let ends_in_gap = !self.has_ended && self.lives.has_gap_between(life.since, until);
        let until = match self.has_ended || ends_in_gap {
            true => life.since,
            false => until.max(life.since),
        };
        let life = life.as_of(until);
        let told = life
            .run_ticks
            .saturating_add(life.ready_ticks)
            .saturating_add(life.wait_total_ticks());
        let (holders, pending) = self.holders.finish(until);
        let facts = Facts {
            steps: &self.steps,
            lives: &self.lives,
            joins: &self.joins,
        };
        let (path, is_cut) = path::walk(facts, self.task, from, until);
        Some(Answer {
            unknown_ticks: until.saturating_sub(from).saturating_sub(told),
            path,
            is_cut,
            ends_in_gap,
            life,
            holders,
            pending,
            ancestors: self.ancestors,
        })
    }
}

fn woken(by: WakeSource) -> (Link, Option<TaskId>) {
    match by {
        WakeSource::Task(task) => (Link::Woken, Some(task)),
        WakeSource::Timer => (Link::Timer, None),
        WakeSource::Io => (Link::Io, None),
        WakeSource::External => (Link::External, None),
        WakeSource::Lane(Some(task)) => (Link::Permit, Some(task)),
        WakeSource::Abort(Some(task)) => (Link::Aborted, Some(task)),
        WakeSource::Lane(None) => (Link::Lane, None),
        WakeSource::Abort(None) => (Link::Abort, None),
    }
}

/// The state that a task was in before its first record, or the first behind a gap: it follows from the event.
fn implied(event: &TaskEvent) -> TaskState {
    match event {
        TaskEvent::Spawned { .. } | TaskEvent::Running { .. } => TaskState::Scheduled,
        TaskEvent::Wake { .. } => TaskState::Waiting,
        _ => TaskState::Running,
    }
}
