//! Owns what records name but do not hold: texts and spawn sites, each stored once.
//!
//! Both are bounded and only grow. Finding what is already there takes no lock and no memory;
//! adding takes a lock and no memory. When there is no room, `_other` stands in, and it is counted.

mod lookup;
mod sites;
mod text_buf;
mod texts;

pub(crate) use sites::Sites;
pub use text_buf::TextBuf;
pub(crate) use texts::Texts;

/// The longest text, in bytes; longer ones are cut.
pub const TEXT_BYTES_MAX: usize = 256;
/// The text that stands for all that found no room. Always the first in the arena.
pub(crate) const OTHER: &str = "_other";
