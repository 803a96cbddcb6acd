//! Owns what happens to a process's logs when it forks, and when it exits.
//!
//! A child must not write into its parent's log. Before it runs any other code, private pages of
//! zeros take the place of the log's memory: the child's views stay valid and lead nowhere. The file
//! itself is let go, as the lock on it says that the parent lives, and so are a spiller's directory and
//! segment. A scheduler that the child makes gets a log of the child's own. A child made by `posix_spawn` or `vfork` runs no such handler, and
//! no code of this crate either before it executes another program.

mod own_file;

use crate::format::header::Lifecycle;
use crate::map::Mapping;
use crate::panics;
use crate::process;
use once_cell::sync::Lazy;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use std::ffi::{c_int, c_void};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

pub(crate) use own_file::OwnFile;

/// The logs in files that a process can have at a time with this protection; `Pal::create` refuses
/// to make more.
pub(crate) const GUARDED_MAX: usize = 64;

/// How many forks lie between the process that was started and this one, as far as they had logs.
static FORKS: AtomicUsize = AtomicUsize::new(0);

/// Where a log's memory is, and its file. A length of zero is a free place, `CLAIMED` one being filled.
struct Place {
    address: AtomicUsize,
    bytes: AtomicUsize,
    descriptor: AtomicI32,
}

const CLAIMED: usize = usize::MAX;
/// Instead of a descriptor.
const NO_FILE: c_int = -1;

static PLACES: [Place; GUARDED_MAX] = [const {
    Place {
        address: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        descriptor: AtomicI32::new(NO_FILE),
    }
}; GUARDED_MAX];

/// Changes when the process is forked: what belongs to a process and is kept in its memory is the parent's where
/// this is another than when it was kept.
pub(crate) fn generation() -> usize {
    FORKS.load(Ordering::Relaxed)
}

/// Has [`generation`] change from now on, also where no log is in a file. Where it cannot, a child takes its parent's log
/// in private memory for its own: what it writes there is its own copy.
pub(crate) fn count_forks() {
    install_handler();
}

/// Keeps a log's memory on the list. Dropped before the memory is unmapped, and the file closed.
pub(crate) struct ForkGuard {
    place: usize,
    /// Keeps the memory mapped, and its file open, for as long as it is on the list.
    _mapping: Arc<Mapping>,
}

impl ForkGuard {
    /// Puts a log on the list; `None` when the list is full or the handler cannot be installed.
    pub(crate) fn new(mapping: &Arc<Mapping>) -> Option<ForkGuard> {
        if !install_handler() {
            return None;
        }
        let place = PLACES.iter().position(|place| {
            let claim =
                place
                    .bytes
                    .compare_exchange(0, CLAIMED, Ordering::Acquire, Ordering::Relaxed);
            claim.is_ok()
        })?;
        let descriptor = mapping.file().map_or(NO_FILE, AsRawFd::as_raw_fd);
        PLACES[place]
            .address
            .store(mapping.address(), Ordering::Relaxed);
        PLACES[place]
            .descriptor
            .store(descriptor, Ordering::Relaxed);
        // Pairs with the acquire load in the child: a length is only seen with its address and descriptor.
        PLACES[place]
            .bytes
            .store(mapping.bytes(), Ordering::Release);
        Some(ForkGuard {
            place,
            _mapping: Arc::clone(mapping),
        })
    }
}

impl Drop for ForkGuard {
    fn drop(&mut self) {
        PLACES[self.place].bytes.store(0, Ordering::Release);
    }
}

fn install_handler() -> bool {
    static IS_INSTALLED: Lazy<bool> = Lazy::new(|| {
        // SAFETY: the handler is a function of this program, which stays loaded as long as it runs.
        let error = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
        error == 0
    });
    *IS_INSTALLED
}

/// Runs in a new child before `fork` returns there. Makes system calls only: another thread of the
/// parent may have held any lock.
extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    panics::begin_in_child();
    // SAFETY: opens a file of its own; the path is a string with an end. Where it cannot be had, the parent's files
    // stay open here, and its logs look alive until this process ends, to a reader in a container.
    let nothing = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    for place in &PLACES {
        let bytes = place.bytes.load(Ordering::Acquire);
        if bytes == 0 || bytes == CLAIMED {
            continue;
        }
        let address = place.address.load(Ordering::Relaxed) as *mut c_void;
        // SAFETY: the range is exactly one mapping of this crate, which a `ForkGuard` kept mapped at
        // the moment of the fork. Nothing but atomics is ever read there, so that zeros are valid
        // contents; no other thread exists in the child yet.
        let replaced = unsafe {
            mmap_anonymous(
                address,
                bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::FIXED,
            )
        };
        if replaced.is_err() {
            // To go on would write into the parent's log.
            // SAFETY: abort may be called at any time.
            unsafe { libc::abort() };
        }
        // Once: what a later child finds there may be another file, opened since.
        replace_file(place.descriptor.swap(NO_FILE, Ordering::Relaxed), nothing);
    }
    own_file::take_all().for_each(|descriptor| replace_file(descriptor, nothing));
    if nothing >= 0 {
        // SAFETY: opened above, and known to nobody else.
        unsafe { libc::close(nothing) };
    }
}

/// Has the descriptor lead to the other's file, if there are both. It stays one that its holder may close.
fn replace_file(descriptor: c_int, other: c_int) {
    if descriptor != NO_FILE && other >= 0 {
        // SAFETY: the descriptor is that of a log's file, which a `ForkGuard` kept open at the moment of the fork, or
        // an `OwnFile`'s. Nothing is read or written through it any more: the memory that the one was mapped to has
        // been replaced, and who holds the other does nothing in a child.
        unsafe { libc::dup3(other, descriptor, libc::O_CLOEXEC) };
    }
}

/// Has the process's log say so when the process ends by `exit` or by returning from `main`.
pub(crate) fn close_at_exit() {
    // SAFETY: the handler is a function of this program, which stays loaded as long as it runs. If
    // it cannot be registered the log reads "running" after the end, as after a kill.
    unsafe { libc::atexit(at_exit) };
}

extern "C" fn at_exit() {
    if let Some(pal) = process::existing() {
        let lifecycle = panics::lifecycle_at_exit();
        if lifecycle == Lifecycle::CleanExit && panics::is_any_under_way() {
            // Of other threads, which it does not end by.
            pal.go_on();
        }
        pal.end(lifecycle);
    }
}
