//! Pseudo-terminal sessions: programs that run in terminals of their own, seen from a scheduler.
#![deny(unsafe_code)]

mod command;
mod exit_status;
mod output_ring;
mod spawn_error;

pub use command::{Command, DEFAULT_RING_BYTES, Size};
pub use exit_status::ExitStatus;
pub use output_ring::{Cursor, OutputRing};
pub use spawn_error::SpawnError;
