//! Owns what is known of a log that is looked at now and then: from its rings' headers and its task table, which
//! tell the present exactly, and from the records that came in between.

use super::ledger::Ledger;
use super::load::{Look, Looks};
use super::moment::{Load, Moment, Task, Worker};
use glasshouse_pal::reader::{Entry, Log, RingId, RingInfo};
use glasshouse_pal::{Rate, TaskId, TaskRow, WorkerState};
use std::collections::HashMap;

/// The kind of record that begins a tick, as format 1 numbers it.
const RUNNING_KIND: usize = 2;
/// How far apart the looks are by which a task's share of a processor is told.
const SHARE_NS: u64 = 1_000_000_000;

/// A live log, as of the last look.
#[derive(Debug)]
pub struct Live {
    rate: Rate,
    looks: HashMap<RingId, Looks>,
    /// How long each task had run, at two looks: the older one is what shares are told by.
    runs: [Runs; 2],
    ledger: Ledger,
    /// Records that were overwritten before they were read.
    lost: u64,
    moment: Moment,
}

/// How long each task had run by a moment.
#[derive(Debug, Default)]
struct Runs {
    /// `None` before there was a look.
    at: Option<u64>,
    by_task: HashMap<TaskId, u64>,
}

impl Live {
    /// Before the first look.
    pub fn new(rate: Rate) -> Live {
        Live {
            rate,
            looks: HashMap::new(),
            runs: Default::default(),
            ledger: Ledger::default(),
            lost: 0,
            moment: Moment::default(),
        }
    }

    /// The last look.
    pub fn moment(&self) -> &Moment {
        &self.moment
    }

    /// Records that were overwritten before they were read.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// So many of those that were lost are told elsewhere.
    pub fn forget_loss(&mut self, count: u64) {
        self.lost = self.lost.saturating_sub(count);
    }

    /// Takes in the records since the last look, and how many were lost in between.
    pub fn follow(&mut self, records: impl Iterator<Item = Entry>, lost: u64, log: &Log) {
        if lost > 0 {
            self.lost = self.lost.saturating_add(lost);
            self.ledger.note_loss();
        }
        for entry in records {
            self.ledger.feed(&entry, log);
        }
    }

    /// Takes in what the rings' headers and the task table say at the stamp `now`.
    pub fn look(&mut self, now: u64, rings: &[RingInfo], rows: impl Iterator<Item = TaskRow>) {
        self.moment.at = now;
        self.moment.workers.clear();
        // A worker stays on the screen when its scheduler has ended; other threads come and go.
        let stays = |ring: &&RingInfo| ring.is_leased || matches!(ring.id, RingId::Worker(_));
        let shown = rings.iter().filter(stays);
        for ring in shown {
            let look = self.looks.entry(ring.id).or_default();
            let loads = look.add(look_at(ring, now), self.rate);
            self.moment.workers.push(worker(ring, now, loads));
        }
        self.moment.workers.sort_by_key(|worker| worker.ring);
        let shares = &self.runs[0];
        self.moment.tasks.clear();
        let tasks = rows.map(|row| {
            let mut task = Task::of_row(&row, now);
            task.busy = shares.share(&task, now);
            task
        });
        self.moment.tasks.extend(tasks);
        self.note_runs(now);
        self.ledger.tell(&mut self.moment);
    }

    /// Remembers once in a while how long each task has run.
    fn note_runs(&mut self, now: u64) {
        let last = self.runs[1].at.or(self.runs[0].at);
        let is_due = last.is_none_or(|last| self.rate.ns(now.saturating_sub(last)) >= SHARE_NS);
        if !is_due {
            return;
        }
        if self.runs[1].at.is_some() {
            self.runs.swap(0, 1);
        }
        let into = usize::from(self.runs[0].at.is_some());
        let into = &mut self.runs[into];
        into.at = Some(now);
        into.by_task.clear();
        let runs = self.moment.tasks.iter().map(|task| (task.id, task.run));
        into.by_task.extend(runs);
    }
}

impl Runs {
    fn share(&self, task: &Task, now: u64) -> Option<f64> {
        let span = now.saturating_sub(self.at?);
        // What is younger than that look has run since.
        let before = self.by_task.get(&task.id).copied().unwrap_or(0);
        let run = task.run.saturating_sub(before);
        (span > 0).then(|| (run as f64 / span as f64).min(1.0))
    }
}

fn look_at(ring: &RingInfo, now: u64) -> Look {
    let run = ring.state_ticks[WorkerState::Running as usize];
    let stay = match ring.state {
        Some(WorkerState::Running) => now.saturating_sub(ring.state_since),
        _ => 0,
    };
    Look {
        at: now,
        run: run.saturating_add(stay),
        begun: ring.events[RUNNING_KIND],
    }
}

fn worker(ring: &RingInfo, now: u64, [now_load, lately]: [Load; 2]) -> Worker {
    // The last sign of life of a worker in a tick is that tick's start.
    let since = |task: TaskId| (task, now.saturating_sub(ring.heartbeat));
    Worker {
        ring: ring.id,
        state: ring.state.filter(|_| ring.is_leased),
        task: ring.task.map(since),
        now: now_load,
        lately,
    }
}
