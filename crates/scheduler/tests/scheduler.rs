//! What a scheduler promises to those who embed it, with telemetry or without.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod common;

use common::wakes::CountsWakes;
use glasshouse_scheduler::{
    Builder, Handle, SpawnError, process, spawn, spawn_blocking, spawn_system, task, time,
    try_spawn,
};
use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;

#[test]
fn many_tasks_end_on_several_workers() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    let sum = scheduler.block_on(async {
        let tasks: Vec<_> = (0..10_000_u64)
            .map(|n| {
                spawn(async move {
                    task::yield_now().await;
                    spawn(async move { n }).await.unwrap()
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 9_999 * 10_000 / 2);
}

#[test]
fn tasks_in_the_queue_of_a_busy_worker_are_stolen() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    scheduler.block_on(async {
        spawn(async {
            let (send, receive) = mpsc::channel();
            for n in 0..10 {
                let send = send.clone();
                spawn(async move { send.send(n).unwrap() });
            }
            // This worker is blocked until the other has run all ten.
            let mut seen: Vec<u8> = (0..10).map(|_| receive.recv().unwrap()).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..10).collect::<Vec<_>>());
        })
        .await
        .unwrap();
    });
}

#[test]
fn at_capacity_a_spawn_is_denied_and_try_spawn_gives_the_future_back() {
    let scheduler = Builder::deterministic(1).capacity(2).build().unwrap();
    scheduler.block_on(async {
        let first = spawn(std::future::pending::<()>());
        let second = spawn(async {});
        let denied = spawn(async {}).await.unwrap_err();
        assert!(denied.is_denied());
        match try_spawn(async { 7 }) {
            Err(SpawnError::AtCapacity {
                capacity: 2,
                future,
            }) => assert_eq!(future.await, 7),
            other => panic!("expected a refusal, got {other:?}"),
        }
        second.await.unwrap();
        spawn(async {}).await.expect("a place came free");
        first.abort();
    });
}

#[test]
fn a_nested_block_on_panics_with_the_remedy() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    let handle = scheduler.handle().clone();
    let error = scheduler
        .block_on(async { spawn(async move { handle.block_on(async {}) }).await })
        .unwrap_err();
    assert!(error.to_string().contains("spawn_blocking"), "{error}");
}

#[test]
fn a_deterministic_wait_without_end_panics_and_names_the_seed() {
    let scheduler = Builder::deterministic(99).build().unwrap();
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        scheduler.block_on(std::future::pending::<()>());
    }));
    let message = *caught.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("seed 99"), "{message}");
}

#[test]
fn tasks_left_ready_by_one_block_on_run_in_the_next() {
    let scheduler = Builder::deterministic(5).build().unwrap();
    let handle = scheduler.handle().clone();
    let mut left = Vec::new();
    scheduler.block_on(async { left.push(handle.spawn(async { 8 })) });
    let task = left.remove(0);
    assert_eq!(scheduler.block_on(task).unwrap(), 8);
}

#[test]
fn blocking_functions_run_apart_from_the_workers() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    scheduler.block_on(async {
        let (send, receive) = mpsc::channel();
        let blocked = spawn_blocking(move || receive.recv().unwrap());
        // The one worker is free to run this, although the function above blocks.
        spawn(async move { send.send(3).unwrap() }).await.unwrap();
        assert_eq!(blocked.await.unwrap(), 3);
        let panicked = spawn_blocking(|| panic!("blocking")).await.unwrap_err();
        assert!(panicked.is_panic());
    });
}

#[test]
fn a_deterministic_scheduler_runs_blocking_functions_in_place() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    let here = std::thread::current().id();
    let there = scheduler.block_on(async {
        spawn_blocking(|| std::thread::current().id())
            .await
            .unwrap()
    });
    assert_eq!(here, there);
}

#[test]
fn system_tasks_are_chosen_before_default_ones() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    let order = scheduler.block_on(async {
        spawn(async {
            let (send, receive) = mpsc::channel();
            let mut tasks = Vec::new();
            for name in ["a", "b"] {
                let send = send.clone();
                tasks.push(spawn(async move { send.send(name).unwrap() }));
            }
            tasks.push(spawn_system(async move { send.send("system").unwrap() }));
            for task in tasks {
                task.await.unwrap();
            }
            receive.try_iter().collect::<Vec<_>>()
        })
        .await
        .unwrap()
    });
    assert_eq!(order, ["system", "a", "b"]);
}

#[test]
fn a_flood_of_system_tasks_does_not_starve_default_ones() {
    for scheduler in [
        Builder::deterministic(2).build().unwrap(),
        Builder::new().workers(1).build().unwrap(),
    ] {
        scheduler.block_on(async {
            let flood: Vec<_> = (0..2)
                .map(|_| {
                    spawn_system(async {
                        loop {
                            task::yield_now().await;
                        }
                    })
                })
                .collect();
            assert_eq!(spawn(async { 4 }).await.unwrap(), 4);
            flood.iter().for_each(task::JoinHandle::abort);
        });
    }
}

#[test]
fn a_join_handle_can_be_awaited_on_another_scheduler() {
    let one = Builder::new().workers(1).build().unwrap();
    let other = Builder::new().workers(1).build().unwrap();
    let task = one.spawn(async {
        time::sleep(Duration::from_millis(5)).await;
        6
    });
    assert_eq!(
        other
            .block_on(async { spawn(task).await.unwrap() })
            .unwrap(),
        6
    );
}

#[test]
fn a_child_is_waited_for_and_reaped() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    scheduler.block_on(async {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "sleep 0.05; exit 3"])
            .spawn()
            .unwrap();
        let status = process::wait(&mut child).await.unwrap();
        assert_eq!(status.code(), Some(3));
    });
}

#[test]
fn the_same_seed_gives_the_same_order_and_seeds_differ() {
    fn order(seed: u64) -> Vec<u32> {
        let scheduler = Builder::deterministic(seed).build().unwrap();
        scheduler.block_on(async {
            let (send, receive) = mpsc::channel();
            let tasks: Vec<_> = (0..8)
                .map(|n| {
                    let send = send.clone();
                    spawn(async move {
                        for round in 0..3 {
                            send.send(n * 10 + round).unwrap();
                            task::yield_now().await;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            receive.try_iter().collect()
        })
    }
    assert_eq!(order(11), order(11));
    let distinct: std::collections::HashSet<_> = (0..32).map(order).collect();
    assert!(distinct.len() > 16, "{} orders of 32 seeds", distinct.len());
}

#[test]
fn a_handle_spawns_from_any_thread_and_is_current_in_tasks() {
    let scheduler = Builder::new().workers(2).build().unwrap();
    let handle = scheduler.handle().clone();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let handle = handle.clone();
            std::thread::spawn(move || {
                let tasks: Vec<_> = (0..500).map(|n| handle.spawn(async move { n })).collect();
                handle.block_on(async {
                    let mut sum = 0;
                    for task in tasks {
                        sum += task.await.unwrap();
                    }
                    sum
                })
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 499 * 500 / 2);
    }
    assert!(Handle::try_current().is_none());
    scheduler.block_on(async { assert!(Handle::try_current().is_some()) });
}

#[test]
fn a_deterministic_scheduler_that_allows_io_is_woken_by_other_threads() {
    let scheduler = Builder::deterministic(1).allow_io().build().unwrap();
    for _ in 0..3 {
        let (send, receive) = async_channel::bounded(1);
        let (asked, is_asked) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            is_asked.recv().unwrap();
            send.send_blocking(9).unwrap();
        });
        let answer = scheduler.block_on(async {
            asked.send(()).unwrap();
            receive.recv().await.unwrap()
        });
        assert_eq!(answer, 9);
        thread.join().unwrap();
    }
}

#[test]
fn a_refused_task_has_an_id_of_its_own() {
    let scheduler = Builder::deterministic(1).capacity(1).build().unwrap();
    scheduler.block_on(async {
        let live = spawn(std::future::pending::<()>());
        let refused = [spawn(async {}), spawn(async {})].map(|handle| handle.id());
        let ids = std::collections::HashSet::from([task::id(), live.id(), refused[0], refused[1]]);
        assert_eq!(ids.len(), 4, "{ids:?}");
        live.abort();
    });
}

#[test]
fn a_block_on_behind_enter_of_another_scheduler_panics_too() {
    let one = Builder::new().workers(1).build().unwrap();
    let other = Builder::new().workers(1).build().unwrap();
    let (here, there) = (one.handle().clone(), other.handle().clone());
    let error = one
        .block_on(async { spawn(async move { there.enter(|| here.block_on(async {})) }).await })
        .unwrap_err();
    assert!(error.to_string().contains("spawn_blocking"), "{error}");
}

#[test]
fn a_blocking_function_finds_its_scheduler() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    let answer = scheduler.block_on(async {
        spawn_blocking(|| Handle::current().block_on(async { spawn(async { 4 }).await.unwrap() }))
            .await
            .unwrap()
    });
    assert_eq!(answer, 4);
}

#[test]
fn a_wait_for_a_descriptor_that_is_given_up_leaves_no_waker_behind() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    let (_near, far) = std::os::unix::net::UnixStream::pair().unwrap();
    far.set_nonblocking(true).unwrap();
    scheduler.block_on(async {
        let far = glasshouse_scheduler::io::AsyncFd::new(far).unwrap();
        let (wakes, waker) = CountsWakes::with_waker();
        let held = std::sync::Arc::strong_count(&wakes);
        for _ in 0..10 {
            let mut wait = Box::pin(far.readable());
            let mut cx = std::task::Context::from_waker(&waker);
            assert!(wait.as_mut().poll(&mut cx).is_pending());
            assert!(wait.as_mut().poll(&mut cx).is_pending());
            assert_eq!(std::sync::Arc::strong_count(&wakes), held + 1);
        }
        assert_eq!(std::sync::Arc::strong_count(&wakes), held);
    });
}

#[test]
fn in_virtual_time_too_a_throttled_task_gets_its_turns_beside_one_that_is_always_ready() {
    let quantum = Duration::from_millis(5);
    let scheduler = Builder::deterministic(1).quantum(quantum).build().unwrap();
    scheduler.block_on(async {
        let heavy = spawn(async {
            for _ in 0..10 {
                time::advance(Duration::from_millis(6));
                task::yield_now().await;
            }
        });
        while !heavy.is_finished() {
            task::yield_now().await;
        }
    });
}
