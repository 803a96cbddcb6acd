//! Owns the tests of the binary as its users have it: real flows, real logs, outputs and exit codes.
//!
//! The hostile logs are those of the fuzz targets, whose files are taken in.
//!
//! Every test has a directory of its own, where its flows, logs and leavings are; what it starts it ends.

mod damaged;
mod export;
mod export_cut;
mod flows;
mod follow;
mod follow_spill;
mod gaps;
mod golden;
mod hangs;
mod hostile;
mod inspector;
mod interrupts;
mod logging;
mod long;
mod metrics;
mod mistakes;
mod place;
mod processes;
mod program;
mod restart;
mod spill;
mod stats;
mod stats_hung;
mod task;
mod telling;
mod terminal;
mod tmux;
mod top;
mod unseen;
mod ways_out;
mod why;
mod wrapped;

#[path = "../../../../fuzz/src/edit.rs"]
mod edit;
#[path = "../../../../fuzz/src/number.rs"]
mod number;
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;
#[path = "../../../../fuzz/src/segment.rs"]
mod segment;
#[path = "../../../../fuzz/src/segments.rs"]
mod segments;
