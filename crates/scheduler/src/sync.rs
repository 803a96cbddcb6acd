//! Owns the choice of what threads share data by: the standard library's, or loom's when the protocols are
//! modelled.
//!
//! Only the files whose protocol is modelled (`task/state.rs`, `queue/`, `idle.rs`, `parker.rs`, `futex.rs`,
//! `time/timers.rs`, `watchdog/doze.rs`, `runtime/shutdown.rs`, `runtime/registry.rs`, `driver/readiness.rs`,
//! `driver/source.rs`, `driver/turn.rs`, `blocking/pool.rs`) take it from here, and those that tell threads apart
//! (`runtime/context.rs`, `runtime/entered.rs`).

#[cfg(not(glasshouse_loom))]
pub(crate) use std::{
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    },
    sync::{Condvar, Mutex, MutexGuard},
    thread, thread_local,
};

#[cfg(not(glasshouse_loom))]
pub(crate) use crossbeam_queue::SegQueue;

#[cfg(glasshouse_loom)]
pub(crate) use loom::{
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    },
    sync::{Condvar, Mutex, MutexGuard},
    thread,
};

/// Loom's, which knows no constant initialisers.
#[cfg(glasshouse_loom)]
macro_rules! loom_thread_local {
    ($($(#[$attribute:meta])* static $name:ident: $type:ty = const $init:block;)*) => {
        $(loom::thread_local! { $(#[$attribute])* static $name: $type = $init; })*
    };
}
#[cfg(glasshouse_loom)]
pub(crate) use loom_thread_local as thread_local;

#[cfg(glasshouse_loom)]
pub(crate) use seg_queue::SegQueue;
#[cfg(glasshouse_loom)]
mod seg_queue;

/// Orders the caller's sequentially consistent accesses before and after it under loom, which takes them for
/// acquire and release only.
#[inline(always)]
pub(crate) fn seq_cst_under_loom() {
    #[cfg(glasshouse_loom)]
    fence(Ordering::SeqCst);
}

/// A sequentially consistent fence, to be called right after a compare-exchange that succeeded: on x86 that was
/// one already, so that only the compiler has to be told.
#[inline(always)]
pub(crate) fn fence_after_exchange() {
    #[cfg(any(glasshouse_loom, not(target_arch = "x86_64")))]
    fence(Ordering::SeqCst);
    #[cfg(all(not(glasshouse_loom), target_arch = "x86_64"))]
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
}
