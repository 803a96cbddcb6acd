//! Owns what `top` knows, without a terminal: what a log says of the present, and of any moment that its rings
//! still hold.
//!
//! ```text
//! ring headers, task table ──► Live ──┐
//!        new records ─► Ledger ───┘   ├──► Moment ──► order ──► view
//!        all records ─► Fold ─────► Replay ──┘
//!        one task's records ──────► History ──────────────────► view
//! ```

mod fold;
mod history;
mod kinds;
mod ledger;
mod live;
mod load;
mod moment;
mod older;
mod order;
mod recent;
mod replay;

pub use history::{History, Stay};
pub use live::Live;
pub use moment::{Lane, Moment, Pty, Task, Worker};
pub use order::{Key, Listing, Order};
pub use replay::Replay;

#[cfg(test)]
pub mod tests;
