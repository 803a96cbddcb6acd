//! Two schedulers in one process: what of the one may be waited for, woken and ended from the other.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::{life, wait_until};
use glasshouse_pal::{Pal, TaskState, verify::verify};
use glasshouse_scheduler::task::{self, JoinHandle, JoinSet};
use glasshouse_scheduler::{Builder, Handle, Scheduler, Shutdown, spawn, time};
use std::collections::HashSet;
use std::future::pending;
use std::pin::Pin;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

const HAS_RECORDS: bool = cfg!(feature = "telemetry");

/// Two schedulers of one worker each, with one log.
fn two() -> ([Scheduler; 2], Pal) {
    let pal = Pal::memory();
    let schedulers = [(); 2].map(|()| Builder::new().workers(1).pal(pal.clone()).build().unwrap());
    (schedulers, pal)
}

#[test]
fn a_handle_is_waited_for_on_the_other_scheduler_and_the_log_says_so() {
    let ([one, other], pal) = two();
    let (send, receive) = async_channel::bounded::<u8>(1);
    let task = one.spawn(async move { receive.recv().await.unwrap() });
    let id = task.id();
    let waiter = other.spawn(task);
    let waiting = waiter.id();
    wait_until(&pal, id, TaskState::Waiting);
    wait_until(&pal, waiting, TaskState::JoinWait);
    send.try_send(9).unwrap();
    assert_eq!(one.block_on(waiter).unwrap().unwrap(), 9);
    if HAS_RECORDS {
        // For the waiter's scheduler whoever ends the task is no task of its own.
        assert_eq!(
            life(&pal, waiting),
            [
                "spawned".to_owned(),
                "running".to_owned(),
                format!("join_wait {id}"),
                "wake by external".to_owned(),
                "running".to_owned(),
                "done".to_owned()
            ]
        );
    }
}

#[test]
fn every_end_of_a_task_reaches_a_waiter_on_the_other_scheduler() {
    let ([one, other], _pal) = two();
    let panicking = one.spawn(async { panic!("over there") });
    let aborted = one.spawn(pending::<()>());
    let abort = aborted.abort_handle();
    let errors = other.block_on(async move {
        let panicked = spawn(async { panicking.await.map(drop).unwrap_err() });
        let cancelled = spawn(async { aborted.await.unwrap_err() });
        abort.abort();
        [panicked.await.unwrap(), cancelled.await.unwrap()]
    });
    assert!(errors[0].to_string().ends_with("panicked: over there"));
    assert!(errors[1].is_cancelled());
}

#[test]
fn a_waiter_is_told_when_the_other_scheduler_ends() {
    let ([one, other], pal) = two();
    let task = one.spawn(pending::<()>());
    let waiter = other.spawn(task);
    wait_until(&pal, waiter.id(), TaskState::JoinWait);
    drop(one);
    assert!(other.block_on(waiter).unwrap().unwrap_err().is_cancelled());
}

#[test]
fn a_task_ends_although_the_scheduler_of_its_waiter_has_gone() {
    let ([one, other], pal) = two();
    let (send, receive) = async_channel::bounded::<()>(1);
    let (tell, told) = mpsc::channel();
    let task = one.spawn(async move {
        receive.recv().await.unwrap();
        tell.send(()).unwrap();
    });
    let waiter = other.spawn(task);
    wait_until(&pal, waiter.id(), TaskState::JoinWait);
    drop(other);
    assert!(one.block_on(waiter).unwrap_err().is_cancelled());
    send.try_send(()).unwrap();
    told.recv().unwrap();
    assert_eq!(one.shutdown(Duration::from_secs(600)), Shutdown::Clean);
}

#[test]
fn a_handle_that_wanders_wakes_who_polled_it_last() {
    /// Polls the handle once, and hands it on.
    async fn poll_once(mut task: JoinHandle<u8>) -> JoinHandle<u8> {
        assert!(futures::poll!(Pin::new(&mut task)).is_pending());
        task
    }
    let ([one, other], _pal) = two();
    for _ in 0..200 {
        let (send, receive) = async_channel::bounded::<u8>(1);
        let mut task = one.spawn(async move { receive.recv().await.unwrap() });
        for scheduler in [&one, &other, &one, &other] {
            let polled = scheduler.spawn(poll_once(task));
            task = scheduler.block_on(polled).unwrap();
        }
        let last = one.spawn(task);
        // Beside the last poll, so that the end meets it at any stage.
        let sender = other.spawn(async move { send.send(4).await.unwrap() });
        assert_eq!(other.block_on(last).unwrap().unwrap(), 4);
        other.block_on(sender).unwrap();
    }
}

#[test]
fn members_of_a_set_live_on_both() {
    let ([one, other], _pal) = two();
    let there = other.handle().clone();
    let mut sums = one.block_on(async {
        let mut set = JoinSet::new();
        for n in 0..100 {
            let handle = [Handle::current(), there.clone()][n % 2].clone();
            set.spawn_on(
                async move {
                    task::yield_now().await;
                    n
                },
                &handle,
            );
        }
        set.join_all().await
    });
    sums.sort();
    assert_eq!(sums, (0..100).collect::<Vec<_>>());
}

#[test]
fn ids_are_the_processs_and_one_log_holds_both() {
    let ([one, other], pal) = two();
    let work = || async {
        let mut ids = HashSet::new();
        for _ in 0..100 {
            let task = spawn(time::sleep(Duration::from_micros(50)));
            ids.insert(task.id());
            task.await.unwrap();
        }
        ids
    };
    let (first, second) = (one.spawn(work()), other.spawn(work()));
    let first = one.block_on(first).unwrap();
    let second = other.block_on(second).unwrap();
    assert_eq!((first.len(), second.len()), (100, 100));
    assert!(first.is_disjoint(&second));
    for scheduler in [one, other] {
        let end = scheduler.shutdown(Duration::from_secs(600));
        assert_eq!(end, Shutdown::Clean);
    }
    let verdict = verify(&pal.log());
    assert!(verdict.holds(), "{verdict:?}");
}

#[test]
fn the_current_one_is_that_of_the_task_or_of_what_was_entered_last() {
    let named = ["one", "other"].map(|name| {
        let builder = Builder::new().workers(1).pal(Pal::memory());
        builder.name(name).build().unwrap()
    });
    let there = named[1].handle().clone();
    let thread_of = async || {
        spawn(async { thread::current().name().unwrap().to_owned() })
            .await
            .unwrap()
    };
    let on_one = named[0].spawn(async move {
        let here = thread_of().await;
        // What is spawned inside of enter runs there.
        let entered = there.enter(|| spawn(async { thread::current().name().map(str::to_owned) }));
        [here, entered.await.unwrap().unwrap()]
    });
    assert_eq!(named[0].block_on(on_one).unwrap(), ["one-0", "other-0"]);
}

/// What a nested `block_on` says.
fn remedy(nested: impl FnOnce() + Send + 'static) -> String {
    let caught = thread::spawn(nested).join().unwrap_err();
    let text = caught.downcast::<&str>();
    text.map_or_else(
        |caught| *caught.downcast().unwrap(),
        |text| text.to_string(),
    )
}

#[test]
fn a_nested_block_on_panics_with_the_remedy_wherever_it_is() {
    type Build = fn() -> Scheduler;
    let builds: [Build; 2] = [
        || Builder::new().workers(1).build().unwrap(),
        || Builder::deterministic(1).build().unwrap(),
    ];
    for outer in builds {
        for inner in builds {
            // In a root, on another scheduler.
            let text = remedy(move || outer().block_on(async { inner().block_on(async {}) }));
            assert!(text.contains("await the future instead"), "{text}");
        }
        // In a root, on its own scheduler; a deterministic one has no other block_on than its own.
        let text = remedy(move || {
            let scheduler = outer();
            scheduler.block_on(async { scheduler.block_on(async {}) });
        });
        assert!(text.contains("await the future instead"), "{text}");
    }
    let text = remedy(|| {
        let local = Builder::new().build_local().unwrap();
        local.block_on(async { local.block_on(async {}) });
    });
    assert!(text.contains("await the future instead"), "{text}");
    let text = remedy(|| {
        let scheduler = Builder::deterministic(1).build().unwrap();
        scheduler.handle().block_on(async {});
    });
    assert!(text.contains("call that, not the handle's"), "{text}");
}

#[test]
fn the_remedy_of_a_nested_block_on_works() {
    let ([one, other], _pal) = two();
    let there = other.handle().clone();
    let answer = one.block_on(async move {
        let apart = glasshouse_scheduler::spawn_blocking(move || {
            there.block_on(async { spawn(async { 6 * 7 }).await.unwrap() })
        });
        apart.await.unwrap()
    });
    assert_eq!(answer, 42);
}

#[test]
fn a_scheduler_works_on_after_a_nested_block_on_panicked_in_it() {
    let ([one, _other], _pal) = two();
    let handle = one.handle().clone();
    let error = one
        .block_on(one.spawn(async move { handle.block_on(async {}) }))
        .unwrap_err();
    assert!(error.is_panic());
    assert_eq!(one.block_on(one.spawn(async { 5 })).unwrap(), 5);
}
