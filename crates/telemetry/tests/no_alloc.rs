//! No transition allocates: with an exporter that pulls, and with no recorder at all.

mod drive;

use drive::{Drive, here, workers};
use glasshouse_telemetry::pal::{Clock, FailureKind, WakeSource};
use glasshouse_telemetry::prometheus::Exporter;
use glasshouse_telemetry::{Leave, Settings, SpawnSite, TaskTrace, Woken, Worker};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::Location;
use std::time::Duration;

/// The system's allocator, which counts what the test's own thread asks it for.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // Not while the thread ends and the counter is gone.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator, which upholds the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller upholds `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds `dealloc`'s contract.
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller upholds `realloc`'s contract.
        unsafe { System.realloc(memory, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const TICKS: usize = 100_000;

/// Every transition there is, `ticks` ticks of them.
fn run(drive: &Drive, worker: &Worker, ticks: usize) {
    let location = Location::caller();
    let named = SpawnSite {
        location,
        name: Some("worker bee"),
    };
    let mut tasks: [TaskTrace; 8] = std::array::from_fn(|_| worker.spawned(&here(), None));
    for i in 0..ticks {
        let task = &tasks[i % tasks.len()];
        worker.pushed();
        worker.popped();
        worker.take_in(task);
        match i % 40 {
            0..8 => drive.tick(worker, task, 0, Leave::Yield(Woken::AsNoted)),
            8..16 => drive.tick(worker, task, 0, Leave::Throttled(Woken::AsNoted)),
            16..24 => {
                drive.tick(
                    worker,
                    task,
                    0,
                    Leave::Sleep {
                        dur: Duration::from_millis(1),
                    },
                );
                worker.woke(task, WakeSource::Timer);
            }
            24..32 => {
                drive.tick(worker, task, 0, Leave::Wait);
                drive.hub.woke(task, WakeSource::External);
                drive.hub.pushed();
                worker.popped();
            }
            _ => {
                let text = drive.pal.text(if i % 2 == 0 { "broken pipe" } else { "" });
                let kind = FailureKind::Error;
                drive.tick(worker, task, 0, Leave::Failed { kind, text });
                tasks[i % 8] = match i % 3 {
                    0 => worker.spawned(&here(), None),
                    1 => worker.spawned(&named, None),
                    _ => drive.hub.spawned(&here()),
                };
            }
        }
        if i % 100 == 0 {
            worker.denied(&named, None, 8);
            worker.parked();
            worker.unparked();
            worker.refresh();
        }
    }
    for task in &tasks {
        worker.take_in(task);
        drive.tick(worker, task, 0, Leave::Done);
    }
}

fn allocations_of(drive: &Drive) -> u64 {
    let worker = drive.hub.worker(0);
    // The first slots, ids and sites are fetched.
    run(drive, &worker, 1_000);
    let before = ALLOCATIONS.get();
    run(drive, &worker, TICKS);
    ALLOCATIONS.get() - before
}

#[test]
fn the_count_counts() {
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(ALLOCATIONS.get() - before, 1);
}

#[test]
fn without_a_recorder_no_transition_allocates() {
    let drive = Drive::on(Clock::process(), workers(1));
    assert_eq!(allocations_of(&drive), 0);
}

#[test]
fn with_pull_no_transition_allocates() {
    let exporter = Exporter::new();
    let settings = Settings {
        exporter: Some(exporter.clone()),
        ..workers(1)
    };
    let drive = Drive::on(Clock::process(), settings);
    assert_eq!(allocations_of(&drive), 0);
    if cfg!(feature = "record") {
        let runs = exporter.render();
        // The ticks of both laps, and the last one of each of their eight tasks.
        let expected = TICKS + 1_000 + 2 * 8;
        assert!(
            runs.contains(&format!("task_run_latency_seconds_count {expected}\n")),
            "{runs}"
        );
    }
}
