//! Owns the making of a log in a file.

use crate::dir::UntrustedDir;
use crate::fork::ForkGuard;
use crate::format::layout::{Layout, RING_BYTES_MAX, RING_BYTES_MIN, Shape};
use crate::log_header::Birth;
use crate::map::Mapping;
use crate::pal::{LogFile, Pal};
use crate::reader;
use rustix::fs::{CWD, FlockOperation, Mode, OFlags, flock, openat};
use rustix::process::{Resource, geteuid, getrlimit};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a log could not be made.
///
/// ```
/// use glasshouse_pal::{CreateError, Pal};
/// let refused = Pal::create("/proc/no/such/place.pal".as_ref(), 1);
/// assert!(matches!(refused, Err(CreateError::Open { .. })));
/// ```
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The file cannot be made.
    #[error("cannot make the log {}: {source}; name a place where this user may write", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// Others could put files into the directory, or could read the log there.
    #[error(transparent)]
    Untrusted(#[from] UntrustedDir),
    /// Something is there that is not the log of a process that has ended.
    #[error("will not replace {}: {reason}; remove it or name another file", path.display())]
    Occupied {
        /// The file.
        path: PathBuf,
        /// What is there.
        reason: &'static str,
    },
    /// The file system has no room even for the smallest rings.
    #[error("no room for the log {}: {source}; free some or name a place on another file system", path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// The file cannot be mapped, or not guarded against forks.
    #[error("cannot map the log {}: {source}; raise the limits on memory and file size, or switch the log off", path.display())]
    Map {
        /// The file.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// No ring has this size.
    #[error(
        "a ring of {ring_bytes} bytes cannot be had; ask for a power of two from {RING_BYTES_MIN} to {RING_BYTES_MAX}"
    )]
    RingBytes {
        /// What was asked for.
        ring_bytes: usize,
    },
}

impl Pal {
    /// A log in a file of its own, with a ring for each of `workers`; its tasks' ids come from the
    /// process's source. The log of a process that has ended is replaced, anything else is not.
    ///
    /// The file should be on a memory file system: a disk's can stall a writer. Rings shrink where
    /// room is short.
    ///
    /// # Errors
    ///
    /// When the file cannot be made, has no room, or cannot be mapped.
    pub fn create(path: &Path, workers: usize) -> Result<Pal, CreateError> {
        Pal::create_shaped(path, Shape::process(workers))
    }

    pub(crate) fn create_shaped(path: &Path, shape: Shape) -> Result<Pal, CreateError> {
        create_at(CWD, path.as_os_str().as_ref(), path, shape)
    }
}

/// Makes the log `name` in the directory `dir`; `path` is what it is called from elsewhere.
pub(crate) fn create_at(
    dir: BorrowedFd<'_>,
    name: &Path,
    path: &Path,
    shape: Shape,
) -> Result<Pal, CreateError> {
    let open = || {
        // Exclusive: never another's file; no link followed: never a place that another chose.
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(dir, name, flags, Mode::RUSR | Mode::WUSR).map_err(io::Error::from)
    };
    let fd = match open() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            make_way(path)?;
            open()
        }
        other => other,
    };
    let file = File::from(fd.map_err(|source| CreateError::Open {
        path: path.to_owned(),
        source,
    })?);
    let pal = over_new_file(file, path.to_owned(), shape, true);
    if pal.is_err() {
        // Half a log helps nobody; that it cannot be removed either changes nothing.
        let _ = rustix::fs::unlinkat(dir, name, rustix::fs::AtFlags::empty());
    }
    pal
}

/// Removes the log of a process that has ended.
fn make_way(path: &Path) -> Result<(), CreateError> {
    let occupied = |reason| CreateError::Occupied {
        path: path.to_owned(),
        reason,
    };
    let metadata = std::fs::symlink_metadata(path).map_err(|source| CreateError::Open {
        path: path.to_owned(),
        source,
    })?;
    if metadata.is_symlink() {
        return Err(occupied("it is a symbolic link"));
    }
    if metadata.uid() != geteuid().as_raw() {
        return Err(occupied("it belongs to another user"));
    }
    let log = reader::Log::open(path).map_err(|_| occupied("it is not a log"))?;
    if log.is_alive() {
        return Err(occupied("a running process writes it"));
    }
    std::fs::remove_file(path).map_err(|source| CreateError::Open {
        path: path.to_owned(),
        source,
    })
}

/// A log in a memory file without a name: other processes reach it through `/proc` while this one
/// lives, and it dies with it.
pub(crate) fn create_anonymous(shape: Shape) -> Result<Pal, CreateError> {
    use std::os::fd::AsRawFd;
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    let fd =
        rustix::fs::memfd_create("glasshouse.pal", flags).map_err(|error| CreateError::Open {
            path: "memfd:glasshouse.pal".into(),
            source: error.into(),
        })?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), fd.as_raw_fd());
    over_new_file(File::from(fd), path.into(), shape, false)
}

/// Sizes, allocates and maps a new, empty file, with rings as large as there is room for.
pub(crate) fn over_new_file(
    file: File,
    path: PathBuf,
    mut shape: Shape,
    is_crash_safe: bool,
) -> Result<Pal, CreateError> {
    // Never a duplicate: the path of a memory file names this very descriptor.
    let file = Arc::new(file);
    while is_too_much(file.as_fd(), Layout::new(shape).eager_bytes()) {
        match shape.with_smaller_rings() {
            Some(smaller) => shape = smaller,
            None => break,
        }
    }
    loop {
        let layout = fitting_layout(shape);
        match map_new_file(&file, &layout) {
            Ok((mapping, guard)) => {
                let birth = Birth::of_this_process(is_crash_safe);
                let file = LogFile {
                    path,
                    _guard: guard,
                };
                return Ok(Pal::over_file(mapping, layout, birth, file));
            }
            Err(source) if is_out_of_room(&source) => {
                // Where address space is limited, the table takes most of it; rings are worth more.
                let is_address_space = source.kind() == io::ErrorKind::OutOfMemory;
                let fewer_slots = shape.with_fewer_slots().filter(|_| is_address_space);
                match fewer_slots.or_else(|| shape.with_smaller_rings()) {
                    Some(smaller) => shape = smaller,
                    None => return Err(CreateError::NoRoom { path, source }),
                }
            }
            Err(source) => return Err(CreateError::Map { path, source }),
        }
    }
}

/// Whether so many bytes would take more than half of what the file system has left: it is shared
/// with other processes, and the task table still has to grow.
fn is_too_much(file: BorrowedFd<'_>, bytes: usize) -> bool {
    match rustix::fs::fstatvfs(file) {
        // A file system without a limit, such as that of memory files, shows no blocks at all.
        Ok(stat) if stat.f_blocks > 0 => {
            (bytes as u64) > stat.f_bavail.saturating_mul(stat.f_frsize) / 2
        }
        _ => false,
    }
}

/// The layout, with a task table that keeps the file within the process's limit on file sizes: to
/// exceed it would bring a signal that kills.
fn fitting_layout(shape: Shape) -> Layout {
    let layout = Layout::new(shape);
    let limit = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
    let over = (layout.file_bytes as u64).saturating_sub(limit);
    if over == 0 {
        return layout;
    }
    let slots = crate::format::layout::SLOT_BYTES as u64;
    let page = crate::format::layout::PAGE_BYTES as u64;
    let fewer = usize::try_from((over + page).div_ceil(slots)).unwrap_or(usize::MAX);
    Layout::new(Shape {
        slots: shape.slots.saturating_sub(fewer),
        ..shape
    })
}

fn map_new_file(file: &Arc<File>, layout: &Layout) -> io::Result<(Arc<Mapping>, ForkGuard)> {
    let limit = getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX);
    if layout.file_bytes as u64 > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    // Held until the process ends: see `dir::prune`. A file system without locks has no containers
    // that share it either.
    let _ = flock(file, FlockOperation::NonBlockingLockExclusive);
    // From nothing: what a larger attempt allocated is released.
    file.set_len(0)?;
    file.set_len(layout.file_bytes as u64)?;
    let mapping = Arc::new(Mapping::shared(Arc::clone(file), layout.file_bytes)?);
    mapping.allocate(0, layout.eager_bytes())?;
    mapping.touch(0, layout.rings.offset);
    let guard = ForkGuard::new(&mapping)
        .ok_or_else(|| io::Error::other("this process has too many logs in files"))?;
    Ok((mapping, guard))
}

fn is_out_of_room(error: &io::Error) -> bool {
    use io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::OutOfMemory
            | ErrorKind::FileTooLarge
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::RingOwner;
    use crate::testing::small_file;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn place() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("one.pal");
        (place, path)
    }

    #[test]
    fn a_log_is_readable_by_its_owner_only() {
        let (_place, path) = place();
        let _pal = Pal::create(&path, 1).expect("made");
        let mode = std::fs::metadata(&path)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_log_of_a_living_process_is_not_replaced() {
        let (_place, path) = place();
        let _pal = Pal::create(&path, 1).expect("made");
        let refused = Pal::create(&path, 1).err().expect("occupied");
        let reason = "a running process writes it";
        assert!(
            matches!(&refused, CreateError::Occupied { reason: found, .. } if *found == reason)
        );
        assert!(refused.to_string().contains("one.pal"), "{refused}");
    }

    /// A log is refused at this path, where something is that stays as it is.
    fn assert_occupied(path: &Path, reason: &str) {
        let refused = Pal::create(path, 1).err().expect("occupied").to_string();
        let path = path.display();
        assert_eq!(
            refused,
            format!("will not replace {path}: {reason}; remove it or name another file")
        );
    }

    #[test]
    fn a_link_is_not_followed_nor_replaced() {
        let (place, path) = place();
        let target = place.path().join("target");
        symlink(&target, &path).expect("linked");
        assert_occupied(&path, "it is a symbolic link");
        assert!(!target.exists());
        // Not even one that leads to the log of a process that has ended.
        drop(small_file(&target));
        assert_occupied(&path, "it is a symbolic link");
        assert!(path.is_symlink() && target.exists());
    }

    #[test]
    fn a_log_of_another_user_is_not_replaced() {
        let (_place, path) = place();
        drop(small_file(&path));
        let nobody = Some(65_534);
        match std::os::unix::fs::chown(&path, nobody, None) {
            Ok(()) => assert_occupied(&path, "it belongs to another user"),
            Err(error) => println!("left out: this user cannot give a file away: {error}"),
        }
    }

    #[test]
    fn what_is_no_log_is_not_replaced() {
        let (place, path) = place();
        std::fs::write(&path, "mine").expect("written");
        assert_occupied(&path, "it is not a log");
        assert_occupied(place.path(), "it is not a log");
    }

    #[test]
    fn a_log_takes_what_its_rings_and_tables_need_and_no_more() {
        use std::os::unix::fs::MetadataExt;
        let (_place, path) = place();
        let pal = Pal::create(&path, 2).expect("made");
        let used = || std::fs::metadata(&path).expect("there").blocks() * 512;
        let eager = Layout::new(Shape::process(2)).eager_bytes() as u64;
        assert!(
            used() >= eager && used() < eager + (1 << 20),
            "{} of {eager}",
            used()
        );
        pal.table().take_shared().expect("room");
        let _ring = pal.lease(RingOwner::External);
        assert!(used() < eager + (4 << 20), "{} of {eager}", used());
    }

    #[test]
    fn a_log_that_is_dropped_leaves_its_file() {
        let (_place, path) = place();
        drop(small_file(&path));
        assert!(reader::Log::open(&path).is_ok());
    }

    #[test]
    fn a_process_can_have_many_logs_one_after_another() {
        // More than can be guarded against forks at a time.
        for _ in 0..2 * crate::fork::GUARDED_MAX {
            let (_place, path) = place();
            drop(small_file(&path));
        }
    }
}
