//! A million tasks, one after another: what a task takes, it gives back, wherever it was spawned.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_pal::Pal;
use glasshouse_scheduler::{Builder, Handle, JoinHandle, Scheduler, spawn, task};
use std::fs;

/// They fill caches and pools; those that follow must not grow.
const FIRST: usize = 100_000;
/// Spawned before they are joined.
const AT_ONCE: usize = 500;
/// What may be more in the end than after the first: two bytes of a task of a million.
const GROWTH_BYTES: u64 = 2 << 20;

fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib: u64 = line
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    kib * 1024
}

/// A future with some state, which yields now and then.
async fn work(number: usize) -> usize {
    if number.is_multiple_of(16) {
        task::yield_now().await;
    }
    number
}

async fn spawn_and_join(tasks: usize, spawn: impl Fn(usize) -> JoinHandle<usize>) {
    for first in (0..tasks).step_by(AT_ONCE) {
        let handles: Vec<_> = (first..first + AT_ONCE).map(&spawn).collect();
        for (number, handle) in handles.into_iter().enumerate() {
            assert_eq!(handle.await.unwrap(), first + number);
        }
    }
}

async fn in_tasks(tasks: usize) {
    let spawner = spawn(async move { spawn_and_join(tasks, |number| spawn(work(number))).await });
    spawner.await.unwrap();
}

async fn outside(scheduler: Handle, tasks: usize) {
    spawn_and_join(tasks, move |number| scheduler.spawn(work(number))).await;
}

fn two_workers() -> Scheduler {
    let builder = Builder::new().workers(2).pal(Pal::memory());
    builder.build().unwrap()
}

fn assert_no_growth(way: &str, tasks: usize, run: impl Fn(usize)) {
    run(FIRST);
    let before = resident_bytes();
    run(tasks - FIRST);
    let grown = resident_bytes().saturating_sub(before);
    println!("{way}: {grown} bytes more");
    assert!(grown <= GROWTH_BYTES, "{way}: {grown} bytes more");
}

// One test: the resident memory is the process's.
#[test]
fn a_million_spawns_and_joins_leave_no_memory_behind() {
    let scheduler = two_workers();
    assert_no_growth("in tasks of two workers", 1_000_000, |tasks| {
        scheduler.block_on(in_tasks(tasks));
    });
    assert_no_growth("on a thread outside", 300_000, |tasks| {
        let handle = scheduler.handle().clone();
        futures::executor::block_on(outside(handle, tasks));
    });
    drop(scheduler);
    let scheduler = Builder::deterministic(1).build().unwrap();
    assert_no_growth("in virtual time", 300_000, |tasks| {
        scheduler.block_on(in_tasks(tasks));
    });
}
