//! Owns the question whether a directory can be trusted with logs: whether nobody else can put files into it; and
//! whether a file there can be one.

use rustix::fs::{AtFlags, CWD, FileType, Stat, statat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A directory in which others could have put a log, or could read one.
///
/// ```
/// use glasshouse_pal::CreateError;
/// use glasshouse_pal::dir::LogDir;
/// // Anybody may put files there.
/// let Err(CreateError::Untrusted(refused)) = LogDir::at("/tmp").create_log(1) else {
///     panic!("it is no place for logs");
/// };
/// assert_eq!(refused.dir, std::path::Path::new("/tmp"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "will not keep or look for logs in {}: {reason}; make it a directory of your own of mode 0700, or name another",
    dir.display()
)]
pub struct UntrustedDir {
    /// The directory.
    pub dir: PathBuf,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Whether nobody else can put files into the directory, by what its path leads to without following a link.
/// One that does not exist, or cannot be looked at, holds no logs that could be believed.
pub(super) fn check(dir: &Path) -> Result<(), UntrustedDir> {
    match statat(CWD, dir, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => check_stat(dir, &stat),
        Err(Errno::NOENT) => Ok(()),
        Err(_) => Err(untrusted(dir, "it cannot be looked at")),
    }
}

/// [`check`] of a directory that is open, or of what a path leads to.
pub(super) fn check_stat(dir: &Path, stat: &Stat) -> Result<(), UntrustedDir> {
    let reason = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Symlink => "it is a symbolic link",
        FileType::Directory if stat.st_uid != geteuid().as_raw() => "it belongs to another user",
        FileType::Directory if stat.st_mode & 0o077 != 0 => "others may enter it",
        FileType::Directory => return Ok(()),
        _ => "it is not a directory",
    };
    Err(untrusted(dir, reason))
}

fn untrusted(dir: &Path, reason: &'static str) -> UntrustedDir {
    UntrustedDir {
        dir: dir.to_owned(),
        reason,
    }
}

/// A file among the logs that is not taken for one: nothing here makes such files.
///
/// ```
/// use glasshouse_pal::dir::LogDir;
/// # let place = tempfile::tempdir().expect("a temporary directory");
/// let dir = LogDir::at(place.path().join("logs"));
/// let pal = dir.create_log(1).expect("a log of this process");
/// let link = dir.path().join("link.pal");
/// std::os::unix::fs::symlink(pal.path().expect("a file"), &link).expect("made");
/// assert_eq!(dir.refused()[0].path, link);
/// assert_eq!(dir.list().len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("will not take {} for a log: {reason}; remove it, or name the file that is meant", path.display())]
pub struct UntrustedFile {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Whether the file can be a log that this user's programs have made.
pub(super) fn check_file(path: PathBuf) -> Result<PathBuf, UntrustedFile> {
    let reason = match statat(CWD, &path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => "it is a symbolic link",
            FileType::RegularFile if stat.st_uid != geteuid().as_raw() => {
                "it belongs to another user"
            }
            FileType::RegularFile if stat.st_mode & 0o022 != 0 => "others may write to it",
            FileType::RegularFile if File::open(&path).is_err() => "it cannot be read",
            FileType::RegularFile => return Ok(path),
            _ => "it is not a file",
        },
        // Removed meanwhile.
        Err(Errno::NOENT) => return Ok(path),
        Err(_) => "it cannot be looked at",
    };
    Err(UntrustedFile { path, reason })
}
