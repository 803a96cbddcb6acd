//! Owns the file that is read again and again: in memory, and without a name that would stay.

use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// A file in memory, and the path by which this process opens it.
pub struct HostileFile {
    file: File,
    path: PathBuf,
}

impl HostileFile {
    /// An empty one.
    ///
    /// # Panics
    /// When the kernel has no memory files.
    #[expect(clippy::new_without_default, reason = "it makes a file")]
    pub fn new() -> HostileFile {
        let fd = memfd_create("hostile", MemfdFlags::CLOEXEC).expect("a memory file");
        HostileFile {
            path: format!("/proc/self/fd/{}", fd.as_raw_fd()).into(),
            file: File::from(fd),
        }
    }

    /// Gives it these contents, and returns where it is.
    ///
    /// # Panics
    /// When there is no memory for them.
    pub fn with(&self, bytes: &[u8]) -> &PathBuf {
        self.file.set_len(bytes.len() as u64).expect("its length");
        self.file.write_all_at(bytes, 0).expect("its contents");
        &self.path
    }
}
