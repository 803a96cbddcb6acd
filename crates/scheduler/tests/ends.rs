//! The end of a task, as a list of events: one test for each way a task can end.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::{deterministic, life, parent_of, threads};
use glasshouse_scheduler::{spawn, task, time};
use std::sync::mpsc;
use std::time::Duration;

#[test]
fn a_task_that_finishes() {
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let task = spawn(async { 1 });
        let id = task.id();
        task.await.unwrap();
        id
    });
    assert_eq!(life(&pal, id), ["spawned by 1", "running", "done"]);
}

#[test]
fn a_task_that_panics() {
    let (scheduler, pal) = deterministic();
    let error = scheduler
        .block_on(async { spawn(async { panic!("out of cheese") }).await })
        .unwrap_err();
    assert!(error.is_panic());
    assert_eq!(error.to_string(), "task 2 panicked: out of cheese");
    assert_eq!(
        life(&pal, error.id()),
        ["spawned by 1", "running", "failed panic \"out of cheese\""]
    );
    assert_eq!(error.into_panic().downcast_ref(), Some(&"out of cheese"));
}

#[test]
fn a_task_that_says_it_failed() {
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let task = spawn(async {
            task::fail(format_args!("exit code {}", 3));
            time::sleep(Duration::from_millis(1)).await;
        });
        let id = task.id();
        task.await.unwrap();
        id
    });
    assert_eq!(
        life(&pal, id).last().unwrap(),
        "failed error \"exit code 3\""
    );
}

#[test]
fn a_task_that_is_aborted_while_it_waits() {
    let (scheduler, pal) = deterministic();
    let error = scheduler
        .block_on(async {
            let task = spawn(std::future::pending::<()>());
            time::sleep(Duration::from_millis(1)).await;
            task.abort();
            task.await
        })
        .unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!(
        life(&pal, error.id()),
        [
            "spawned by 1",
            "running",
            "wait",
            "wake by abort 1",
            "running",
            "failed cancelled \"\""
        ]
    );
}

#[test]
fn a_task_that_is_aborted_before_it_runs() {
    let (scheduler, pal) = deterministic();
    let error = scheduler
        .block_on(async {
            let task = spawn(async { unreachable!("it is aborted first") });
            task.abort();
            task.await
        })
        .map(|()| unreachable!("it was aborted"))
        .unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!(
        life(&pal, error.id()),
        ["spawned by 1", "running", "failed cancelled \"\""]
    );
}

#[test]
fn a_task_that_is_aborted_while_it_runs() {
    let (scheduler, pal) = threads(2);
    let (id, error) = scheduler.block_on(async {
        let (running, is_running) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let task = spawn(async move {
            running.send(()).unwrap();
            may_go.recv().unwrap();
            std::future::pending::<()>().await;
        });
        is_running.recv().unwrap();
        task.abort();
        go.send(()).unwrap();
        (task.id(), task.await.unwrap_err())
    });
    assert!(error.is_cancelled());
    let parent = parent_of(&pal, id);
    assert_eq!(
        life(&pal, id),
        [
            format!("spawned by {parent}").as_str(),
            "running",
            "failed cancelled \"\""
        ]
    );
}

#[test]
fn an_aborted_task_that_ends_in_its_poll_keeps_its_output() {
    let (scheduler, _) = threads(2);
    let output = scheduler.block_on(async {
        let (running, is_running) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let task = spawn(async move {
            running.send(()).unwrap();
            may_go.recv().unwrap();
            5
        });
        is_running.recv().unwrap();
        task.abort();
        go.send(()).unwrap();
        task.await
    });
    assert_eq!(output.unwrap(), 5);
}

#[test]
fn a_root_that_waits_for_ever_in_virtual_time_is_cancelled_before_its_caller_hears_of_it() {
    let (scheduler, pal) = deterministic();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        scheduler.block_on(std::future::pending::<()>());
    }));
    assert!(caught.is_err());
    let root = glasshouse_pal::TaskId::new(1).unwrap();
    assert_eq!(
        life(&pal, root),
        [
            "spawned",
            "running",
            "wait",
            "wake by abort",
            "running",
            "failed cancelled \"\""
        ]
    );
}
