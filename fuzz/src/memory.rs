//! Owns the bound on what a reader may take from the heap.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What a question may take whatever the log: two pieces of a file, the descriptions of all kinds, a page.
const FIXED_BYTES: usize = 512 << 10;

/// Calls `f`, which may take at most `times` the file's bytes from the heap, beside what any question takes.
///
/// # Panics
/// When it takes more.
pub fn bounded<R>(what: &str, file_bytes: usize, times: usize, f: impl FnOnce() -> R) -> R {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = f();
    let taken = ALLOCATOR.peak_usage().saturating_sub(before);
    let bound = file_bytes * times + FIXED_BYTES;
    assert!(
        taken <= bound,
        "{what} took {taken} bytes of the heap for a file of {file_bytes}"
    );
    result
}
