//! Owns the choice of atomics: the standard library's, or loom's when the protocols are modelled.
//!
//! Only the files whose protocol is modelled (`task/state.rs`, `queue/local.rs`, `idle.rs`, `parker.rs`)
//! take their atomics from here.

#[cfg(not(glasshouse_loom))]
pub(crate) use std::{
    sync::Mutex,
    sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering, fence},
    thread,
};

#[cfg(glasshouse_loom)]
pub(crate) use loom::{
    sync::Mutex,
    sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering, fence},
    thread,
};
