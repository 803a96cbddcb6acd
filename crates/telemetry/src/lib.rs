//! The one seam between the scheduler and its records, metrics and spans.
//!
//! The scheduler tells a [`Hub`] and its [`Worker`]s of every transition; what becomes of it is decided
//! here: a record in the log, the task's slot, the worker's counters, the metrics that are pushed, the
//! spans and events of `tracing`. No other crate of the runtime calls a metrics or log interface for
//! the scheduler.
//!
//! Metrics leave in one of two ways. A `metrics` recorder is pushed into as things happen. An
//! [`Exporter`](prometheus::Exporter) reads the workers' own counters when it is scraped, and a tick
//! pays nothing for it. [`testing::Registry`] is a recorder to be asked in tests.
//!
//! Without the feature `record` the same calls keep the time, the ids and the slots, and record nothing.

#![forbid(unsafe_code)]

pub mod prometheus;
pub mod testing;

mod buckets;
mod catalog;
mod depth;
mod enabled;
mod hub;
mod meter;
mod meters;
mod pulse;
mod push;
mod settings;
mod site_cache;
mod span_context;
mod spans;
mod stall;
mod sync;
mod tick;
mod trace;
mod worker;

pub use buckets::{BucketsError, MAX_BUCKETS, check_buckets};
pub use catalog::{
    BUDGET_THROTTLE_TOTAL, DEFAULT_BUCKETS, MICROSECOND_BUCKETS, READY_DELAY_SECONDS,
    READY_QUEUE_DEPTH, RUN_LATENCY_SECONDS, STATE_LABEL, TASKS_RUNNING_TOTAL, TASKS_STATE_TOTAL,
    WAIT_TIME_SECONDS,
};
pub use glasshouse_pal as pal;
pub use glasshouse_pal::{TaskEvent, TaskState};
pub use hub::Hub;
pub use pulse::Busy;
pub use settings::{Settings, SpawnSite};
pub use span_context::SpanContext;
pub use spans::{SPAN_TARGET, SPAWN_TARGET};
pub use stall::{STALL_TARGET, Stalled};
pub use tick::{Draft, Leave, Tick, Woken};
pub use trace::TaskTrace;
pub use worker::Worker;

use enabled::ENABLED;
