//! Lanes on a scheduler: who gets a permit, in which order, and what becomes of one that nobody
//! takes up. Time is virtual except where threads are the point.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use futures::future::{join_all, poll_fn};
use glasshouse_lanes::{Acquire, BuildError, LaneStatus, Lanes, LanesBuilder};
use glasshouse_scheduler::{Builder, Handle, Scheduler, spawn, task, time};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

fn deterministic() -> Scheduler {
    Builder::deterministic(7).build().unwrap()
}

fn build(lanes: LanesBuilder) -> Lanes {
    lanes.build(&Handle::current()).unwrap()
}

/// Polls once, with the waker of the running task.
async fn poll_once(acquire: &mut Acquire) -> Poll<()> {
    poll_fn(|cx| Poll::Ready(Pin::new(&mut *acquire).poll(cx).map(drop))).await
}

/// Lets every other ready task run until none is left: virtual time moves only then.
async fn settle() {
    time::sleep(Duration::from_nanos(1)).await;
}

#[test]
fn what_would_never_work_is_not_built() {
    let scheduler = deterministic();
    let build = |lanes: LanesBuilder| lanes.build(scheduler.handle()).unwrap_err();
    let zero = build(Lanes::builder().lane("io", 1).lane("cpu", 0));
    assert_eq!(zero, BuildError::ZeroLimit { lane: "cpu".into() });
    let twice = build(Lanes::builder().lane("io", 1).lane("io", 2));
    assert_eq!(twice, BuildError::Duplicate { lane: "io".into() });
    let none = build(Lanes::builder().global_limit(0).lane("io", 1));
    assert_eq!(none, BuildError::ZeroGlobalLimit);
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let scheduler = deterministic();
    let lanes = Lanes::builder().lane("io", 1).lane("cpu", 2);
    let lanes = lanes.build(scheduler.handle()).unwrap();
    assert!(lanes.lane("oi").is_none());
    assert_eq!(lanes.find("oi").unwrap_err().known, ["io", "cpu"]);
    assert_eq!(lanes.find("cpu").unwrap().limit(), 2);
}

#[test]
fn a_lane_serves_its_waiters_in_the_order_of_their_arrival() {
    deterministic().block_on(async {
        let lanes = build(Lanes::builder().lane("io", 2));
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let entered = Arc::new(Mutex::new(Vec::new()));
        let tasks = (0..20).map(|n| {
            let (arrived, entered) = (arrived.clone(), entered.clone());
            let lane = lanes.lane("io").unwrap();
            spawn(async move {
                arrived.lock().unwrap().push(n);
                let _permit = lane.acquire().await;
                entered.lock().unwrap().push(n);
                // Different lengths, so that the two permits come back in no fixed turn.
                time::sleep(Duration::from_millis(n % 3 + 1)).await;
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!(*arrived.lock().unwrap(), *entered.lock().unwrap());
    });
}

#[test]
fn under_the_global_limit_the_oldest_waiter_whose_lane_has_room_goes_first() {
    deterministic().block_on(async {
        let lanes = build(Lanes::builder().global_limit(2).lane("a", 1).lane("b", 2));
        let (a, b) = (lanes.lane("a").unwrap(), lanes.lane("b").unwrap());
        let (a1, b1) = (a.acquire().await, b.acquire().await);
        let (mut a2, mut b2, mut a3) = (a.acquire(), b.acquire(), a.acquire());
        for waiter in [&mut a2, &mut b2, &mut a3] {
            assert!(poll_once(waiter).await.is_pending());
        }
        // Lane a is full, so that the older a2 has to let b2 pass.
        drop(b1);
        settle().await;
        assert_eq!((a.status().waiting_len, b.status().waiting_len), (2, 0));
        let b2 = b2.await;
        drop(a1);
        settle().await;
        assert!(poll_once(&mut a3).await.is_pending());
        assert!(poll_once(&mut a2).await.is_ready());
        drop(b2);
        settle().await;
        assert!(poll_once(&mut a3).await.is_ready());
        assert_eq!(lanes.in_use(), 0);
    });
}

#[test]
fn a_waiter_that_gives_up_leaves_the_queue() {
    deterministic().block_on(async {
        let lanes = build(Lanes::builder().lane("io", 1));
        let lane = lanes.lane("io").unwrap();
        let held = lane.acquire().await;
        let (mut first, mut second) = (lane.acquire(), lane.acquire());
        assert!(poll_once(&mut first).await.is_pending());
        assert!(poll_once(&mut second).await.is_pending());
        let waited = time::timeout(Duration::from_millis(5), first).await;
        assert!(waited.is_err());
        assert_eq!(lane.status().waiting_len, 1);
        drop(held);
        settle().await;
        assert!(poll_once(&mut second).await.is_ready());
    });
}

#[test]
fn a_granted_permit_that_is_never_taken_up_goes_on() {
    deterministic().block_on(async {
        let lanes = build(Lanes::builder().lane("io", 1));
        let lane = lanes.lane("io").unwrap();
        let held = lane.acquire().await;
        let (mut first, mut second) = (lane.acquire(), lane.acquire());
        assert!(poll_once(&mut first).await.is_pending());
        assert!(poll_once(&mut second).await.is_pending());
        drop(held);
        settle().await;
        // The first has it, and does not know yet.
        assert_eq!((lane.status().waiting_len, lane.status().in_use), (1, 1));
        drop(first);
        settle().await;
        assert!(poll_once(&mut second).await.is_ready());
        assert_eq!(lane.status().in_use, 0);
    });
}

#[test]
fn a_newcomer_does_not_pass_a_permit_on_its_way() {
    deterministic().block_on(async {
        let lanes = build(Lanes::builder().lane("io", 1));
        let lane = lanes.lane("io").unwrap();
        let held = lane.acquire().await;
        let mut waiter = lane.acquire();
        assert!(poll_once(&mut waiter).await.is_pending());
        drop(held);
        // The host has not run yet: the permit is neither held nor to be had.
        assert_eq!((lane.status().in_use, lane.status().waiting_len), (0, 1));
        assert!(lane.try_acquire().is_none());
        settle().await;
        assert!(poll_once(&mut waiter).await.is_ready());
    });
}

#[test]
fn a_status_says_what_happened_in_virtual_time() {
    deterministic().block_on(async {
        let lanes = build(Lanes::builder().lane("io", 1));
        let lane = lanes.lane("io").unwrap();
        let work = |lane: glasshouse_lanes::Lane| async move {
            let _permit = lane.acquire().await;
            time::sleep(Duration::from_millis(10)).await;
        };
        let tasks: Vec<_> = (0..3).map(|_| spawn(work(lane.clone()))).collect();
        time::sleep(Duration::from_millis(5)).await;
        assert_eq!((lane.status().in_use, lane.status().waiting_len), (1, 2));
        for task in tasks {
            task.await.unwrap();
        }
        // One did not wait, one waited for the first, and one for both.
        let expected = LaneStatus {
            limit: 1,
            in_use: 0,
            waiting_len: 0,
            granted: 3,
            waited_ns: 30_000_000,
        };
        assert_eq!(lane.status(), expected);
    });
}

#[test]
fn a_permit_outlives_the_handles() {
    deterministic().block_on(async {
        let lanes = build(Lanes::builder().lane("io", 1));
        let permit = lanes.lane("io").unwrap().acquire().await;
        drop(lanes);
        settle().await;
        assert_eq!(permit.lane(), "io");
    });
}

#[test]
fn lanes_go_on_when_the_scheduler_that_hosts_them_has_ended() {
    let host = Builder::new().workers(1).build().unwrap();
    let lanes = Lanes::builder().lane("io", 1).build(host.handle()).unwrap();
    let lane = lanes.lane("io").unwrap();
    let other = deterministic();
    other.block_on(async {
        let held = lane.acquire().await;
        let waiter = spawn(lane.acquire());
        settle().await;
        assert_eq!(lane.status().waiting_len, 1);
        drop(host);
        drop(held);
        assert_eq!(waiter.await.unwrap().lane(), "io");
    });
}

#[test]
fn a_host_that_ends_hands_over_what_is_on_its_way() {
    let host = deterministic();
    let lanes = Lanes::builder().lane("io", 1).build(host.handle()).unwrap();
    let lane = lanes.lane("io").unwrap();
    let other = deterministic();
    other.block_on(async {
        let held = lane.acquire().await;
        let waiter = spawn(lane.acquire());
        settle().await;
        // The host's scheduler never ran: the permit waits for its first tick, or for its end.
        drop(held);
        settle().await;
        assert_eq!(lane.status().waiting_len, 1);
        drop(host);
        assert_eq!(waiter.await.unwrap().lane(), "io");
    });
}

#[test]
fn on_threads_no_limit_is_exceeded_and_no_permit_lost() {
    const TASKS: usize = 60;
    const ROUNDS: usize = 40;
    let scheduler = Builder::new().workers(4).build().unwrap();
    let lanes = Lanes::builder().global_limit(4).lane("a", 3).lane("b", 2);
    let lanes = lanes.build(scheduler.handle()).unwrap();
    let busy = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let all_busy = Arc::new(AtomicUsize::new(0));
    let work = |n: usize| {
        let index = n % 2;
        let lane = lanes.lane(["a", "b"][index]).unwrap();
        let (busy, all_busy) = (busy.clone(), all_busy.clone());
        async move {
            for round in 0..ROUNDS {
                if (n + round).is_multiple_of(5) {
                    // Gives up at once, or after the permit was on its way.
                    let mut acquire = lane.acquire();
                    let _ = poll_once(&mut acquire).await;
                    task::yield_now().await;
                    continue;
                }
                let permit = lane.acquire().await;
                assert!(busy[index].fetch_add(1, Ordering::SeqCst) < lane.limit());
                assert!(all_busy.fetch_add(1, Ordering::SeqCst) < 4);
                task::yield_now().await;
                busy[index].fetch_sub(1, Ordering::SeqCst);
                all_busy.fetch_sub(1, Ordering::SeqCst);
                drop(permit);
            }
        }
    };
    scheduler.block_on(async {
        let tasks: Vec<_> = (0..TASKS).map(|n| spawn(work(n))).collect();
        for ended in join_all(tasks).await {
            ended.unwrap();
        }
    });
    assert_eq!(lanes.in_use(), 0);
    for lane in lanes.iter() {
        let status = lane.status();
        assert_eq!(
            (status.in_use, status.waiting_len),
            (0, 0),
            "{}",
            lane.name()
        );
    }
}
