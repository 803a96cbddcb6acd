//! Panics wherever a task can have one: each ends its task, and nothing else.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::faults;
use glasshouse_scheduler::task::{JoinError, JoinSet};
use glasshouse_scheduler::{
    Builder, Handle, Scheduler, Shutdown, spawn, spawn_blocking, task, time,
};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const FAULT: &str = "the task's own fault";

/// Panics as it is dropped, also while another panic unwinds, which contains this one.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = catch_unwind(|| panic_any(FAULT));
        } else {
            panic_any(FAULT);
        }
    }
}

/// What a panic carries that panics in turn as it is dropped, with the same again.
struct Matryoshka;

impl Drop for Matryoshka {
    fn drop(&mut self) {
        panic_any(Matryoshka);
    }
}

fn schedulers() -> [Scheduler; 3] {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        faults::print_none(|panic| {
            panic.payload_as_str() == Some(FAULT) || panic.payload().is::<Matryoshka>()
        });
    });
    [
        Builder::deterministic(1).build().unwrap(),
        Builder::new().workers(1).build().unwrap(),
        Builder::new().workers(2).build().unwrap(),
    ]
}

/// Every worker still runs tasks, and the scheduler ends well.
fn assert_goes_on(scheduler: Scheduler) {
    let sum = scheduler.block_on(async {
        let tasks: Vec<_> = (0..10).map(|n| spawn(async move { n })).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 45);
    assert_eq!(scheduler.shutdown(Duration::from_secs(60)), Shutdown::Clean);
}

fn is_panic(error: &JoinError) -> bool {
    error.is_panic() && !error.is_cancelled()
}

/// Panics in its poll, and as it is dropped.
struct PanicsTwice;

impl Future for PanicsTwice {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        panic_any(Matryoshka);
    }
}

impl Drop for PanicsTwice {
    fn drop(&mut self) {
        panic_any(Matryoshka);
    }
}

#[test]
fn a_panic_whose_payload_panics_as_it_is_dropped_ends_its_task_alone() {
    for scheduler in schedulers() {
        scheduler.block_on(async {
            // Nobody waits for it.
            drop(spawn(async { panic_any(Matryoshka) }));
            // Its handle goes when it has ended.
            let ended = spawn(async { panic_any(Matryoshka) });
            while !ended.is_finished() {
                task::yield_now().await;
            }
            drop(ended);
            // In a poll, and again as the future is dropped: the first counts.
            let error = spawn(PanicsTwice).await.unwrap_err();
            assert!(is_panic(&error));
            std::mem::forget(error.into_panic());
        });
        assert_goes_on(scheduler);
    }
}

/// Ready with a value as bad as itself, and panics as it is dropped.
struct Hostile;

impl Future for Hostile {
    type Output = Bomb;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Bomb> {
        Poll::Ready(Bomb)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        panic_any(Matryoshka);
    }
}

#[test]
fn a_future_that_ends_and_panics_as_it_is_dropped_has_panicked() {
    for scheduler in schedulers() {
        scheduler.block_on(async {
            drop(spawn(Hostile));
            let error = spawn(Hostile).await.map(std::mem::forget).unwrap_err();
            assert!(is_panic(&error));
            std::mem::forget(error.into_panic());
        });
        assert_goes_on(scheduler);
    }
}

#[test]
fn an_output_that_panics_as_it_is_dropped_harms_nobody() {
    for scheduler in schedulers() {
        scheduler.block_on(async {
            drop(spawn(async { Bomb }));
            let ended = spawn(async { Bomb });
            while !ended.is_finished() {
                task::yield_now().await;
            }
            drop(ended);
            let mut set = JoinSet::new();
            set.spawn(async { Bomb });
            task::yield_now().await;
            drop(set);
            drop(spawn_blocking(|| Bomb));
        });
        assert_goes_on(scheduler);
    }
}

#[test]
fn tasks_that_panic_as_they_are_cancelled_do_not_hold_a_shutdown_up() {
    const TASKS: usize = 100;
    for scheduler in schedulers() {
        let started = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..TASKS)
            .map(|n| {
                let started = started.clone();
                scheduler.spawn(async move {
                    let _bomb = Bomb;
                    started.fetch_add(1, Ordering::Relaxed);
                    match n % 2 {
                        0 => std::future::pending().await,
                        _ => time::sleep(Duration::from_secs(3600)).await,
                    }
                })
            })
            .collect();
        // Let them start, so that the bombs live in them.
        scheduler.block_on(async {
            while started.load(Ordering::Relaxed) < TASKS {
                task::yield_now().await;
            }
        });
        assert_eq!(scheduler.shutdown(Duration::ZERO), Shutdown::Timeout);
        for task in tasks {
            assert!(task.is_finished());
        }
    }
}

/// Does all that a task may do, as it is dropped.
struct Busy {
    handle: Handle,
    done: Arc<AtomicUsize>,
}

impl Drop for Busy {
    fn drop(&mut self) {
        let refused = |handle: task::JoinHandle<()>| assert!(handle.is_finished());
        refused(spawn(async { unreachable!("the scheduler has ended") }));
        refused(self.handle.spawn(async {}));
        refused(glasshouse_scheduler::spawn_system(async {}));
        assert!(task::Builder::new().try_spawn(async {}).is_err());
        let blocking = spawn_blocking(|| {});
        blocking.abort();
        let mut set = JoinSet::new();
        set.spawn(async {});
        drop(set);
        drop(time::sleep(Duration::from_secs(1)));
        let nested = catch_unwind(AssertUnwindSafe(|| self.handle.block_on(async {})));
        assert!(nested.is_err(), "it is a worker's thread");
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn what_a_task_does_as_it_is_cancelled_by_a_shutdown_is_refused_and_harms_nobody() {
    for scheduler in schedulers() {
        let done = Arc::new(AtomicUsize::new(0));
        let count = 20;
        for _ in 0..count {
            let handle = scheduler.handle().clone();
            let done = done.clone();
            let busy = Busy { handle, done };
            scheduler.spawn(async move {
                let _busy = busy;
                std::future::pending::<()>().await;
            });
        }
        let ended = scheduler.shutdown(Duration::from_millis(1));
        assert_eq!(ended, Shutdown::Timeout);
        assert_eq!(done.load(Ordering::Relaxed), count);
    }
}

#[test]
fn wakers_that_outlive_their_task_and_its_scheduler_may_be_used() {
    for scheduler in schedulers() {
        let task = scheduler.spawn(std::future::poll_fn(|cx| {
            let own: [Waker; 3] = std::array::from_fn(|_| cx.waker().clone());
            Poll::Ready(own)
        }));
        let [first, second, third] = scheduler.block_on(task).unwrap();
        first.wake_by_ref();
        first.wake();
        drop(scheduler);
        let again = second.clone();
        second.wake();
        again.wake_by_ref();
        std::thread::spawn(move || drop((again, third)))
            .join()
            .unwrap();
    }
}
