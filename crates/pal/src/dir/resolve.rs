//! Owns what a user means by an argument that names a log.

use super::{LogDir, LogFile, UntrustedDir, UntrustedFile};
use std::path::PathBuf;

impl LogDir {
    /// The log that a user means by a file's path, a process id, or `last`. A number is one of this namespace.
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
            return self.of_process(pid);
        }
        let path = PathBuf::from(argument);
        if path.exists() {
            return Ok(path);
        }
        Err(ResolveError::NoSuchFile { path })
    }

    /// The newest log of a process of this namespace.
    fn of_process(&self, pid: u32) -> Result<PathBuf, ResolveError> {
        let of_number = self.list().into_iter().filter(|log| log.process.pid == pid);
        let (elsewhere, here): (Vec<_>, Vec<_>) =
            of_number.partition(|log| log.process.is_elsewhere());
        let first = |logs: Vec<LogFile>| logs.into_iter().next().map(|log| log.path);
        match (first(here), first(elsewhere)) {
            (Some(path), _) => Ok(path),
            (None, Some(path)) => Err(ResolveError::Elsewhere { pid, path }),
            (None, None) => Err(self.unless_refused(|| ResolveError::NoSuchProcess {
                pid,
                dir: self.path.clone(),
            })),
        }
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
    /// Only a process of another namespace, in which numbers are counted by themselves, has a log and this number.
    #[error("process {pid} has no log here, but one of another PID namespace has; name its file: {}", path.display())]
    Elsewhere {
        /// The process's number.
        pid: u32,
        /// The newest such log.
        path: PathBuf,
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
    use crate::dir::tests::place;
    use crate::format::header::Header;
    use std::os::unix::fs::FileExt;

    #[test]
    fn an_argument_is_a_file_a_process_or_the_last() {
        let (place, dir) = place();
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

    #[test]
    fn a_number_means_the_process_of_this_namespace() {
        let (_place, dir) = place();
        let [here, elsewhere] = [0, 1].map(|_| dir.create_log(1).expect("made"));
        let [here, elsewhere] = [&here, &elsewhere].map(|pal| pal.path().expect("a file"));
        let file = std::fs::File::options().write(true).open(elsewhere);
        let at = std::mem::offset_of!(Header, pid_namespace) as u64;
        file.expect("there")
            .write_all_at(&1_u64.to_ne_bytes(), at)
            .expect("written");
        let pid = std::process::id().to_string();
        // It is not the newest.
        assert_eq!(dir.resolve("last").expect("two"), elsewhere);
        assert_eq!(dir.resolve(&pid).expect("this process"), here);
        std::fs::remove_file(here).expect("removed");
        let refused = dir
            .resolve(&pid)
            .expect_err("none is left here")
            .to_string();
        assert!(
            refused.ends_with(&format!("name its file: {}", elsewhere.display())),
            "{refused}"
        );
    }
}
