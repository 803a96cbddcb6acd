//! Owns who held the worker while a task was ready.

use crate::reader::RingId;
use crate::{TaskEvent, TaskId, TaskState};
use foldhash::HashMap;

/// The holders that are told apart; what further tasks ran is summed up in one.
const HOLDERS_MAX: usize = 1 << 16;

/// What a worker did while a task was ready.
///
/// ```
/// use glasshouse_pal::{TaskId, why::Holding};
/// assert_ne!(Holding::Task(TaskId::MAX), Holding::NoTask);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holding {
    /// It ran this task.
    Task(TaskId),
    /// It ran tasks that are too many to be told apart.
    Others,
    /// It ran no task: it slept, was waking up, or looked for work.
    NoTask,
}

/// A part of a task's ready delay.
///
/// ```
/// use glasshouse_pal::{reader::RingId, why::{Holder, Holding}};
/// let holder = Holder { ring: RingId::Worker(0), what: Holding::NoTask, ticks: 40 };
/// assert_eq!(holder.ring.to_string(), "0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The ring of the worker.
    pub ring: RingId,
    /// What it did.
    pub what: Holding,
    /// For how long, in clock ticks.
    pub ticks: u64,
}

/// Follows what every worker runs, and sums up what the one ran that takes the task up.
#[derive(Debug)]
pub(super) struct Holders {
    task: TaskId,
    running: HashMap<RingId, (TaskId, u64)>,
    /// Since when the task is ready, while it is.
    ready_since: Option<u64>,
    /// What ran since then.
    meanwhile: HashMap<(RingId, Holding), u64>,
    /// What held the workers that took it up.
    held: HashMap<(RingId, Holding), u64>,
}

impl Holders {
    pub(super) fn new(task: TaskId) -> Holders {
        Holders {
            task,
            running: HashMap::default(),
            ready_since: None,
            meanwhile: HashMap::default(),
            held: HashMap::default(),
        }
    }

    /// A gap of the log lies before what is fed next: what was so need not have lasted.
    pub(super) fn forget(&mut self) {
        self.running.clear();
        self.meanwhile.clear();
        self.ready_since = None;
    }

    /// Takes in a transition that a ring holds; where records of its task are missing before it, `is_gap`.
    pub(super) fn feed(&mut self, ring: RingId, stamp: u64, event: &TaskEvent, is_gap: bool) {
        let (Some(tid), Some(entered)) = (event.tid(), event.state()) else {
            return;
        };
        if !matches!(event, TaskEvent::Spawned { .. } | TaskEvent::Wake { .. }) {
            // A worker that turns to a task has left the one before, should that record be missing.
            self.leave(ring, stamp);
        }
        if entered == TaskState::Running {
            self.running.insert(ring, (tid, stamp));
        }
        if tid != self.task {
            return;
        }
        if is_gap {
            self.ready_since = None;
        }
        if entered == TaskState::Running {
            self.take_up(ring, stamp);
        }
        self.ready_since = entered.is_ready().then_some(stamp);
        if entered.is_ready() {
            self.meanwhile.clear();
        }
    }

    /// The ring's tick is over.
    fn leave(&mut self, ring: RingId, stamp: u64) {
        let Some((tid, since)) = self.running.remove(&ring) else {
            return;
        };
        if let Some(ready_since) = self.ready_since {
            let ticks = stamp.saturating_sub(since.max(ready_since));
            add(&mut self.meanwhile, (ring, Holding::Task(tid)), ticks);
        }
    }

    /// The ring's worker runs the task.
    fn take_up(&mut self, ring: RingId, stamp: u64) {
        let Some(since) = self.ready_since.take() else {
            return;
        };
        let mut left = stamp.saturating_sub(since);
        for ((of, what), ticks) in self.meanwhile.drain().filter(|((of, _), _)| *of == ring) {
            // No more than the delay, whatever a damaged log says.
            let ticks = ticks.min(left);
            left -= ticks;
            add(&mut self.held, (of, what), ticks);
        }
        add(&mut self.held, (ring, Holding::NoTask), left);
    }

    /// What held the workers that took the task up; and, where nobody has by `until`, what each worker does
    /// meanwhile. The longest first.
    pub(super) fn finish(mut self, until: u64) -> (Vec<Holder>, Vec<Holder>) {
        let pending = match self.ready_since {
            None => Vec::new(),
            Some(since) => {
                let rings: Vec<RingId> = self.running.keys().copied().collect();
                for ring in rings {
                    self.leave(ring, until);
                }
                let whole = until.saturating_sub(since);
                let mut by_ring: HashMap<RingId, u64> = HashMap::default();
                for ((ring, _), ticks) in &self.meanwhile {
                    let sum = by_ring.entry(*ring).or_default();
                    *sum = sum.saturating_add(*ticks);
                }
                for (ring, sum) in by_ring {
                    let idle = whole.saturating_sub(sum);
                    add(&mut self.meanwhile, (ring, Holding::NoTask), idle);
                }
                sorted(self.meanwhile)
            }
        };
        (sorted(self.held), pending)
    }
}

fn add(sums: &mut HashMap<(RingId, Holding), u64>, key: (RingId, Holding), ticks: u64) {
    if ticks == 0 {
        return;
    }
    let is_known = sums.len() < HOLDERS_MAX || sums.contains_key(&key);
    let key = if is_known {
        key
    } else {
        (key.0, Holding::Others)
    };
    let sum = sums.entry(key).or_default();
    *sum = sum.saturating_add(ticks);
}

fn sorted(sums: HashMap<(RingId, Holding), u64>) -> Vec<Holder> {
    let holders = sums.into_iter();
    let mut holders: Vec<Holder> = holders
        .map(|((ring, what), ticks)| Holder { ring, what, ticks })
        .collect();
    holders.sort_by_key(|holder| (std::cmp::Reverse(holder.ticks), holder.ring, holder.what));
    holders
}
