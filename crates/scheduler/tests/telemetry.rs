//! Metrics as a user's tests see them: pushed into a registry, sample for sample.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use glasshouse_pal::{Pal, TaskEvent, TaskState};
use glasshouse_scheduler::{Builder, spawn, task, time};
use glasshouse_telemetry::testing::Registry;
use std::sync::{Arc, mpsc};
use std::time::Duration;

#[test]
fn the_ready_depth_rises_by_one_with_each_spawn_and_falls_to_zero() {
    let registry = Registry::new();
    let scheduler = Builder::new()
        .workers(1)
        .pal(Pal::memory())
        .recorder(Arc::new(registry.clone()))
        .build()
        .unwrap();
    let depth = || registry.gauge("scheduler_ready_queue_depth");
    let (hold, is_held) = mpsc::channel::<()>();
    let (held, holds) = mpsc::channel();
    let holder = scheduler.spawn(async move {
        held.send(()).unwrap();
        is_held.recv().unwrap();
    });
    holds.recv().unwrap();
    assert_eq!(depth(), Some(0.0));
    let tasks: Vec<_> = (1..=20)
        .map(|n| {
            let task = scheduler.spawn(async {});
            assert_eq!(depth(), Some(f64::from(n)), "after spawn {n}");
            task
        })
        .collect();
    hold.send(()).unwrap();
    scheduler.block_on(async {
        holder.await.unwrap();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(depth(), Some(0.0));
}

#[test]
fn pushed_samples_and_counters_agree_with_the_log() {
    let registry = Registry::new();
    let pal = Pal::memory();
    let scheduler = Builder::new()
        .workers(2)
        .pal(pal.clone())
        .recorder(Arc::new(registry.clone()))
        .build()
        .unwrap();
    scheduler.block_on(async {
        let tasks: Vec<_> = (0..50_u64)
            .map(|n| {
                spawn(async move {
                    task::yield_now().await;
                    time::sleep(Duration::from_micros(n * 20)).await;
                    if n % 10 == 0 {
                        panic!("every tenth");
                    }
                    let begun = std::time::Instant::now();
                    while n == 7 && begun.elapsed() < Duration::from_millis(6) {}
                    task::yield_now().await;
                })
            })
            .collect();
        for task in tasks {
            let _ = task.await;
        }
    });
    let _ = scheduler.shutdown(Duration::from_secs(5));
    let events = pal.events();
    let count = |state: TaskState| {
        events
            .iter()
            .filter(|event| event.state() == Some(state))
            .count() as u64
    };
    for state in TaskState::ALL {
        let counted = registry.counter_with("tasks_state_total", &[("state", state.name())]);
        assert_eq!(counted.unwrap_or(0), count(state), "{}", state.name());
    }
    for (label, state) in [("done", TaskState::Done), ("failed", TaskState::Failed)] {
        let counted = registry.counter_with("tasks_running_total", &[("state", label)]);
        assert_eq!(counted, Some(count(state)), "{label}");
    }
    assert_eq!(count(TaskState::Failed), 5);
    assert!(count(TaskState::Throttled) >= 1);
    assert_eq!(
        registry.counter("task_budget_throttle_total"),
        Some(count(TaskState::Throttled))
    );
    let ticks = count(TaskState::Running) as usize;
    let wakes = events
        .iter()
        .filter(|event| matches!(event, TaskEvent::Wake { .. }))
        .count();
    let samples = |name| registry.histogram(name).len();
    assert_eq!(
        samples("task_run_latency_seconds"),
        ticks,
        "one run sample a tick"
    );
    assert_eq!(
        samples("task_ready_delay_seconds"),
        ticks,
        "one ready-delay sample a tick"
    );
    assert_eq!(
        samples("task_wait_time_seconds"),
        wakes,
        "one wait sample a wake"
    );
}

#[test]
fn run_wait_and_ready_delay_are_a_tasks_life_to_the_nanosecond() {
    let pal = Pal::memory();
    let scheduler = Builder::new().workers(2).pal(pal.clone()).build().unwrap();
    scheduler.block_on(async {
        let tasks: Vec<_> = (0..200_u64)
            .map(|n| {
                spawn(async move {
                    task::yield_now().await;
                    time::sleep(Duration::from_micros(n * 10)).await;
                    spawn(task::yield_now()).await.unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    let _ = scheduler.shutdown(Duration::from_secs(5));
    let mut lives = std::collections::HashMap::new();
    for entry in pal.log().records() {
        let glasshouse_pal::Event::Task(event) = entry.event else {
            continue;
        };
        if let (Some(tid), Some(state)) = (event.tid(), event.state()) {
            lives
                .entry(tid)
                .or_insert_with(Vec::new)
                .push((state, entry.at_ns));
        }
    }
    assert_eq!(lives.len(), 401);
    for (tid, life) in lives {
        let (mut run, mut wait, mut ready) = (0, 0, 0);
        for pair in life.windows(2) {
            let spent = pair[1]
                .1
                .checked_sub(pair[0].1)
                .expect("stamps never decrease");
            match pair[0].0 {
                TaskState::Running => run += spent,
                state if state.is_waiting() => wait += spent,
                _ => ready += spent,
            }
        }
        let whole = life.last().unwrap().1 - life[0].1;
        assert!(life.last().unwrap().0.is_end(), "task {tid}: {life:?}");
        assert_eq!(run + wait + ready, whole, "task {tid}");
    }
}

#[test]
fn two_schedulers_in_one_process_report_into_two_recorders() {
    let registries = [Registry::new(), Registry::new()];
    let schedulers = registries.each_ref().map(|registry| {
        metrics::with_local_recorder(registry, || {
            Builder::new()
                .workers(1)
                .pal(Pal::memory())
                .build()
                .unwrap()
        })
    });
    for (scheduler, tasks) in schedulers.into_iter().zip([3, 5]) {
        for _ in 0..tasks {
            let task = scheduler.spawn(async {});
            scheduler.block_on(task).unwrap();
        }
        let _ = scheduler.shutdown(Duration::from_secs(5));
    }
    let done = registries
        .each_ref()
        .map(|registry| registry.counter_with("tasks_running_total", &[("state", "done")]));
    // Each task, and the root that awaited it.
    assert_eq!(done, [Some(6), Some(10)]);
}

#[test]
fn a_given_recorder_takes_the_tasks_own_metrics_too() {
    let registry = Registry::new();
    let scheduler = Builder::new()
        .workers(1)
        .pal(Pal::memory())
        .recorder(Arc::new(registry.clone()))
        .build()
        .unwrap();
    scheduler
        .block_on(async { spawn(async { metrics::counter!("mine").increment(2) }).await })
        .unwrap();
    assert_eq!(registry.counter("mine"), Some(2));
}
