//! The inspector: commands that read logs. It knows pal alone; nothing here may need a runtime.

mod event;
mod lost;
mod names;
mod open;
mod parse;
mod part;
mod progress;
mod ring;
mod unseen;
mod until;

pub mod export;
pub mod log;
pub mod ps;
pub mod stats;
pub mod task;
pub mod top;
pub mod verify;
pub mod why;
