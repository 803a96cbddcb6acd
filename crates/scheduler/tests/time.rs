//! Sleeps, timeouts and intervals.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_scheduler::{Builder, spawn, time};
use std::sync::mpsc;
use std::time::Duration;

#[test]
fn a_sleep_takes_its_time_and_no_less() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    scheduler.block_on(async {
        let begun = std::time::Instant::now();
        time::sleep(Duration::from_millis(20)).await;
        assert!(begun.elapsed() >= Duration::from_millis(20));
        spawn(time::sleep(Duration::from_millis(5))).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(25));
    });
}

#[test]
fn virtual_time_orders_sleepers_by_their_deadlines() {
    let scheduler = Builder::deterministic(3).build().unwrap();
    let order = scheduler.block_on(async {
        let (send, receive) = mpsc::channel();
        let tasks: Vec<_> = [30_u64, 10, 20]
            .into_iter()
            .map(|seconds| {
                let send = send.clone();
                spawn(async move {
                    time::sleep(Duration::from_secs(seconds)).await;
                    send.send(seconds).unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        receive.try_iter().collect::<Vec<_>>()
    });
    assert_eq!(order, [10, 20, 30]);
}

#[test]
fn a_timeout_ends_what_takes_too_long() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let begun = time::Instant::now();
        let late = time::timeout(Duration::from_secs(2), time::sleep(Duration::from_secs(3))).await;
        assert!(late.is_err());
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
        let in_time =
            time::timeout(Duration::from_secs(2), time::sleep(Duration::from_secs(2))).await;
        assert!(in_time.is_ok(), "what is ready at the deadline is in time");
    });
}

#[test]
fn an_interval_that_fell_behind_catches_up() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let begun = time::Instant::now();
        let mut every = time::interval(Duration::from_secs(1));
        every.tick().await;
        time::advance(Duration::from_millis(2500));
        let due: Vec<_> = [every.tick().await, every.tick().await, every.tick().await]
            .iter()
            .map(|due| due.duration_since(begun))
            .collect();
        assert_eq!(due, [1, 2, 3].map(Duration::from_secs));
        assert_eq!(begun.elapsed(), Duration::from_secs(3));
    });
}
