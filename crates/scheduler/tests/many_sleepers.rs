//! Very many timers at once: a million sleeps, storms of cancellations, sleeps that change their thread. The
//! row `million` of `scripts/versus` lets a million tasks sleep, and measures it.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::wakes::CountsWakes;
use glasshouse_scheduler::time::{self, Instant, Sleep};
use glasshouse_scheduler::{Builder, spawn, task};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const MILLISECOND: Duration = Duration::from_millis(1);

fn armed(sleep: Sleep, waker: &Waker) -> Pin<Box<Sleep>> {
    let mut sleep = Box::pin(sleep);
    let mut cx = Context::from_waker(waker);
    assert!(sleep.as_mut().poll(&mut cx).is_pending());
    sleep
}

/// A duration for each of `count` sleeps: all of 1 to `longest` ms, out of order, for a step without a divisor in
/// common with `longest`.
fn spread(count: u64, longest_ms: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |sleeper| 1 + sleeper * 7_919 % longest_ms)
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    const SLEEPERS: u64 = 100_000;
    const LONGEST_MS: u64 = 10_000;
    let scheduler = Builder::deterministic(1).build().unwrap();
    let latest_ms = Arc::new(AtomicU64::new(0));
    let woken = Arc::new(AtomicU64::new(0));
    scheduler.block_on(async {
        let begun = Instant::now();
        for ms in spread(SLEEPERS, LONGEST_MS) {
            let (latest_ms, woken) = (latest_ms.clone(), woken.clone());
            spawn(async move {
                time::sleep_until(begun + Duration::from_millis(ms)).await;
                assert_eq!(begun.elapsed(), Duration::from_millis(ms));
                let before = latest_ms.swap(ms, Ordering::Relaxed);
                assert!(before <= ms, "{before} before {ms}");
                woken.fetch_add(1, Ordering::Relaxed);
            });
        }
        // Between two deadlines: none of them fires early. A time has as many sleepers as any other.
        for ms in [0, 1, 5_000, 9_999] {
            time::sleep_until(begun + Duration::from_micros(ms * 1_000 + 500)).await;
            let due = SLEEPERS / LONGEST_MS * ms;
            assert_eq!(woken.load(Ordering::Relaxed), due, "after {ms} ms");
        }
        time::sleep(LONGEST_MS as u32 * MILLISECOND).await;
    });
    assert_eq!(woken.load(Ordering::Relaxed), SLEEPERS);
}

#[test]
fn a_million_sleeps_are_armed_at_once_and_each_wakes_once() {
    const SLEEPS: u64 = 1_000_000;
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let begun = Instant::now();
        let (wakes, waker) = CountsWakes::with_waker();
        let mut sleeps: Vec<_> = spread(SLEEPS, 100_000)
            .map(|ms| armed(time::sleep_until(begun + Duration::from_millis(ms)), &waker))
            .collect();
        // As many of them per millisecond as come in the whole range.
        for ms in [1, 777, 50_000, 100_000] {
            time::sleep_until(begun + Duration::from_millis(ms)).await;
            assert_eq!(wakes.count(), 10 * ms);
        }
        // More successes than a tick has.
        let all = poll_fn(|cx| {
            let mut ready = sleeps.iter_mut().map(|sleep| sleep.as_mut().poll(cx));
            Poll::Ready(ready.all(|polled| polled.is_ready()))
        });
        assert!(task::coop::unconstrained(all).await);
    });
}

#[test]
fn of_a_storm_of_cancellations_only_what_is_left_wakes() {
    const SLEEPS: u64 = 300_000;
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let begun = Instant::now();
        let (wakes, waker) = CountsWakes::with_waker();
        let mut left = Vec::new();
        for (sleep, ms) in spread(SLEEPS, 10_000).enumerate() {
            let deadline = begun + Duration::from_millis(ms);
            let sleep_until = armed(time::sleep_until(deadline), &waker);
            // Of the others one half goes at once, the other half when all are armed.
            if sleep % 3 == 0 {
                left.push((ms, sleep_until));
            } else if sleep % 3 == 1 {
                drop(sleep_until);
            } else {
                left.push((0, sleep_until));
            }
        }
        left.retain(|&(ms, _)| ms != 0);
        let stay = left.len() as u64;
        assert_eq!(stay, SLEEPS / 3);
        // Half of the rest is put off until after the end.
        for (_, sleep) in left.iter_mut().step_by(2) {
            sleep.as_mut().reset(begun + 30_000 * MILLISECOND);
        }
        time::sleep(20_000 * MILLISECOND).await;
        assert_eq!(wakes.count(), stay / 2);
        assert_eq!(Arc::strong_count(&wakes) as u64, 2 + stay.div_ceil(2));
        drop(left);
        time::sleep(20_000 * MILLISECOND).await;
        assert_eq!(wakes.count(), stay / 2);
        assert_eq!(Arc::strong_count(&wakes), 2, "nothing of them is kept");
    });
}

#[test]
fn sleeps_that_are_passed_between_workers_end_and_never_early() {
    const TASKS: u64 = 64;
    const PASSES: u64 = 50;
    let scheduler = Builder::new().workers(2).build().unwrap();
    scheduler.block_on(async {
        // In a ring: each task gets an armed sleep from the one before, waits for it a moment, and passes it on.
        let (sends, receives): (Vec<_>, Vec<_>) = (0..TASKS)
            .map(|_| async_channel::unbounded::<(Instant, Pin<Box<Sleep>>)>())
            .unzip();
        let tasks: Vec<_> = receives
            .into_iter()
            .enumerate()
            .map(|(task, receive)| {
                let next = sends[(task + 1) % TASKS as usize].clone();
                spawn(async move {
                    for pass in 0..PASSES {
                        let (deadline, mut sleep) = receive.recv().await.unwrap();
                        let bounded = time::timeout(Duration::from_micros(50), sleep.as_mut());
                        if bounded.await.is_ok() {
                            assert!(Instant::now() >= deadline, "it ended early");
                            let again = Instant::now() + Duration::from_micros(100 + 37 * pass);
                            sleep.as_mut().reset(again);
                        }
                        let deadline = sleep.deadline();
                        // The last one stays with its task, unfinished.
                        let _ = next.send((deadline, sleep)).await;
                    }
                })
            })
            .collect();
        for (task, send) in sends.iter().enumerate() {
            let sleep = Box::pin(time::sleep(Duration::from_micros(task as u64 * 20)));
            send.send((sleep.deadline(), sleep)).await.unwrap();
        }
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn a_bound_that_is_never_reached_wakes_nobody() {
    const WAITS: u32 = 100;
    let scheduler = Builder::deterministic(7).build().unwrap();
    scheduler.block_on(async {
        let tasks: Vec<_> = (1..=100)
            .map(|task| {
                spawn(async move {
                    let mut waits = pin!(async {
                        for _ in 0..WAITS {
                            // Nearer than the waits that follow: it would fire within one of them.
                            let bound = (task + 1) * MILLISECOND;
                            time::timeout(bound, time::sleep(task * MILLISECOND))
                                .await
                                .unwrap();
                        }
                    });
                    let mut polls = 0;
                    poll_fn(|cx| {
                        polls += 1;
                        waits.as_mut().poll(cx)
                    })
                    .await;
                    assert_eq!(polls, WAITS + 1);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}
