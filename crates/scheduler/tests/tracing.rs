//! What a `tracing` subscriber sees at TRACE. A file of its own, because the subscriber is the process's.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::output::Output;
use glasshouse_pal::Pal;
use glasshouse_scheduler::{Builder, spawn, task, time};
use std::time::Duration;
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

#[test]
fn at_trace_the_events_the_spans_and_the_spawns_are_in_the_output() {
    let output = Output::default();
    let writer = output.clone();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("trace"))
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let pal = Pal::memory();
    let scheduler = Builder::new().workers(1).pal(pal.clone()).build().unwrap();
    let id = scheduler.block_on(async {
        let task = task::Builder::new().name("seen").spawn(async {
            task::yield_now().await;
            time::sleep(Duration::from_millis(1)).await;
            spawn(async {}).await.unwrap();
        });
        let id = task.id();
        task.await.unwrap();
        id
    });
    let _ = scheduler.shutdown(Duration::from_secs(5));
    let output = output.text();
    let has = |parts: &[&str]| {
        assert!(
            output
                .lines()
                .any(|line| parts.iter().all(|part| line.contains(part))),
            "no line has all of {parts:?} in:\n{output}"
        );
    };
    let tid = format!("tid={id}");
    for event in [
        "spawned",
        "running",
        "yield",
        "sleep",
        "wake",
        "join_wait",
        "done",
    ] {
        has(&["DEBUG", "PAL", event, &tid]);
    }
    for state in ["yielded", "sleeping", "join_wait", "done"] {
        has(&[
            "TRACE",
            "scheduler.loop",
            "sched.tick",
            &tid,
            &format!("state=\"{state}\""),
        ]);
    }
    has(&["INFO", "glasshouse::spawn", &tid, "seen"]);
    let lines = output.lines().filter(|line| line.contains(" PAL ")).count();
    assert_eq!(lines, pal.events().len(), "each event of the log once");
}
