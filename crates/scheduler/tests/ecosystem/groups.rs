//! Groups of futures and streams: FuturesUnordered and its kin, with wakers of their own between a future and
//! its task.

use crate::common::{deterministic, threads};
use crate::{everywhere, with_seeds};
use futures::channel::mpsc;
use futures::lock::Mutex;
use futures::stream::{self, FuturesOrdered, FuturesUnordered, StreamExt, TryStreamExt};
use futures::{SinkExt, future};
use glasshouse_scheduler::{spawn, task, time};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[test]
fn an_unordered_group_gives_each_result_once_as_it_comes() {
    let (scheduler, _pal) = deterministic();
    // In virtual time the order is that of the deadlines.
    let order = scheduler.block_on(async {
        let deadlines = [40, 10, 30, 20];
        let sleeps: FuturesUnordered<_> = deadlines.map(after).into_iter().collect();
        sleeps.collect::<Vec<_>>().await
    });
    assert_eq!(order, [10, 20, 30, 40]);
    everywhere(|| async {
        let mut group = FuturesUnordered::new();
        for n in 0..1000_u64 {
            group.push(spawn(async move {
                if n % 3 == 0 {
                    task::yield_now().await;
                }
                n
            }));
        }
        let mut seen = HashSet::new();
        while let Some(result) = group.next().await {
            assert!(seen.insert(result.unwrap()));
        }
        assert_eq!(seen.len(), 1000);
    });
}

/// Ends after so many virtual milliseconds.
async fn after(ms: u64) -> u64 {
    time::sleep(Duration::from_millis(ms)).await;
    ms
}

#[test]
fn a_group_of_leaves_that_are_all_ready_comes_to_its_end_and_lets_others_run() {
    let group_beside_a_peer = || async {
        let (send, receive) = async_channel::unbounded();
        let peer = spawn(async move {
            while send.send(()).await.is_ok() {
                task::yield_now().await;
            }
        });
        // Far more successes of leaves than a tick's budget.
        let mut group: FuturesUnordered<_> =
            (0..2000).map(|_| time::sleep(Duration::ZERO)).collect();
        let mut ended = 0;
        while let Some(()) = group.next().await {
            ended += 1;
        }
        assert_eq!(ended, 2000);
        assert!(!receive.is_empty(), "the peer has run meanwhile");
        drop(receive);
        peer.await.unwrap();
    };
    with_seeds(group_beside_a_peer);
    // Beside real workers a root has its own thread, and keeps no peer from running: so it is a task here.
    let (scheduler, _pal) = threads(1);
    let task = scheduler.spawn(group_beside_a_peer());
    scheduler.block_on(task).unwrap();
}

#[test]
fn an_ordered_group_gives_results_in_the_order_of_its_futures() {
    everywhere(|| async {
        let group: FuturesOrdered<_> = (0..100_u64).rev().map(after_micros).collect();
        let results: Vec<_> = group.collect().await;
        assert!(results.is_sorted_by(|a, b| a > b));
        assert_eq!(results.len(), 100);
    });
}

async fn after_micros(n: u64) -> u64 {
    time::sleep(Duration::from_micros(n)).await;
    n
}

#[test]
fn a_buffered_stream_runs_no_more_than_its_limit_at_a_time() {
    everywhere(|| async {
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let work = |n: u64| {
            let (running, most) = (running.clone(), most.clone());
            spawn(async move {
                let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                after_micros(n % 30).await;
                running.fetch_sub(1, Ordering::SeqCst);
                n
            })
        };
        let numbers = || stream::iter(0..200_u64).map(work);
        let ordered: Vec<_> = numbers().buffered(8).try_collect().await.unwrap();
        assert_eq!(ordered, (0..200).collect::<Vec<_>>());
        let mut unordered: Vec<_> = numbers().buffer_unordered(8).try_collect().await.unwrap();
        unordered.sort();
        assert_eq!(unordered, ordered);
        // A task whose result waits to be taken has ended: not more than the limit ran.
        assert!((1..=8).contains(&most.load(Ordering::SeqCst)));
        let sum = AtomicUsize::new(0);
        let add = async |n: usize| {
            task::yield_now().await;
            sum.fetch_add(n, Ordering::SeqCst);
        };
        stream::iter(0..100).for_each_concurrent(5, add).await;
        assert_eq!(sum.into_inner(), 4950);
    });
}

#[test]
fn streams_are_merged_and_channels_of_futures_carry_them() {
    everywhere(|| async {
        let (send, receive) = mpsc::channel(3);
        for sender in 0..4 {
            let mut send = send.clone();
            drop(spawn(async move {
                for n in 0..50 {
                    send.send((sender, n)).await.unwrap();
                }
            }));
        }
        drop(send);
        let ticks = stream::iter(0..50).then(async |n| {
            task::yield_now().await;
            (9, n)
        });
        let merged: Vec<_> = stream::select(receive, Box::pin(ticks)).collect().await;
        assert_eq!(merged.len(), 250);
        for sender in [0, 1, 2, 3, 9] {
            let of_one = merged.iter().filter(|item| item.0 == sender);
            assert!(of_one.map(|item| item.1).eq(0..50), "of {sender}");
        }
    });
}

#[test]
fn a_lock_of_futures_is_held_across_waits_by_one_at_a_time() {
    everywhere(|| async {
        let lock = Arc::new(Mutex::new((0_u32, false)));
        let tasks = (0..30).map(|_| {
            let lock = lock.clone();
            spawn(async move {
                let mut held = lock.lock().await;
                assert!(!std::mem::replace(&mut held.1, true));
                task::yield_now().await;
                held.0 += 1;
                held.1 = false;
            })
        });
        future::try_join_all(tasks).await.unwrap();
        assert_eq!(lock.lock().await.0, 30);
    });
}
