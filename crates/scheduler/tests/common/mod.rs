//! What the tests of the scheduler share: schedulers to test, the life of a task as the log has it, and waits for
//! what the log will show.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![allow(dead_code, reason = "each test file uses its part")]

pub mod at_drop;
pub mod faults;
pub mod output;
pub mod wakes;

use glasshouse_pal::{Pal, TaskEvent, TaskId, TaskState};
use glasshouse_scheduler::{Builder, Scheduler, task};
use std::thread;
use std::time::Duration;

/// One worker in virtual time.
pub fn deterministic() -> (Scheduler, Pal) {
    let scheduler = Builder::deterministic(1).build().unwrap();
    let pal = scheduler.handle().pal().clone();
    (scheduler, pal)
}

/// Real workers; the quantum is out of reach, as a stall is, because how long a tick takes here is chance.
pub fn threads(workers: usize) -> (Scheduler, Pal) {
    threads_with_quantum(workers, Duration::from_secs(3600))
}

/// Real workers with this quantum. However long a tick takes, no record says so.
pub fn threads_with_quantum(workers: usize, quantum: Duration) -> (Scheduler, Pal) {
    let pal = Pal::memory();
    let scheduler = Builder::new()
        .workers(workers)
        .quantum(quantum)
        .stall_threshold(Duration::MAX)
        .pal(pal.clone())
        .build()
        .unwrap();
    (scheduler, pal)
}

/// Whether the table of tasks has this task in `state`.
pub fn is_in(pal: &Pal, id: TaskId, state: TaskState) -> bool {
    pal.log()
        .tasks()
        .any(|row| row.id == id && row.state == Some(state))
}

/// Lets other threads run until the table of tasks has this task in `state`.
pub fn wait_until(pal: &Pal, id: TaskId, state: TaskState) {
    while !is_in(pal, id, state) {
        thread::yield_now();
    }
}

/// Lets other tasks run until the table of tasks has this task in `state`.
pub async fn yield_until(pal: &Pal, id: TaskId, state: TaskState) {
    while !is_in(pal, id, state) {
        task::yield_now().await;
    }
}

/// Lets other threads run until the log holds such an event.
pub fn wait_until_logged(pal: &Pal, is_meant: impl Fn(&TaskEvent) -> bool) {
    while !pal.events().iter().any(&is_meant) {
        thread::yield_now();
    }
}

/// The task that spawned this one.
pub fn parent_of(pal: &Pal, id: TaskId) -> TaskId {
    pal.events()
        .into_iter()
        .find_map(|event| match event {
            TaskEvent::Spawned { tid, parent, .. } if tid == id => parent,
            _ => None,
        })
        .expect("the task was spawned by a task")
}

/// The events of one task, in order, one line each, without the location.
pub fn life(pal: &Pal, id: TaskId) -> Vec<String> {
    pal.events()
        .iter()
        .filter(|event| event.tid() == Some(id))
        .map(|event| line(pal, event))
        .collect()
}

/// All events, in order, one line each, with the task's number.
pub fn lines(pal: &Pal) -> Vec<String> {
    pal.events()
        .iter()
        .map(|event| match event.tid() {
            Some(tid) => format!("{tid} {}", line(pal, event)),
            None => line(pal, event),
        })
        .collect()
}

fn line(pal: &Pal, event: &TaskEvent) -> String {
    let by = |by: glasshouse_pal::WakeSource| match by.task() {
        Some(task) => format!("{} {task}", by.name()),
        None => by.name().to_owned(),
    };
    match *event {
        TaskEvent::Spawned { parent, .. } => match parent {
            Some(parent) => format!("spawned by {parent}"),
            None => "spawned".to_owned(),
        },
        TaskEvent::Running { .. } => "running".to_owned(),
        TaskEvent::Yield { by: source, .. } => format!("yield woken by {}", by(source)),
        TaskEvent::Throttled { by: source, .. } => format!("throttled woken by {}", by(source)),
        TaskEvent::Sleep { dur, .. } => format!("sleep {dur:?}"),
        TaskEvent::IoWait { io, .. } => format!("io_wait {:?}", io.interest),
        TaskEvent::JoinWait { on, .. } => format!("join_wait {on}"),
        TaskEvent::LaneWait { lane, .. } => {
            format!("lane_wait {}", pal.log().text(lane).unwrap_or_default())
        }
        TaskEvent::Wait { .. } => "wait".to_owned(),
        TaskEvent::Wake { by: source, .. } => format!("wake by {}", by(source)),
        TaskEvent::Done { .. } => "done".to_owned(),
        TaskEvent::Failed { error, .. } => {
            format!(
                "failed {} {:?}",
                error.kind.name(),
                pal.log().text(error.text).unwrap_or_default()
            )
        }
        TaskEvent::SpawnDenied {
            parent, capacity, ..
        } => {
            format!("spawn_denied {parent:?} at {capacity}")
        }
        TaskEvent::ShutdownBegin { timeout } => format!("shutdown_begin {timeout:?}"),
        TaskEvent::ShutdownComplete { clean } => format!("shutdown_complete clean={clean}"),
        TaskEvent::Stalled { worker, busy, .. } => format!("stalled worker {worker} {busy:?}"),
    }
}
