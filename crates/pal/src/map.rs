//! Owns the memory of a log: maps it, hands out typed views of it, unmaps it with the last view.
//!
//! Everything in a log is an atomic, because other processes read the memory while it is written
//! and could write it, too: no value found there is trusted, and no reference to plain data is
//! ever made. The views carry the mapping along, so that none outlives it.
//!
//! In a child after `fork` the memory of a file is replaced by private pages (see `fork`): the views
//! stay valid and show zeros. Private memory is a copy there, as all of a process's.

use crate::format::header::{Header, RingHeader};
use crate::format::layout::PAGE_BYTES;
use crate::record::Record;
use crate::slot::Slot;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The memory of one log.
pub(crate) struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
    /// What the memory is a window on; none for private memory.
    file: Option<Arc<File>>,
}

// SAFETY: the memory is only ever accessed as atomics through `View`; base and bytes never change,
// and `File` is Send and Sync itself.
unsafe impl Send for Mapping {}
// SAFETY: as above; all methods take `&self` and are safe to call from several threads.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps the first `bytes` of a file, which must be that long, shared with other processes.
    pub(crate) fn shared(file: Arc<File>, bytes: usize) -> io::Result<Mapping> {
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let base = unsafe {
            mmap(
                std::ptr::null_mut(),
                bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                &*file,
                0,
            )?
        };
        Mapping::at(base.cast(), bytes, Some(file))
    }

    /// Private memory of zeros. Pages cost nothing until they are used.
    pub(crate) fn private(bytes: usize) -> io::Result<Mapping> {
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let base = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )?
        };
        Mapping::at(base.cast(), bytes, None)
    }

    fn at(base: *mut u8, bytes: usize, file: Option<Arc<File>>) -> io::Result<Mapping> {
        let base = NonNull::new(base).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Mapping { base, bytes, file })
    }

    pub(crate) fn address(&self) -> usize {
        self.base.as_ptr() as usize
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn file(&self) -> Option<&File> {
        self.file.as_deref()
    }

    /// A view of `count` values from `offset` bytes on.
    ///
    /// # Panics
    ///
    /// When the range does not lie inside the memory or is not aligned: the layout is wrong.
    pub(crate) fn view<T: Shared>(self: &Arc<Self>, offset: usize, count: usize) -> View<T> {
        let bytes = count.checked_mul(size_of::<T>());
        let end = bytes.and_then(|bytes| offset.checked_add(bytes));
        assert!(
            end.is_some_and(|end| end <= self.bytes) && offset.is_multiple_of(align_of::<T>()),
            "a log's layout places {count} values at {offset} in {} bytes",
            self.bytes,
        );
        // SAFETY: `offset` lies inside the mapping, as just checked.
        let start = unsafe { self.base.add(offset) };
        View {
            values: NonNull::slice_from_raw_parts(start.cast(), count),
            _mapping: Arc::clone(self),
        }
    }

    /// Has the file system set the range's blocks aside, so that a later write cannot fail. Nothing
    /// to do for private memory.
    pub(crate) fn allocate(&self, offset: usize, bytes: usize) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        loop {
            match fallocate(file, FallocateFlags::empty(), offset as u64, bytes as u64) {
                Ok(()) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => return write_zeros(file, offset, bytes),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Makes every page of the range present and writable, so that none faults later. The range
    /// must have been allocated.
    pub(crate) fn touch(self: &Arc<Self>, offset: usize, bytes: usize) {
        let first = offset / PAGE_BYTES * PAGE_BYTES;
        let end = (offset + bytes).min(self.bytes);
        if first >= end {
            return;
        }
        // SAFETY: the range lies inside the mapping; populating it changes no byte.
        let populated = unsafe {
            madvise(
                self.base.add(first).as_ptr().cast(),
                end - first,
                Advice::LinuxPopulateWrite,
            )
        };
        if populated.is_ok() {
            return;
        }
        // Kernels before 5.14 do not know the advice: write to each page, changing nothing.
        let words = self.view::<AtomicU64>(first, (end - first) / size_of::<AtomicU64>());
        for word in words.iter().step_by(PAGE_BYTES / size_of::<AtomicU64>()) {
            word.fetch_or(0, Ordering::Relaxed);
        }
    }
}

fn write_zeros(file: &File, offset: usize, bytes: usize) -> io::Result<()> {
    let zeros = [0u8; PAGE_BYTES];
    let mut done = 0;
    while done < bytes {
        let count = (bytes - done).min(PAGE_BYTES);
        file.write_all_at(&zeros[..count], (offset + done) as u64)?;
        done += count;
    }
    Ok(())
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `base` and `bytes` are what mmap returned and was given; no view is left, since
        // each holds this mapping by its Arc. An error leaves the memory mapped, which is harmless.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

/// Values that may be laid over shared memory.
///
/// # Safety
///
/// Every bit pattern must be valid, and every part of the value must be an atomic.
pub(crate) unsafe trait Shared {}

// SAFETY: an atomic of eight bytes; all bit patterns are valid.
unsafe impl Shared for AtomicU64 {}
// SAFETY: four atomics without padding.
unsafe impl Shared for Record {}
// SAFETY: eight atomics without padding.
unsafe impl Shared for Slot {}
// SAFETY: atomics, records and sections only; their sizes add up to the page, as a test asserts.
unsafe impl Shared for Header {}
// SAFETY: atomics and records only; their sizes add up, as a test asserts.
unsafe impl Shared for RingHeader {}

/// Typed access to a part of a mapping, which it keeps alive.
pub(crate) struct View<T: Shared> {
    values: NonNull<[T]>,
    _mapping: Arc<Mapping>,
}

// SAFETY: a view is a shared reference to atomics together with an Arc of a Sync mapping.
unsafe impl<T: Shared> Send for View<T> {}
// SAFETY: as above.
unsafe impl<T: Shared> Sync for View<T> {}

impl<T: Shared> Clone for View<T> {
    fn clone(&self) -> View<T> {
        View {
            values: self.values,
            _mapping: Arc::clone(&self._mapping),
        }
    }
}

impl<T: Shared> Deref for View<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `Mapping::view` checked bounds and alignment, the Arc keeps the memory mapped,
        // and `Shared` says that any contents are valid and may change under a shared reference.
        unsafe { self.values.as_ref() }
    }
}

impl<T: Shared> View<T> {
    /// The first value of a view that was made with at least one.
    pub(crate) fn first(&self) -> &T {
        &self[0]
    }
}

/// One value of a mapping, found without a check.
pub(crate) struct One<T: Shared>(View<T>);

impl<T: Shared> One<T> {
    /// The value at `offset` bytes.
    ///
    /// # Panics
    ///
    /// As [`Mapping::view`].
    pub(crate) fn at(mapping: &Arc<Mapping>, offset: usize) -> One<T> {
        One(mapping.view(offset, 1))
    }
}

impl<T: Shared> Deref for One<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: `One::at` alone makes this, with a view of one value, which `View` keeps mapped.
        unsafe { self.0.values.cast::<T>().as_ref() }
    }
}

/// Values of which there is a power of two, found by numbers that go round and round.
pub(crate) struct Round<T: Shared> {
    values: View<T>,
    mask: usize,
}

impl<T: Shared> Round<T> {
    /// The view as a round.
    ///
    /// # Panics
    ///
    /// When the number of its values is not a power of two.
    pub(crate) fn new(values: View<T>) -> Round<T> {
        assert!(values.len().is_power_of_two(), "a mask finds powers of two");
        Round {
            mask: values.len() - 1,
            values,
        }
    }

    /// Has the processor fetch the value for a number, which will be written soon. Nothing where it cannot be told.
    #[inline(always)]
    pub(crate) fn prefetch(&self, number: u64) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
            let value: *const T = self.at(number);
            // SAFETY: a hint, which reads and writes nothing.
            unsafe { _mm_prefetch::<_MM_HINT_ET0>(value.cast()) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = number;
    }

    /// The value for a number, modulo the number of values.
    #[inline(always)]
    pub(crate) fn at(&self, number: u64) -> &T {
        let index = number as usize & self.mask;
        // SAFETY: the mask is one less than the number of values, as `Round::new` made sure, so that
        // no masked index reaches beyond them; neither ever changes.
        unsafe { self.values.get_unchecked(index) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_memory_is_zero_and_writable() {
        let mapping = Arc::new(Mapping::private(3 * PAGE_BYTES).expect("mapped"));
        mapping.touch(0, 3 * PAGE_BYTES);
        let words = mapping.view::<AtomicU64>(PAGE_BYTES, 512);
        assert!(words.iter().all(|word| word.load(Ordering::Relaxed) == 0));
        words[511].store(7, Ordering::Relaxed);
        drop(mapping);
        assert_eq!(words[511].load(Ordering::Relaxed), 7);
    }

    #[test]
    fn shared_memory_shows_in_its_file() {
        let file = Arc::new(tempfile::tempfile().expect("a temporary file"));
        file.set_len(2 * PAGE_BYTES as u64).expect("made longer");
        let mapping = Mapping::shared(Arc::clone(&file), 2 * PAGE_BYTES);
        let mapping = Arc::new(mapping.expect("mapped"));
        mapping.allocate(0, 2 * PAGE_BYTES).expect("allocated");
        mapping.touch(0, 2 * PAGE_BYTES);
        mapping.view::<AtomicU64>(PAGE_BYTES, 1)[0].store(0x11, Ordering::Relaxed);
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, PAGE_BYTES as u64)
            .expect("read");
        assert_eq!(u64::from_ne_bytes(bytes), 0x11);
    }

    #[test]
    #[should_panic(expected = "a log's layout places")]
    fn a_view_beyond_the_memory_is_refused() {
        let mapping = Arc::new(Mapping::private(PAGE_BYTES).expect("mapped"));
        mapping.view::<AtomicU64>(8, 512);
    }
}
