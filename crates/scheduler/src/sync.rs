//! Owns the choice of atomics: the standard library's, or loom's when the protocols are modelled.
//!
//! Only the files whose protocol is modelled (`task/state.rs`, `queue/local.rs`, `idle.rs`, `parker.rs`,
//! `time/timers.rs`, `watchdog/doze.rs`) take their atomics from here.

#[cfg(not(glasshouse_loom))]
pub(crate) use std::{
    sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering, fence},
    sync::{Mutex, MutexGuard},
    thread,
};

#[cfg(glasshouse_loom)]
pub(crate) use loom::{
    sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, Ordering, fence},
    sync::{Mutex, MutexGuard},
    thread,
};
