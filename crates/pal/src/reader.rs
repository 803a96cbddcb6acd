//! Owns the reading of logs: of live ones beside their writer, and of those that a process left.
//!
//! A reader needs nothing but read access. It trusts nothing that it finds: every offset, length
//! and count is checked against the file, every word is decoded or skipped, and no more memory is
//! taken than the file is long. It reads with `pread`, so that a file that shrinks meanwhile is an
//! error and not a signal, and that a sparse part stays sparse.
//!
//! ```text
//! Log ┬─► Mapped ──► Source     the file, or this process's own memory
//!     │      ├────► LogHeader  identity and sections, checked once
//!     │      ├────► Snapshot   all rings at one moment ──► order ──► Records
//!     │      └────► texts, sites, schema, tasks, ring headers, on demand
//!     └─► Segments ► Index      what a spiller's files hold, checked once
//!            ├────► Stream     a block at a time ──► order ──► Records
//!            └────► Following  what is new in the files, for as long as their spiller goes on ──► Stream
//! ```

mod cursor;
mod entry;
mod error;
mod gap;
mod header;
mod image;
mod kinds;
mod log;
mod loss;
mod mapped;
mod names;
mod order;
mod progress;
mod records;
mod ring_info;
mod rings;
mod segments;
mod snapshot;
mod source;
mod tasks;
#[cfg(test)]
pub(crate) mod tests;
mod wall;

pub use cursor::Cursor;
pub use entry::{Entry, RingId};
pub use error::OpenError;
pub use gap::{Gap, GapCause};
pub use image::Image;
pub use log::Log;
pub use loss::{Loss, RingLoss, SegmentLoss};
pub use names::{FieldSchema, KindSchema, Site};
pub(crate) use order::sort_packed;
pub use progress::Progress;
pub use records::Records;
pub use ring_info::RingInfo;
pub use segments::unbegun;
pub(crate) use snapshot::Snapshot;
pub use tasks::Tasks;
#[cfg(all(test, glasshouse_loom))]
pub(crate) use {source::read_memory, tasks::rows_between};
