//! What a `tracing` subscriber hears of the loop, the ticks and the spawns.
#![cfg(feature = "record")]

mod drive;
mod output;

use drive::{Drive, here, workers};
use glasshouse_telemetry::{Leave, SpawnSite, Woken};
use output::Output;
use std::panic::Location;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// What `f` lets a subscriber under `filter` print, by line.
fn heard(filter: &str, f: impl FnOnce()) -> Vec<String> {
    let output = Output::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer({
            let output = output.clone();
            move || output.clone()
        })
        .finish();
    tracing::subscriber::with_default(subscriber, f);
    output.text().lines().map(str::to_owned).collect()
}

fn one_life() {
    let drive = Drive::new(workers(4));
    let worker = drive.hub.worker(3);
    worker.in_loop(|| {
        let location = Location::caller();
        let site = SpawnSite {
            location,
            name: Some("pump"),
        };
        let task = worker.spawned(&site, None);
        drive.tick_with(&worker, &task, 1, Leave::Yield(Woken::AsNoted), || {
            tracing::info!("inside")
        });
        drive.tick(&worker, &task, 1, Leave::Done);
    });
}

fn the_one<'a>(lines: &'a [String], parts: &[&str]) -> &'a str {
    let found: Vec<_> = lines
        .iter()
        .filter(|line| parts.iter().all(|part| line.contains(part)))
        .collect();
    assert_eq!(found.len(), 1, "{parts:?} in {lines:#?}");
    found[0]
}

#[test]
fn everything_is_heard_under_trace() {
    let lines = heard("trace", one_life);
    the_one(
        &lines,
        &[
            "TRACE",
            "scheduler.loop{worker=3}: glasshouse::scheduler: new",
        ],
    );
    the_one(
        &lines,
        &[
            "TRACE",
            "scheduler.loop{worker=3}: glasshouse::scheduler: close",
        ],
    );
    let tick = "scheduler.loop{worker=3}:sched.tick{tid=1";
    the_one(&lines, &[tick, "state=\"yielded\"}", "close"]);
    the_one(&lines, &[tick, "state=\"done\"}", "close"]);
    the_one(&lines, &[tick, "}:", "inside"]);
    let spawn = the_one(&lines, &["INFO", "glasshouse::spawn: spawned"]);
    assert!(spawn.contains("tid=1 name=\"pump\" location="), "{spawn}");
    assert!(spawn.contains("tests/spans.rs:"), "{spawn}");
    assert!(
        lines
            .iter()
            .any(|line| line.contains("DEBUG") && line.contains("pal: PAL"))
    );
}

#[test]
fn spawns_alone_are_heard_under_info_and_can_be_hidden() {
    let lines = heard("info", one_life);
    assert_eq!(
        lines.len(),
        2,
        "the spawn and the task's own event: {lines:#?}"
    );
    the_one(&lines, &["glasshouse::spawn: spawned", "name=\"pump\""]);
    let lines = heard("info,glasshouse::spawn=warn", one_life);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    the_one(&lines, &["inside"]);
}

#[test]
fn a_spawn_by_any_thread_is_heard() {
    let lines = heard("glasshouse::spawn=info", || {
        let drive = Drive::new(workers(1));
        drive.hub.spawned(&here());
    });
    let spawn = the_one(&lines, &["spawned"]);
    assert!(!spawn.contains("name="), "{spawn}");
}

#[test]
fn a_guest_has_no_loop() {
    let lines = heard("glasshouse::scheduler=trace", || {
        let drive = Drive::new(workers(1));
        let guest = drive.hub.guest();
        guest.in_loop(|| {
            let task = guest.spawned(&here(), None);
            drive.tick(&guest, &task, 1, Leave::Done);
        });
    });
    the_one(&lines, &["sched.tick{tid=1 state=\"done\"}", "close"]);
    assert!(lines.iter().all(|line| !line.contains("scheduler.loop")));
}
