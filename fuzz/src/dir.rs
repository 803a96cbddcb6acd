//! Owns the directory of segments that is read again and again.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory in memory, where the system has one, and the segments in it.
pub struct HostileDir {
    dir: PathBuf,
    segments: Vec<PathBuf>,
}

/// Where files are in memory.
const MEMORY: &str = "/dev/shm";

impl HostileDir {
    /// An empty one, which the next run of the same process number empties: a fuzz target ends without a last word.
    ///
    /// # Panics
    /// When it cannot be made.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> HostileDir {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let place = match Path::new(MEMORY).is_dir() && std::env::var_os("TMPDIR").is_none() {
            true => PathBuf::from(MEMORY),
            false => std::env::temp_dir(),
        };
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = place.join(format!("glasshouse-fuzz-{}-{count}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).expect("a directory");
        HostileDir {
            dir,
            segments: Vec::new(),
        }
    }

    /// Gives it these segments and no others, and returns where it is.
    ///
    /// # Panics
    /// When there is no memory for them.
    pub fn with(&mut self, segments: &[Vec<u8>]) -> &Path {
        while self.segments.len() > segments.len() {
            let last = self.segments.pop().expect("there are some");
            std::fs::remove_file(last).expect("it was there");
        }
        while self.segments.len() < segments.len() {
            let name = format!("{:08}.seg", self.segments.len() + 1);
            self.segments.push(self.dir.join(name));
        }
        for (path, bytes) in self.segments.iter().zip(segments) {
            let mut file = File::create(path).expect("it can be written");
            file.write_all(bytes).expect("its contents");
        }
        &self.dir
    }
}

impl Drop for HostileDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
