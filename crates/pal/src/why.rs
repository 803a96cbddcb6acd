//! Owns the answers to why a task was late, and why a process hangs: folds of records, without I/O.
//!
//! [`Inquiry`] judges one task's time from its spawn to its end, or to now, in three ways:
//!
//! - by state: run, ready delay, and each kind of wait ([`Answer::life`]);
//! - its ready delay by what the worker did meanwhile that took it up ([`Answer::holders`]);
//! - along the critical path ([`Answer::path`]): backwards from its end, a task's time counts as long as nobody
//!   had to wake it. What was woken, or spawned, by a task goes on in that task at that moment, for until
//!   then that task decided when. Time, descriptors and threads outside decide by themselves: a wait that they
//!   end is a part of the path.
//!
//! ```text
//! #2        ran │─────── slept ────────│ ran │ (wakes #1)
//! #1   ran │──────────────── waited ─────────│ ready │ ran │ done
//! path         ◄── #2: sleep ──────────┼─run─┼─#1: ready ┼─run─┤
//! ```
//!
//! The stretches of a path follow each other without a gap from the task's spawn to its end, so their lengths add
//! up to it.
//!
//! [`Waits`] tells who waits for whom ([`Picture`]): in a process that hangs, which tasks wait in a circle, and
//! which nothing can wake that the log knows of.

mod circles;
mod holders;
mod inquiry;
mod knots;
mod origins;
mod path;
mod picture;
mod reason;
mod room;
mod steps;
mod tree;
mod waits;

pub use holders::{Holder, Holding};
pub use inquiry::{Answer, Inquiry};
pub use origins::Origin;
pub use path::{Activity, Path, Stretch};
pub use picture::{Picture, Prospect, Role};
pub use reason::Reason;
pub use tree::{Hop, PathNode, Share};
pub use waits::{Waiting, Waits, Wakers};

#[cfg(test)]
mod tests;
