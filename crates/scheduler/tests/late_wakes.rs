//! Wakers that are used when there is nothing left to wake: nobody is polled for it, nobody else is woken
//! instead, and the log has no wake after an end.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::{deterministic, life, threads};
use glasshouse_pal::verify::verify;
use glasshouse_pal::{Pal, TaskEvent};
use glasshouse_scheduler::{spawn, task};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;

/// Ends at once, and wakes its task in that very poll, and again as it is dropped.
struct WakesAsItEnds(Option<Waker>);

impl Future for WakesAsItEnds {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        cx.waker().wake_by_ref();
        self.0 = Some(cx.waker().clone());
        Poll::Ready(())
    }
}

impl Drop for WakesAsItEnds {
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            waker.wake();
        }
    }
}

/// A task that gives its waker away and ends.
async fn give_waker(to: mpsc::Sender<Waker>) {
    poll_fn(|cx| {
        to.send(cx.waker().clone()).unwrap();
        Poll::Ready(())
    })
    .await;
}

fn assert_holds(pal: &Pal) {
    let report = verify(&pal.log());
    assert!(report.holds(), "{report:#?}");
}

#[test]
fn a_future_that_wakes_its_task_as_it_ends_ends_it_once() {
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let task = spawn(WakesAsItEnds(None));
        let id = task.id();
        task.await.unwrap();
        task::yield_now().await;
        id
    });
    assert_eq!(life(&pal, id), ["spawned by 1", "running", "done"]);
    assert_holds(&pal);
}

#[test]
fn a_waker_of_a_task_that_has_ended_wakes_nobody_who_has_its_place_now() {
    let (scheduler, pal) = deterministic();
    let (give, taken) = mpsc::channel();
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = polls.clone();
    scheduler.block_on(async move {
        spawn(give_waker(give)).await.unwrap();
        let late = taken.recv().unwrap();
        // It has the slot, and if the allocator will have it so the memory, of the first.
        let next = spawn(poll_fn(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Poll::<()>::Pending
        }));
        for _ in 0..10 {
            task::yield_now().await;
            late.wake_by_ref();
        }
        next.abort();
        assert!(next.await.unwrap_err().is_cancelled());
        late.wake();
    });
    assert_eq!(polls.load(Ordering::Relaxed), 1);
    assert_holds(&pal);
}

#[test]
fn threads_that_wake_tasks_while_and_after_they_end_leave_a_log_that_holds() {
    const TASKS: usize = 2_000;
    let (scheduler, pal) = threads(2);
    let (give, taken) = mpsc::channel::<Waker>();
    let waking: Vec<_> = {
        let (one, other) = (mpsc::channel::<Waker>(), mpsc::channel::<Waker>());
        let fan_out = thread::spawn(move || {
            for waker in taken {
                one.0.send(waker.clone()).unwrap();
                other.0.send(waker).unwrap();
            }
        });
        let wake = |wakers: mpsc::Receiver<Waker>| {
            thread::spawn(|| wakers.into_iter().for_each(Waker::wake))
        };
        vec![fan_out, wake(one.1), wake(other.1)]
    };
    scheduler.block_on(async {
        for _ in 0..TASKS {
            spawn(give_waker(give.clone())).await.unwrap();
        }
    });
    drop(give);
    for thread in waking {
        thread.join().unwrap();
    }
    drop(scheduler);
    assert_holds(&pal);
    let done = |event: &TaskEvent| matches!(event, TaskEvent::Done { .. });
    assert_eq!(
        pal.events().iter().filter(|event| done(event)).count(),
        TASKS + 1
    );
}
