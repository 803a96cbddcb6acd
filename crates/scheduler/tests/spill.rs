//! A scheduler that keeps its log on disk: segments hold what the log holds, up to the very end.

#![cfg(feature = "telemetry")]

use glasshouse_pal::reader::{Entry, Log};
use glasshouse_pal::spill::{Settings, SpillError};
use glasshouse_pal::{Event, Pal, TaskEvent, verify};
use glasshouse_scheduler::{BuildError, Builder, Scheduler, Shutdown, spawn, task, time};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn place() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = place.path().join("spill");
    (place, dir)
}

/// Steps often.
fn settings(dir: &Path) -> Settings {
    Settings {
        flush: Duration::from_millis(5),
        ..Settings::new(dir)
    }
}

/// Until the disk, whose time is real, has a task of this name.
async fn until_kept(dir: &Path, name: &str) {
    let kept = async {
        while !Log::open(dir).is_ok_and(|log| names(&log).any(|kept| kept == name)) {
            time::sleep(Duration::from_millis(1)).await;
        }
    };
    time::timeout(PATIENCE, kept).await.expect("it spills");
}

/// The names of the tasks whose spawns a log has.
fn names(log: &Log) -> impl Iterator<Item = String> + '_ {
    log.records().filter_map(|entry| match entry.event {
        Event::Task(TaskEvent::Spawned { site, .. }) => log.site(site)?.name,
        _ => None,
    })
}

/// Spawns a task of this name, and waits until the disk has it.
async fn spawn_and_keep(dir: &Path, name: &str) {
    let task = task::Builder::new().name(name).spawn(async {});
    task.await.expect("ends");
    until_kept(dir, name).await;
}

/// Holds so many threads for blocking functions, until what comes back is dropped.
fn hold_threads(scheduler: &Scheduler, threads: usize) -> Vec<mpsc::Sender<()>> {
    let (tell, told) = mpsc::channel();
    let held = (0..threads).map(|_| {
        let tell = tell.clone();
        let (release, released) = mpsc::channel();
        drop(scheduler.handle().spawn_blocking(move || {
            tell.send(()).expect("the test waits");
            let _ = released.recv();
        }));
        release
    });
    let held = held.collect();
    for _ in 0..threads {
        told.recv().expect("each begins");
    }
    held
}

async fn work() {
    let tasks: Vec<_> = (0..20_u64)
        .map(|n| {
            spawn(async move {
                for _ in 0..200 {
                    task::yield_now().await;
                }
                time::sleep(Duration::from_micros(100 * n)).await;
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("ends");
    }
}

#[test]
fn segments_hold_every_record_of_a_scheduler_and_the_last_is_its_end() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let settings = Settings {
        segment_bytes: 8192,
        ..settings(&dir)
    };
    let builder = Builder::new().workers(2).pal(pal.clone()).spill(settings);
    let scheduler = builder.build().unwrap();
    for _ in 0..5 {
        scheduler.block_on(work());
    }
    assert_eq!(scheduler.shutdown(PATIENCE), Shutdown::Clean);
    let kept = Log::open(&dir).unwrap();
    let found: Vec<Entry> = kept.records().collect();
    let expected: Vec<Entry> = pal.log().records().collect();
    assert_eq!(found.len(), expected.len());
    assert_eq!(found, expected);
    let last = found.last().unwrap().event;
    assert_eq!(
        last,
        Event::Task(TaskEvent::ShutdownComplete { clean: true })
    );
    let report = verify::verify(&kept);
    assert!(report.holds(), "{:?}", report.findings);
    assert_eq!(report.rest, verify::Rest::Spilled);
    assert!(kept.loss().is_none());
    // Its own task is in the log, by name, and its steps are none.
    assert_eq!(names(&kept).filter(|name| name == "spill").count(), 1);
}

#[test]
fn a_scheduler_that_is_full_spills_on() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    // Of one task beside the spiller's.
    let builder = Builder::new().workers(1).capacity(2).pal(pal.clone());
    let scheduler = builder.spill(settings(&dir)).build().unwrap();
    scheduler.block_on(async {
        drop(spawn(std::future::pending::<()>()));
        until_kept(&dir, "spill").await;
    });
    let is_denied = |event: &TaskEvent| matches!(event, TaskEvent::SpawnDenied { .. });
    assert!(!pal.events().iter().any(is_denied));
}

#[test]
fn a_spiller_writes_on_while_functions_hold_every_thread() {
    let (_place, dir) = place();
    let builder = Builder::new().workers(1).max_blocking_threads(2);
    let builder = builder.pal(Pal::memory()).spill(settings(&dir));
    let scheduler = builder.build().unwrap();
    let held = hold_threads(&scheduler, 2);
    scheduler.block_on(spawn_and_keep(&dir, "while they hold"));
    drop(held);
    assert_eq!(scheduler.shutdown(PATIENCE), Shutdown::Clean);
}

#[test]
fn a_spiller_that_finds_no_thread_tries_again() {
    for held in [0, 1] {
        let (_place, dir) = place();
        let is_lacking = Arc::new(AtomicBool::new(false));
        let lacks = Arc::clone(&is_lacking);
        let builder = Builder::new().workers(1).max_blocking_threads(1);
        let scheduler = builder
            .pal(Pal::memory())
            .spill(settings(&dir))
            // Each step needs a thread anew.
            .thread_keep_alive(Duration::from_millis(1))
            .thread_name_fn(move || match lacks.swap(false, Ordering::Relaxed) {
                true => panic!("no name"),
                false => "named".to_owned(),
            })
            .build()
            .unwrap();
        let _held = hold_threads(&scheduler, held);
        is_lacking.store(true, Ordering::Relaxed);
        scheduler.block_on(async {
            let asked = async {
                while is_lacking.load(Ordering::Relaxed) {
                    time::sleep(Duration::from_millis(1)).await;
                }
            };
            time::timeout(PATIENCE, asked).await.expect("it steps");
            spawn_and_keep(&dir, "after the one that did not come").await;
        });
    }
}

#[test]
fn a_scheduler_of_one_thread_spills_while_it_runs() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let settings = Settings::new(&dir);
    let local = Builder::new()
        .pal(pal.clone())
        .spill(settings)
        .build_local()
        .unwrap();
    local.block_on(work());
    assert_eq!(local.shutdown(PATIENCE), Shutdown::Clean);
    let found: Vec<Entry> = Log::open(&dir).unwrap().records().collect();
    assert_eq!(found, pal.log().records().collect::<Vec<_>>());
}

#[test]
fn a_scheduler_that_is_dropped_leaves_its_segments_whole() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let builder = Builder::new().workers(1).pal(pal.clone());
    let scheduler = builder.spill(Settings::new(&dir)).build().unwrap();
    drop(scheduler.spawn(std::future::pending::<()>()));
    scheduler.block_on(work());
    drop(scheduler);
    let found: Vec<Entry> = Log::open(&dir).unwrap().records().collect();
    assert_eq!(found, pal.log().records().collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_spilled_is_refused_by_build() {
    let (_place, dir) = place();
    let refused = Builder::deterministic(1).spill(Settings::new(&dir)).build();
    let is_refused = |error| matches!(error, BuildError::Spill(SpillError::VirtualClock));
    assert!(refused.is_err_and(is_refused));
    let file = dir.with_extension("file");
    std::fs::write(&file, "mine").unwrap();
    let builder = Builder::new().workers(1).pal(Pal::memory());
    let refused = builder.spill(Settings::new(&file)).build();
    let is_refused = |error| matches!(error, BuildError::Spill(SpillError::Untrusted(_)));
    assert!(refused.is_err_and(is_refused));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}
