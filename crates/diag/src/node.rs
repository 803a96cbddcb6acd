//! Owns the figures kept for each node: a fold over what nodes report, with no clock and no
//! scheduler in it.

use crate::mark::OTHER;
use crate::outcome::NodeOutcome;
use crate::percentile::Summary;
use crate::ring::SampleRing;
use serde::Serialize;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// The most nodes told apart; further ones are counted together as [`OTHER`]. A guess that keeps
/// the windows below 32 MiB in all.
pub const NODES_MAX: usize = 4096;

/// How many executions of each node the window of run times holds.
pub const NODE_WINDOW_LEN: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// One thing that happened to a node.
///
/// ```
/// use glasshouse_diag::{NodeMetrics, NodeObservation, NodeOutcome};
/// let mut metrics = NodeMetrics::default();
/// metrics.fold(&NodeObservation::Started { node: "build".into() });
/// metrics.fold(&NodeObservation::Ended {
///     node: "build".into(),
///     outcome: NodeOutcome::Success,
///     run_ns: 1_500,
/// });
/// let snapshot = metrics.snapshot();
/// assert_eq!(snapshot.nodes[0].successes, 1);
/// assert_eq!(snapshot.nodes[0].run_ns.p50, 1_500);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeObservation {
    /// An execution has begun.
    Started {
        /// The node's name.
        node: Arc<str>,
    },
    /// An execution has ended.
    Ended {
        /// The node's name.
        node: Arc<str>,
        /// How.
        outcome: NodeOutcome,
        /// How long it ran, in nanoseconds.
        run_ns: u64,
    },
    /// Another execution will follow.
    Retry {
        /// The node's name.
        node: Arc<str>,
        /// How long the node waits before it, in nanoseconds.
        backoff_ns: u64,
    },
}

impl NodeObservation {
    /// The node's name.
    pub fn node(&self) -> &Arc<str> {
        match self {
            NodeObservation::Started { node }
            | NodeObservation::Ended { node, .. }
            | NodeObservation::Retry { node, .. } => node,
        }
    }
}

/// Failed executions of a node, by category.
///
/// ```
/// use glasshouse_diag::{Failures, NodeOutcome};
/// let mut failures = Failures::default();
/// failures.count(NodeOutcome::Timeout);
/// assert_eq!((failures.timeout, failures.sum()), (1, 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Failures {
    /// See [`NodeOutcome::ExitCode`].
    pub exit_code: u64,
    /// See [`NodeOutcome::Signal`].
    pub signal: u64,
    /// See [`NodeOutcome::Timeout`].
    pub timeout: u64,
    /// See [`NodeOutcome::SpawnError`].
    pub spawn_error: u64,
    /// See [`NodeOutcome::Cancelled`].
    pub cancelled: u64,
    /// See [`NodeOutcome::Panic`].
    pub panic: u64,
}

impl Failures {
    /// Counts an outcome, if it is a failure.
    pub const fn count(&mut self, outcome: NodeOutcome) {
        match outcome {
            NodeOutcome::Success => {}
            NodeOutcome::ExitCode => self.exit_code += 1,
            NodeOutcome::Signal => self.signal += 1,
            NodeOutcome::Timeout => self.timeout += 1,
            NodeOutcome::SpawnError => self.spawn_error += 1,
            NodeOutcome::Cancelled => self.cancelled += 1,
            NodeOutcome::Panic => self.panic += 1,
        }
    }

    /// All failures.
    pub const fn sum(&self) -> u64 {
        self.exit_code + self.signal + self.timeout + self.spawn_error + self.cancelled + self.panic
    }
}

/// What is known of one node. `executions` is `successes` and all `failures` together.
///
/// ```
/// use glasshouse_diag::NodeFigures;
/// let figures = NodeFigures { node: "build".into(), ..NodeFigures::default() };
/// assert_eq!((figures.executions, figures.failures.sum()), (0, 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeFigures {
    /// The node's name.
    pub node: String,
    /// Executions that have begun and not ended.
    pub running: u64,
    /// Executions that have ended.
    pub executions: u64,
    /// Those that ended well.
    pub successes: u64,
    /// Those that did not, by category.
    pub failures: Failures,
    /// How often another execution was announced.
    pub retries: u64,
    /// Run times over the window of the last [`NODE_WINDOW_LEN`] executions, in nanoseconds.
    pub run_ns: Summary,
}

/// The figures of all nodes at one moment, in the order of the nodes' names.
///
/// ```
/// use glasshouse_diag::{NodeMetrics, NodeObservation};
/// let mut metrics = NodeMetrics::default();
/// metrics.fold(&NodeObservation::Started { node: "build".into() });
/// let snapshot = metrics.snapshot();
/// assert_eq!(snapshot.node("build").map(|figures| figures.running), Some(1));
/// assert!(snapshot.node("test").is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NodeSnapshot {
    /// One entry a node.
    pub nodes: Vec<NodeFigures>,
    /// Observations that never arrived because their queue was full; the figures lack them.
    pub lost: u64,
}

impl NodeSnapshot {
    /// The figures of this node.
    pub fn node(&self, name: &str) -> Option<&NodeFigures> {
        self.nodes.iter().find(|figures| figures.node == name)
    }
}

#[derive(Debug)]
struct Entry {
    figures: NodeFigures,
    window: SampleRing,
}

/// Folds observations into figures.
///
/// ```
/// use glasshouse_diag::NodeMetrics;
/// assert!(NodeMetrics::default().snapshot().nodes.is_empty());
/// ```
#[derive(Debug, Default)]
pub struct NodeMetrics {
    entries: BTreeMap<Arc<str>, Entry>,
}

impl NodeMetrics {
    /// Takes one observation in.
    pub fn fold(&mut self, observation: &NodeObservation) {
        self.take_in(observation);
    }

    /// Takes one observation in and returns the name it is counted under, and how many of that
    /// name's executions are now under way.
    pub(crate) fn take_in(&mut self, observation: &NodeObservation) -> (&str, u64) {
        let Entry { figures, window } = self.entry(observation.node());
        match *observation {
            NodeObservation::Started { .. } => figures.running += 1,
            NodeObservation::Ended {
                outcome, run_ns, ..
            } => {
                // Saturating: the start may be among the observations that were lost.
                figures.running = figures.running.saturating_sub(1);
                figures.executions += 1;
                figures.successes += u64::from(!outcome.is_failure());
                figures.failures.count(outcome);
                window.push(run_ns);
            }
            NodeObservation::Retry { .. } => figures.retries += 1,
        }
        (&figures.node, figures.running)
    }

    /// The figures as they stand. `lost` is zero: only who hosts the queue knows it.
    pub fn snapshot(&self) -> NodeSnapshot {
        let nodes = self.entries.values().map(|entry| NodeFigures {
            run_ns: entry.window.summary(),
            ..entry.figures.clone()
        });
        NodeSnapshot {
            nodes: nodes.collect(),
            lost: 0,
        }
    }

    fn entry(&mut self, node: &Arc<str>) -> &mut Entry {
        let room = self.entries.len() < NODES_MAX || self.entries.contains_key(node);
        let key: Arc<str> = if room { node.clone() } else { OTHER.into() };
        self.entries.entry(key).or_insert_with_key(|key| Entry {
            figures: NodeFigures {
                node: key.to_string(),
                ..NodeFigures::default()
            },
            window: SampleRing::new(NODE_WINDOW_LEN),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ended(node: &str, outcome: NodeOutcome, run_ns: u64) -> NodeObservation {
        NodeObservation::Ended {
            node: node.into(),
            outcome,
            run_ns,
        }
    }

    #[test]
    fn a_retried_node_shows_each_execution_and_the_retry() {
        let mut metrics = NodeMetrics::default();
        let node: Arc<str> = "flaky".into();
        for observation in [
            NodeObservation::Started { node: node.clone() },
            ended("flaky", NodeOutcome::ExitCode, 10),
            NodeObservation::Retry {
                node: node.clone(),
                backoff_ns: 5,
            },
            NodeObservation::Started { node },
            ended("flaky", NodeOutcome::Success, 30),
        ] {
            metrics.fold(&observation);
        }
        let expected = NodeFigures {
            node: "flaky".into(),
            running: 0,
            executions: 2,
            successes: 1,
            failures: Failures {
                exit_code: 1,
                ..Failures::default()
            },
            retries: 1,
            run_ns: Summary {
                samples: 2,
                p50: 10,
                p90: 30,
                p99: 30,
                max: 30,
                sum: 40,
            },
        };
        assert_eq!(metrics.snapshot().nodes, [expected]);
    }

    #[test]
    fn nodes_beyond_the_bound_are_counted_together() {
        let mut metrics = NodeMetrics::default();
        for index in 0..NODES_MAX + 3 {
            metrics.fold(&ended(&format!("{index}"), NodeOutcome::Success, 1));
        }
        metrics.fold(&ended("0", NodeOutcome::Success, 1));
        let snapshot = metrics.snapshot();
        assert_eq!(snapshot.nodes.len(), NODES_MAX + 1);
        assert_eq!(snapshot.node(OTHER).map(|other| other.executions), Some(3));
        assert_eq!(snapshot.node("0").map(|first| first.executions), Some(2));
    }

    proptest! {
        #[test]
        fn executions_are_successes_and_failures_together(
            outcomes in prop::collection::vec(prop::sample::select(&NodeOutcome::ALL[..]), 0..100),
        ) {
            let mut metrics = NodeMetrics::default();
            for &outcome in &outcomes {
                metrics.fold(&ended("n", outcome, 1));
            }
            let figures = metrics.snapshot().node("n").cloned().unwrap_or_default();
            prop_assert_eq!(figures.executions, outcomes.len() as u64);
            prop_assert_eq!(figures.executions, figures.successes + figures.failures.sum());
            let successes = outcomes.iter().filter(|&&outcome| outcome == NodeOutcome::Success);
            prop_assert_eq!(figures.successes, successes.count() as u64);
        }
    }
}
