//! Owns the files that a child is not to keep open: who holds a lock on one of them, and whose space it takes, is the
//! process that opened it.

use super::{NO_FILE, install_handler};
use std::ffi::c_int;
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicI32, Ordering};

/// The files that a process can have so at a time: a directory and an open segment for each of 128 spillers. Of further
/// ones a child keeps what its parent had open.
const OWN_FILES_MAX: usize = 256;

static DESCRIPTORS: [AtomicI32; OWN_FILES_MAX] = [const { AtomicI32::new(NO_FILE) }; OWN_FILES_MAX];

/// An open file that leads nowhere in a child: a lock belongs to what was opened, and a child's copy of the descriptor
/// would keep it after the process that took it.
pub(crate) struct OwnFile<F: AsFd> {
    file: F,
    /// Among [`DESCRIPTORS`].
    place: Option<usize>,
}

impl<F: AsFd> OwnFile<F> {
    /// Of a file that was opened just now, and not locked yet.
    pub(crate) fn new(file: F) -> OwnFile<F> {
        let mut place = None;
        if install_handler() {
            let descriptor = file.as_fd().as_raw_fd();
            place = (0..OWN_FILES_MAX).find(|place| replace(*place, NO_FILE, descriptor));
        }
        OwnFile { file, place }
    }
}

impl<F: AsFd> Deref for OwnFile<F> {
    type Target = F;

    fn deref(&self) -> &F {
        &self.file
    }
}

impl<F: AsFd> Drop for OwnFile<F> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            // Before the file is closed: its descriptor may be another's at once. In a child it is not there any more.
            replace(place, self.file.as_fd().as_raw_fd(), NO_FILE);
        }
    }
}

/// Puts a descriptor in the place of another; whether that was there.
fn replace(place: usize, known: c_int, descriptor: c_int) -> bool {
    let (order, failure) = (Ordering::AcqRel, Ordering::Relaxed);
    let replaced = DESCRIPTORS[place].compare_exchange(known, descriptor, order, failure);
    replaced.is_ok()
}

/// The descriptors of all of them, none of which is on the list any more.
pub(super) fn take_all() -> impl Iterator<Item = c_int> {
    let descriptors = DESCRIPTORS.iter();
    descriptors.map(|place| place.swap(NO_FILE, Ordering::AcqRel))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_on_the_list_as_long_as_it_is_open() {
        // More than the list has room for. Other tests of this process have such files, too.
        for _ in 0..4 * OWN_FILES_MAX {
            let file = OwnFile::new(tempfile::tempfile().expect("a temporary file"));
            let descriptor = file.as_raw_fd();
            let mut listed = DESCRIPTORS.iter();
            assert!(listed.any(|listed| listed.load(Ordering::Relaxed) == descriptor));
        }
    }
}
