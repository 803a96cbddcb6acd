//! Owns how a dump is taken: the rows of the scheduler's tasks, and the records of the waits they are in.

use super::{Dump, Task, WaitsFor};
use crate::runtime::Shared;
use crate::task::{Id, Stats, settled_row};
use glasshouse_pal::reader::{Log, Site};
use glasshouse_pal::{Event, SiteId, TaskEvent, TaskRow, TaskState};
use std::collections::HashMap;

/// Looks at every live task of the scheduler.
pub(crate) fn take(shared: &Shared) -> Dump {
    let rows = rows(shared);
    let log = shared.hub.pal().log();
    let mut waits = waits(&rows, &log);
    let mut sites: HashMap<SiteId, Option<Site>> = HashMap::new();
    let clock = shared.hub.clock();
    let tasks = rows.into_iter().map(|(row, state, now)| Task {
        id: row.id,
        site: sites
            .entry(row.site)
            .or_insert_with_key(|site| log.site(*site))
            .clone(),
        parent: row.parent,
        state,
        since: clock.duration(now.saturating_sub(row.since)),
        waits_for: waits.remove(&row.id),
        stats: Stats::of_row(&row, now, clock),
    });
    let mut tasks: Vec<_> = tasks.collect();
    tasks.sort_by_key(|task| task.id);
    Dump {
        tasks,
        without_slot: shared.registry.without_slot(),
    }
}

/// A live task's row, the state in it, and the stamp at which it was read.
type Seen = (TaskRow, TaskState, u64);

fn rows(shared: &Shared) -> Vec<Seen> {
    let (table, clock) = (shared.hub.pal().table(), shared.hub.clock());
    let look = |slot| {
        let now = clock.now();
        let row = settled_row(table.slot(slot), now)?;
        let state = row.state.filter(|state| !state.is_end())?;
        Some((row, state, now))
    };
    let tasks = shared.registry.slots().filter_map(|slot| {
        let seen = look(slot)?;
        // The table is the process's: meanwhile the slot may have become another scheduler's. If a task of ours
        // is registered there after the row was read, and the slot still has the row's id, then the row is ours:
        // we leave the registry before we give up the slot, and take the slot before we enter.
        let is_ours = shared.registry.has(slot) && table.slot(slot).id() == Some(seen.0.id);
        is_ours.then_some(seen)
    });
    let roots = shared.roots.all().into_iter().filter_map(|root| {
        let seen = look(root.slot?)?;
        (seen.0.id == root.id).then_some(seen)
    });
    tasks.chain(roots).collect()
}

/// What the tasks wait for, as far as the records of those waits are still there.
fn waits(rows: &[Seen], log: &Log) -> HashMap<Id, WaitsFor> {
    let waiting: HashMap<Id, (TaskState, u64)> = rows
        .iter()
        // A wait without a claim says no more than its state.
        .filter(|(_, state, _)| state.is_waiting() && *state != TaskState::Waiting)
        .map(|(row, state, _)| (row.id, (*state, row.since)))
        .collect();
    if waiting.is_empty() {
        return HashMap::new();
    }
    let mut found = HashMap::with_capacity(waiting.len());
    for entry in log.records() {
        let Event::Task(event) = entry.event else {
            continue;
        };
        let (Some(id), Some(state)) = (event.tid(), event.state()) else {
            continue;
        };
        if waiting.get(&id) == Some(&(state, entry.stamp))
            && let Some(waits_for) = waits_for(&event, log)
        {
            found.insert(id, waits_for);
        }
    }
    found
}

fn waits_for(event: &TaskEvent, log: &Log) -> Option<WaitsFor> {
    match *event {
        TaskEvent::Sleep { dur, .. } => Some(WaitsFor::Deadline { ahead: dur }),
        TaskEvent::IoWait { io, .. } => Some(WaitsFor::Io(io)),
        TaskEvent::JoinWait { on, .. } => Some(WaitsFor::Task(on)),
        TaskEvent::LaneWait { lane, .. } => log.text(lane).map(WaitsFor::Lane),
        _ => None,
    }
}
