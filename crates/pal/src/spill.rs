//! Owns the spiller: it copies a log's records to segment files on disk, which hold hours where rings hold moments.
//!
//! ```text
//! rings ──copy──► window ──settled──► block ──► open segment ──full, old──► segment ──total──► removed
//!                   │ overrun              │ budget, failure
//!                   └──────────────────────┴────► gap: told with the next block
//! ```
//!
//! The spiller reads the rings as any reader does, so that writers do not know of it. Each [`Spiller::step`] takes in what
//! is new, and writes what has *settled*: records stamped before the step before began. By then a record that precedes them
//! in its task's life is in its ring, although its writer may have been slow. A window that cannot be kept whole is left
//! out whole, in all rings, and its place is told.
//!
//! A power cut loses what was written since the last flush, a kill what was not yet written, which the log's own file
//! still has.

mod budget;
mod named;
mod settings;
mod spiller;
mod store;
#[cfg(test)]
mod tests;
mod window;
mod writer;

pub use settings::{Settings, SpillError};
pub use spiller::{Spiller, Step};
