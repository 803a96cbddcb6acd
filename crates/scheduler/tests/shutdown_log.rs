//! What the log says of a shutdown: everything that ends, and then that it is complete.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::{deterministic, threads, wait_until_logged};
use glasshouse_pal::{Pal, TaskEvent, TaskId};
use glasshouse_scheduler::{Scheduler, Shutdown, spawn, task, time};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn is_complete(event: &TaskEvent) -> bool {
    matches!(event, TaskEvent::ShutdownComplete { .. })
}

/// Asserts that every task that was spawned has ended, and that the log's last word is the shutdown's.
fn assert_complete(pal: &Pal, clean: bool) {
    let events = pal.events();
    let spawned: BTreeSet<TaskId> = events
        .iter()
        .filter(|event| matches!(event, TaskEvent::Spawned { .. }))
        .filter_map(TaskEvent::tid)
        .collect();
    let ended: BTreeSet<TaskId> = events
        .iter()
        .filter(|event| matches!(event, TaskEvent::Done { .. } | TaskEvent::Failed { .. }))
        .filter_map(TaskEvent::tid)
        .collect();
    assert!(!spawned.is_empty());
    assert_eq!(spawned, ended);
    assert_eq!(
        events.last(),
        Some(&TaskEvent::ShutdownComplete { clean }),
        "{:?}",
        &events[events.len().saturating_sub(5)..]
    );
    assert_eq!(events.iter().filter(|event| is_complete(event)).count(), 1);
}

/// Waits for the shutdown that nobody waits for.
fn wait_until_complete(pal: &Pal) {
    wait_until_logged(pal, is_complete);
}

/// Tasks of every kind that do not end by themselves.
async fn endless_tasks() {
    for n in 0..60 {
        match n % 3 {
            0 => drop(spawn(std::future::pending::<()>())),
            1 => drop(spawn(time::sleep(Duration::from_secs(3600)))),
            // Not always ready: the log of an end must hold its beginning.
            _ => drop(spawn(async {
                loop {
                    time::sleep(Duration::from_millis(1)).await;
                }
            })),
        }
    }
}

#[test]
fn the_last_record_says_that_the_shutdown_is_complete() {
    for (scheduler, pal) in [deterministic(), threads(1), threads(2)] {
        scheduler.block_on(endless_tasks());
        assert_eq!(
            scheduler.shutdown(Duration::from_millis(1)),
            Shutdown::Timeout
        );
        assert_complete(&pal, false);
    }
    for (scheduler, pal) in [deterministic(), threads(1), threads(2)] {
        drop(scheduler.spawn(async { time::sleep(Duration::from_millis(1)).await }));
        assert_eq!(scheduler.shutdown(Duration::MAX), Shutdown::Clean);
        assert_complete(&pal, true);
    }
}

fn at_once(scheduler: Scheduler) {
    assert_eq!(scheduler.shutdown(Duration::ZERO), Shutdown::Timeout);
}

/// Not waited for where the caller is one of the tasks.
fn in_an_hour(scheduler: Scheduler) {
    let hour = Duration::from_secs(3600);
    assert_eq!(scheduler.shutdown(hour), Shutdown::Timeout);
}

#[test]
fn so_does_it_when_a_task_of_its_own_shuts_the_scheduler_down() {
    let ways: [(usize, fn(Scheduler)); 4] =
        [(1, drop), (1, in_an_hour), (2, drop), (2, in_an_hour)];
    for (workers, end) in ways {
        let (scheduler, pal) = threads(workers);
        scheduler.block_on(endless_tasks());
        let handle = scheduler.handle().clone();
        handle.spawn(async move {
            end(scheduler);
            // It still runs: nothing is complete yet.
            task::yield_now().await;
        });
        wait_until_complete(&pal);
        assert_complete(&pal, false);
    }
}

#[test]
fn so_does_it_when_nobody_waits_for_the_shutdown() {
    for (scheduler, pal) in [deterministic(), threads(1), threads(2)] {
        scheduler.block_on(endless_tasks());
        scheduler.shutdown_background();
        wait_until_complete(&pal);
        assert_complete(&pal, false);
    }
}

#[test]
fn so_does_it_when_a_root_of_its_own_shuts_the_scheduler_down() {
    let ways: [fn(Scheduler); 2] = [drop, at_once];
    for end in ways {
        let (scheduler, pal) = threads(2);
        let handle = scheduler.handle().clone();
        let output = handle.block_on(async move {
            endless_tasks().await;
            end(scheduler);
            5
        });
        assert_eq!(output, 5);
        assert_complete(&pal, false);
    }
}

#[test]
fn a_root_that_shut_its_scheduler_down_and_waits_is_cancelled_first() {
    let (scheduler, pal) = threads(1);
    let handle = scheduler.handle().clone();
    let output = catch_unwind(AssertUnwindSafe(|| {
        handle.block_on(async move {
            endless_tasks().await;
            drop(scheduler);
            std::future::pending::<()>().await;
        });
    }));
    let message = *output.unwrap_err().downcast::<&str>().unwrap();
    assert!(
        message.contains("shut down while block_on ran"),
        "{message}"
    );
    assert_complete(&pal, false);
}

#[test]
fn roots_of_other_threads_end_before_the_shutdown_is_complete() {
    let (scheduler, pal) = threads(2);
    let (tell, told) = mpsc::channel();
    let handle = scheduler.handle().clone();
    let guest = thread::spawn(move || {
        handle.block_on(async {
            tell.send(()).unwrap();
            time::sleep(Duration::from_secs(3600)).await;
        });
    });
    told.recv().unwrap();
    scheduler.spawn(std::future::pending::<()>());
    assert_eq!(
        scheduler.shutdown(Duration::from_millis(1)),
        Shutdown::Timeout
    );
    assert!(guest.join().is_err());
    assert_complete(&pal, false);
}

#[test]
fn a_block_on_after_the_shutdown_panics_and_its_root_ends_in_the_log() {
    let (scheduler, pal) = threads(1);
    let handle = scheduler.handle().clone();
    drop(scheduler);
    let output = catch_unwind(AssertUnwindSafe(|| {
        handle.block_on(std::future::pending::<()>());
    }));
    assert!(output.is_err());
    let is_end = |event: &TaskEvent| matches!(event, TaskEvent::Failed { .. });
    assert_eq!(pal.events().iter().filter(|event| is_end(event)).count(), 1);
}
