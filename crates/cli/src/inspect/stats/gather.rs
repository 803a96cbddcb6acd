//! Owns the one pass over a log's records from which its figures follow. It keeps what lives, and sums.

use super::longest::{Longest, Tick};
use super::spread::Samples;
use crate::inspect::unseen::living;
use crate::inspect::until::until;
use foldhash::{HashMap, HashSet};
use glasshouse_pal::lives::{Life, Lives, Step, WAITS};
use glasshouse_pal::reader::{Entry, Log, RingId, RingInfo};
use glasshouse_pal::{Event, Rate, RingOwner, SiteId, TaskEvent, TaskId, TaskRow, TaskState};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

/// The stalls that are kept, the newest.
const STALLS_MAX: usize = 10;

/// What was gathered of a log, from the horizon on.
pub struct Gathered {
    pub sites: HashMap<Option<SiteId>, OfSite>,
    pub longest: Longest,
    /// The last stalls that were told, the oldest first; one tick may be told of several times.
    pub stalls: Vec<Stall>,
    pub stalls_total: u64,
    /// Spawns that were refused, by where they were asked for: how many, and the last capacity.
    pub denials: BTreeMap<SiteId, (u64, u32)>,
    /// How many workers the log names, whether they ran tasks or not.
    pub workers: u64,
    /// How much time the records cover that it was gathered from: the log's gaps are left out.
    pub covered_ns: u64,
}

/// What was gathered of one site's tasks.
#[derive(Default)]
pub struct OfSite {
    pub tasks: u64,
    pub ticks: u64,
    pub throttles: u64,
    pub run: Samples,
    /// How much of the workers' time they took, as far as it was gathered: other threads poll roots by themselves.
    pub on_workers_ns: u128,
    pub ready: Samples,
    /// All waits.
    pub wait: Samples,
    /// By cause, in the order of [`WAITS`].
    pub waits: [Samples; WAITS.len()],
}

/// A tick that was told of while it lasted.
pub struct Stall {
    pub at: u64,
    pub task: TaskId,
    pub site: Option<SiteId>,
    pub worker: u16,
    pub busy: Duration,
}

impl OfSite {
    /// A task has spent so long in this state.
    fn spend(&mut self, left: TaskState, ticks: u64, rate: Rate) {
        let ns = rate.ns(ticks);
        if left == TaskState::Running {
            self.run.add(ns);
        } else if left.is_ready() {
            self.ready.add(ns);
        } else if let Some(cause) = WAITS.iter().position(|wait| *wait == left) {
            self.wait.add(ns);
            self.waits[cause].add(ns);
        }
    }
}

/// Folds a log's records.
pub fn gather(log: &Log) -> Gathered {
    let horizon = log.horizon();
    let mut pass = Pass {
        living: living(log),
        rate: log.rate(),
        lives: log.lives().giving_up_ended(),
        spawned_at: log
            .known_tasks()
            .iter()
            .map(|row| (row.id, row.site))
            .collect(),
        running_on: HashMap::default(),
        workers: Workers::of(log),
        gathered: Gathered {
            sites: HashMap::default(),
            longest: Longest::default(),
            stalls: Vec::new(),
            stalls_total: 0,
            denials: BTreeMap::new(),
            workers: 0,
            covered_ns: 0,
        },
    };
    let begin = horizon.unwrap_or(log.start_stamp());
    let mut newest = begin;
    for entry in log.records() {
        newest = newest.max(entry.stamp);
        let Event::Task(event) = &entry.event else {
            continue;
        };
        if entry.stamp >= horizon.unwrap_or(0) {
            pass.take(&entry, event);
        } else if let TaskEvent::Spawned { tid, site, .. } = *event {
            // Its life is judged later, and from where it was spawned is known even so.
            pass.spawned_at.insert(tid, site);
        }
    }
    let until = until(log, newest);
    // Read behind the records: who has a row by now has not ended in them.
    for row in log.tasks() {
        pass.unheard(log, &row, until, begin);
    }
    Gathered {
        covered_ns: covered_ns(log, begin, until),
        ..pass.end(until)
    }
}

/// How much of the time between these stamps the log has no gap in.
fn covered_ns(log: &Log, from: u64, to: u64) -> u64 {
    let ns = |stamp: u64| log.rate().ns(stamp);
    let between = |from: u64, to: u64| ns(to).saturating_sub(ns(from));
    let mut told = from;
    let gaps = log.loss().gaps;
    let in_gaps = gaps.iter().map(|gap| {
        let (begin, end) = (gap.from.max(told), gap.to.min(to));
        told = told.max(end);
        between(begin, end)
    });
    between(from, to).saturating_sub(in_gaps.sum())
}

/// The workers that a log names: one that had nothing to do counts, too, and another thread's ring does not.
struct Workers {
    count: u64,
    /// The rings of other threads that workers lease where they are more than the log was made for.
    beyond: HashSet<RingId>,
}

impl Workers {
    fn of(log: &Log) -> Workers {
        let rings = log.rings();
        let owned = rings.iter().filter(|ring| {
            let owner = ring.owner;
            matches!(owner, Some(RingOwner::Worker(_)))
        });
        let owned: Vec<RingId> = owned.map(|ring| ring.id).collect();
        Workers {
            count: owned.len() as u64,
            beyond: owned
                .into_iter()
                .filter(|ring| matches!(ring, RingId::External(_)))
                .collect(),
        }
    }

    fn has(&self, ring: RingId) -> bool {
        matches!(ring, RingId::Worker(_)) || self.beyond.contains(&ring)
    }
}

struct Pass {
    /// Tasks that have not ended, where not being among them is an end.
    living: Option<HashSet<TaskId>>,
    rate: Rate,
    lives: Lives,
    /// Of tasks whose spawn is not judged, because it is not in the log any more or lies before the horizon.
    spawned_at: HashMap<TaskId, SiteId>,
    running_on: HashMap<TaskId, RingId>,
    workers: Workers,
    gathered: Gathered,
}

impl Pass {
    fn take(&mut self, entry: &Entry, event: &TaskEvent) {
        match *event {
            TaskEvent::Stalled {
                tid, worker, busy, ..
            } => self.stall(entry.stamp, tid, worker, busy),
            TaskEvent::SpawnDenied { site, capacity, .. } => {
                let denied = self.gathered.denials.entry(site).or_default();
                *denied = (denied.0 + 1, capacity);
            }
            _ => self.transition(entry, event),
        }
    }

    fn transition(&mut self, entry: &Entry, event: &TaskEvent) {
        let Some(step) = self.lives.feed(entry.stamp, entry.aux, event) else {
            // It came late, from within a gap; its task's life begins behind it.
            if let TaskEvent::Spawned { tid, site, .. } = *event {
                self.spawned_at.insert(tid, site);
            }
            return;
        };
        let Step {
            tid, before, left, ..
        } = step;
        let state = step.life.state;
        // Most tasks are seen from their spawn on.
        let site = step
            .life
            .spawned_at()
            .or_else(|| self.spawned_at.get(&tid).copied());
        let of_site = self.gathered.sites.entry(site).or_default();
        // One that was given up behind a gap is taken up again.
        of_site.tasks += u64::from(before.is_none() && !step.life.has_gap);
        of_site.ticks += u64::from(state == TaskState::Running);
        of_site.throttles += u64::from(state == TaskState::Throttled);
        if let Some((left, ticks)) = left {
            of_site.spend(left, ticks, self.rate);
        }
        let ran_on = match state {
            TaskState::Running => self.running_on.insert(tid, entry.ring),
            _ => self.running_on.remove(&tid),
        };
        let ran = left.filter(|(left, _)| *left == TaskState::Running);
        if let (Some(ring), Some((_, run_ticks))) = (ran_on, ran) {
            if self.workers.has(ring) {
                of_site.on_workers_ns += u128::from(self.rate.ns(run_ticks));
            }
            if state != TaskState::Running {
                self.gathered.longest.add(Tick {
                    run_ticks,
                    begun: Reverse(entry.stamp.saturating_sub(run_ticks)),
                    task: tid,
                    site,
                    ring,
                    is_going_on: false,
                });
            }
        }
        if state.is_end() {
            self.lives.forget(tid);
            if !self.spawned_at.is_empty() {
                self.spawned_at.remove(&tid);
            }
        }
    }

    fn stall(&mut self, at: u64, task: TaskId, worker: u16, busy: Duration) {
        let life = self.lives.of(task).and_then(Life::spawned_at);
        let site = life.or(self.spawned_at.get(&task).copied());
        let stalls = &mut self.gathered.stalls;
        self.gathered.stalls_total += 1;
        if stalls.len() == STALLS_MAX {
            stalls.remove(0);
        }
        stalls.push(Stall {
            at,
            task,
            site,
            worker,
            busy,
        });
    }

    /// What the task table alone knows: a task that is in one state since before the oldest record, as one is that
    /// hangs. Its stay counts whole, and of the workers' time what lies in the time that the records cover.
    fn unheard(&mut self, log: &Log, row: &TaskRow, until: u64, begin: u64) {
        // Where a gap lies behind what segments noted, it may have ended unseen.
        let is_known = self.spawned_at.contains_key(&row.id)
            && self.lives.of(row.id).is_none()
            && !self.lives.has_gap_between(row.since, until);
        let Some(state) = row.state.filter(|state| is_known && !state.is_end()) else {
            return;
        };
        let site = Some(row.site);
        let ticks = until.saturating_sub(row.since);
        let of_site = self.gathered.sites.entry(site).or_default();
        of_site.tasks += 1;
        of_site.spend(state, ticks, self.rate);
        let runs_on = |ring: &RingInfo| ring.task == Some(row.id);
        if state == TaskState::Running
            && let Some(ring) = log.rings().into_iter().find(runs_on)
        {
            if self.workers.has(ring.id) {
                let covered = until.saturating_sub(row.since.max(begin));
                of_site.on_workers_ns += u128::from(self.rate.ns(covered));
            }
            self.gathered.longest.add(Tick {
                run_ticks: ticks,
                begun: Reverse(row.since),
                task: row.id,
                site,
                ring: ring.id,
                is_going_on: true,
            });
        }
    }

    /// What a task is in the midst of counts too: a task that hangs is what one looks for.
    fn end(mut self, until: u64) -> Gathered {
        let lives = &self.lives;
        let lasting = |life: &Life| !life.state.is_end() && lives.is_followed(life);
        for (tid, life) in lives.iter().filter(|(_, life)| lasting(life)) {
            if self
                .living
                .as_ref()
                .is_some_and(|living| !living.contains(&tid))
            {
                continue;
            }
            let site = (life.spawned_at()).or(self.spawned_at.get(&tid).copied());
            let ticks = until.saturating_sub(life.since);
            let of_site = self.gathered.sites.entry(site).or_default();
            of_site.spend(life.state, ticks, self.rate);
            if let Some(ring) = self.running_on.get(&tid) {
                if self.workers.has(*ring) {
                    of_site.on_workers_ns += u128::from(self.rate.ns(ticks));
                }
                self.gathered.longest.add(Tick {
                    run_ticks: ticks,
                    begun: Reverse(life.since),
                    task: tid,
                    site,
                    ring: *ring,
                    is_going_on: true,
                });
            }
        }
        self.gathered.workers = self.workers.count;
        self.gathered
    }
}
