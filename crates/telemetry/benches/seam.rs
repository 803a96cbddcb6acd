//! What the seam costs, by kind of call: nanoseconds, the best of many short laps, so that
//! what else runs on the machine counts for little.
//!
//! `cargo bench -p glasshouse-telemetry`, and with `--no-default-features` what is left without records.
//! A part of a line's name as argument measures that line alone.

use glasshouse_telemetry::pal::{Pal, WakeSource};
use glasshouse_telemetry::prometheus::Exporter;
use glasshouse_telemetry::testing::Registry;
use glasshouse_telemetry::{Hub, Leave, Settings, SpawnSite, TaskTrace, Woken, Worker};
use std::hint::black_box;
use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;

const TASKS: usize = 1_000;
const TICKS: usize = 50_000;
const LAPS: usize = 200;

fn main() {
    let records = cfg!(feature = "record");
    let clock = Pal::memory().clock().clone();
    let reading = laps(TICKS, |_| {
        black_box(clock.now());
    });
    println!("records: {records}; ns each; one reading of the clock {reading:.1}");
    let off = || Settings {
        pal: Some(Pal::off()),
        ..Settings::default()
    };
    measure("log off", off(), TICKS);
    measure("no recorder", Settings::default(), TICKS);
    let exporter = Some(Exporter::new());
    measure(
        "pull",
        Settings {
            exporter,
            ..Settings::default()
        },
        TICKS,
    );
    let recorder = Arc::new(Exporter::new().recorder());
    let recorder: Option<Arc<dyn metrics::Recorder + Send + Sync>> = Some(Arc::new(recorder));
    measure(
        "push, exporter",
        Settings {
            recorder,
            ..Settings::default()
        },
        TICKS,
    );
    let recorder: Option<Arc<dyn metrics::Recorder + Send + Sync>> =
        Some(Arc::new(Registry::new()));
    measure(
        "push, test registry",
        Settings {
            recorder,
            ..Settings::default()
        },
        TICKS / 20,
    );
}

fn measure(name: &str, settings: Settings, ticks: usize) {
    let mut wanted = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .peekable();
    if wanted.peek().is_some() && !wanted.any(|wanted| name.contains(&wanted)) {
        return;
    }
    let hub = Hub::new(Settings {
        pal: settings.pal.or_else(|| Some(Pal::memory())),
        workers: 1,
        ..settings
    });
    let worker = hub.worker(0);
    let tasks: Vec<TaskTrace> = (0..TASKS).map(|_| worker.spawned(&here(), None)).collect();
    let yields = laps(ticks, |i| {
        let task = &tasks[i % TASKS];
        worker.popped();
        task_tick(&worker, task, Leave::Yield(Woken::AsNoted));
        worker.pushed();
    });
    let waits = laps(ticks, |i| {
        let task = &tasks[i % TASKS];
        worker.popped();
        task_tick(&worker, task, Leave::Wait);
        worker.woke(task, WakeSource::Timer);
        worker.pushed();
    });
    let lives = laps(ticks, |_| {
        let task = worker.spawned(&here(), None);
        worker.pushed();
        worker.popped();
        task_tick(&worker, &task, Leave::Done);
        worker.free(&task);
    });
    println!("{name:20} yield {yields:6.1}  wait and wake {waits:6.1}  spawn to end {lives:6.1}");
}

#[inline]
fn task_tick(worker: &Worker, task: &TaskTrace, leave: Leave) {
    let mut tick = worker.start_tick(task);
    worker.poll_returned(&mut tick);
    let draft = worker.leave(task, &tick, leave);
    worker.commit(tick, draft);
}

fn here() -> SpawnSite<'static> {
    SpawnSite {
        location: Location::caller(),
        name: None,
    }
}

/// Nanoseconds for one call of `f`.
fn laps(calls: usize, mut f: impl FnMut(usize)) -> f64 {
    let lap = || {
        let start = Instant::now();
        for i in 0..calls {
            f(i);
        }
        start.elapsed().as_nanos() as f64 / calls as f64
    };
    std::iter::repeat_with(lap)
        .take(LAPS)
        .fold(f64::INFINITY, f64::min)
}
