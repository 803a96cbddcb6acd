//! Owns what a run leaves behind: one row for each node, and the figures of all.

use crate::flow::Node;
use crate::outcome::Outcome;
use glasshouse_diag::NodeSnapshot;
use serde::Serialize;

/// How one node fared. Durations are sums over its attempts, in nanoseconds of the scheduler's clock; byte
/// counts are sums too.
///
/// ```
/// use glasshouse_flow::Row;
/// fn cells(row: &Row) -> [String; 3] {
///     [row.node.clone(), row.outcome.to_string(), format!("{} ns", row.ran_ns)]
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The node's name.
    pub node: String,
    /// Its lane's name.
    pub lane: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How often its command was started, or that was tried; zero for a node that was skipped.
    pub attempts: u32,
    /// How long it waited for its lane; neither for its needs nor between attempts.
    pub waited_ns: u64,
    /// How long its command ran, from each start to its end.
    pub ran_ns: u64,
    /// What it wrote to its terminal, in bytes.
    pub output_bytes: u64,
    /// How many of these its buffer could not hold; the oldest of each attempt.
    pub dropped_bytes: u64,
    /// The last lines of the last attempt's output, without control characters; empty unless it failed.
    pub tail: String,
}

impl Row {
    /// The row of a node that was not started.
    pub(crate) fn not_started(node: &Node, outcome: Outcome) -> Row {
        Row {
            node: node.name.clone(),
            lane: node.lane.clone(),
            outcome,
            attempts: 0,
            waited_ns: 0,
            ran_ns: 0,
            output_bytes: 0,
            dropped_bytes: 0,
            tail: String::new(),
        }
    }
}

/// What a run leaves behind.
///
/// ```
/// use glasshouse_flow::Report;
/// fn exit_code(report: &Report) -> i32 {
///     match report {
///         report if report.is_cancelled => 130,
///         report if report.is_success() => 0,
///         _ => 1,
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The name that the flow gives itself.
    pub name: Option<String>,
    /// One row for each node, in the order of the file.
    pub rows: Vec<Row>,
    /// How long the run took, in nanoseconds of the scheduler's clock.
    pub took_ns: u64,
    /// Whether the run was cancelled, be it too late to change anything.
    pub is_cancelled: bool,
    /// The figures by node; `None` where the collector was ended before the run.
    pub metrics: Option<NodeSnapshot>,
}

impl Report {
    /// Whether every node succeeded.
    pub fn is_success(&self) -> bool {
        self.rows.iter().all(|row| row.outcome.is_success())
    }

    /// The row of this node.
    pub fn row(&self, node: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.node == node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_one_flat_object() {
        let row = Row {
            node: "pack".into(),
            lane: "disk".into(),
            outcome: Outcome::ExitCode { exit_code: 2 },
            attempts: 1,
            waited_ns: 3,
            ran_ns: 4,
            output_bytes: 5,
            dropped_bytes: 6,
            tail: "no space".into(),
        };
        let json =
            r#"{"node":"pack","lane":"disk","outcome":"exit_code","exit_code":2,"attempts":1,"#;
        let rest =
            r#""waited_ns":3,"ran_ns":4,"output_bytes":5,"dropped_bytes":6,"tail":"no space"}"#;
        let written = serde_json::to_string(&row).expect("serialisable");
        assert_eq!(written, [json, rest].concat());
    }
}
