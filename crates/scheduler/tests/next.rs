//! Which task a worker runs next.
#![allow(clippy::unwrap_used, reason = "a failed assumption fails the test")]

mod common;

use common::threads;
#[cfg(feature = "telemetry")]
use common::wait_until_logged;
use futures::channel::{mpsc, oneshot};
use futures::{SinkExt, StreamExt};
#[cfg(feature = "telemetry")]
use glasshouse_pal::{TaskEvent, verify::verify};
use glasshouse_scheduler::{spawn, task};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// Holds one of two workers until it is dropped: what the other runs, it runs in its own order.
struct Held(Arc<AtomicBool>);

impl Held {
    async fn one_of_two() -> Held {
        let is_over = Arc::new(AtomicBool::new(false));
        let (holds, is_held) = oneshot::channel();
        let over = is_over.clone();
        spawn(async move {
            holds.send(()).unwrap();
            hold_until(|| over.load(Ordering::Relaxed));
        });
        is_held.await.unwrap();
        Held(is_over)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Holds the worker until `is_so`.
fn hold_until(is_so: impl Fn() -> bool) {
    while !is_so() {
        std::thread::yield_now();
    }
}

#[test]
fn what_a_task_wakes_runs_next_and_what_it_spawns_in_its_turn() {
    let (scheduler, _pal) = threads(2);
    let order = scheduler.block_on(async {
        let _held = Held::one_of_two().await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |what: &'static str| {
            let order = order.clone();
            async move { order.lock().unwrap().push(what) }
        };
        let (send, receive) = oneshot::channel();
        let (woken, one, two, spawned) = (note("woken"), note("one"), note("two"), note("spawned"));
        let waker = note("waker");
        let all = spawn(async move {
            let waiting = spawn(async move {
                receive.await.unwrap();
                woken.await;
            });
            task::yield_now().await;
            let tasks = [
                spawn(async move {
                    waker.await;
                    spawn(spawned);
                    send.send(()).unwrap();
                }),
                spawn(one),
                spawn(two),
            ];
            for task in tasks {
                task.await.unwrap();
            }
            waiting.await.unwrap();
            task::yield_now().await;
        });
        all.await.unwrap();
        Arc::try_unwrap(order).unwrap().into_inner().unwrap()
    });
    assert_eq!(order, ["waker", "woken", "one", "two", "spawned"]);
}

#[test]
fn who_joins_tasks_goes_on_behind_those_that_are_ready() {
    let (scheduler, _pal) = threads(2);
    let ticks = scheduler.block_on(async {
        let _held = Held::one_of_two().await;
        let all = spawn(async move {
            let tasks: Vec<_> = (0..100).map(|_| spawn(async {})).collect();
            for task in tasks {
                task.await.unwrap();
            }
            task::stats().polls
        });
        all.await.unwrap()
    });
    assert_eq!(ticks, 2, "the first end wakes it, and then all have ended");
}

#[test]
fn tasks_that_wake_each_other_do_not_keep_the_queue_waiting() {
    const ROUNDS: u32 = 300;
    let (scheduler, _pal) = threads(2);
    let turns = scheduler.block_on(async {
        let _held = Held::one_of_two().await;
        let turns = Arc::new(AtomicU32::new(0));
        let counted = turns.clone();
        let all = spawn(async move {
            let bystander = spawn(async move {
                loop {
                    counted.fetch_add(1, Ordering::Relaxed);
                    task::yield_now().await;
                }
            });
            let (mut there, mut far_end) = mpsc::channel(0);
            let (mut back, mut near_end) = mpsc::channel(0);
            let echo = spawn(async move {
                while let Some(round) = far_end.next().await {
                    back.send(round).await.unwrap();
                }
            });
            for round in 0..ROUNDS {
                there.send(round).await.unwrap();
                assert_eq!(near_end.next().await, Some(round));
            }
            drop(there);
            echo.await.unwrap();
            bystander.abort();
        });
        all.await.unwrap();
        turns.load(Ordering::Relaxed)
    });
    // Each round is at least two wakes, and after three of them the queue has its turn.
    assert!(turns >= ROUNDS / 3, "{turns} turns in {ROUNDS} rounds");
}

#[test]
fn what_a_task_wakes_and_does_not_make_room_for_is_run_by_a_sibling() {
    let (scheduler, _pal) = threads(2);
    scheduler.block_on(async {
        let turns = Arc::new(AtomicU32::new(0));
        let counted = turns.clone();
        // The sibling does not sleep.
        let busy = spawn(async move {
            loop {
                counted.fetch_add(1, Ordering::Relaxed);
                task::yield_now().await;
            }
        });
        let (send, receive) = oneshot::channel();
        let has_run = Arc::new(AtomicU32::new(0));
        let woken = has_run.clone();
        let waiting = spawn(async move {
            receive.await.unwrap();
            woken.fetch_add(1, Ordering::Relaxed);
        });
        let holder = spawn(async move {
            task::yield_now().await;
            let before = turns.load(Ordering::Relaxed);
            hold_until(|| turns.load(Ordering::Relaxed) > before + 1);
            send.send(()).unwrap();
            hold_until(|| has_run.load(Ordering::Relaxed) == 1);
        });
        holder.await.unwrap();
        waiting.await.unwrap();
        busy.abort();
    });
}

#[test]
fn what_a_task_wakes_and_does_not_make_room_for_is_handed_to_a_sibling_that_sleeps() {
    let (scheduler, _pal) = threads(2);
    scheduler.block_on(async {
        let (send, receive) = oneshot::channel();
        let has_run = Arc::new(AtomicBool::new(false));
        let woken = has_run.clone();
        let waiting = spawn(async move {
            receive.await.unwrap();
            woken.store(true, Ordering::Relaxed);
        });
        // It is alone behind this tick: nobody is called at once.
        let holder = spawn(async move {
            task::yield_now().await;
            send.send(()).unwrap();
            hold_until(|| has_run.load(Ordering::Relaxed));
        });
        holder.await.unwrap();
        waiting.await.unwrap();
    });
}

#[cfg(feature = "telemetry")]
#[test]
fn what_is_next_as_its_scheduler_is_dropped_is_cancelled_with_the_rest() {
    for workers in [1, 2] {
        let (scheduler, pal) = threads(workers);
        let (send, receive) = oneshot::channel::<()>();
        let (waits, is_waiting) = oneshot::channel();
        let (holds, is_held) = std::sync::mpsc::channel();
        let handle = scheduler.handle();
        let woken = handle.spawn(async move {
            waits.send(()).unwrap();
            let _ = receive.await;
            task::yield_now().await;
        });
        let seen = pal.clone();
        handle.spawn(async move {
            is_waiting.await.unwrap();
            task::yield_now().await;
            send.send(()).unwrap();
            holds.send(()).unwrap();
            wait_until_logged(&seen, |event| {
                matches!(event, TaskEvent::ShutdownBegin { .. })
            });
        });
        is_held.recv().unwrap();
        drop(scheduler);
        assert!(futures::executor::block_on(woken).is_err_and(|error| error.is_cancelled()));
        assert!(verify(&pal.log()).holds());
    }
}
