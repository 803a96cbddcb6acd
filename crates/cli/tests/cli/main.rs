//! Owns the tests of the binary as its users have it: real flows, real logs, outputs and exit codes.
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
mod why;
mod wrapped;
