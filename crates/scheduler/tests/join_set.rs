//! What a set of tasks promises: every task is joined once, in the order in which they end.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use futures::FutureExt;
use glasshouse_scheduler::task::{self, Id, JoinError, JoinSet};
use glasshouse_scheduler::{Builder, Scheduler, SpawnError, spawn, time};
use std::collections::HashSet;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

fn virtual_time() -> Scheduler {
    Builder::deterministic(1).build().unwrap()
}

async fn after(seconds: u64) -> u64 {
    time::sleep(Duration::from_secs(seconds)).await;
    seconds
}

/// Tells on its channel that it is dropped.
struct Dropped(async_channel::Sender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.try_send(());
    }
}

#[test]
fn results_come_in_the_order_in_which_tasks_end() {
    virtual_time().block_on(async {
        let mut set = JoinSet::new();
        for seconds in [3, 1, 4, 2] {
            set.spawn(after(seconds));
        }
        assert_eq!(set.len(), 4);
        let mut seen = Vec::new();
        while let Some(result) = set.join_next().await {
            seen.push(result.unwrap());
        }
        assert_eq!(seen, [1, 2, 3, 4]);
        assert!(set.is_empty());
        assert!(set.join_next().await.is_none());
    });
}

#[test]
fn spawns_and_joins_alternate() {
    virtual_time().block_on(async {
        let mut set = JoinSet::new();
        set.spawn(async {});
        set.spawn(async {});
        for _ in 0..16 {
            set.join_next().await.unwrap().unwrap();
            assert_eq!(set.len(), 1);
            set.spawn(async {});
        }
    });
}

#[test]
fn dropping_a_set_aborts_its_tasks() {
    virtual_time().block_on(async {
        let (send, receive) = async_channel::bounded(4);
        let mut set = JoinSet::new();
        for _ in 0..4 {
            let held = Dropped(send.clone());
            set.spawn(async move {
                pending::<()>().await;
                drop(held);
            });
        }
        task::yield_now().await;
        drop(set);
        for _ in 0..4 {
            receive.recv().await.unwrap();
        }
    });
}

#[test]
fn detached_tasks_run_on_and_are_not_joined() {
    virtual_time().block_on(async {
        let (send, receive) = async_channel::bounded(8);
        let mut set = JoinSet::new();
        for seconds in 0..8 {
            let send = send.clone();
            set.spawn(async move { send.send(after(seconds).await).await.unwrap() });
        }
        // One of them has ended already, and is not joined either.
        time::sleep(Duration::from_millis(1)).await;
        set.detach_all();
        assert!(set.is_empty());
        assert!(set.join_next().await.is_none());
        set.spawn(async {});
        drop(send);
        let mut seen = Vec::new();
        while let Ok(seconds) = receive.recv().await {
            seen.push(seconds);
        }
        assert_eq!(seen, (0..8).collect::<Vec<_>>());
        set.join_next().await.unwrap().unwrap();
        assert!(set.join_next().await.is_none());
    });
}

#[test]
fn an_abort_handle_cancels_its_task_alone() {
    virtual_time().block_on(async {
        let mut set = JoinSet::new();
        for seconds in 0..16 {
            let abort = set.spawn(after(seconds));
            if seconds % 2 == 1 {
                abort.clone().abort();
                assert!(!abort.is_finished(), "the abort takes effect at its tick");
            }
        }
        let (mut done, mut cancelled) = (Vec::new(), 0);
        while let Some(result) = set.join_next().await {
            match result {
                Ok(seconds) => done.push(seconds),
                Err(error) => {
                    assert!(error.is_cancelled());
                    cancelled += 1;
                }
            }
        }
        assert_eq!(done, [0, 2, 4, 6, 8, 10, 12, 14]);
        assert_eq!(cancelled, 8);
    });
}

#[test]
fn an_abort_handle_knows_its_task_and_its_end() {
    virtual_time().block_on(async {
        let task = spawn(async { task::id() });
        let abort = task.abort_handle();
        assert_eq!(abort.id(), task.id());
        assert!(!abort.is_finished());
        assert_eq!(task.await.unwrap(), abort.id());
        assert!(abort.is_finished());
        abort.abort();
    });
}

#[test]
fn abort_all_leaves_the_tasks_to_be_joined() {
    virtual_time().block_on(async {
        let mut set = JoinSet::new();
        for seconds in [1, 1, 1, 9, 9] {
            set.spawn(after(seconds));
        }
        time::sleep(Duration::from_secs(2)).await;
        set.abort_all();
        assert_eq!(set.len(), 5);
        let mut results = Vec::new();
        while let Some(result) = set.join_next().await {
            results.push(result.is_err_and(|error| error.is_cancelled()));
        }
        assert_eq!(results, [false, false, false, true, true]);
    });
}

#[test]
fn shutdown_aborts_and_waits_and_ignores_panics() {
    virtual_time().block_on(async {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in drop");
            }
        }
        let (send, receive) = async_channel::bounded(1);
        let mut set = JoinSet::new();
        let held = Dropped(send);
        set.spawn(async move {
            let (_held, _bomb) = (held, Bomb);
            pending::<()>().await;
        });
        set.spawn(async { panic!("in poll") });
        task::yield_now().await;
        set.shutdown().await;
        assert!(set.is_empty());
        receive.try_recv().expect("it was dropped before the end");
    });
}

#[test]
fn join_all_gives_the_values_in_the_order_of_their_ends() {
    virtual_time().block_on(async {
        let set: JoinSet<u64> = [3, 2, 1].into_iter().map(after).collect();
        assert_eq!(set.join_all().await, [1, 2, 3]);
        assert!(JoinSet::<u8>::default().join_all().await.is_empty());
    });
}

#[test]
fn join_all_goes_on_with_a_tasks_panic_and_aborts_the_others() {
    virtual_time().block_on(async {
        let (send, receive) = async_channel::bounded(1);
        let mut set = JoinSet::new();
        let held = Dropped(send);
        set.spawn(async move {
            after(2).await;
            drop(held);
        });
        set.spawn(async {
            after(1).await;
            panic!("the task's own");
        });
        let joined = spawn(set.join_all()).await.unwrap_err();
        assert!(joined.to_string().ends_with("panicked: the task's own"));
        receive.recv().await.expect("the other was aborted");
    });
}

#[test]
fn try_join_next_gives_what_has_ended_and_no_more() {
    virtual_time().block_on(async {
        let mut set = JoinSet::new();
        assert!(set.try_join_next().is_none());
        for seconds in [1, 2, 5] {
            set.spawn(after(seconds));
        }
        assert!(set.try_join_next().is_none());
        time::sleep(Duration::from_secs(3)).await;
        assert_eq!(set.try_join_next().unwrap().unwrap(), 1);
        assert_eq!(set.try_join_next().unwrap().unwrap(), 2);
        assert!(set.try_join_next().is_none());
        assert_eq!(set.len(), 1);
    });
}

#[test]
fn a_result_comes_with_its_tasks_id() {
    virtual_time().block_on(async {
        let mut set = JoinSet::new();
        let spawned: HashSet<Id> = (0..10)
            .map(|_| set.spawn(async { task::id() }).id())
            .collect();
        let (id, own) = set.join_next_with_id().await.unwrap().unwrap();
        assert_eq!(id, own);
        time::sleep(Duration::from_millis(1)).await;
        let mut joined = HashSet::from([id]);
        while let Some(result) = set.try_join_next_with_id() {
            let (id, own) = result.unwrap();
            assert_eq!(id, own);
            joined.insert(id);
        }
        assert_eq!(joined, spawned);
    });
}

#[test]
fn a_join_next_that_is_given_up_loses_nothing() {
    virtual_time().block_on(async {
        let mut set = JoinSet::new();
        set.spawn(after(2));
        for _ in 0..3 {
            let early = time::timeout(Duration::from_millis(500), set.join_next()).await;
            assert!(early.is_err());
        }
        assert!(set.join_next().now_or_never().is_none());
        assert_eq!(set.join_next().await.unwrap().unwrap(), 2);
    });
}

#[test]
fn a_set_outlives_its_scheduler() {
    let mut set = JoinSet::new();
    let gone = virtual_time();
    set.spawn_on(pending(), gone.handle());
    drop(gone);
    let late = virtual_time();
    set.spawn_on(async { 2 }, late.handle());
    let results: Vec<Result<i32, JoinError>> = late.block_on(async {
        let first = set.join_next().await.unwrap();
        let second = set.join_next().await.unwrap();
        vec![first, second]
    });
    assert!(results[0].as_ref().is_err_and(JoinError::is_cancelled));
    assert!(results[1].as_ref().is_ok_and(|value| *value == 2));
}

#[test]
fn a_refused_task_is_a_member_that_is_denied_and_try_spawn_gives_its_future_back() {
    let scheduler = Builder::deterministic(1).capacity(1).build().unwrap();
    scheduler.block_on(async {
        let mut set = JoinSet::new();
        set.spawn(after(1));
        match set.try_spawn(async { 7 }) {
            Err(SpawnError::AtCapacity { future, .. }) => assert_eq!(future.await, 7),
            other => panic!("expected a refusal, got {other:?}"),
        }
        let denied = set.spawn(after(1));
        assert!(denied.is_finished());
        let error = set.join_next().await.unwrap().unwrap_err();
        assert!(error.is_denied());
        assert_eq!(error.id(), denied.id());
        assert_eq!(set.join_next().await.unwrap().unwrap(), 1);
    });
}

#[test]
fn blocking_functions_and_named_tasks_are_members_too() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    let sum: u64 = scheduler.block_on(async {
        let mut set = JoinSet::new();
        set.spawn_blocking(|| 1);
        set.build_task().name("two").spawn(async { 2 });
        set.build_task().try_spawn(async { 3 }).unwrap();
        set.join_all().await.into_iter().sum()
    });
    assert_eq!(sum, 6);
}

#[test]
fn spawning_outside_of_a_scheduler_panics_with_the_remedy() {
    let caught = catch_unwind(AssertUnwindSafe(|| JoinSet::new().spawn(async {})));
    let payload = caught.unwrap_err();
    let message = payload.downcast_ref::<&str>().unwrap();
    assert!(message.contains("Handle::enter"), "{message}");
}

/// A cost that grew with the number of members would make this take hours.
#[test]
fn a_hundred_thousand_ends_are_taken_one_by_one() {
    const TASKS: u64 = 100_000;
    virtual_time().block_on(async {
        let mut set: JoinSet<u64> = (0..TASKS).rev().map(after).collect();
        for seconds in 0..TASKS {
            assert_eq!(set.join_next().await.unwrap().unwrap(), seconds);
        }
        assert!(set.is_empty());
    });
}

#[test]
fn every_end_on_two_workers_is_joined_once() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    scheduler.block_on(async {
        for round in 0..50 {
            let mut set = JoinSet::new();
            for n in 0..200_u64 {
                set.spawn(async move {
                    for _ in 0..(n + round) % 3 {
                        task::yield_now().await;
                    }
                    n
                });
            }
            let mut seen = set.join_all().await;
            seen.sort_unstable();
            assert_eq!(seen, (0..200).collect::<Vec<_>>());
        }
    });
}

#[test]
fn taking_many_results_lets_other_tasks_run_in_between() {
    virtual_time().block_on(async {
        let mut set: JoinSet<()> = (0..1000).map(|_| async {}).collect();
        time::sleep(Duration::from_millis(1)).await;
        let (mut taken, mut refused) = (0, 0);
        while taken < 1000 {
            match set.join_next().now_or_never() {
                Some(Some(result)) => {
                    result.unwrap();
                    taken += 1;
                }
                Some(None) => panic!("{taken} of 1000 were joined"),
                None => {
                    refused += 1;
                    task::yield_now().await;
                }
            }
        }
        assert!(refused > 0);
        assert!(set.is_empty());
    });
}
