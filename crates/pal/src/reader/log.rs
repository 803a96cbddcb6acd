//! Owns the reader's view of one log.

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
use crate::domain::Event;
use crate::event::TaskEvent;
use crate::format::header::Lifecycle;
use crate::host::ProcessId;
use crate::loss::LossCause;
use crate::map::Mapping;
use crate::text_id::{SiteId, TextId};
use once_cell::sync::OnceCell;
use rustix::fs::OFlags;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// A log, opened for reading. Its records are those of one moment: the first time that they are
/// asked for. [`Log::refresh`] forgets them.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, TaskEvent, TaskId};
/// let pal = Pal::memory();
/// let tid = TaskId::new(1).expect("in range");
/// let ring = pal.lease(RingOwner::Worker(0));
/// ring.write(pal.clock().now(), 2, &TaskEvent::Running { tid });
/// let mut log = pal.log();
/// assert_eq!(log.records().count(), 1);
/// ring.write(pal.clock().now(), 3, &TaskEvent::Done { tid });
/// assert_eq!(log.records().count(), 1);
/// log.refresh();
/// assert_eq!(log.records().count(), 2);
/// ```
pub struct Log {
    source: Source,
    header: LogHeader,
    /// The log is this process's own memory.
    is_own: bool,
    snapshot: OnceCell<Arc<Snapshot>>,
    wall: OnceCell<WallClock>,
}

impl Log {
    /// Opens a log, whether its process runs or has ended.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is no log, was written by a later release or on another kind
    /// of machine, is cut short, or contradicts itself.
    pub fn open(path: &Path) -> Result<Log, OpenError> {
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
        Log::over(Source::File(file), path, false)
    }

    /// Opens a copy of a log that is in memory, such as one that came from another machine.
    ///
    /// # Errors
    ///
    /// As [`Log::open`].
    ///
    /// ```
    /// use glasshouse_pal::reader::Log;
    /// let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/format-1.0-ended.pal");
    /// let bytes = std::fs::read(golden).expect("a log of this repository");
    /// let log = Log::from_bytes(&bytes).expect("whole");
    /// assert_eq!(log.records().count(), 54);
    /// assert!(Log::from_bytes(&bytes[..4096]).is_err());
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Log, OpenError> {
        Log::over(Source::copy(bytes), Path::new("(memory)"), false)
    }

    pub(crate) fn over_memory(mapping: &Arc<Mapping>) -> Result<Log, OpenError> {
        Log::over(Source::memory(mapping), Path::new("(memory)"), true)
    }

    fn over(source: Source, path: &Path, is_own: bool) -> Result<Log, OpenError> {
        let header = LogHeader::read(&source, path)?;
        Ok(Log {
            source,
            header,
            is_own,
            snapshot: OnceCell::new(),
            wall: OnceCell::new(),
        })
    }

    /// The process that wrote the log. All zeros where nothing in the log depends on it.
    pub fn process(&self) -> ProcessId {
        self.header.process
    }

    /// The name of that process, cut to fifteen bytes; it may hold any character. Empty where nothing
    /// in the log depends on the process.
    ///
    /// ```
    /// use glasshouse_pal::{Clock, Pal};
    /// let name = std::fs::read_to_string("/proc/self/comm").expect("Linux tells");
    /// assert_eq!(Pal::memory().log().command(), name.trim_end());
    /// assert_eq!(Pal::memory_with(Clock::virtual_time()).log().command(), "");
    /// ```
    pub fn command(&self) -> &str {
        &self.header.command
    }

    /// Whether that process still runs. One of another namespace, whose number means nothing here, runs as long as
    /// it holds the lock that a writer has on its log.
    pub fn is_alive(&self) -> bool {
        let process = &self.header.process;
        self.is_own
            || process.is_alive()
            || process.is_of_this_boot() && process.is_elsewhere() && self.source.is_locked()
    }

    /// What the process last said of its own end. A log that reads `Running` and is not alive was
    /// killed.
    pub fn lifecycle(&self) -> Lifecycle {
        let changing = Changing::read(&self.source);
        changing
            .ok()
            .and_then(|page| page.lifecycle)
            .unwrap_or(Lifecycle::Running)
    }

    /// Whether the log outlives its process.
    pub fn is_crash_safe(&self) -> bool {
        self.header.is_crash_safe
    }

    /// How many nanoseconds a clock tick has.
    pub fn rate(&self) -> Rate {
        self.header.rate
    }

    /// The stamp at which the log begins.
    pub fn start_stamp(&self) -> u64 {
        self.header.start_stamp
    }

    /// A stamp in nanoseconds since the log began; zero before that.
    pub fn at_ns(&self, stamp: u64) -> u64 {
        let rate = self.header.rate;
        rate.ns(stamp)
            .saturating_sub(rate.ns(self.header.start_stamp))
    }

    /// A stamp as nanoseconds since 1970 UTC; `None` when the log holds no date.
    pub fn wall_ns(&self, stamp: u64) -> Option<u64> {
        self.wall().at(stamp)
    }

    /// What the clocks showed at the start, now and then, and at the end, in the order of time.
    pub fn clock_pairs(&self) -> &[ClockPair] {
        self.wall().pairs()
    }

    /// All events in time order across rings.
    pub fn records(&self) -> Records {
        self.records_of(Arc::clone(self.snapshot()))
    }

    /// The events that were recorded since the cursor was made or used last, in time order among
    /// themselves, and how many records were lost in between.
    pub fn follow(&self, cursor: &mut Cursor) -> (Records, u64) {
        let snapshot = Snapshot::take(&self.source, &self.header, self.is_alive(), &cursor.seen);
        let lost = snapshot
            .ring_losses()
            .into_iter()
            .map(|ring| ring.overwritten);
        let lost = lost.fold(0, u64::saturating_add);
        cursor.seen = snapshot.newest().collect();
        (self.records_of(Arc::new(snapshot)), lost)
    }

    /// What is not in the log, and why.
    pub fn loss(&self) -> Loss {
        let snapshot = self.snapshot();
        let counts = Changing::read(&self.source).map_or([0; 16], |page| page.loss);
        let unwritten = LossCause::ALL.map(|cause| (cause, counts[cause as usize]));
        Loss {
            rings: snapshot.ring_losses(),
            unwritten: unwritten
                .into_iter()
                .filter(|(_, count)| *count > 0)
                .collect(),
            unreadable: snapshot.unreadable,
            damaged_rings: snapshot.damaged_rings,
        }
    }

    /// The stamp from which on every ring holds all of its records; `None` when none has lost any.
    pub fn horizon(&self) -> Option<u64> {
        self.snapshot().horizon()
    }

    /// How long the time is, up to the newest record, of which every ring holds all records.
    pub fn retained_ns(&self) -> u64 {
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
    pub fn tasks(&self) -> Tasks<'_> {
        let touched = Changing::read(&self.source).map_or(0, |page| page.slots_touched);
        let beats = self.rings().into_iter().map(|ring| ring.heartbeat);
        let near = beats.max().unwrap_or(0).max(self.header.start_stamp);
        Tasks::new(&self.source, self.header.tasks, touched, near)
    }

    /// The rings that were ever leased, read anew at each call.
    pub fn rings(&self) -> Vec<RingInfo> {
        let (places, _) = rings::places(&self.source, &self.header);
        let infos = places
            .iter()
            .filter_map(|place| ring_info::read(&self.source, place).ok());
        infos.filter(|info| info.owner.is_some()).collect()
    }

    /// The records and the task table as they stand in memory, read anew at each call. To be asked for
    /// when nobody writes: it may hold halves of what is written meanwhile.
    pub fn image(&self) -> Image {
        Image::read(&self.source, &self.header)
    }

    /// The text with this number; `None` where there is none. It may hold any character, terminal
    /// controls included.
    pub fn text(&self, id: TextId) -> Option<String> {
        names::text(&self.source, &self.header, id)
    }

    /// The spawn site with this number; `None` where there is none.
    pub fn site(&self, id: SiteId) -> Option<Site> {
        names::site(&self.source, &self.header, id)
    }

    /// What the log says of a record kind; `None` for a kind that it never used.
    pub fn schema(&self, kind: u8) -> Option<KindSchema> {
        names::schema(&self.source, &self.header, kind)
    }

    /// Forgets the records, so that the next question reads them anew.
    pub fn refresh(&mut self) {
        self.snapshot = OnceCell::new();
        self.wall = OnceCell::new();
    }

    /// Every word of the log.
    #[cfg(test)]
    pub(crate) fn all_words(&self) -> Vec<u64> {
        let bytes = self.source.bytes().expect("a length");
        let mut words = vec![0; bytes as usize / 8];
        self.source.read(0, &mut words).expect("read");
        words
    }

    pub(crate) fn task_events(&self) -> Vec<TaskEvent> {
        let events = self.records().filter_map(|entry| match entry.event {
            Event::Task(event) => Some(event),
            Event::Domain(_) => None,
        });
        events.collect()
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
        self.wall.get_or_init(|| {
            let (places, _) = rings::places(&self.source, &self.header);
            let in_rings = places
                .iter()
                .filter_map(|place| ring_info::clock_pairs(&self.source, place).ok());
            let exit = Changing::read(&self.source)
                .ok()
                .and_then(|page| page.exit_pair);
            let ends = self.header.start_pair.into_iter().chain(exit);
            WallClock::new(ends.chain(in_rings.flatten()).collect(), self.header.rate)
        })
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("process", &self.header.process)
            .field("lifecycle", &self.lifecycle())
            .finish_non_exhaustive()
    }
}

/// How far a reader has followed a log. A new one is at the beginning.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, TaskEvent};
/// use glasshouse_pal::reader::Cursor;
/// let pal = Pal::memory();
/// let ring = pal.lease(RingOwner::Worker(0));
/// let (log, mut cursor) = (pal.log(), Cursor::default());
/// ring.write(pal.clock().now(), 0, &TaskEvent::ShutdownComplete { clean: true });
/// assert_eq!(log.follow(&mut cursor).0.count(), 1);
/// assert_eq!(log.follow(&mut cursor).0.count(), 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// The newest sequence number that was seen, ring by ring.
    seen: Vec<u64>,
}
