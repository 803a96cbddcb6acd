//! Measures what a program says of itself: [`Marks`], windows of samples with exact [`Percentile`]s, and
//! figures for nodes.
//!
//! The core folds what it is told, and knows neither a clock nor a scheduler. Nodes reach it through
//! [`NodeObserver`]s; the [`NodeCollector`] behind them runs as a task, is seen as such in the log, and publishes to the
//! `metrics` facade:
//!
//! | name | kind | |
//! |---|---|---|
//! | `node_executions_total{node,outcome}` | counter | executions that have ended; `outcome` as [`NodeOutcome::name`] |
//! | `node_retries_total{node}` | counter | further executions announced after a failed one |
//! | `node_running{node}` | gauge | executions under way |
//! | `node_run_seconds{node}` | histogram | how long each execution ran |
//! | `node_observations_lost_total` | counter | observations dropped because the collector's queue was full |
#![forbid(unsafe_code)]

mod collector;
mod event;
mod mark;
mod node;
mod outcome;
mod percentile;
mod publish;
mod ring;

pub use collector::{COLLECTOR_NAME, CollectorGone, NodeCollector, NodeObserver, OBSERVATIONS_MAX};
pub use event::{NODE_ENDED, NODE_RETRY, NODE_STARTED};
pub use mark::{MARK_NAMES_MAX, Mark, Marks, OTHER};
pub use node::{
    Failures, NODE_WINDOW_LEN, NODES_MAX, NodeFigures, NodeMetrics, NodeObservation, NodeSnapshot,
};
pub use outcome::NodeOutcome;
pub use percentile::{Percentile, Summary};
pub use publish::{
    NODE_EXECUTIONS_TOTAL, NODE_OBSERVATIONS_LOST_TOTAL, NODE_RETRIES_TOTAL, NODE_RUN_SECONDS,
    NODE_RUNNING,
};
pub use ring::SampleRing;
