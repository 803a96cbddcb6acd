//! Owns the directory where logs lie: which there are, whose they are, and which are let go.
//!
//! ```text
//! /dev/shm/glasshouse-<uid>/      0700, a memory file system: no disk stalls a writer
//!     <pid>-<start time>.pal      0600; a process that executed another program may have two
//! ```

mod prune;
mod resolve;
mod trust;

pub use resolve::ResolveError;
pub use trust::{UntrustedDir, UntrustedFile};

use crate::create::{CreateError, create_at};
use crate::format::header::Lifecycle;
use crate::format::layout::Shape;
use crate::host::ProcessId;
use crate::pal::Pal;
use crate::reader::Log;
use rustix::fs::{CWD, Mode, OFlags, fstat, mkdirat, openat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::read_dir;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A directory of logs.
///
/// ```
/// use glasshouse_pal::dir::LogDir;
/// let place = tempfile::tempdir().expect("a temporary directory");
/// let dir = LogDir::at(place.path().join("logs"));
/// let pal = dir.create_log(1).expect("a log of this process");
/// let found = dir.list();
/// assert_eq!(found[0].process.pid, std::process::id());
/// assert!(found[0].is_alive);
/// assert_eq!(dir.resolve("last").expect("one log"), pal.path().expect("a file"));
/// ```
#[derive(Clone, Debug)]
pub struct LogDir {
    path: PathBuf,
}

/// The ending of a log's name.
const EXTENSION: &str = "pal";
/// The logs of one process, each but the first left by a program that executed the next.
const LOGS_OF_ONE_PROCESS: u32 = 16;

impl LogDir {
    /// Where this user's processes leave their logs: in `/dev/shm`.
    pub fn default_place() -> LogDir {
        LogDir::at(format!("/dev/shm/glasshouse-{}", geteuid().as_raw()))
    }

    /// Another directory. It need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> LogDir {
        LogDir { path: path.into() }
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a log of this process here.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made, is another user's or open to others, or the log cannot be
    /// made in it.
    pub fn create_log(&self, workers: usize) -> Result<Pal, CreateError> {
        self.create_shaped(Shape::process(workers))
    }

    pub(crate) fn create_shaped(&self, shape: Shape) -> Result<Pal, CreateError> {
        let dir = self.open()?;
        let process = ProcessId::current();
        let stem = format!("{}-{}", process.pid, process.start_time);
        let mut number = 1;
        loop {
            let name = match number {
                1 => format!("{stem}.{EXTENSION}"),
                number => format!("{stem}-{number}.{EXTENSION}"),
            };
            let path = self.path.join(&name);
            let made = create_at(
                std::os::fd::AsFd::as_fd(&dir),
                Path::new(&name),
                &path,
                shape,
            );
            match made {
                Err(CreateError::Occupied { .. }) if number < LOGS_OF_ONE_PROCESS => number += 1,
                made => return made,
            }
        }
    }

    /// Opens the directory, made if need be, and checks that nobody else can put files into it.
    pub(crate) fn open(&self) -> Result<OwnedFd, CreateError> {
        let failed = |error: Errno| CreateError::Open {
            path: self.path.clone(),
            source: error.into(),
        };
        match mkdirat(CWD, &self.path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(failed(error)),
        }
        trust::check(&self.path)?;
        // A link that another user leaves in this place meanwhile is not followed.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let dir = openat(CWD, &self.path, flags, Mode::empty()).map_err(failed)?;
        trust::check_stat(&self.path, &fstat(&dir).map_err(failed)?)?;
        Ok(dir)
    }

    /// Whether the logs here are this user's own, as nobody else can have put them here. A directory that does
    /// not exist holds none.
    ///
    /// # Errors
    ///
    /// When it is a link, another user's, or open to others.
    pub fn check(&self) -> Result<(), UntrustedDir> {
        trust::check(&self.path)
    }

    /// The logs here, the newest first. Files that are no logs are left out, and those of [`LogDir::refused`]; a
    /// directory that does not exist holds none, and neither does one that cannot be trusted: see [`LogDir::check`].
    pub fn list(&self) -> Vec<LogFile> {
        let trusted = self.files().filter_map(Result::ok);
        let mut logs: Vec<LogFile> = trusted.filter_map(|path| LogFile::inspect(&path)).collect();
        logs.sort_by_key(|log| std::cmp::Reverse((log.started_wall_ns, log.path.clone())));
        logs
    }

    /// Files here that have a log's name and are not taken for one: links, another user's, those that others may write
    /// to, and those that cannot be read.
    pub fn refused(&self) -> Vec<UntrustedFile> {
        self.files().filter_map(Result::err).collect()
    }

    /// The files here that have a log's name.
    fn files(&self) -> impl Iterator<Item = Result<PathBuf, UntrustedFile>> {
        let dir = self.check().ok().and_then(|()| read_dir(&self.path).ok());
        let paths = dir
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()));
        let named = paths.filter(|path| path.extension().is_some_and(|end| end == EXTENSION));
        named.map(trust::check_file)
    }
}

/// A log in a directory.
///
/// ```
/// use glasshouse_pal::{Lifecycle, dir::LogDir};
/// let place = tempfile::tempdir().expect("a temporary directory");
/// let dir = LogDir::at(place.path().join("logs"));
/// let _pal = dir.create_log(1).expect("a log of this process");
/// assert_eq!(dir.list()[0].lifecycle, Lifecycle::Running);
/// ```
#[derive(Clone, Debug)]
pub struct LogFile {
    /// The file.
    pub path: PathBuf,
    /// The process that wrote it.
    pub process: ProcessId,
    /// That process's name, cut to fifteen bytes; it may hold any character.
    pub command: String,
    /// Whether that process still runs.
    pub is_alive: bool,
    /// What it last said of its end.
    pub lifecycle: Lifecycle,
    /// When the log was begun, in nanoseconds since 1970 UTC.
    pub started_wall_ns: u64,
    /// When the file was written last, as far as its file system knows.
    pub modified: SystemTime,
    /// The memory or disk space that it takes.
    pub used_bytes: u64,
}

impl LogFile {
    /// What a log's first page and its file system tell; `None` for a file that is no log.
    pub fn inspect(path: &Path) -> Option<LogFile> {
        let log = Log::open(path).ok()?;
        let metadata = std::fs::symlink_metadata(path).ok()?;
        Some(LogFile {
            path: path.to_owned(),
            process: log.process(),
            command: log.command().to_owned(),
            is_alive: log.is_alive(),
            lifecycle: log.lifecycle(),
            started_wall_ns: log.clock_pairs().first().map_or(0, |pair| pair.wall_ns),
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            // The unit of this field, whatever the file system's blocks are.
            used_bytes: metadata.blocks() * 512,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    pub(super) fn place() -> (tempfile::TempDir, LogDir) {
        let place = tempfile::tempdir().expect("a temporary directory");
        let dir = LogDir::at(place.path().join("logs"));
        (place, dir)
    }

    #[test]
    fn the_directory_is_made_for_its_owner_only() {
        let (_place, dir) = place();
        let _pal = dir.create_log(1).expect("made");
        let mode = std::fs::metadata(dir.path())
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_directory_that_others_may_enter_is_not_used() {
        let (_place, dir) = place();
        std::fs::create_dir(dir.path()).expect("made");
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(dir.path(), open).expect("opened");
        assert_refused(&dir, "others may enter it");
    }

    /// The directory is refused to who would put a log there, and to who looks for one.
    fn assert_refused(dir: &LogDir, reason: &str) {
        let made = dir.create_log(1).err().expect("refused").to_string();
        let place = dir.path().display();
        let expected = format!(
            "will not keep or look for logs in {place}: {reason}; make it a directory of your own of mode 0700, or \
             name another"
        );
        assert_eq!(made, expected);
        for argument in ["last", "1"] {
            let found = dir.resolve(argument).expect_err("refused").to_string();
            assert_eq!(found, expected);
        }
        assert!(dir.list().is_empty());
    }

    #[test]
    fn a_directory_of_another_user_is_not_used() {
        let (_place, dir) = place();
        let _pal = dir.create_log(1).expect("made");
        let nobody = Some(65_534);
        match std::os::unix::fs::chown(dir.path(), nobody, None) {
            Ok(()) => assert_refused(&dir, "it belongs to another user"),
            Err(error) => println!("left out: this user cannot give a directory away: {error}"),
        }
    }

    #[test]
    fn a_link_in_the_directory_s_place_is_not_followed() {
        let (place, dir) = place();
        let elsewhere = place.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).expect("made");
        symlink(&elsewhere, dir.path()).expect("linked");
        assert_refused(&dir, "it is a symbolic link");
        assert_eq!(std::fs::read_dir(&elsewhere).expect("there").count(), 0);
    }

    #[test]
    fn a_link_or_a_file_of_another_user_or_open_to_others_is_not_taken_for_a_log() {
        let (place, dir) = place();
        let pal = dir.create_log(1).expect("made");
        let path = pal.path().expect("a file").to_owned();
        let moved = place.path().join("mine");
        std::fs::rename(&path, &moved).expect("moved");
        let assert_refused = |reason: &str| {
            let refused = dir.refused();
            assert_eq!(refused.len(), 1, "{refused:?}");
            assert_eq!((&refused[0].path, refused[0].reason), (&path, reason));
            assert!(dir.list().is_empty());
            for argument in ["last", &std::process::id().to_string()] {
                let found = dir.resolve(argument).expect_err("refused").to_string();
                let expected = format!(
                    "will not take {} for a log: {reason}; remove it, or name the file that is meant",
                    path.display()
                );
                assert_eq!(found, expected);
            }
        };
        symlink(&moved, &path).expect("linked");
        assert_refused("it is a symbolic link");
        std::fs::rename(&moved, &path).expect("moved back");
        assert_eq!(dir.list().len(), 1);
        let open = std::fs::Permissions::from_mode(0o620);
        std::fs::set_permissions(&path, open).expect("opened");
        assert_refused("others may write to it");
        match std::os::unix::fs::chown(&path, Some(65_534), None) {
            Ok(()) => assert_refused("it belongs to another user"),
            Err(error) => println!("left out: this user cannot give a file away: {error}"),
        }
    }

    #[test]
    fn a_program_that_executes_another_leaves_room_for_its_log() {
        let (_place, dir) = place();
        // As the same process: number and start time stay.
        let (first, second) = (dir.create_log(1), dir.create_log(1));
        let (first, second) = (first.expect("made"), second.expect("made"));
        assert_ne!(first.path(), second.path());
        assert_eq!(dir.list().len(), 2);
    }
}
