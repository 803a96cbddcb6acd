//! Owns the ticks that hold workers: of tasks that have run for long without coming back.

use super::called;
use super::lasting::lasted;
use super::told::on;
use crate::human;
use crate::inspect::names::Names;
use glasshouse_pal::reader::{Log, RingId, RingInfo};
use glasshouse_pal::{RingOwner, TaskId, TaskState, WorkerState};
use std::collections::HashMap;

/// How long a tick that has not ended must last to be told: what the watchdog takes for a stall unless it is set.
const HELD_NS: u64 = 100_000_000;

/// A tick that lasts.
pub struct Held {
    pub task: TaskId,
    /// Whose tick it is; `None` where no ring is there for it.
    pub ring: Option<RingId>,
    /// Since when, in ticks of the log's clock.
    pub since: u64,
}

/// The ticks that hold workers, and whether any worker is free.
pub struct Holds {
    /// The longest first.
    pub held: Vec<Held>,
    /// Whether there are workers, and each is held.
    pub is_no_worker_free: bool,
}

impl Holds {
    /// As of now: the task table and the headers of rings are newer than what was read of records before. Segments
    /// tell of neither as it is now.
    pub fn of(log: &Log, until: u64) -> Holds {
        let rings = match log.is_segments() {
            true => Vec::new(),
            false => log.rings(),
        };
        let runs = |ring: &&RingInfo| ring.is_leased && ring.state == Some(WorkerState::Running);
        let by_task: HashMap<TaskId, RingId> = rings
            .iter()
            .filter(runs)
            .filter_map(|ring| Some((ring.task?, ring.id)))
            .collect();
        let rows = log.tasks().filter(|row| {
            let lasts_ns = log.rate().ns(until.saturating_sub(row.since));
            row.state == Some(TaskState::Running) && lasts_ns >= HELD_NS && !log.is_segments()
        });
        let mut held: Vec<Held> = rows
            .map(|row| Held {
                task: row.id,
                ring: by_task.get(&row.id).copied(),
                since: row.since,
            })
            .collect();
        held.sort_by_key(|held| (held.since, held.task));
        let mut workers = rings
            .iter()
            .filter(|ring| ring.is_leased && matches!(ring.owner, Some(RingOwner::Worker(_))))
            .peekable();
        let is_held = |ring: &RingInfo| held.iter().any(|held| held.ring == Some(ring.id));
        Holds {
            is_no_worker_free: workers.peek().is_some() && workers.all(is_held),
            held,
        }
    }
}

/// A tick that holds a worker, in a line.
pub fn told(log: &Log, held: &Held, until: u64, names: &mut Names<'_>) -> String {
    let ring = held.ring.map_or("a thread".to_owned(), on);
    let lasted = lasted(log, held.since, until);
    let place = names.of_task(held.task);
    let place = place.map_or(String::new(), |site| {
        format!(" ({})", human::plain(&site.to_string()))
    });
    let called = called(held.task, names);
    format!("{called} has held {ring} in one tick for {lasted}{place}")
}
