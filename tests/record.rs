//! The record of real programs: it obeys the automaton, agrees with the task table and the counters, and
//! what a scrape shows equals a recount of it.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

use glasshouse::pal::reader::Log;
use glasshouse::pal::verify::verify;
use glasshouse::pal::{Event, Pal, TaskEvent, TaskState};
use glasshouse::telemetry::prometheus::Exporter;
use glasshouse::{Builder, JoinHandle, Scheduler, spawn, spawn_blocking, spawn_system, task, time};
use std::collections::HashMap;
use std::time::Duration;

/// SplitMix64: what the program does next, from a seed that a failure names.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// A task that yields, sleeps, spawns, joins, talks, aborts, blocks, fails and panics as its seed says.
fn random_task(seed: u64, depth: u32) -> JoinHandle<()> {
    let body = async move {
        let mut random = Random(seed);
        let (send, receive) = async_channel::bounded::<u64>(2);
        let mut children = Vec::new();
        for step in 0..random.below(6) {
            match random.below(9) {
                0 | 1 => task::yield_now().await,
                2 => time::sleep(Duration::from_micros(random.below(300))).await,
                3 if depth > 0 => children.push(random_task(random.below(u64::MAX), depth - 1)),
                4 if depth > 0 => {
                    let child = random_task(random.below(u64::MAX), depth - 1);
                    child.abort();
                    let _ = child.await;
                }
                5 => {
                    let send = send.clone();
                    let sender = spawn(async move { send.send(step).await });
                    receive.recv().await.unwrap();
                    sender.await.unwrap().unwrap();
                }
                6 => {
                    let channel = receive.clone();
                    let late = time::timeout(Duration::from_micros(50), channel.recv()).await;
                    assert!(late.is_err());
                }
                7 if random.below(8) == 0 => panic!("as the seed says"),
                8 if random.below(4) == 0 => task::fail("as the seed says"),
                _ => {}
            }
        }
        for child in children {
            let _ = child.await;
        }
    };
    if seed.is_multiple_of(7) {
        spawn_system(body)
    } else {
        spawn(body)
    }
}

fn run_random_program(scheduler: &Scheduler, seed: u64) {
    scheduler.block_on(async {
        let tasks: Vec<_> = (0..40).map(|n| random_task(seed * 1000 + n, 3)).collect();
        let blocking = spawn_blocking(|| 5);
        for task in tasks {
            let _ = task.await;
        }
        blocking.await.unwrap();
    });
}

fn assert_verified(log: &Log, seed: u64) {
    let report = verify(log);
    assert!(report.holds(), "seed {seed}: {report:#?}");
    assert!(log.loss().is_none(), "seed {seed}: nothing is lost");
}

#[test]
fn random_programs_on_two_workers_leave_a_record_that_holds() {
    for seed in 1..=15 {
        let pal = Pal::memory();
        let scheduler = Builder::new().workers(2).pal(pal.clone()).build().unwrap();
        run_random_program(&scheduler, seed);
        drop(scheduler);
        assert_verified(&pal.log(), seed);
    }
}

#[test]
fn random_programs_in_virtual_time_leave_a_record_that_holds() {
    for seed in 1..=100 {
        let scheduler = Builder::deterministic(seed).build().unwrap();
        let pal = scheduler.handle().pal().clone();
        run_random_program(&scheduler, seed);
        drop(scheduler);
        assert_verified(&pal.log(), seed);
    }
}

#[test]
fn the_same_seed_leaves_the_same_record_and_another_seed_another() {
    let record = |seed| {
        let scheduler = Builder::deterministic(seed).build().unwrap();
        let pal = scheduler.handle().pal().clone();
        // The same program each time: only the order of its ticks is the seed's.
        run_random_program(&scheduler, 1);
        drop(scheduler);
        let log = pal.log();
        log.records()
            .map(|entry| format!("{} {} {:?}", entry.seq, entry.at_ns, entry.event))
            .collect::<Vec<_>>()
    };
    for seed in [1, 2, 3] {
        assert_eq!(record(seed), record(seed), "seed {seed}");
    }
    assert_ne!(record(1), record(2));
}

#[test]
fn a_log_in_a_file_is_read_back_while_the_scheduler_runs_and_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("life.pal");
    let pal = Pal::create(&path, 2).unwrap();
    let scheduler = Builder::new().workers(2).pal(pal.clone()).build().unwrap();
    let waiting = scheduler.spawn(std::future::pending::<()>());
    run_random_program(&scheduler, 4);
    let live = Log::open(&path).unwrap();
    assert!(live.is_alive());
    assert!(live.tasks().any(|row| row.id == waiting.id()));
    drop(scheduler);
    pal.close();
    let log = Log::open(&path).unwrap();
    assert_verified(&log, 4);
    assert_eq!(log.tasks().count(), 0, "every task has ended");
    assert_eq!(
        log.records()
            .filter(|entry| matches!(
                entry.event,
                Event::Task(TaskEvent::Done { .. } | TaskEvent::Failed { .. })
            ))
            .count(),
        log.records()
            .filter(|entry| matches!(entry.event, Event::Task(TaskEvent::Spawned { .. })))
            .count()
    );
}

#[test]
fn what_a_scrape_shows_equals_a_recount_of_the_log() {
    let exporter = Exporter::new();
    let pal = Pal::memory();
    let scheduler = Builder::new()
        .workers(2)
        .pal(pal.clone())
        .exporter(exporter.clone())
        .build()
        .unwrap();
    run_random_program(&scheduler, 9);
    drop(scheduler);
    let mut states: HashMap<&str, u64> = HashMap::new();
    let mut wakes = 0;
    for entry in pal.log().records() {
        if let Event::Task(event) = entry.event {
            wakes += u64::from(matches!(event, TaskEvent::Wake { .. }));
            if let Some(state) = event.state() {
                *states.entry(state.name()).or_default() += 1;
            }
        }
    }
    let scrape = exporter.render();
    let value = |series: String| -> u64 {
        let line = scrape
            .lines()
            .find_map(|line| line.strip_prefix(&series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{series} in\n{scrape}"))
            .parse()
            .unwrap()
    };
    for state in TaskState::ALL {
        let counted = states.get(state.name()).copied().unwrap_or(0);
        let series = format!("tasks_state_total{{state=\"{}\"}}", state.name());
        assert_eq!(value(series), counted, "{}", state.name());
    }
    let ticks = states["running"];
    assert_eq!(value("task_run_latency_seconds_count".to_owned()), ticks);
    assert_eq!(value("task_ready_delay_seconds_count".to_owned()), ticks);
    assert_eq!(value("task_wait_time_seconds_count".to_owned()), wakes);
    assert_eq!(value("scheduler_ready_queue_depth".to_owned()), 0);
}
