//! Owns the switch between recording and not, for the whole crate.

/// Whether anything is recorded. A constant, so that what it guards is compiled out where it is not.
pub(crate) const ENABLED: bool = cfg!(feature = "record");
