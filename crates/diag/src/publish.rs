//! Owns the names under which node figures reach the `metrics` facade, each with unit and help.
//!
//! | name | kind |
//! |---|---|
//! | `node_executions_total{node,outcome}` | counter |
//! | `node_retries_total{node}` | counter |
//! | `node_running{node}` | gauge |
//! | `node_run_seconds{node}` | histogram |
//! | `node_observations_lost_total` | counter |
//!
//! `outcome` is a name of [`NodeOutcome`](crate::NodeOutcome). Everything goes to the recorder that
//! is current on the thread that publishes.

use crate::node::NodeObservation;
use metrics::{Unit, counter, gauge, histogram};

/// Executions of a node that have ended, by outcome.
pub const NODE_EXECUTIONS_TOTAL: &str = "node_executions_total";
/// Further executions announced after a failed one.
pub const NODE_RETRIES_TOTAL: &str = "node_retries_total";
/// Executions of a node under way.
pub const NODE_RUNNING: &str = "node_running";
/// How long each execution of a node ran.
pub const NODE_RUN_SECONDS: &str = "node_run_seconds";
/// Observations dropped because the collector's queue was full.
pub const NODE_OBSERVATIONS_LOST_TOTAL: &str = "node_observations_lost_total";

/// Gives the current recorder each name's unit and help.
pub(crate) fn describe() {
    metrics::describe_counter!(
        NODE_EXECUTIONS_TOTAL,
        Unit::Count,
        "Executions of a node that have ended, by outcome"
    );
    metrics::describe_counter!(
        NODE_RETRIES_TOTAL,
        Unit::Count,
        "Further executions announced after a failed one"
    );
    metrics::describe_gauge!(NODE_RUNNING, Unit::Count, "Executions of a node under way");
    metrics::describe_histogram!(
        NODE_RUN_SECONDS,
        Unit::Seconds,
        "How long each execution of a node ran"
    );
    metrics::describe_counter!(
        NODE_OBSERVATIONS_LOST_TOTAL,
        Unit::Count,
        "Observations dropped because the collector's queue was full"
    );
}

/// Publishes one observation of the node counted under `name`. `running` is how many of its
/// executions are now under way; that gauge is set, never incremented, because some recorders
/// reset what they read.
pub(crate) fn observation(observation: &NodeObservation, name: &str, running: u64) {
    let node = || name.to_owned();
    match *observation {
        NodeObservation::Started { .. } => {
            gauge!(NODE_RUNNING, "node" => node()).set(running as f64);
        }
        NodeObservation::Ended {
            outcome, run_ns, ..
        } => {
            gauge!(NODE_RUNNING, "node" => node()).set(running as f64);
            counter!(NODE_EXECUTIONS_TOTAL, "node" => node(), "outcome" => outcome.name())
                .increment(1);
            histogram!(NODE_RUN_SECONDS, "node" => node()).record(seconds(run_ns));
        }
        NodeObservation::Retry { .. } => {
            counter!(NODE_RETRIES_TOTAL, "node" => node()).increment(1);
        }
    }
}

/// Publishes how many observations have been lost since this was last told.
pub(crate) fn lost(newly_lost: u64) {
    if newly_lost > 0 {
        counter!(NODE_OBSERVATIONS_LOST_TOTAL).increment(newly_lost);
    }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}
