//! Owns the shape of a log: what lies where in the file, in words of eight bytes.
//!
//! ```text
//! header     one page: identity, versions, lifecycle, clock, losses, the table of sections
//! schema     what each record kind is called, and its fields
//! rings'     one header a ring: head, heartbeat, current task, time per state, counts, clock pairs
//!   headers
//! texts      index and bytes of the arena: names, files, error texts
//! sites      spawn locations
//! rings      the records
//! tasks      the task table, sparse beyond what was used
//! ```
//!
//! All words are in the byte order of the machine that wrote the log; a word in the header tells.

pub(crate) mod codec;
pub(crate) mod header;
pub(crate) mod kind;
pub(crate) mod layout;
