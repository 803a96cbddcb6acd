//! Sleeps that are dropped, reset, moved about, and outlived.
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
use std::task::{Context, Poll};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

async fn poll_once(mut sleep: Pin<&mut Sleep>) -> Poll<()> {
    poll_fn(|cx| Poll::Ready(sleep.as_mut().poll(cx))).await
}

/// Runs `future`, and says how often it was polled.
async fn polls_of<F: Future>(future: F) -> (F::Output, u32) {
    let mut future = pin!(future);
    let mut polls = 0;
    let output = poll_fn(|cx| {
        polls += 1;
        future.as_mut().poll(cx)
    })
    .await;
    (output, polls)
}

#[test]
fn a_sleep_that_is_dropped_wakes_nobody() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let other = spawn(time::sleep(10 * SECOND));
        // From then on nobody else arms a timer.
        time::sleep(SECOND).await;
        let ((), polls) = polls_of(async {
            for seconds in [5, 3, 7] {
                let mut sleep = pin!(time::sleep(seconds * SECOND));
                assert!(poll_once(sleep.as_mut()).await.is_pending());
            }
            other.await.unwrap();
        })
        .await;
        assert_eq!(polls, 2, "at the beginning and when the other has ended");
    });
}

#[test]
fn a_sleep_that_takes_over_the_timer_of_a_dropped_one_keeps_its_own_time() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        for (dropped, kept) in [(5, 3), (3, 5), (4, 4), (u32::MAX, 1)] {
            let begun = Instant::now();
            let ((), polls) = polls_of(async {
                {
                    let mut sleep = pin!(time::sleep(dropped * SECOND));
                    assert!(poll_once(sleep.as_mut()).await.is_pending());
                }
                time::sleep(kept * SECOND).await;
            })
            .await;
            assert_eq!((begun.elapsed(), polls), (kept * SECOND, 2));
        }
    });
}

#[test]
fn a_timer_is_not_taken_over_for_another_waker() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let begun = Instant::now();
        // Polled with another waker in the same tick as the one that was dropped.
        let (inner, waker) = CountsWakes::with_waker();
        {
            let mut dropped = pin!(time::sleep(2 * SECOND));
            assert!(poll_once(dropped.as_mut()).await.is_pending());
        }
        let mut kept = pin!(time::sleep(2 * SECOND));
        assert!(
            kept.as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        time::sleep(3 * SECOND).await;
        assert_eq!(inner.count(), 1);
        assert_eq!(begun.elapsed(), 3 * SECOND);
    });
}

#[test]
fn a_sleep_that_is_dropped_keeps_nothing_of_a_waker_that_is_not_a_tasks() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let (wakes, waker) = CountsWakes::with_waker();
        {
            let mut sleep = pin!(time::sleep(SECOND));
            let mut cx = Context::from_waker(&waker);
            assert!(sleep.as_mut().poll(&mut cx).is_pending());
            assert_eq!(Arc::strong_count(&wakes), 3);
        }
        assert_eq!(Arc::strong_count(&wakes), 2);
    });
}

#[test]
fn a_sleep_that_was_dropped_as_block_on_returned_wakes_nobody_in_the_next() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let mut sleep = pin!(time::sleep(SECOND));
        assert!(poll_once(sleep.as_mut()).await.is_pending());
    });
    let ((), polls) = scheduler.block_on(async { polls_of(time::sleep(5 * SECOND)).await });
    assert_eq!(polls, 2);
}

#[test]
fn a_sleep_wakes_the_task_that_it_was_moved_to() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let begun = Instant::now();
        let mut sleep = Box::pin(time::sleep(2 * SECOND));
        assert!(poll_once(sleep.as_mut()).await.is_pending());
        spawn(sleep).await.unwrap();
        assert_eq!(begun.elapsed(), 2 * SECOND);
    });
}

#[test]
fn a_sleep_that_is_reset_waits_for_the_new_moment() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let begun = Instant::now();
        let mut sleep = pin!(time::sleep(10 * SECOND));
        for seconds in [20, 5, 5, 7] {
            assert!(poll_once(sleep.as_mut()).await.is_pending());
            sleep.as_mut().reset(begun + seconds * SECOND);
            assert_eq!(sleep.deadline(), begun + seconds * SECOND);
        }
        sleep.as_mut().await;
        assert_eq!(begun.elapsed(), 7 * SECOND);
        assert!(sleep.is_elapsed());
        sleep.as_mut().reset(begun + 9 * SECOND);
        assert!(!sleep.is_elapsed());
        sleep.as_mut().await;
        assert_eq!(begun.elapsed(), 9 * SECOND);
    });
}

#[test]
fn who_waits_is_woken_when_the_moment_is_reset_to_the_past() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let (wakes, waker) = CountsWakes::with_waker();
        let mut cx = Context::from_waker(&waker);
        let mut sleep = pin!(time::sleep(10 * SECOND));
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        time::sleep(SECOND).await;
        sleep.as_mut().reset(Instant::now());
        assert_eq!(wakes.count(), 1);
        assert!(sleep.as_mut().poll(&mut cx).is_ready());
    });
}

#[test]
fn who_waits_is_woken_at_an_earlier_moment_without_polling_again() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let begun = Instant::now();
        let (wakes, waker) = CountsWakes::with_waker();
        let mut cx = Context::from_waker(&waker);
        let mut sleep = pin!(time::sleep(10 * SECOND));
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        sleep.as_mut().reset(begun + 2 * SECOND);
        time::sleep(3 * SECOND).await;
        assert_eq!(wakes.count(), 1);
    });
}

#[test]
fn a_sleep_whose_moment_has_come_is_ready_at_once() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let ((), polls) = polls_of(time::sleep(Duration::ZERO)).await;
        assert_eq!(polls, 1);
        let past = Instant::now();
        time::advance(SECOND);
        let ((), polls) = polls_of(time::sleep_until(past)).await;
        assert_eq!(polls, 1);
    });
}

#[test]
fn a_duration_beyond_the_clock_waits_for_ever() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let mut never = pin!(time::sleep(Duration::MAX));
        assert!(poll_once(never.as_mut()).await.is_pending());
        time::sleep(1_000_000_000 * SECOND).await;
        assert!(poll_once(never.as_mut()).await.is_pending());
        assert!(!never.is_elapsed());
        never.as_mut().reset(Instant::now() + SECOND);
        never.await;
        let bounded = time::timeout(Duration::MAX, time::sleep(SECOND));
        bounded.await.unwrap();
        let all = [u64::MAX, u64::MAX / 1_000_000_000, u64::MAX / 2].map(Duration::from_secs);
        for far in all {
            let bounded = time::timeout(SECOND, time::sleep(far));
            bounded.await.unwrap_err();
        }
    });
}

#[test]
fn a_sleep_of_a_scheduler_that_has_ended_panics_rather_than_hang() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    let handle = scheduler.handle().clone();
    let mut sleep = pin!(handle.enter(|| time::sleep(3600 * SECOND)));
    let (wakes, waker) = CountsWakes::with_waker();
    let mut cx = Context::from_waker(&waker);
    assert!(sleep.as_mut().poll(&mut cx).is_pending());
    drop(scheduler);
    assert_eq!(wakes.count(), 1, "so that it finds out");
    let polled = std::panic::AssertUnwindSafe(|| sleep.as_mut().poll(&mut cx));
    let payload = std::panic::catch_unwind(polled).unwrap_err();
    let message = payload.downcast_ref::<&str>().unwrap();
    assert!(message.contains("has ended"), "{message}");
    drop(handle);
}

#[test]
fn a_sleep_can_be_dropped_anywhere_and_after_its_scheduler() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    let (wakes, waker) = CountsWakes::with_waker();
    let mut cx = Context::from_waker(&waker);
    let mut arm = || {
        let mut sleep = Box::pin(scheduler.handle().enter(|| time::sleep(3600 * SECOND)));
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        sleep
    };
    let (on_another_thread, on_a_worker, after_the_end) = (arm(), arm(), arm());
    assert_eq!(Arc::strong_count(&wakes), 5);
    std::thread::spawn(move || drop(on_another_thread))
        .join()
        .unwrap();
    assert_eq!(Arc::strong_count(&wakes), 4);
    scheduler.block_on(async {
        spawn(async move { drop(on_a_worker) }).await.unwrap();
    });
    assert_eq!(Arc::strong_count(&wakes), 3);
    drop(scheduler);
    assert_eq!(Arc::strong_count(&wakes), 2, "the end gave it back");
    drop(after_the_end);
    assert_eq!(wakes.count(), 1, "at the end");
}

#[test]
fn a_task_can_wait_for_a_sleep_of_another_scheduler() {
    let theirs = Builder::new().workers(1).build().unwrap();
    let ours = Builder::new().workers(1).build().unwrap();
    let begun = std::time::Instant::now();
    let mut sleep = Box::pin(theirs.handle().enter(|| time::sleep(20 * MILLISECOND)));
    ours.block_on(async {
        // Armed by one task, moved and ended in another, dropped armed by a third.
        assert!(poll_once(sleep.as_mut()).await.is_pending());
        spawn(sleep).await.unwrap();
        let dropped = theirs
            .handle()
            .enter(|| Box::pin(time::sleep(3600 * SECOND)));
        let dropped = spawn(time::timeout(MILLISECOND, dropped)).await.unwrap();
        assert!(dropped.is_err());
    });
    // A real clock, since the two share no other; it may take longer.
    assert!(begun.elapsed() >= 20 * MILLISECOND);
}

#[test]
fn the_bound_of_a_timeout_holds_for_who_never_lets_go() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let endless = async {
            loop {
                time::advance(Duration::from_millis(1));
                task::coop::consume_budget().await;
            }
        };
        let begun = Instant::now();
        assert!(time::timeout(SECOND, endless).await.is_err());
        assert!(begun.elapsed() >= SECOND);
    });
}

#[test]
fn a_sleep_has_64_bytes_and_a_timeout_adds_nothing() {
    fn is_send_sync<T: Send + Sync>(_: &T) {}
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        is_send_sync(&time::sleep(SECOND));
        let bounded = time::timeout(SECOND, std::future::ready([0_u64; 3]));
        let future = size_of_val(bounded.get_ref());
        assert_eq!(size_of::<Sleep>(), 64);
        assert_eq!(size_of_val(&bounded), 64 + future);
    });
}
