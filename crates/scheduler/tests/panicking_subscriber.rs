//! A `tracing` subscriber that panics. A file of its own, because the subscriber is the process's.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::{deterministic, faults, threads};
use glasshouse_pal::verify::verify;
use glasshouse_scheduler::{Shutdown, spawn, task, time};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tracing::field::Visit;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const FAULT: &str = "the subscriber's own fault";

/// What a subscriber is asked for or told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
enum Call {
    Nothing,
    Enabled,
    NewSpan,
    Record,
    Event,
    Enter,
    Exit,
    Close,
    Everything,
}

/// At which call it panics.
static AT: AtomicUsize = AtomicUsize::new(Call::Nothing as usize);
static FAULTS: AtomicUsize = AtomicUsize::new(0);

/// Listens to everything.
struct Faulty;

fn called(call: Call) {
    let at = AT.load(Ordering::Relaxed);
    if at == call as usize || at == Call::Everything as usize {
        FAULTS.fetch_add(1, Ordering::Relaxed);
        panic!("{FAULT}");
    }
}

impl Subscriber for Faulty {
    // Asked anew each time.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        tracing::subscriber::Interest::sometimes()
    }
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        if metadata.target().starts_with("mio") {
            return false;
        }
        called(Call::Enabled);
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        called(Call::NewSpan);
        Id::from_u64(NEXT.fetch_add(1, Ordering::Relaxed))
    }
    fn record(&self, _: &Id, _: &Record<'_>) {
        called(Call::Record);
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        struct Ignore;
        impl Visit for Ignore {
            fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
        }
        event.record(&mut Ignore);
        called(Call::Event);
    }
    fn enter(&self, _: &Id) {
        called(Call::Enter);
    }
    fn exit(&self, _: &Id) {
        called(Call::Exit);
    }
    fn try_close(&self, _: Id) -> bool {
        called(Call::Close);
        true
    }
}

async fn work() -> i32 {
    let tasks: Vec<_> = (0..10)
        .map(|n| {
            spawn(async move {
                task::yield_now().await;
                time::sleep(Duration::from_millis(1)).await;
                n
            })
        })
        .collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.unwrap();
    }
    sum
}

#[test]
fn a_subscriber_that_panics_at_any_call_unwinds_no_worker() {
    tracing::subscriber::set_global_default(Faulty).unwrap();
    faults::print_none(|panic| panic.payload_as_str() == Some(FAULT));
    for call in [
        Call::Enabled,
        Call::NewSpan,
        Call::Record,
        Call::Event,
        Call::Enter,
        Call::Exit,
        Call::Close,
        Call::Everything,
    ] {
        for (scheduler, pal) in [deterministic(), threads(2)] {
            // Also where a worker's own span begins and ends.
            AT.store(call as usize, Ordering::Relaxed);
            FAULTS.store(0, Ordering::Relaxed);
            assert_eq!(scheduler.block_on(work()), 45, "{call:?}");
            assert_eq!(scheduler.shutdown(Duration::from_secs(60)), Shutdown::Clean);
            AT.store(Call::Nothing as usize, Ordering::Relaxed);
            assert!(FAULTS.load(Ordering::Relaxed) > 10, "{call:?}");
            let report = verify(&pal.log());
            assert!(report.holds(), "{call:?}: {report:?}");
        }
    }
}
