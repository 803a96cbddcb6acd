//! Owns the witness: a page outside of the log that the program stamps after each of its own records, and
//! that is still there when the program is not.

use rustix::mm::{MapFlags, ProtFlags, mmap};
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// The threads that can stamp, each on a cache line of its own.
pub const THREADS: usize = 62;
/// The words of a cache line.
const LINE: usize = 8;
const BYTES: usize = 4096;

/// The page, shared with the process that outlives this one.
#[derive(Clone, Copy)]
pub struct Witness(&'static [AtomicU64; BYTES / 8]);

impl Witness {
    /// Makes the page's file, all zeros.
    pub fn create(path: &Path) -> Witness {
        let made = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path);
        let file = made.expect("a new file");
        file.set_len(BYTES as u64).expect("room for a page");
        Witness::map(&file)
    }

    /// Opens the page that another process made.
    pub fn open(path: &Path) -> Witness {
        let opened = File::options().read(true).write(true).open(path);
        Witness::map(&opened.expect("the page is there"))
    }

    fn map(file: &File) -> Witness {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice touches no existing memory.
        let base = unsafe {
            mmap(
                std::ptr::null_mut(),
                BYTES,
                protection,
                MapFlags::SHARED,
                file,
                0,
            )
        };
        let base = base.expect("mapped").cast::<[AtomicU64; BYTES / 8]>();
        // SAFETY: the mapping is a page long and is never unmapped; pages are aligned; any bytes are valid
        // atomics, and the file is never made shorter.
        Witness(unsafe { &*base })
    }

    /// The program says that it is in full swing.
    pub fn set_ready(&self) {
        self.0[0].store(1, Ordering::Release);
    }

    /// Whether it said so.
    pub fn is_ready(&self) -> bool {
        self.0[0].load(Ordering::Acquire) != 0
    }

    /// A thread has recorded its `number`-th beat.
    pub fn stamp(&self, thread: usize, number: u64) {
        // Release: the record comes before its stamp.
        self.0[(thread + 1) * LINE].store(number, Ordering::Release);
    }

    /// The last beat that a thread stamped; zero for none.
    pub fn stamped(&self, thread: usize) -> u64 {
        self.0[(thread + 1) * LINE].load(Ordering::Acquire)
    }
}
