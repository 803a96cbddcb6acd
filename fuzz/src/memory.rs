//! Owns the bound on what a reader may take from the heap.
//!
//! With `FUZZ_MEMORY` set, each question that takes more of the heap than it ever did is told on standard error:
//! `cargo fuzz run TARGET CORPUS -- -runs=0` then shows what a corpus can make of a byte.

use peak_alloc::PeakAlloc;
use std::cell::RefCell;
use std::collections::BTreeMap;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What a question may take whatever the log: two pieces of a file, the descriptions of all kinds, a page.
const FIXED_BYTES: usize = 512 << 10;

/// What a question may take of the heap.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// For each byte of the files.
    pub times: usize,
    /// For each byte that is unpacked meanwhile, up to `unpacked_most` in all.
    pub unpacked_times: usize,
    pub unpacked_most: usize,
}

impl Bound {
    /// So many times the files' bytes.
    pub const fn times(times: usize) -> Bound {
        Bound {
            times,
            unpacked_times: 0,
            unpacked_most: 0,
        }
    }

    fn bytes(self, file_bytes: usize) -> usize {
        let unpacked = (file_bytes * self.unpacked_times).min(self.unpacked_most);
        file_bytes * self.times + unpacked + FIXED_BYTES
    }
}

/// Calls `f`, which may take so much from the heap for files of so many bytes.
///
/// # Panics
/// When it takes more.
pub fn bounded<R>(what: &'static str, file_bytes: usize, bound: Bound, f: impl FnOnce() -> R) -> R {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = f();
    let taken = ALLOCATOR.peak_usage().saturating_sub(before);
    let most = bound.bytes(file_bytes);
    assert!(
        taken <= most,
        "{what} took {taken} bytes of the heap for {file_bytes} bytes of files, and may take {most}"
    );
    tell(what, taken, file_bytes);
    result
}

/// Tells when a question took more than ever: in all, or beside its fixed part for each byte.
fn tell(what: &'static str, taken: usize, file_bytes: usize) {
    thread_local! {
        static IS_TOLD: bool = std::env::var_os("FUZZ_MEMORY").is_some();
        static MOST: RefCell<BTreeMap<&'static str, (usize, usize)>> = RefCell::default();
    }
    if !IS_TOLD.with(|is_told| *is_told) {
        return;
    }
    let times = taken.saturating_sub(FIXED_BYTES) / file_bytes.max(1);
    MOST.with_borrow_mut(|most| {
        let most = most.entry(what).or_default();
        if taken > most.0 || times > most.1 {
            *most = (most.0.max(taken), most.1.max(times));
            eprintln!(
                "memory: {what}: {taken} bytes for {file_bytes}, {times} times beyond {FIXED_BYTES}"
            );
        }
    });
}
