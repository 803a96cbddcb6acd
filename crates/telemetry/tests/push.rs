//! Push: a recorder hears of everything as it happens, and agrees with the log.
#![cfg(feature = "record")]

mod drive;

use drive::{Drive, Recount, every_life, here, workers};
use glasshouse_telemetry::pal::TaskState;
use glasshouse_telemetry::testing::Registry;
use glasshouse_telemetry::{
    BUDGET_THROTTLE_TOTAL, Leave, READY_DELAY_SECONDS, READY_QUEUE_DEPTH, RUN_LATENCY_SECONDS,
    Settings, TASKS_RUNNING_TOTAL, TASKS_STATE_TOTAL, WAIT_TIME_SECONDS, Woken,
};
use metrics::Unit;
use std::sync::Arc;

fn pushing_into(registry: &Registry) -> Drive {
    Drive::new(Settings {
        recorder: Some(Arc::new(registry.clone())),
        ..workers(1)
    })
}

fn assert_agrees(registry: &Registry, drive: &Drive) {
    let recount = Recount::of(&drive.stamped());
    for state in TaskState::ALL {
        let count = registry.counter_with(TASKS_STATE_TOTAL, &[("state", state.name())]);
        assert_eq!(count, Some(recount.states[state as usize]), "{state:?}");
    }
    for state in [TaskState::Done, TaskState::Failed] {
        let count = registry.counter_with(TASKS_RUNNING_TOTAL, &[("state", state.name())]);
        assert_eq!(count, Some(recount.states[state as usize]), "{state:?}");
    }
    let throttled = recount.states[TaskState::Throttled as usize];
    assert_eq!(registry.counter(BUDGET_THROTTLE_TOTAL), Some(throttled));
    for (name, samples_ns) in [
        (RUN_LATENCY_SECONDS, recount.run_ns),
        (WAIT_TIME_SECONDS, recount.wait_ns),
        (READY_DELAY_SECONDS, recount.ready_ns),
    ] {
        let seconds: Vec<f64> = samples_ns.iter().map(|&ns| ns as f64 / 1e9).collect();
        assert_eq!(registry.histogram(name), seconds, "{name}");
    }
}

#[test]
fn the_recorder_hears_what_the_log_holds_in_its_order() {
    let registry = Registry::new();
    let drive = pushing_into(&registry);
    let _worker = every_life(&drive);
    assert_agrees(&registry, &drive);
}

#[test]
fn each_tick_gives_one_run_and_one_ready_sample_and_each_wake_one_wait_sample() {
    let registry = Registry::new();
    let drive = pushing_into(&registry);
    let worker = drive.hub.worker(0);
    let task = worker.spawned(&here(), None);
    let counts = || {
        [RUN_LATENCY_SECONDS, READY_DELAY_SECONDS, WAIT_TIME_SECONDS]
            .map(|name| registry.histogram(name).len())
    };
    drive.tick(&worker, &task, 1, Leave::Yield(Woken::AsNoted));
    assert_eq!(counts(), [1, 1, 0]);
    drive.tick(&worker, &task, 1, Leave::Throttled(Woken::AsNoted));
    assert_eq!(counts(), [2, 2, 0]);
    drive.tick(&worker, &task, 1, Leave::Wait);
    assert_eq!(counts(), [3, 3, 0]);
    worker.woke(&task, glasshouse_telemetry::pal::WakeSource::Timer);
    assert_eq!(counts(), [3, 3, 1]);
    drive.tick(&worker, &task, 1, Leave::Yield(Woken::AsNoted));
    assert_eq!(counts(), [4, 4, 1]);
    drive.tick(&worker, &task, 1, Leave::Done);
    assert_eq!(counts(), [5, 5, 1]);
}

#[test]
fn the_gauge_follows_every_push_and_pop() {
    let registry = Registry::new();
    let drive = pushing_into(&registry);
    let worker = drive.hub.worker(0);
    let depth = || registry.gauge(READY_QUEUE_DEPTH);
    assert_eq!(depth(), Some(0.0));
    for i in 1..=3 {
        worker.pushed();
        assert_eq!(depth(), Some(f64::from(i)));
    }
    drive.hub.pushed();
    assert_eq!(depth(), Some(4.0));
    drive.hub.guest().pushed_as_guest();
    assert_eq!(depth(), Some(5.0));
    for i in (0..5).rev() {
        worker.popped();
        assert_eq!(depth(), Some(f64::from(i)));
    }
    assert_eq!(drive.hub.ready_depth(), 0);
}

#[test]
fn every_metric_is_described_with_its_unit_and_help() {
    let registry = Registry::new();
    let _drive = pushing_into(&registry);
    for (name, unit) in [
        (READY_QUEUE_DEPTH, Unit::Count),
        (TASKS_RUNNING_TOTAL, Unit::Count),
        (TASKS_STATE_TOTAL, Unit::Count),
        (BUDGET_THROTTLE_TOTAL, Unit::Count),
        (RUN_LATENCY_SECONDS, Unit::Seconds),
        (WAIT_TIME_SECONDS, Unit::Seconds),
        (READY_DELAY_SECONDS, Unit::Seconds),
    ] {
        let described = registry.description(name).expect(name);
        assert_eq!(described.unit, Some(unit), "{name}");
        assert!(!described.help.is_empty(), "{name}");
    }
}

#[test]
fn two_schedulers_report_into_two_recorders() {
    let (one, two) = (Registry::new(), Registry::new());
    let (first, second) = (pushing_into(&one), pushing_into(&two));
    let _worker = every_life(&first);
    assert_agrees(&one, &first);
    assert_agrees(&two, &second);
    assert_eq!(two.counter(TASKS_STATE_TOTAL), Some(0));
}

#[test]
fn the_recorder_current_when_the_hub_is_made_hears_its_workers_on_other_threads() {
    let registry = Registry::new();
    let drive = metrics::with_local_recorder(&registry, || Drive::new(workers(1)));
    std::thread::scope(|scope| {
        scope.spawn(|| drop(every_life(&drive)));
    });
    assert_agrees(&registry, &drive);
}

#[test]
fn inside_enter_the_tasks_own_metrics_land_in_the_builders_recorder() {
    let registry = Registry::new();
    let drive = pushing_into(&registry);
    drive.hub.enter(|| metrics::counter!("pages").increment(2));
    metrics::counter!("pages").increment(1);
    assert_eq!(registry.counter("pages"), Some(2));
}

#[test]
fn a_guest_and_a_foreign_thread_are_heard_like_a_worker() {
    let registry = Registry::new();
    let drive = pushing_into(&registry);
    let root = drive.hub.spawned(&here());
    let guest = drive.hub.guest();
    guest.take_in(&root);
    drive.tick(&guest, &root, 3, Leave::Done);
    drop(guest);
    assert_agrees(&registry, &drive);
}
