//! Owns the row whose tasks only take room, and how a process's memory is read.

use super::Setting;
use crate::versus::runtime::Runtime;
use futures::channel::oneshot;
use std::fs;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll};

/// Tasks that are spawned before they are given the time to park, so that no queue grows with them.
const BATCH: u64 = 1000;

static PARKED: AtomicU64 = AtomicU64::new(0);

/// A future of no size that is never ready.
struct Park;

impl Future for Park {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        PARKED.fetch_add(1, Ordering::Relaxed);
        Poll::Pending
    }
}

/// Resident bytes per detached task that has run once and waits for ever: the task, what the runtime keeps
/// of it elsewhere, and what the allocator loses between them.
pub async fn idle_bytes<R: Runtime>(setting: Setting) -> Vec<f64> {
    grown_by::<R>(setting, || R::detach(Park)).await
}

/// The same for tasks that are awaited, of an ordinary future: one that waits for a oneshot channel. The
/// channel and the join handle are counted too.
pub async fn idle_bytes_of_waiters<R: Runtime>(setting: Setting) -> Vec<f64> {
    let mut waited_for = Vec::new();
    grown_by::<R>(setting, || {
        let (send, receive) = oneshot::channel::<()>();
        let task = R::spawn(async move {
            PARKED.fetch_add(1, Ordering::Relaxed);
            receive.await
        });
        waited_for.push((send, task));
    })
    .await
}

/// Resident bytes for each call of `spawn`, whose tasks count themselves as parked.
async fn grown_by<R: Runtime>(setting: Setting, mut spawn: impl FnMut()) -> Vec<f64> {
    all_workers_run::<R>(setting.workers).await;
    let batches = setting.size.of(400);
    let before = resident_bytes();
    for _ in 0..batches {
        let all = PARKED.load(Ordering::Relaxed) + BATCH;
        for _ in 0..BATCH {
            spawn();
        }
        while PARKED.load(Ordering::Relaxed) < all {
            R::yield_now().await;
        }
    }
    let grown = resident_bytes().saturating_sub(before);
    vec![grown as f64 / (batches * BATCH) as f64]
}

/// Returns when each worker has run a task: what a worker takes for itself at its start is no task's.
async fn all_workers_run<R: Runtime>(workers: usize) {
    let all = Arc::new(Barrier::new(workers));
    let tasks: Vec<_> = (0..workers)
        .map(|_| {
            let all = all.clone();
            // It holds its worker until every other is held too.
            R::spawn(async move {
                all.wait();
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
}

/// What this process has in memory, shared memory and the program itself included.
pub fn resident_bytes() -> u64 {
    kib_of(&read("/proc/self/smaps_rollup"), "Rss:") * 1024
}

/// What this process has to itself beside its log: pages of others' files count where nobody else has
/// them mapped, pages of the program count always, as a process that starts this one again has them too.
pub fn private_bytes_beside_log() -> u64 {
    let program = std::env::current_exe().expect("a running program has a path");
    let program = program.to_string_lossy();
    let smaps = read("/proc/self/smaps");
    let mut mapped = "";
    let mut kib = 0;
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            // The head of a mapping: range, permissions, offset, device, inode, path.
            Some(word) if !word.ends_with(':') => mapped = words.nth(4).unwrap_or(""),
            _ if mapped.ends_with(".pal") => {}
            _ if mapped == program => kib += kib_of(line, "Rss:"),
            _ => kib += kib_of(line, "Private_Clean:") + kib_of(line, "Private_Dirty:"),
        }
    }
    kib * 1024
}

/// The sum of the lines that begin with `field`, in KiB.
fn kib_of(text: &str, field: &str) -> u64 {
    text.lines()
        .filter_map(|line| line.strip_prefix(field))
        .filter_map(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
        .sum()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
