//! What the log says of tasks that are joined in sets, and of blocking functions.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::{deterministic, life, wait_until};
use glasshouse_pal::{Event, Pal, TaskEvent, TaskId, TaskState};
use glasshouse_scheduler::{Builder, Scheduler, spawn, spawn_blocking, task, task::JoinSet, time};
use std::sync::mpsc;
use std::time::Duration;

fn with_one_blocking_thread() -> (Scheduler, Pal) {
    let pal = Pal::memory();
    let scheduler = Builder::new()
        .workers(1)
        .max_blocking_threads(1)
        .pal(pal.clone())
        .build()
        .unwrap();
    (scheduler, pal)
}

#[test]
fn a_task_that_waits_for_a_set_waits_for_a_member_and_is_woken_by_the_one_that_ends() {
    let (scheduler, pal) = deterministic();
    let (own, slow, quick) = scheduler.block_on(async {
        spawn(async {
            let mut set = JoinSet::new();
            let slow = set.spawn(time::sleep(Duration::from_secs(2))).id();
            let quick = set.spawn(time::sleep(Duration::from_secs(1))).id();
            set.join_next().await.unwrap().unwrap();
            (task::id(), slow, quick)
        })
        .await
        .unwrap()
    });
    assert_eq!(
        life(&pal, own),
        [
            "spawned by 1".to_owned(),
            "running".to_owned(),
            format!("join_wait {slow}"),
            format!("wake by task {quick}"),
            "running".to_owned(),
            "done".to_owned(),
        ]
    );
}

#[test]
fn a_blocking_function_is_a_task_with_its_spawn_site_that_waits_for_its_thread() {
    let (scheduler, pal) = with_one_blocking_thread();
    let (release, blocked) = mpsc::channel::<()>();
    let line = line!() + 1;
    let function = scheduler.handle().spawn_blocking(move || blocked.recv());
    let id = function.id();
    wait_until(&pal, id, TaskState::Waiting);
    let log = pal.log();
    let row = log.tasks().find(|row| row.id == id).unwrap();
    let site = log.site(row.site).unwrap();
    assert!(site.file.ends_with("task_log.rs"), "{site}");
    assert_eq!(site.line, line);
    release.send(()).unwrap();
    scheduler.block_on(function).unwrap().unwrap();
    assert_eq!(
        life(&pal, id),
        [
            "spawned",
            "running",
            "wait",
            "wake by external",
            "running",
            "done"
        ]
    );
}

#[test]
fn a_blocking_function_is_told_from_a_task_by_its_name() {
    let (scheduler, pal) = with_one_blocking_thread();
    let [nameless, named] = scheduler.block_on(async {
        let named = task::Builder::new().name("resize");
        [spawn_blocking(|| {}), named.spawn_blocking(|| {})].map(|function| function.id())
    });
    let name = |id: TaskId| {
        let log = pal.log();
        let spawned = |event| match event {
            Event::Task(TaskEvent::Spawned { tid, site, .. }) if tid == id => Some(site),
            _ => None,
        };
        let site = log.records().find_map(|entry| spawned(entry.event));
        log.site(site.unwrap()).unwrap().name.unwrap()
    };
    assert_eq!(name(nameless), "spawn_blocking");
    assert_eq!(name(named), "spawn_blocking:resize");
}

#[test]
fn a_blocking_function_that_is_aborted_before_it_begins_fails_as_cancelled() {
    let (scheduler, pal) = with_one_blocking_thread();
    let (release, blocked) = mpsc::channel::<()>();
    let first = scheduler.handle().spawn_blocking(move || blocked.recv());
    let second = scheduler.handle().spawn_blocking(|| {});
    let id = second.id();
    wait_until(&pal, id, TaskState::Waiting);
    second.abort();
    assert!(scheduler.block_on(second).unwrap_err().is_cancelled());
    assert_eq!(
        life(&pal, id),
        [
            "spawned",
            "running",
            "wait",
            "wake by abort",
            "running",
            "failed cancelled \"\""
        ]
    );
    release.send(()).unwrap();
    scheduler.block_on(first).unwrap().unwrap();
}

#[test]
fn a_panic_of_a_blocking_function_is_in_the_log() {
    let (scheduler, pal) = with_one_blocking_thread();
    let function = scheduler.handle().spawn_blocking(|| panic!("out of paper"));
    let id = function.id();
    assert!(scheduler.block_on(function).unwrap_err().is_panic());
    let last = life(&pal, id).pop().unwrap();
    assert_eq!(last, "failed panic \"out of paper\"");
}
