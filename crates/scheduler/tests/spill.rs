//! A scheduler that keeps its log on disk: segments hold what the log holds, up to the very end.

#![cfg(feature = "telemetry")]

use glasshouse_pal::reader::{Entry, Log};
use glasshouse_pal::spill::{Settings, SpillError};
use glasshouse_pal::{Event, Pal, TaskEvent, verify};
use glasshouse_scheduler::{BuildError, Builder, Shutdown, spawn, task, time};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// Until some records are on disk, whose time is real.
async fn until_kept(dir: &Path) {
    let kept = async {
        while Log::open(dir).map_or(0, |log| log.records().count()) < 10 {
            time::sleep(Duration::from_millis(1)).await;
        }
    };
    time::timeout(PATIENCE, kept).await.expect("it spills");
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
    let names = found.iter().filter_map(|entry| match entry.event {
        Event::Task(TaskEvent::Spawned { site, .. }) => kept.site(site)?.name,
        _ => None,
    });
    assert_eq!(names.filter(|name| name == "spill").count(), 1);
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
        until_kept(&dir).await;
    });
    let is_denied = |event: &TaskEvent| matches!(event, TaskEvent::SpawnDenied { .. });
    assert!(!pal.events().iter().any(is_denied));
}

#[test]
fn a_spiller_that_finds_no_thread_tries_again() {
    let (_place, dir) = place();
    let names = AtomicUsize::new(0);
    let builder = Builder::new().workers(1).pal(Pal::memory());
    let builder = builder.spill(settings(&dir));
    let named = builder.thread_name_fn(move || match names.fetch_add(1, Ordering::Relaxed) {
        // The worker's comes before it.
        1 => panic!("no name"),
        _ => "named".to_owned(),
    });
    named.build().unwrap().block_on(until_kept(&dir));
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
