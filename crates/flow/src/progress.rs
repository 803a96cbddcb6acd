//! Owns what a run says while it is under way.

use crate::live::Live;
use crate::outcome::Outcome;
use crate::report::Row;
use std::sync::Arc;
use std::time::Duration;

/// A step of a run. For each node: any number of `Started`, a `Retrying` between each two, one `Finished`
/// at the end, also for a node that never started.
///
/// ```
/// use glasshouse_flow::Progress;
/// fn line(progress: &Progress) -> String {
///     match progress {
///         Progress::Started { node, attempt, .. } => format!("{node}: attempt {attempt}"),
///         Progress::Retrying { node, delay, outcome, .. } => {
///             format!("{node}: {outcome}, again in {delay:?}")
///         }
///         Progress::Finished { row } => format!("{}: {}", row.node, row.outcome),
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub enum Progress {
    /// A node has its lane and its command runs.
    Started {
        /// The node's name.
        node: Arc<str>,
        /// Which attempt this is; the first is 1.
        attempt: u32,
        /// A view of its output.
        live: Live,
    },
    /// An attempt failed and another will follow.
    Retrying {
        /// The node's name.
        node: Arc<str>,
        /// Which attempt will follow.
        attempt: u32,
        /// How long it waits before that, and then for its lane.
        delay: Duration,
        /// How the attempt failed.
        outcome: Outcome,
    },
    /// A node has ended, or will never start.
    Finished {
        /// How it fared.
        row: Row,
    },
}
