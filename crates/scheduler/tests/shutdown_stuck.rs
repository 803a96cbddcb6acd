//! A shutdown of a scheduler in which something does not end. What is stuck is let go after the shutdown has
//! returned, so none of these tests would end if it waited.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::at_drop::AtDrop;
use glasshouse_pal::Pal;
use glasshouse_scheduler::{Builder, Scheduler, Shutdown};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

const MOMENT: Duration = Duration::from_millis(20);

/// Something that is stuck until it is let go.
fn hold() -> (impl FnOnce() + Send + 'static, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let stuck = move || {
        // An error says that it was let go as well.
        let _ = released.recv();
    };
    (stuck, release)
}

/// A scheduler with a worker that is stuck in a task's poll.
fn stuck(
    workers: usize,
    pal: &Pal,
) -> (Scheduler, glasshouse_scheduler::task::Id, mpsc::Sender<()>) {
    let scheduler = Builder::new()
        .workers(workers)
        .pal(pal.clone())
        .build()
        .unwrap();
    let (stuck, release) = hold();
    let (tell, told) = mpsc::channel();
    let task = scheduler.spawn(async move {
        tell.send(()).unwrap();
        stuck();
    });
    told.recv().unwrap();
    (scheduler, task.id(), release)
}

#[test]
fn a_shutdown_returns_although_a_poll_does_not() {
    for workers in [1, 2] {
        for timeout in [Duration::ZERO, MOMENT] {
            let (scheduler, _, release) = stuck(workers, &Pal::memory());
            assert_eq!(scheduler.shutdown(timeout), Shutdown::Timeout);
            drop(release);
        }
    }
}

#[test]
fn a_shutdown_in_the_background_waits_for_no_poll() {
    let (scheduler, _, release) = stuck(2, &Pal::memory());
    let waits = scheduler.spawn(std::future::pending::<()>());
    scheduler.shutdown_background();
    drop(release);
    while !waits.is_finished() {
        thread::yield_now();
    }
}

#[test]
fn a_shutdown_returns_although_a_system_tasks_poll_does_not() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    let (stuck, release) = hold();
    let (tell, told) = mpsc::channel();
    scheduler.handle().spawn_system(async move {
        tell.send(()).unwrap();
        stuck();
    });
    told.recv().unwrap();
    // No default task is left, but not all has ended.
    assert_eq!(scheduler.shutdown(MOMENT), Shutdown::Timeout);
    drop(release);
}

#[test]
fn a_shutdown_returns_although_the_drop_of_a_task_does_not() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    let (stuck, release) = hold();
    let sticky = AtDrop::new(stuck);
    scheduler.spawn(async move {
        let _sticky = sticky;
        std::future::pending::<()>().await;
    });
    assert_eq!(scheduler.shutdown(MOMENT), Shutdown::Timeout);
    drop(release);
}

#[test]
fn a_shutdown_returns_although_the_drop_of_an_output_does_not() {
    for workers in [1, 2] {
        let scheduler = Builder::new().workers(workers).build().unwrap();
        let (stuck, release) = hold();
        let (tell, told) = mpsc::channel();
        let output = AtDrop::new(move || {
            tell.send(()).unwrap();
            stuck();
        });
        // Nobody wants the output when the task ends: it is dropped by the worker, after the poll.
        let (begin, may_begin) = mpsc::channel::<()>();
        drop(scheduler.spawn(async move {
            may_begin.recv().unwrap();
            output
        }));
        begin.send(()).unwrap();
        told.recv().unwrap();
        let waits = scheduler.spawn(std::future::pending::<()>());
        assert_eq!(scheduler.shutdown(MOMENT), Shutdown::Timeout);
        assert!(!waits.is_finished(), "it is left behind with its worker");
        drop(release);
        while !waits.is_finished() {
            thread::yield_now();
        }
    }
}

#[test]
fn a_shutdown_returns_although_a_blocking_function_does_not() {
    for scheduler in [
        Builder::new().workers(2).build().unwrap(),
        Builder::new().workers(1).build().unwrap(),
    ] {
        let (stuck, release) = hold();
        let (tell, told) = mpsc::channel();
        let task = scheduler.handle().spawn_blocking(move || {
            tell.send(()).unwrap();
            stuck();
        });
        told.recv().unwrap();
        assert_eq!(scheduler.shutdown(MOMENT), Shutdown::Timeout);
        assert!(task.is_finished());
        drop(release);
    }
}

#[test]
fn what_was_left_behind_ends_when_its_worker_comes_back() {
    let (scheduler, _, release) = stuck(2, &Pal::memory());
    let waits = scheduler.spawn(std::future::pending::<()>());
    assert_eq!(scheduler.shutdown(MOMENT), Shutdown::Timeout);
    assert!(!waits.is_finished());
    drop(release);
    while !waits.is_finished() {
        thread::yield_now();
    }
}

#[test]
fn a_worker_that_is_left_behind_is_told_of() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let scheduler = Builder::new()
        .workers(1)
        // Left behind is worth a word also where stalls are not.
        .stall_threshold(Duration::MAX)
        .on_stall(move |stall| {
            tell.lock()
                .unwrap()
                .push((stall.task, stall.queued, stall.others))
        })
        .build()
        .unwrap();
    let (stuck, release) = hold();
    let (tell, is_stuck) = mpsc::channel();
    let task = scheduler.spawn(async move {
        tell.send(()).unwrap();
        stuck();
    });
    is_stuck.recv().unwrap();
    scheduler.spawn(async {});
    assert_eq!(scheduler.shutdown(MOMENT), Shutdown::Timeout);
    assert_eq!(*told.lock().unwrap(), [(task.id(), 1, 0)]);
    drop(release);
}

#[cfg(feature = "telemetry")]
#[test]
fn the_log_says_which_task_was_left_behind_and_then_that_the_shutdown_is_complete() {
    use glasshouse_pal::TaskEvent;
    let pal = Pal::memory();
    let (scheduler, id, release) = stuck(2, &pal);
    assert_eq!(scheduler.shutdown(MOMENT), Shutdown::Timeout);
    let events = pal.events();
    let [.., stalled, complete] = &events[..] else {
        panic!("too few events: {events:?}");
    };
    let TaskEvent::Stalled { tid, others, .. } = *stalled else {
        panic!("{stalled:?}");
    };
    assert_eq!((tid, others), (id, 0));
    assert_eq!(*complete, TaskEvent::ShutdownComplete { clean: false });
    drop(release);
}
