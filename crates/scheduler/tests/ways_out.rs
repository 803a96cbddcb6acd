//! What the log says may end a wait beside what it is for: a timeout, a sleep beside it, something else that is awaited.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::deterministic;
use glasshouse_pal::{Event, Pal, TaskId, WaysOut};
use glasshouse_scheduler::{JoinHandle, spawn, task::JoinSet, time};
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// The task's waits, each by its event's name, and what may end it beside.
fn waits(pal: &Pal, id: TaskId) -> Vec<(&'static str, WaysOut)> {
    let log = pal.log();
    let entries = log.records_about(id);
    let waits = entries.filter_map(|entry| match entry.event {
        Event::Task(event) if event.state().is_some_and(|state| state.is_waiting()) => {
            Some((event.name(), entry.ways_out))
        }
        _ => None,
    });
    waits.collect()
}

/// The first wait of a task that does this.
fn first_wait<F>(future: impl FnOnce() -> F) -> (&'static str, WaysOut)
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let task = spawn(future());
        let id = task.id();
        let _ = task.await;
        id
    });
    waits(&pal, id)[0]
}

/// A task that sleeps, as long as two seconds.
fn sleeper() -> JoinHandle<()> {
    spawn(time::sleep(2 * SECOND))
}

/// Whichever ends first, asked in this order.
async fn first(one: impl Future, other: impl Future) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|cx| {
        let is_one = one.as_mut().poll(cx).is_ready();
        match is_one || other.as_mut().poll(cx).is_ready() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

const NONE: WaysOut = WaysOut {
    deadline: false,
    other: false,
};
const DEADLINE: WaysOut = WaysOut {
    deadline: true,
    ..NONE
};
const OTHER: WaysOut = WaysOut {
    other: true,
    ..NONE
};

#[test]
fn a_timeout_around_a_wait_is_in_the_log_beside_what_the_wait_is_for() {
    let bounded = first_wait(|| time::timeout(SECOND, pending::<()>()));
    assert_eq!(bounded, ("wait", DEADLINE));
    let bounded = first_wait(|| time::timeout(SECOND, sleeper()));
    assert_eq!(bounded, ("join_wait", DEADLINE));
    let twice = first_wait(|| time::timeout(SECOND, time::timeout(2 * SECOND, sleeper())));
    assert_eq!(twice, ("join_wait", DEADLINE));
    assert_eq!(first_wait(sleeper), ("join_wait", NONE));
}

#[test]
fn a_sleep_beside_a_wait_is_told_like_a_timeout_around_it_whichever_is_asked_first() {
    let sleep_last = first_wait(|| first(sleeper(), time::sleep(SECOND)));
    assert_eq!(sleep_last, ("join_wait", DEADLINE));
    let sleep_first = first_wait(|| {
        let joined = sleeper();
        first(time::sleep(SECOND), joined)
    });
    assert_eq!(sleep_first, ("join_wait", DEADLINE));
    // A sleep is ended by its own deadline, whatever bounds it.
    let bounded = first_wait(|| time::timeout(2 * SECOND, time::sleep(SECOND)));
    assert_eq!(bounded, ("sleep", NONE));
}

#[test]
fn another_task_that_the_poll_came_to_is_told_beside_the_one_it_waits_for() {
    let both = first_wait(|| first(sleeper(), sleeper()));
    assert_eq!(both, ("join_wait", OTHER));
    let bounded = first_wait(|| time::timeout(SECOND, first(sleeper(), sleeper())));
    assert_eq!(
        bounded.1,
        WaysOut {
            deadline: true,
            other: true
        }
    );
}

#[test]
fn the_next_wait_of_a_task_is_not_told_to_be_bounded_by_the_timeout_of_the_one_before() {
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let task = spawn(async {
            let _ = time::timeout(SECOND, pending::<()>()).await;
            let _ = sleeper().await;
        });
        let id = task.id();
        task.await.unwrap();
        id
    });
    let expected = [("wait", DEADLINE), ("join_wait", NONE)];
    assert_eq!(waits(&pal, id), expected);
}

#[test]
fn a_wait_for_a_set_is_told_to_end_with_another_of_its_tasks_where_it_has_another() {
    let (scheduler, pal) = deterministic();
    let id = scheduler.block_on(async {
        let task = spawn(async {
            let mut set = JoinSet::new();
            set.spawn(time::sleep(2 * SECOND));
            set.spawn(time::sleep(SECOND));
            let _ = time::timeout(SECOND / 2, set.join_next()).await;
            while set.join_next().await.is_some() {}
        });
        let id = task.id();
        task.await.unwrap();
        id
    });
    let both = WaysOut {
        deadline: true,
        other: true,
    };
    let expected = [both, OTHER, NONE].map(|ways_out| ("join_wait", ways_out));
    assert_eq!(waits(&pal, id), expected);
}
