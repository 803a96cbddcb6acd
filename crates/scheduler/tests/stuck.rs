//! A worker that is stuck in a poll: what it would have served, somebody else serves. Nothing here ends if
//! nobody does.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::at_drop::AtDrop;
use futures::future::poll_fn;
use glasshouse_scheduler::{
    Builder, Scheduler, Stall, io::AsyncFd, spawn, spawn_system, task, time,
};
use std::future::Future;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

fn threads(workers: usize) -> Scheduler {
    Builder::new().workers(workers).build().unwrap()
}

/// A scheduler for which 2 ms are a stall, and what it tells of each. `after` is called when it has told.
fn telling(workers: usize, after: fn()) -> (Scheduler, mpsc::Receiver<Stall>) {
    let (tell, told) = mpsc::channel();
    let on_stall = move |stall: &Stall| {
        tell.send(stall.clone()).unwrap();
        after();
    };
    let builder = Builder::new()
        .workers(workers)
        .stall_threshold(Duration::from_millis(2))
        .on_stall(on_stall);
    (builder.build().unwrap(), told)
}

/// A task that lends its waker at its first poll, and ends at its second.
fn waits_to_be_woken() -> (
    impl Future<Output = ()> + Send + 'static,
    mpsc::Receiver<Waker>,
) {
    let (lend, lent) = mpsc::channel();
    let mut lend = Some(lend);
    let waits = poll_fn(move |cx| match lend.take() {
        Some(lend) => {
            lend.send(cx.waker().clone()).unwrap();
            Poll::Pending
        }
        None => Poll::Ready(()),
    });
    (waits, lent)
}

/// Where a worker can be stuck.
#[derive(Clone, Copy, Debug)]
enum Where {
    InAPoll,
    /// In the drop of an output that nobody waits for: after the tick's end.
    AfterATick,
}

/// Runs `work` on a worker, there.
fn run_on_worker(scheduler: &Scheduler, place: Where, work: impl FnOnce() + Send + 'static) {
    match place {
        Where::InAPoll => drop(scheduler.spawn(async { work() })),
        Where::AfterATick => {
            let (open, opened) = futures::channel::oneshot::channel();
            let task = scheduler.spawn(async {
                opened.await.unwrap();
                AtDrop::new(work)
            });
            // The output is the worker's to drop if the handle has gone before.
            drop(task);
            open.send(()).unwrap();
        }
    }
}

#[test]
fn a_timer_of_a_stuck_worker_is_fired() {
    for place in [Where::InAPoll, Where::AfterATick] {
        let scheduler = threads(2);
        let (waits, lent) = waits_to_be_woken();
        let (tell, told) = mpsc::channel();
        let waiter = scheduler.spawn(async move {
            waits.await;
            tell.send(()).unwrap();
        });
        let (end, ended) = mpsc::channel();
        run_on_worker(&scheduler, place, move || {
            let waker = lent.recv().unwrap();
            loop {
                let mut sleep = pin!(time::sleep(Duration::from_millis(20)));
                if sleep
                    .as_mut()
                    .poll(&mut Context::from_waker(&waker))
                    .is_pending()
                {
                    // The timer stands with this worker, which does nothing from here on until it has fired.
                    told.recv().unwrap();
                    return end.send(()).unwrap();
                }
            }
        });
        scheduler.block_on(waiter).unwrap();
        ended.recv().unwrap();
    }
}

#[test]
fn a_descriptor_that_a_stuck_worker_polled_is_watched_by_another() {
    let scheduler = threads(2);
    // Whether it is the worker in the driver that gets stuck is chance: both happen in so many rounds.
    for _ in 0..50 {
        let (mut near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let (tell, told) = mpsc::channel();
        let (watches, is_watching) = mpsc::channel();
        let reader = scheduler.spawn(async move {
            let far = AsyncFd::new(far).unwrap();
            watches.send(()).unwrap();
            let mut byte = [0];
            far.read_with(|mut far| far.read(&mut byte)).await.unwrap();
            tell.send(()).unwrap();
        });
        is_watching.recv().unwrap();
        let (hold, holds) = mpsc::channel();
        let stuck = scheduler.spawn(async move {
            hold.send(()).unwrap();
            told.recv().unwrap();
        });
        holds.recv().unwrap();
        near.write_all(b"x").unwrap();
        scheduler.block_on(async {
            stuck.await.unwrap();
            reader.await.unwrap();
        });
    }
}

#[test]
fn tasks_behind_a_stuck_one_run_although_the_other_worker_is_never_idle() {
    for place in [Where::InAPoll, Where::AfterATick] {
        let scheduler = threads(2);
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = is_over.clone();
        let (end, ended) = mpsc::channel();
        run_on_worker(&scheduler, place, move || {
            let (tell, told) = mpsc::channel();
            // Two tasks that take turns on the other worker for as long as this one is stuck: it has never
            // nothing to do, and steals from nobody.
            let flood: Vec<_> = (0..2)
                .map(|_| {
                    let (tell, seen) = (tell.clone(), seen.clone());
                    spawn(async move {
                        tell.send("floods").unwrap();
                        while !seen.load(Ordering::Relaxed) {
                            task::yield_now().await;
                        }
                    })
                })
                .collect();
            assert_eq!([told.recv(), told.recv()], [Ok("floods"); 2]);
            let (default, system) = (tell.clone(), tell);
            let default = spawn(async move { default.send("default").unwrap() });
            let system = spawn_system(async move { system.send("system").unwrap() });
            let mut ran = [told.recv().unwrap(), told.recv().unwrap()];
            ran.sort_unstable();
            assert_eq!(ran, ["default", "system"]);
            end.send((flood, default, system)).unwrap();
        });
        let (flood, default, system) = ended.recv().unwrap();
        is_over.store(true, Ordering::Relaxed);
        scheduler.block_on(async {
            default.await.unwrap();
            system.await.unwrap();
            for task in flood {
                task.await.unwrap();
            }
        });
    }
}

#[test]
fn a_task_that_waits_by_blocking_for_one_that_it_spawned_is_helped_by_a_worker_that_slept() {
    let scheduler = threads(2);
    // The other worker sleeps at most of these, if not at all.
    for _ in 0..10 {
        let waits = scheduler.spawn(async {
            let (tell, told) = mpsc::channel();
            // Alone in the queue it wakes nobody: it is this worker's next tick.
            spawn(async move { tell.send(5).unwrap() });
            told.recv().unwrap()
        });
        assert_eq!(scheduler.block_on(waits).unwrap(), 5);
    }
}

#[test]
fn a_thread_in_block_on_is_served_although_the_only_worker_is_stuck() {
    let scheduler = threads(1);
    let (hold, holds) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let stuck = scheduler.spawn(async move {
        hold.send(()).unwrap();
        released.recv().unwrap();
    });
    holds.recv().unwrap();
    let (mut near, far) = UnixStream::pair().unwrap();
    far.set_nonblocking(true).unwrap();
    scheduler.block_on(async {
        time::sleep(Duration::from_millis(5)).await;
        let far = AsyncFd::new(far).unwrap();
        let mut read = pin!(far.read_with(|mut far| far.read(&mut [0])));
        let mut is_first = true;
        poll_fn(|cx| {
            let polled = read.as_mut().poll(cx);
            if std::mem::take(&mut is_first) {
                assert!(polled.is_pending());
                near.write_all(b"x").unwrap();
            }
            polled
        })
        .await
        .unwrap();
    });
    release.send(()).unwrap();
    scheduler.block_on(stuck).unwrap();
}

#[test]
fn an_application_is_told_of_a_stall_again_whenever_it_has_doubled() {
    let (scheduler, told) = telling(1, || {});
    let stuck = scheduler.spawn(async move {
        let stalls = (0..4).map(|_| told.recv().unwrap());
        stalls.collect::<Vec<_>>()
    });
    let id = stuck.id();
    let stalls = scheduler.block_on(stuck).unwrap();
    assert!(stalls[0].busy >= Duration::from_millis(2));
    for pair in stalls.windows(2) {
        assert!(pair[1].busy >= pair[0].busy * 2, "{pair:?}");
    }
    for stall in stalls {
        assert_eq!((stall.task, stall.worker, stall.others), (id, 0, 0));
    }
}

#[test]
fn a_stall_says_how_many_workers_are_left_to_serve() {
    let (scheduler, told) = telling(3, || {});
    let (releases, stuck): (Vec<_>, Vec<_>) = (0..3)
        .map(|_| {
            let (release, released) = mpsc::channel::<()>();
            let stuck = scheduler.spawn(async move { released.recv().unwrap() });
            (release, stuck)
        })
        .unzip();
    // All three are stuck in the end, whatever was told of before.
    while told.recv().unwrap().others != 0 {}
    for release in releases {
        release.send(()).unwrap();
    }
    scheduler.block_on(async {
        for task in stuck {
            task.await.unwrap();
        }
    });
}

#[test]
fn a_panic_in_what_is_called_at_a_stall_ends_neither_the_watch_nor_the_task() {
    let (scheduler, told) = telling(1, || panic!("told of a stall"));
    let stuck = scheduler.spawn(async move {
        told.recv().unwrap();
        told.recv().unwrap();
        5
    });
    assert_eq!(scheduler.block_on(stuck).unwrap(), 5);
}

#[test]
fn the_queue_of_a_lone_worker_is_left_to_it() {
    // A quantum out of reach: the heavy task yields, and is not throttled.
    let quantum = Duration::from_secs(3600);
    let scheduler = Builder::new().workers(1).quantum(quantum).build().unwrap();
    let order = scheduler.spawn(async {
        let (send, receive) = mpsc::channel();
        let heavy = spawn({
            let send = send.clone();
            async move {
                // Real time, because the watchdog, which must not act here, looks every so often of it: long
                // enough for a few of its looks, too short for a stall.
                let begun = std::time::Instant::now();
                while begun.elapsed() < Duration::from_millis(60) {
                    std::hint::spin_loop();
                }
                task::yield_now().await;
                send.send(100).unwrap();
            }
        });
        for n in 0..100 {
            let send = send.clone();
            spawn(async move { send.send(n).unwrap() });
        }
        heavy.await.unwrap();
        receive.try_iter().collect::<Vec<_>>()
    });
    let order = scheduler.block_on(order).unwrap();
    assert_eq!(order, (0..=100).collect::<Vec<_>>());
}
