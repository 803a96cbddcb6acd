//! Owns the fold of a log's records up to any moment: what each task and each worker did then.

use super::ledger::Ledger;
use super::load::Parts;
use super::moment::{Moment, Task, Worker};
use super::older::Older;
use super::recent::Recent;
use glasshouse_pal::lives::{Life, Lives};
use glasshouse_pal::reader::{Entry, Log, RingId};
use glasshouse_pal::{Event, Rate, TaskEvent, TaskId, WakeSource, WorkerState};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// What the records fed so far say.
#[derive(Debug)]
pub struct Fold {
    rate: Rate,
    /// Nothing is known before it.
    since: u64,
    lives: Lives,
    wakers: HashMap<TaskId, WakeSource>,
    rings: BTreeMap<RingId, Ring>,
    recent: Recent,
    ledger: Ledger,
    /// Where the gaps end that no record was behind yet, the next one last.
    gaps: Vec<u64>,
}

#[derive(Debug, Default)]
struct Ring {
    running: Option<(TaskId, u64)>,
    parts: Parts,
}

impl Fold {
    /// Before the first record of a log.
    pub fn new(log: &Log) -> Fold {
        let horizon = log.horizon();
        let mut gaps: Vec<u64> = log.loss().gaps.iter().map(|gap| gap.to).collect();
        gaps.sort_unstable_by_key(|end| Reverse(*end));
        let mut ledger = Ledger::default();
        if horizon.is_some() {
            ledger.note_loss();
        }
        Fold {
            rate: log.rate(),
            since: horizon.unwrap_or(log.start_stamp()),
            lives: log.lives(),
            wakers: HashMap::new(),
            rings: BTreeMap::new(),
            recent: Recent::default(),
            ledger,
            gaps,
        }
    }

    /// Takes in the next record.
    pub fn feed(&mut self, entry: &Entry, log: &Log) {
        while self.gaps.pop_if(|end| *end <= entry.stamp).is_some() {
            self.pass_gap();
        }
        self.ledger.feed(entry, log);
        let Event::Task(event) = &entry.event else {
            return;
        };
        let Some(step) = self.lives.feed(entry.stamp, entry.aux, event) else {
            return;
        };
        let (tid, is_end) = (step.tid, step.life.state.is_end());
        match event {
            TaskEvent::Wake { by, .. }
            | TaskEvent::Yield { by, .. }
            | TaskEvent::Throttled { by, .. } => {
                self.wakers.insert(tid, *by);
            }
            _ => {}
        }
        if is_end {
            self.wakers.remove(&tid);
            self.lives.forget(tid);
        }
        // A spawn and a wake are not by the task itself, and may be in any ring.
        if !matches!(event, TaskEvent::Spawned { .. } | TaskEvent::Wake { .. }) {
            self.feed_ring(entry, tid, event);
        }
    }

    /// What was under way before the gap may have ended in it.
    fn pass_gap(&mut self) {
        self.ledger.note_loss();
        for ring in self.rings.values_mut() {
            ring.running = None;
        }
    }

    fn feed_ring(&mut self, entry: &Entry, tid: TaskId, event: &TaskEvent) {
        let ring = self.rings.entry(entry.ring).or_default();
        if let TaskEvent::Running { .. } = event {
            ring.running = Some((tid, entry.stamp));
            ring.parts.begin(entry.stamp, self.rate);
        } else if let Some((running, since)) = ring.running.take()
            && running == tid
        {
            ring.parts.run(since, entry.stamp, self.rate);
            self.recent.add(tid, since, entry.stamp, self.rate);
        }
    }

    /// The moment at a stamp behind the last record that was fed. `older` knows the tasks that records say
    /// nothing or not all about.
    pub fn tell(&mut self, at: u64, older: &Older, moment: &mut Moment) {
        moment.at = at;
        moment.workers.clear();
        for (id, ring) in &self.rings {
            let task = ring
                .running
                .map(|(task, since)| (task, at.saturating_sub(since)));
            let since = ring.running.map(|(_, since)| since);
            let [now, lately] = ring.parts.loads(self.since, at, since, self.rate);
            moment.workers.push(Worker {
                ring: *id,
                state: task.map(|_| WorkerState::Running),
                task,
                now,
                lately,
            });
        }
        moment.tasks.clear();
        // Who ended in a gap is not among those that the task table still had, where that was noted behind it.
        let has_rows = self.lives.has_rows_as_of(at);
        let is_alive = |id, life| self.lives.is_followed(life) || has_rows && older.is_alive(id);
        let alive = self.lives.iter().filter(|(id, life)| is_alive(*id, life));
        let told = alive.map(|(id, life)| {
            let mut task = task(id, life, at);
            task.waker = self.wakers.get(&id).copied();
            older.complete(&mut task);
            task
        });
        moment.tasks.extend(told);
        if has_rows {
            moment.tasks.extend(older.unheard(&self.lives, at));
        }
        self.recent
            .tell(self.since, at, self.rate, &mut moment.tasks);
        self.ledger.tell(moment);
    }
}

fn task(id: TaskId, life: &Life, at: u64) -> Task {
    let mut task = Task {
        id,
        state: Some(life.state),
        stay: at.saturating_sub(life.since),
        site: life.site,
        parent: life.parent,
        waker: None,
        polls: life.polls,
        run: life.run_ticks,
        wait: life.wait_total_ticks(),
        ready: life.ready_ticks,
        busy: None,
        lane: None,
    };
    task.count_stay();
    task
}
