//! What a `tracing` subscriber is told of a stall. A file of its own, because the subscriber is the process's.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::output::Output;
use glasshouse_scheduler::{Builder, task, time};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

#[test]
fn the_warning_has_the_tasks_name_and_where_it_was_spawned() {
    let output = Output::default();
    let writer = output.clone();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("warn"))
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let scheduler = Builder::deterministic(1).build().unwrap();
    let line = scheduler.block_on(async {
        let line = line!() + 1;
        let task = task::Builder::new().name("indexer").spawn(async {
            time::advance(Duration::from_secs(2));
        });
        task.await.unwrap();
        line
    });
    let output = output.text();
    let [warning] = output.lines().collect::<Vec<_>>()[..] else {
        panic!("one warning was expected: {output}");
    };
    for part in [
        "WARN".to_owned(),
        "glasshouse::stall".to_owned(),
        "tid=2".to_owned(),
        "name=\"indexer\"".to_owned(),
        format!("location={}:{line}:", file!()),
        "worker=0".to_owned(),
        "busy=2s".to_owned(),
        "others=0".to_owned(),
        "no other worker is free".to_owned(),
    ] {
        assert!(warning.contains(&part), "no {part} in: {warning}");
    }
}
