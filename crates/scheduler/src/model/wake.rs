//! Models of a wake against the wait that it ends: the task is polled again, and its record obeys the automaton
//! wherever the wake falls.

use super::explore_within;
use super::scene::{close, handle, scheduler_with};
use crate::runtime;
use glasshouse_pal::verify::verify;
use glasshouse_pal::{Pal, TaskEvent};
use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// What a task waits for.
#[derive(Default)]
struct Gate {
    is_open: AtomicBool,
    waiter: Mutex<Option<Waker>>,
}

impl Gate {
    async fn pass(&self) {
        poll_fn(|cx| {
            if self.is_open.load(Ordering::Acquire) {
                return Poll::Ready(());
            }
            *self.waiter.lock().unwrap() = Some(cx.waker().clone());
            // It may have been opened before the waker stood there.
            match self.is_open.load(Ordering::Acquire) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::Release);
        let waiter = self.waiter.lock().unwrap().take();
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}

fn holds(pal: &Pal) {
    let log = pal.log();
    let report = verify(&log);
    assert!(report.holds(), "{report:#?}\n{:#?}", pal.events());
}

#[test]
fn a_wake_ends_the_wait_before_it_or_the_poll_that_it_meets_is_followed_by_another() {
    explore_within(3, || {
        let pal = Pal::memory();
        let shared = scheduler_with(1, pal.clone());
        let gate = Arc::new(Gate::default());
        let (closer, passed) = (shared.clone(), gate.clone());
        drop(handle(&shared).spawn(async move {
            passed.pass().await;
            close(&closer);
        }));
        let opener = thread::spawn(move || gate.open());
        // Loom reports a deadlock here if the wake is lost.
        runtime::run_worker(shared.clone(), 0);
        opener.join().unwrap();
        holds(&pal);
        assert_eq!(Arc::strong_count(&shared), 1, "the task has gone");
        let waits = |event: &TaskEvent| matches!(event, TaskEvent::Wait { .. });
        let wakes = |event: &TaskEvent| matches!(event, TaskEvent::Wake { .. });
        let events = pal.events();
        assert_eq!(
            events.iter().filter(|event| waits(event)).count(),
            events.iter().filter(|event| wakes(event)).count(),
            "{events:#?}"
        );
    });
}

#[test]
fn an_abort_ends_a_wait_once_beside_a_wake() {
    // Three threads and two tasks: with two preemptions it takes minutes.
    explore_within(1, || {
        let pal = Pal::memory();
        let shared = scheduler_with(1, pal.clone());
        let gate = Arc::new(Gate::default());
        let passed = gate.clone();
        let waiter = handle(&shared).spawn(async move { passed.pass().await });
        let aborted = waiter.abort_handle();
        let closer = shared.clone();
        drop(handle(&shared).spawn(async move {
            let _ = waiter.await;
            close(&closer);
        }));
        let opener = thread::spawn(move || gate.open());
        let aborter = thread::spawn(move || aborted.abort());
        runtime::run_worker(shared.clone(), 0);
        opener.join().unwrap();
        aborter.join().unwrap();
        holds(&pal);
        assert_eq!(Arc::strong_count(&shared), 1, "every task has gone");
    });
}
