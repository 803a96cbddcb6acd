//! Owns what a user means by an argument that names a log.

use super::{LogDir, UntrustedDir, UntrustedFile};
use std::path::PathBuf;

impl LogDir {
    /// The log that a user means by a file's path, a process id, or `last`.
    ///
    /// # Errors
    ///
    /// When there is no such log, or the directory is one in which others could have put it.
    pub fn resolve(&self, argument: &str) -> Result<PathBuf, ResolveError> {
        if argument == "last" {
            self.check()?;
            let newest = self.list().into_iter().next();
            let none = || ResolveError::Empty {
                dir: self.path.clone(),
            };
            return newest
                .map(|log| log.path)
                .ok_or_else(|| self.unless_refused(none));
        }
        // A number is a process, unless a file of that name is meant: `./123` says so.
        if let Ok(pid) = argument.parse::<u32>() {
            self.check()?;
            let found = self.list().into_iter().find(|log| log.process.pid == pid);
            let none = || ResolveError::NoSuchProcess {
                pid,
                dir: self.path.clone(),
            };
            return found
                .map(|log| log.path)
                .ok_or_else(|| self.unless_refused(none));
        }
        let path = PathBuf::from(argument);
        if path.exists() {
            return Ok(path);
        }
        Err(ResolveError::NoSuchFile { path })
    }

    /// Why no log was found: a file that was refused may be the one.
    fn unless_refused(&self, none: impl FnOnce() -> ResolveError) -> ResolveError {
        let refused = self.refused().into_iter().next();
        refused.map_or_else(none, ResolveError::Refused)
    }
}

/// Why an argument names no log.
///
/// ```
/// use glasshouse_pal::dir::{LogDir, ResolveError};
/// let place = tempfile::tempdir().expect("a temporary directory");
/// let refused = LogDir::at(&place.path().join("logs")).resolve("last");
/// assert!(matches!(refused, Err(ResolveError::Empty { .. })));
/// ```
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// No log lies in the directory.
    #[error("there is no log in {}; run a program that writes one, or name a file", dir.display())]
    Empty {
        /// The directory.
        dir: PathBuf,
    },
    /// No log of this process lies in the directory.
    #[error("process {pid} has no log in {}; `glasshouse ps` lists those that have", dir.display())]
    NoSuchProcess {
        /// The process's number.
        pid: u32,
        /// The directory.
        dir: PathBuf,
    },
    /// There is no such file.
    #[error("there is no file {}; name a log, a process id, or `last`", path.display())]
    NoSuchFile {
        /// The path.
        path: PathBuf,
    },
    /// The directory is one in which others could have put a log.
    #[error(transparent)]
    Untrusted(#[from] UntrustedDir),
    /// No log was found, but a file that is not taken for one.
    #[error(transparent)]
    Refused(UntrustedFile),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_a_file_a_process_or_the_last() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let dir = LogDir::at(place.path().join("logs"));
        let pal = dir.create_log(1).expect("made");
        let path = pal.path().expect("a file").to_owned();
        let pid = std::process::id().to_string();
        assert_eq!(dir.resolve("last").expect("the only one"), path);
        assert_eq!(dir.resolve(&pid).expect("this process"), path);
        let named = path.to_str().expect("UTF-8");
        assert_eq!(dir.resolve(named).expect("a file"), path);
        let nobody = dir.resolve("4294967295").expect_err("no process");
        assert!(matches!(nobody, ResolveError::NoSuchProcess { .. }));
        let missing = place.path().join("none");
        let missing = dir
            .resolve(missing.to_str().expect("UTF-8"))
            .expect_err("no file");
        assert!(matches!(missing, ResolveError::NoSuchFile { .. }));
    }
}
