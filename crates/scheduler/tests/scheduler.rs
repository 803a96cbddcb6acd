//! What a scheduler promises to those who embed it, with telemetry or without.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_scheduler::{
    Builder, Handle, Shutdown, SpawnError, process, spawn, spawn_blocking, spawn_system, task,
    time, try_spawn,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
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
fn a_sleep_takes_its_time_and_no_less() {
    let scheduler = Builder::new().workers(1).build().unwrap();
    scheduler.block_on(async {
        let begun = std::time::Instant::now();
        time::sleep(Duration::from_millis(20)).await;
        assert!(begun.elapsed() >= Duration::from_millis(20));
        spawn(time::sleep(Duration::from_millis(5))).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(25));
    });
}

#[test]
fn virtual_time_orders_sleepers_by_their_deadlines() {
    let scheduler = Builder::deterministic(3).build().unwrap();
    let order = scheduler.block_on(async {
        let (send, receive) = mpsc::channel();
        let tasks: Vec<_> = [30_u64, 10, 20]
            .into_iter()
            .map(|seconds| {
                let send = send.clone();
                spawn(async move {
                    time::sleep(Duration::from_secs(seconds)).await;
                    send.send(seconds).unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        receive.try_iter().collect::<Vec<_>>()
    });
    assert_eq!(order, [10, 20, 30]);
}

#[test]
fn a_timeout_ends_what_takes_too_long() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let begun = time::Instant::now();
        let late = time::timeout(Duration::from_secs(2), time::sleep(Duration::from_secs(3))).await;
        assert!(late.is_err());
        assert_eq!(begun.elapsed(), Duration::from_secs(2));
        let in_time =
            time::timeout(Duration::from_secs(2), time::sleep(Duration::from_secs(2))).await;
        assert!(in_time.is_ok(), "what is ready at the deadline is in time");
    });
}

#[test]
fn an_interval_that_fell_behind_catches_up() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    scheduler.block_on(async {
        let begun = time::Instant::now();
        let mut every = time::interval(Duration::from_secs(1));
        every.tick().await;
        time::advance(Duration::from_millis(2500));
        let due: Vec<_> = [every.tick().await, every.tick().await, every.tick().await]
            .iter()
            .map(|due| due.duration_since(begun))
            .collect();
        assert_eq!(due, [1, 2, 3].map(Duration::from_secs));
        assert_eq!(begun.elapsed(), Duration::from_secs(3));
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
fn a_shutdown_is_clean_when_every_default_task_ends_by_itself() {
    for scheduler in [
        Builder::deterministic(1).build().unwrap(),
        Builder::new().workers(2).build().unwrap(),
    ] {
        let done = Arc::new(AtomicUsize::new(0));
        let count = done.clone();
        scheduler
            .handle()
            .spawn_system(std::future::pending::<()>());
        scheduler.spawn(async move {
            time::sleep(Duration::from_millis(20)).await;
            count.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(scheduler.shutdown(Duration::from_secs(60)), Shutdown::Clean);
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }
}

#[test]
fn a_shutdown_times_out_and_cancels_what_is_left() {
    for scheduler in [
        Builder::deterministic(1).build().unwrap(),
        Builder::new().workers(2).build().unwrap(),
    ] {
        let task = scheduler.spawn(std::future::pending::<()>());
        let handle = scheduler.handle().clone();
        assert_eq!(
            scheduler.shutdown(Duration::from_millis(1)),
            Shutdown::Timeout
        );
        assert!(task.is_finished());
        let late = handle.spawn(async {});
        assert!(late.is_finished(), "a spawn after the end resolves at once");
    }
}

#[test]
fn dropping_a_scheduler_drops_every_future_it_holds() {
    struct Count(Arc<AtomicUsize>);
    impl Drop for Count {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    for workers in [1, 2] {
        let dropped = Arc::new(AtomicUsize::new(0));
        let scheduler = Builder::new().workers(workers).build().unwrap();
        for n in 0..1000_u64 {
            let count = Count(dropped.clone());
            scheduler.spawn(async move {
                let _count = count;
                match n % 3 {
                    0 => std::future::pending().await,
                    1 => time::sleep(Duration::from_secs(3600)).await,
                    _ => loop {
                        task::yield_now().await;
                    },
                }
            });
        }
        drop(scheduler);
        assert_eq!(dropped.load(Ordering::Relaxed), 1000);
    }
}

#[test]
fn a_spawn_in_a_drop_during_the_end_is_refused_and_harms_nobody() {
    struct Spawner;
    impl Drop for Spawner {
        fn drop(&mut self) {
            let handle = spawn(async { unreachable!("the scheduler has ended") });
            assert!(handle.is_finished());
        }
    }
    let scheduler = Builder::new().workers(1).build().unwrap();
    let task = scheduler.spawn(async {
        let _spawner = Spawner;
        std::future::pending::<()>().await;
    });
    // Let it start, so that the value lives in it.
    scheduler.block_on(async { spawn(async {}).await.unwrap() });
    drop(scheduler);
    assert!(task.is_finished());
}

#[test]
fn a_scheduler_that_one_of_its_tasks_drops_ends_without_waiting_for_itself() {
    let scheduler = Arc::new(Builder::new().workers(2).build().unwrap());
    let (send, receive) = mpsc::channel::<()>();
    let held = scheduler.clone();
    let (go, may_go) = mpsc::channel::<()>();
    let task = scheduler.spawn(async move {
        may_go.recv().unwrap();
        drop(held);
        send.send(()).unwrap();
    });
    let other = scheduler.spawn(std::future::pending::<()>());
    drop(scheduler);
    go.send(()).unwrap();
    receive.recv().unwrap();
    for end in [task, other] {
        while !end.is_finished() {
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_panic_in_a_task_or_in_its_drop_ends_that_task_alone() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("drop");
            }
        }
    }
    let scheduler = Builder::new().workers(1).build().unwrap();
    scheduler.block_on(async {
        assert!(
            spawn(async { panic!("poll") })
                .await
                .is_err_and(|e: task::JoinError| e.is_panic())
        );
        let bomb = spawn(async {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        });
        spawn(async {}).await.unwrap();
        bomb.abort();
        assert!(bomb.await.unwrap_err().is_panic());
        assert_eq!(spawn(async { 1 }).await.unwrap(), 1);
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
fn the_roots_panic_goes_to_its_caller() {
    for scheduler in [
        Builder::deterministic(1).build().unwrap(),
        Builder::new().workers(1).build().unwrap(),
    ] {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            scheduler.block_on(async { panic!("root") });
        }));
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"root"));
        assert_eq!(scheduler.block_on(async { 5 }), 5, "the scheduler goes on");
    }
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
fn settings_that_cannot_be_used_are_refused_with_their_remedy() {
    let refusals = [
        Builder::new().workers(0),
        Builder::deterministic(1).workers(2),
        Builder::new().capacity(0),
        Builder::new().quantum(Duration::ZERO),
        Builder::new().buckets(vec![2.0, 1.0]),
    ];
    for builder in refusals {
        let message = builder.build().unwrap_err().to_string();
        assert!(message.contains(';'), "no remedy in: {message}");
    }
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
