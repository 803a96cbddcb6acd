//! A foreign metrics recorder that panics whenever it is told of something. A file of its own: the panic hook is
//! the process's, and what is said once is said once in a process.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use glasshouse_pal::{Pal, verify::verify};
use glasshouse_scheduler::{Builder, spawn, task, time};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const FAULT: &str = "the recorder's own fault";

/// How often it was told of something, each time in vain.
#[derive(Default)]
struct Faulty(Arc<Told>);

#[derive(Default)]
struct Told {
    counts: AtomicUsize,
    samples: AtomicUsize,
    depths: AtomicUsize,
}

fn fault(told: &AtomicUsize) -> ! {
    told.fetch_add(1, Ordering::Relaxed);
    panic!("{FAULT}");
}

impl CounterFn for Told {
    fn increment(&self, _: u64) {
        fault(&self.counts);
    }
    fn absolute(&self, _: u64) {
        fault(&self.counts);
    }
}

impl GaugeFn for Told {
    fn increment(&self, _: f64) {
        fault(&self.depths);
    }
    fn decrement(&self, _: f64) {
        fault(&self.depths);
    }
    fn set(&self, _: f64) {
        fault(&self.depths);
    }
}

impl HistogramFn for Told {
    fn record(&self, _: f64) {
        fault(&self.samples);
    }
}

impl Recorder for Faulty {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.0.clone())
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.0.clone())
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.0.clone())
    }
}

#[test]
fn a_recorder_that_panics_inside_ticks_unwinds_no_worker() {
    common::faults::print_none(|panic| panic.payload_as_str() == Some(FAULT));
    let told = Arc::new(Told::default());
    let pal = Pal::memory();
    let scheduler = Builder::new()
        .workers(2)
        .pal(pal.clone())
        .recorder(Arc::new(Faulty(told.clone())))
        .build()
        .unwrap();
    let from_outside = scheduler.spawn(async { 1 });
    let sum = scheduler.block_on(async {
        let tasks: Vec<_> = (0..100)
            .map(|n| {
                spawn(async move {
                    task::yield_now().await;
                    time::sleep(Duration::from_millis(1)).await;
                    spawn(async move { n }).await.unwrap()
                })
            })
            .collect();
        let mut sum = from_outside.await.unwrap();
        for task in tasks {
            sum += task.await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 1 + (0..100).sum::<i32>());
    drop(scheduler);
    let report = verify(&pal.log());
    assert!(report.holds(), "{report:?}");
    for told in [&told.counts, &told.samples, &told.depths] {
        assert!(told.load(Ordering::Relaxed) > 200, "it hears of every tick");
    }
}

#[test]
fn the_panics_are_said_once() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "a_recorder_that_panics_inside_ticks_unwinds_no_worker",
        ])
        .output()
        .unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    let lines = said
        .lines()
        .filter(|line| line.starts_with("glasshouse: a metrics recorder panicked"));
    assert_eq!(lines.count(), 1, "{said}");
}
