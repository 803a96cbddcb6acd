//! Without the feature `telemetry` the scheduler runs the same and leaves no trace.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(not(feature = "telemetry"))]

use glasshouse_pal::Pal;
use glasshouse_scheduler::{Builder, spawn, task, time};
use glasshouse_telemetry::prometheus::Exporter;
use glasshouse_telemetry::testing::Registry;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn no_record_and_no_metric_is_made() {
    let registry = Registry::new();
    let exporter = Exporter::new();
    let pal = Pal::memory();
    let scheduler = Builder::new()
        .workers(2)
        .pal(pal.clone())
        .recorder(Arc::new(registry.clone()))
        .exporter(exporter.clone())
        .build()
        .unwrap();
    scheduler.block_on(async {
        let task = spawn(async {
            task::yield_now().await;
            time::sleep(Duration::from_millis(1)).await;
        });
        task.await.unwrap();
        let failed = spawn(async { panic!("unrecorded") });
        assert!(
            failed
                .await
                .is_err_and(|error: task::JoinError| error.is_panic())
        );
    });
    drop(scheduler);
    assert_eq!(pal.log().records().count(), 0);
    assert_eq!(registry.gauge("scheduler_ready_queue_depth"), None);
    assert_eq!(registry.counter("tasks_running_total"), None);
    assert!(registry.histogram("task_run_latency_seconds").is_empty());
    assert!(!exporter.render().contains("task"), "{}", exporter.render());
}
