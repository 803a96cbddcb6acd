//! Owns the settings of a log: where it goes, how much its rings hold, or that there is none.

use crate::create::CreateError;
use crate::dir::LogDir;
use crate::format::layout::{RING_BYTES_MAX, RING_BYTES_MIN, Shape};
use crate::pal::Pal;
use crate::process;
use std::path::PathBuf;

/// Sets up a log. Made by [`Pal::builder`].
///
/// [`PalBuilder::build`] makes a log for one scheduler (`Builder::pal`); [`PalBuilder::install`] makes the
/// process's, which every later scheduler and every thread that calls [`emit`](crate::emit) shares.
///
/// ```
/// use glasshouse_pal::Pal;
/// let place = tempfile::tempdir().expect("a temporary directory");
/// let pal = Pal::builder()
///     .directory(place.path().join("logs"))
///     .workers(2)
///     .ring_bytes(256 << 10)
///     .build()
///     .expect("a log");
/// assert!(pal.path().expect("a file").starts_with(place.path()));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build() or install() is called"]
pub struct PalBuilder {
    place: Place,
    workers: Option<usize>,
    ring_bytes: usize,
}

/// Where a log goes.
#[derive(Clone, Debug)]
enum Place {
    Directory(LogDir),
    File(PathBuf),
    Off,
}

/// Why a process's log could not be made.
///
/// ```
/// use glasshouse_pal::{InstallError, Pal};
/// Pal::builder().off().install().expect("the first");
/// let refused = Pal::builder().off().install();
/// assert!(matches!(refused, Err(InstallError::Exists)));
/// ```
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// There is one already, made by an earlier call or by the first scheduler.
    #[error(
        "the process has its log already; install its settings before the first scheduler is built"
    )]
    Exists,
    /// It cannot be made.
    #[error(transparent)]
    Create(#[from] CreateError),
}

impl Pal {
    /// The settings of a log, at first those of [`Pal::process`].
    pub fn builder() -> PalBuilder {
        PalBuilder {
            place: Place::Directory(LogDir::default_place()),
            workers: None,
            ring_bytes: RING_BYTES_MAX,
        }
    }
}

impl PalBuilder {
    /// The directory in which the log gets a file of its own, made if need be, for its owner only. Logs of
    /// processes that have ended are let go there as in the default place, `/dev/shm/glasshouse-<uid>`. It
    /// should be on a memory file system: a disk's can stall a writer.
    pub fn directory(mut self, path: impl Into<PathBuf>) -> PalBuilder {
        self.place = Place::Directory(LogDir::at(path));
        self
    }

    /// The log's file. The log of a process that has ended is replaced, anything else is not.
    pub fn file(mut self, path: impl Into<PathBuf>) -> PalBuilder {
        self.place = Place::File(path.into());
        self
    }

    /// No log: nothing is recorded. Installed, it holds for children that the process forks, too.
    pub fn off(mut self) -> PalBuilder {
        self.place = Place::Off;
        self
    }

    /// The workers that get a ring of their own: one per processor by default.
    pub fn workers(mut self, workers: usize) -> PalBuilder {
        self.workers = Some(workers);
        self
    }

    /// The bytes of a worker's ring, of which a record takes 32: a power of two from 64 KiB to 4 MiB, which is
    /// the default. The rings that other threads lease are no larger, and of 512 KiB at most. Where all rings
    /// would take more than 64 MiB, or there is less room, they are made smaller.
    pub fn ring_bytes(mut self, bytes: usize) -> PalBuilder {
        self.ring_bytes = bytes;
        self
    }

    /// Makes the log. How the process ends it says only where it is told: by [`Pal::close`], or [`Pal::panicking`].
    ///
    /// # Errors
    ///
    /// When the rings' size cannot be had, or the log cannot be made in its place: nothing else is tried.
    pub fn build(self) -> Result<Pal, CreateError> {
        let shape = self.shape()?;
        self.make(shape)
    }

    /// Makes the process's log. What the environment says (see [`PAL_VARIABLE`](crate::PAL_VARIABLE)) comes
    /// first, so that it can be moved or switched off from outside.
    ///
    /// # Errors
    ///
    /// When the process has its log already, and as [`PalBuilder::build`].
    pub fn install(self) -> Result<Pal, InstallError> {
        let shape = self.shape()?;
        process::install(shape, || self.make(shape))
    }

    fn make(&self, shape: Shape) -> Result<Pal, CreateError> {
        match &self.place {
            Place::Directory(dir) => {
                dir.prune();
                dir.create_shaped(shape)
            }
            Place::File(path) => Pal::create_shaped(path, shape),
            Place::Off => Ok(Pal::off()),
        }
    }

    fn shape(&self) -> Result<Shape, CreateError> {
        let ring_bytes = self.ring_bytes;
        let is_in_range = (RING_BYTES_MIN..=RING_BYTES_MAX).contains(&ring_bytes);
        if !is_in_range || !ring_bytes.is_power_of_two() {
            return Err(CreateError::RingBytes { ring_bytes });
        }
        let per_processor = || std::thread::available_parallelism().map_or(1, usize::from);
        let workers = self.workers.unwrap_or_else(per_processor);
        Ok(Shape::process(workers).with_rings_of(ring_bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::RingOwner;
    use crate::reader::{Log, RingId};

    fn place() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("set.pal");
        (place, path)
    }

    #[test]
    fn a_log_goes_where_its_builder_says_with_rings_of_the_size_it_says() {
        let (place, path) = place();
        let settings = Pal::builder().workers(2).ring_bytes(128 << 10);
        let in_file = settings.clone().file(&path).build().expect("made");
        let dir = place.path().join("logs");
        let in_dir = settings.directory(&dir).build().expect("made");
        assert_eq!(in_file.path(), Some(path.as_path()));
        assert_eq!(
            in_dir.path().and_then(|path| path.parent()),
            Some(dir.as_path())
        );
        for pal in [in_file, in_dir] {
            let _worker = pal.lease(RingOwner::Worker(1));
            let _other = pal.lease(RingOwner::External);
            let log = Log::open(pal.path().expect("a file")).expect("readable");
            let rings = log.rings();
            let sizes: Vec<_> = rings.iter().map(|ring| (ring.id, ring.capacity)).collect();
            let expected = [(RingId::Worker(1), 4096), (RingId::External(0), 4096)];
            assert_eq!(sizes, expected);
        }
    }

    #[test]
    fn rings_of_threads_outside_stay_within_their_bound() {
        let (_place, path) = place();
        let pal = Pal::builder().file(&path).workers(1).build().expect("made");
        let _other = pal.lease(RingOwner::External);
        assert_eq!(pal.log().rings()[0].capacity, (512 << 10) / 32);
    }

    #[test]
    fn a_size_that_no_ring_can_have_is_refused_with_the_remedy() {
        let (_place, path) = place();
        for ring_bytes in [
            0,
            1,
            32 << 10,
            (64 << 10) + 32,
            100_000,
            8 << 20,
            usize::MAX,
        ] {
            let refused = Pal::builder().file(&path).ring_bytes(ring_bytes).build();
            let refused = refused.err().expect("refused").to_string();
            let expected = format!(
                "a ring of {ring_bytes} bytes cannot be had; ask for a power of two from 65536 to 4194304"
            );
            assert_eq!(refused, expected);
        }
        assert!(!path.exists());
    }

    #[test]
    fn off_is_no_log() {
        let pal = Pal::builder().off().build().expect("nothing to make");
        assert!(pal.is_off());
    }

    #[test]
    fn a_place_that_cannot_be_had_is_an_error_and_nothing_else_is_tried() {
        let (place, path) = place();
        std::fs::write(&path, "mine").expect("written");
        let refused = Pal::builder().file(&path).build().err().expect("occupied");
        assert!(matches!(refused, CreateError::Occupied { .. }), "{refused}");
        let below_a_file = Pal::builder().directory(path.join("logs")).build();
        assert!(matches!(below_a_file, Err(CreateError::Open { .. })));
        assert_eq!(std::fs::read_dir(place.path()).expect("there").count(), 1);
    }
}
