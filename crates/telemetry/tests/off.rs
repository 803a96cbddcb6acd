//! Without the feature `record` the time, ids and slots are kept, and nothing else happens.
#![cfg(not(feature = "record"))]

mod drive;
mod output;

use drive::{Drive, every_life, here, workers};
use glasshouse_telemetry::pal::{TaskState, WakeSource};
use glasshouse_telemetry::prometheus::Exporter;
use glasshouse_telemetry::testing::Registry;
use glasshouse_telemetry::{Hub, Leave, READY_QUEUE_DEPTH, Settings};
use output::Output;
use std::sync::Arc;
use tracing_subscriber::fmt::format::FmtSpan;

#[test]
fn no_record_and_no_metric_is_made() {
    let (exporter, registry) = (Exporter::new(), Registry::new());
    let drive = Drive::new(Settings {
        exporter: Some(exporter.clone()),
        recorder: Some(Arc::new(registry.clone())),
        ..workers(1)
    });
    let worker = every_life(&drive);
    worker.pushed();
    drive.hub.denied(&here(), 1);
    worker.parked();
    worker.unparked();
    assert_eq!(drive.pal.events(), []);
    assert_eq!(exporter.render(), "");
    assert_eq!(registry.gauge(READY_QUEUE_DEPTH), None);
    assert_eq!(drive.hub.ready_depth(), 0);
}

#[test]
fn no_span_and_no_event_is_made() {
    let output = Output::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("trace")
        .with_span_events(FmtSpan::FULL)
        .with_writer({
            let output = output.clone();
            move || output.clone()
        })
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let drive = Drive::new(workers(1));
        drive.hub.worker(0).in_loop(|| drop(every_life(&drive)));
    });
    assert_eq!(output.text(), "");
}

#[test]
fn the_process_gets_no_log() {
    assert!(Hub::new(workers(1)).pal().is_off());
}

#[test]
fn times_and_slots_are_kept() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    let task = worker.spawned(&here(), None);
    drive.pass(5);
    worker.refresh();
    let mut tick = worker.start_tick(&task);
    drive.pass(10);
    assert_eq!(worker.poll_returned(&mut tick), 10);
    let draft = worker.leave(&task, &tick, Leave::Wait);
    worker.commit(tick, draft);
    drive.pass(20);
    worker.woke(&task, WakeSource::Timer);
    let slot = drive.pal.table().slot(task.slot().expect("there is room"));
    assert_eq!(slot.state(), Some(TaskState::Scheduled));
    assert_eq!(
        (slot.ready_ticks(), slot.run_ticks(), slot.wait_ticks()),
        (5, 10, 20)
    );
}
