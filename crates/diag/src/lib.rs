//! Measures what a program says of itself: marks, windows of samples with exact percentiles, and
//! figures for nodes.
#![forbid(unsafe_code)]

mod mark;
mod node;
mod outcome;
mod percentile;
mod ring;

pub use mark::{MARK_NAMES_MAX, Mark, Marks, OTHER};
pub use node::{
    Failures, NODE_WINDOW_LEN, NODES_MAX, NodeFigures, NodeMetrics, NodeObservation, NodeSnapshot,
};
pub use outcome::NodeOutcome;
pub use percentile::{Percentile, Summary};
pub use ring::SampleRing;
