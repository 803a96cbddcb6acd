//! Owns the choice of atomics: the standard library's, or loom's when the scheduler's protocols are modelled.
//!
//! Only what threads hand over together with a task (`trace.rs`) takes its atomics from here.

#[cfg(not(glasshouse_loom))]
pub(crate) use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

#[cfg(glasshouse_loom)]
pub(crate) use loom::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};
