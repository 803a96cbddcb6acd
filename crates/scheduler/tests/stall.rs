//! What the log says of a tick that is too long.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::lines;
use glasshouse_pal::{Pal, TaskEvent};
use glasshouse_scheduler::{Builder, spawn, task, time};
use std::sync::mpsc;
use std::time::Duration;

/// The stalls in the log.
fn stalls(pal: &Pal) -> Vec<TaskEvent> {
    let is_stall = |event: &TaskEvent| matches!(event, TaskEvent::Stalled { .. });
    pal.events().into_iter().filter(is_stall).collect()
}

#[test]
fn a_stall_is_in_the_log_while_the_tick_still_runs_and_says_what_it_holds_up() {
    let threshold = Duration::from_millis(5);
    let pal = Pal::memory();
    let scheduler = Builder::new()
        .workers(1)
        .pal(pal.clone())
        .stall_threshold(threshold)
        .build()
        .unwrap();
    let (hold, holds) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let stuck = scheduler.spawn(async move {
        hold.send(()).unwrap();
        released.recv().unwrap();
    });
    holds.recv().unwrap();
    let behind = scheduler.spawn(async {});
    while stalls(&pal).is_empty() {
        std::thread::yield_now();
    }
    assert!(!stuck.is_finished() && !behind.is_finished());
    let TaskEvent::Stalled {
        tid,
        worker,
        busy,
        others,
        ..
    } = stalls(&pal)[0]
    else {
        unreachable!("only stalls are looked at");
    };
    assert_eq!((tid, worker, others), (stuck.id(), 0, 0));
    assert!(busy >= threshold);
    // The task behind may have been spawned after the first report, but not after the last.
    let has_one_behind = |event: &TaskEvent| matches!(event, TaskEvent::Stalled { queued: 1, .. });
    while !stalls(&pal).iter().any(has_one_behind) {
        std::thread::yield_now();
    }
    release.send(()).unwrap();
    scheduler.block_on(async {
        stuck.await.unwrap();
        behind.await.unwrap();
    });
}

#[test]
fn a_scheduler_without_a_threshold_reports_nothing() {
    let scheduler = Builder::deterministic(1)
        .stall_threshold(Duration::MAX)
        .build()
        .unwrap();
    let pal = scheduler.handle().pal().clone();
    scheduler.block_on(async { time::advance(Duration::from_secs(1 << 30)) });
    assert_eq!(stalls(&pal), []);
}

#[test]
fn in_virtual_time_a_stall_is_recorded_as_the_time_passes() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    let pal = scheduler.handle().pal().clone();
    scheduler.block_on(async {
        spawn(async {
            time::advance(Duration::from_millis(60));
            task::yield_now().await;
            // The tick counts, not the task.
            time::advance(Duration::from_millis(60));
            time::advance(Duration::from_millis(60));
            time::advance(Duration::from_millis(60));
            time::advance(Duration::from_millis(60));
        })
        .await
        .unwrap();
    });
    assert_eq!(
        lines(&pal)
            .iter()
            .filter(|line| line.starts_with("2 "))
            .collect::<Vec<_>>(),
        [
            "2 spawned by 1",
            "2 running",
            "2 throttled woken by task 2",
            "2 running",
            "2 stalled worker 0 120ms",
            "2 stalled worker 0 240ms",
            "2 done"
        ]
    );
}
