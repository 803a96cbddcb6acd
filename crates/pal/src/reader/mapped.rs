//! Owns the reader's view of a log whose rings are in a file or in this process's memory.

use super::cursor::Cursor;
use super::error::OpenError;
use super::header::{Changing, LogHeader};
use super::image::Image;
use super::loss::Loss;
use super::names::{self, KindSchema, Site};
use super::records::Records;
use super::ring_info::{self, RingInfo};
use super::rings;
use super::snapshot::Snapshot;
use super::source::Source;
use super::tasks::Tasks;
use super::wall::WallClock;
use crate::clock::{ClockPair, Rate};
use crate::format::header::{LOSS_WORDS, Lifecycle};
use crate::host::ProcessId;
use crate::loss::{LossCause, occurred};
use crate::map::Mapping;
use crate::text_id::{SiteId, TextId};
use once_cell::sync::OnceCell;
use rustix::fs::OFlags;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

/// A log with rings. [`Log`](super::Log) says what each question means.
pub(crate) struct Mapped {
    source: Source,
    header: LogHeader,
    /// The log is this process's own memory.
    is_own: bool,
    snapshot: OnceCell<Arc<Snapshot>>,
    wall: OnceCell<WallClock>,
    /// The dates as they stood when the log was followed last, once one was asked for.
    followed_wall: RwLock<Option<OnceCell<WallClock>>>,
}

impl Mapped {
    /// Opens a log, whether its process runs or has ended.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is no log, was written by a later release or on another kind
    /// of machine, is cut short, or contradicts itself.
    pub(crate) fn open(path: &Path) -> Result<Mapped, OpenError> {
        // Without waiting, should it be a pipe.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits() as i32)
            .open(path);
        let io = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        let file = file.map_err(io)?;
        if !file.metadata().map_err(io)?.is_file() {
            return Err(OpenError::NotALog {
                path: path.to_owned(),
            });
        }
        Mapped::over(Source::File(file), path, false)
    }

    pub(crate) fn over_memory(mapping: &Arc<Mapping>) -> Result<Mapped, OpenError> {
        Mapped::over(Source::memory(mapping), Path::new("(memory)"), true)
    }

    pub(crate) fn over_copy(bytes: &[u8]) -> Result<Mapped, OpenError> {
        Mapped::over(Source::copy(bytes), Path::new("(memory)"), false)
    }

    fn over(source: Source, path: &Path, is_own: bool) -> Result<Mapped, OpenError> {
        let header = LogHeader::read(&source, path)?;
        Ok(Mapped {
            source,
            header,
            is_own,
            snapshot: OnceCell::new(),
            wall: OnceCell::new(),
            followed_wall: RwLock::default(),
        })
    }

    /// The process that wrote the log. All zeros where nothing in the log depends on it.
    pub(crate) fn process(&self) -> ProcessId {
        self.header.process
    }

    /// The name of that process, cut to fifteen bytes; it may hold any character. Empty where nothing
    /// in the log depends on the process.
    pub(crate) fn command(&self) -> &str {
        &self.header.command
    }

    /// Whether that process still runs. One of another namespace, whose number means nothing here, runs as long as
    /// it holds the lock that a writer has on its log.
    pub(crate) fn is_alive(&self) -> bool {
        let process = &self.header.process;
        self.is_own
            || process.is_alive()
            || process.is_of_this_boot() && process.is_elsewhere() && self.source.is_locked()
    }

    /// What the process last said of its own end. A log that reads `Running` and is not alive was
    /// killed.
    pub(crate) fn lifecycle(&self) -> Lifecycle {
        let changing = Changing::read(&self.source);
        changing
            .ok()
            .and_then(|page| page.lifecycle)
            .unwrap_or(Lifecycle::Running)
    }

    /// Whether the log outlives its process.
    pub(crate) fn is_crash_safe(&self) -> bool {
        self.header.is_crash_safe
    }

    /// How many nanoseconds a clock tick has.
    pub(crate) fn rate(&self) -> Rate {
        self.header.rate
    }

    /// The stamp at which the log begins.
    pub(crate) fn start_stamp(&self) -> u64 {
        self.header.start_stamp
    }

    /// A stamp as nanoseconds since 1970 UTC; `None` when the log holds no date.
    pub(crate) fn wall_ns(&self, stamp: u64) -> Option<u64> {
        let followed = self.followed_wall.read();
        match &*followed.unwrap_or_else(PoisonError::into_inner) {
            Some(wall) => wall.get_or_init(|| self.read_wall()).at(stamp),
            None => self.wall().at(stamp),
        }
    }

    /// What the clocks showed at the start, now and then, and at the end, in the order of time.
    pub(crate) fn clock_pairs(&self) -> &[ClockPair] {
        self.wall().pairs()
    }

    /// All events in time order across rings.
    pub(crate) fn records(&self) -> Records {
        self.records_of(Arc::clone(self.snapshot()))
    }

    pub(crate) fn follow(&self, cursor: &mut Cursor) -> (Records, u64) {
        let snapshot = self.snapshot_since(cursor);
        let lost = snapshot
            .ring_losses()
            .into_iter()
            .map(|ring| ring.overwritten);
        let lost = lost.fold(snapshot.unreadable, u64::saturating_add);
        cursor.senseless = cursor.senseless.saturating_add(snapshot.unreadable);
        let followed = self.followed_wall.write();
        *followed.unwrap_or_else(PoisonError::into_inner) = Some(OnceCell::new());
        (self.records_of(Arc::new(snapshot)), lost)
    }

    /// What the rings hold beyond the cursor, which moves on.
    pub(crate) fn snapshot_since(&self, cursor: &mut Cursor) -> Snapshot {
        let snapshot = Snapshot::take(&self.source, &self.header, self.is_alive(), &cursor.seen);
        cursor.seen = snapshot.newest().collect();
        snapshot
    }

    /// What is not in the log, and why.
    pub(crate) fn loss(&self) -> Loss {
        let snapshot = self.snapshot();
        Loss {
            rings: snapshot.ring_losses(),
            unwritten: self.loss_counts(),
            unreadable: snapshot.unreadable,
            damaged_rings: snapshot.damaged_rings,
            ..Loss::default()
        }
    }

    /// What the writer could not record; only causes that occurred.
    pub(crate) fn loss_counts(&self) -> Vec<(LossCause, u64)> {
        occurred(&Changing::read(&self.source).map_or([0; LOSS_WORDS], |page| page.loss))
    }

    /// The stamp from which on every ring holds all of its records; `None` when none has lost any.
    pub(crate) fn horizon(&self) -> Option<u64> {
        self.snapshot().horizon()
    }

    /// How long the time is, up to the newest record, of which every ring holds all records.
    pub(crate) fn retained_ns(&self) -> u64 {
        let Some((first, last)) = self.snapshot().stamps() else {
            return 0;
        };
        let from = self.horizon().unwrap_or(first.min(self.header.start_stamp));
        self.header
            .rate
            .ns(last)
            .saturating_sub(self.header.rate.ns(from))
    }

    /// The tasks that had not ended, from the task table: the truth about them when a ring has
    /// wrapped. Read anew at each call.
    pub(crate) fn tasks(&self) -> Tasks<'_> {
        let touched = Changing::read(&self.source).map_or(0, |page| page.slots_touched);
        let beats = self.rings().into_iter().map(|ring| ring.heartbeat);
        let near = beats.max().unwrap_or(0).max(self.header.start_stamp);
        Tasks::new(&self.source, self.header.tasks, touched, near)
    }

    /// The rings that were ever leased, read anew at each call.
    pub(crate) fn rings(&self) -> Vec<RingInfo> {
        let (places, _) = rings::places(&self.source, &self.header);
        let infos = places
            .iter()
            .filter_map(|place| ring_info::read(&self.source, place).ok());
        infos.filter(|info| info.owner.is_some()).collect()
    }

    /// The records and the task table as they stand in memory, read anew at each call. To be asked for
    /// when nobody writes: it may hold halves of what is written meanwhile.
    pub(crate) fn image(&self) -> Image {
        Image::read(&self.source, &self.header)
    }

    /// The text with this number; `None` where there is none. It may hold any character, terminal
    /// controls included.
    pub(crate) fn text(&self, id: TextId) -> Option<String> {
        names::text(&self.source, &self.header, id)
    }

    /// The spawn site with this number; `None` where there is none.
    pub(crate) fn site(&self, id: SiteId) -> Option<Site> {
        names::site(&self.source, &self.header, id)
    }

    /// What the log says of a record kind; `None` for a kind that it never used.
    pub(crate) fn schema(&self, kind: u8) -> Option<KindSchema> {
        names::schema(&self.source, &self.header, kind)
    }

    /// Forgets the records, so that the next question reads them anew.
    pub(crate) fn refresh(&mut self) {
        self.snapshot = OnceCell::new();
        self.wall = OnceCell::new();
        self.followed_wall = RwLock::default();
    }

    /// Every word of the log.
    #[cfg(test)]
    pub(crate) fn all_words(&self) -> Vec<u64> {
        let bytes = self.source.bytes().expect("a length");
        let mut words = vec![0; bytes as usize / 8];
        self.source.read(0, &mut words).expect("read");
        words
    }

    fn records_of(&self, snapshot: Arc<Snapshot>) -> Records {
        Records::new(snapshot, self.header.rate, self.header.start_stamp)
    }

    fn snapshot(&self) -> &Arc<Snapshot> {
        self.snapshot.get_or_init(|| {
            let alive = self.is_alive();
            Arc::new(Snapshot::take(&self.source, &self.header, alive, &[]))
        })
    }

    fn wall(&self) -> &WallClock {
        self.wall.get_or_init(|| self.read_wall())
    }

    fn read_wall(&self) -> WallClock {
        let (places, _) = rings::places(&self.source, &self.header);
        let in_rings = places
            .iter()
            .filter_map(|place| ring_info::clock_pairs(&self.source, place).ok());
        let exit = Changing::read(&self.source)
            .ok()
            .and_then(|page| page.exit_pair);
        let ends = self.header.start_pair.into_iter().chain(exit);
        WallClock::new(ends.chain(in_rings.flatten()).collect(), self.header.rate)
    }
}
