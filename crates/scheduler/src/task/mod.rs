//! Tasks: how they are named, joined and aborted, and what a running task can say of itself.
//!
//! # Why there is no `block_in_place`
//!
//! A function that blocks belongs in [`spawn_blocking`]. Where another runtime has
//! `block_in_place`, it hands the worker's queue, timers and place at the driver to a fresh thread, and lets
//! the rest of the poll go on beside it. Here a worker is a thread for good: its ring in the log, its counters
//! and its current task belong to it, and the record of a tick is written by the thread that ran it. A
//! hand-over in the middle of a poll would tear them apart, cost every tick a look at whether the worker is
//! still its thread's, and leave a hole in the log where one wants to look. A worker that blocks nevertheless
//! is reported as stalled, and the others take its tasks; with [`spawn_blocking`] nobody
//! has to.
//
// A task is one allocation (`raw.rs`, `cell.rs`): a header that every scheduler thread and waker may touch,
// and the future or its output, which belongs to whoever the state word (`state.rs`) says.

mod abort_handle;
mod bounded_text;
mod builder;
mod cell;
pub mod coop;
mod current;
mod in_span;
mod join;
mod join_error;
pub mod join_set;
mod joining;
mod local;
mod local_key;
mod raw;
mod state;
mod stats;
mod waker;
mod yield_now;

pub use crate::handle::{spawn, spawn_blocking};
pub use abort_handle::AbortHandle;
pub use builder::Builder;
pub use coop::{consume_budget, unconstrained};
pub use current::{fail, id, try_id};
/// The identity of a task: the number that the log has, never used again within the process.
pub use glasshouse_pal::TaskId as Id;
pub use glasshouse_pal::WakeSource;
pub use join::JoinHandle;
pub use join_error::JoinError;
pub use join_set::JoinSet;
pub use local::spawn_local;
pub use local_key::{AccessError, LocalKey, TaskLocalFuture};
pub use stats::{Stats, stats, try_stats};
pub use yield_now::{YieldNow, yield_now};

pub(crate) use bounded_text::BoundedText;
pub(crate) use cell::{allocate, allocate_local};
pub(crate) use join_error::panic_message;
pub(crate) use joining::Joining;
pub(crate) use local::{spawn_local_at, spawn_owned};
pub(crate) use raw::{Class, Counted, Guest, Header, Home, Outcome, Parts, Task};
#[cfg(all(test, glasshouse_loom))]
pub(crate) use state::{Completion, Join, State, Wake};
pub(crate) use state::{End, Start};
pub(crate) use stats::settled_row;
pub(crate) use waker::{borrowed as borrowed_waker, vtable as waker_vtable};
