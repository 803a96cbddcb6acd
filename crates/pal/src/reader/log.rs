//! Owns a log as its readers see it, wherever its records are: in rings, or in the segments of a spiller.

use super::cursor::Cursor;
use super::error::OpenError;
use super::image::Image;
use super::loss::{Loss, unwritten_events};
use super::mapped::Mapped;
use super::names::{KindSchema, Site};
use super::progress::{Progress, Watcher};
use super::records::Records;
use super::ring_info::RingInfo;
use super::segments::Segments;
use super::snapshot::Snapshot;
use super::tasks::Tasks;
use crate::clock::{ClockPair, Rate};
use crate::domain::Event;
use crate::event::TaskEvent;
use crate::format::header::Lifecycle;
use crate::host::ProcessId;
use crate::id::TaskId;
use crate::lives::Lives;
use crate::loss::LossCause;
use crate::map::Mapping;
use crate::slot::TaskRow;
use crate::text_id::{SiteId, TextId};
use std::path::Path;
use std::sync::Arc;

/// A log, opened for reading. Its records are those of one moment: the first time that they are
/// asked for. [`Log::refresh`] forgets them.
///
/// A directory of segments is read as one log. Its records stream by, a few blocks of them in memory at a time,
/// as they stood when it was opened, and [`Log::follow`] goes on behind them; it is never alive, and has no rings to look
/// into.
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
    place: Place,
    /// Who is told how far a reading has come.
    watcher: Option<Watcher>,
}

/// Where the records are.
enum Place {
    Mapped(Box<Mapped>),
    Segments(Box<Segments>),
}

/// Asks whichever it is.
macro_rules! ask {
    ($log:expr, $place:ident => $answer:expr) => {
        match &$log.place {
            Place::Mapped($place) => $answer,
            Place::Segments($place) => $answer,
        }
    };
}

impl Log {
    /// Opens a log, whether its process runs or has ended: its file, a directory of segments or one
    /// segment. Of a directory in which several processes left segments it takes the process that began last.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is no log, was written by a later release or on another kind
    /// of machine, is cut short, or contradicts itself.
    pub fn open(path: &Path) -> Result<Log, OpenError> {
        let place = match Segments::open(path)? {
            Some(segments) => Place::Segments(Box::new(segments)),
            None => Place::Mapped(Box::new(Mapped::open(path)?)),
        };
        Ok(Log::over(place))
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
        let mapped = Mapped::over_copy(bytes)?;
        Ok(Log::over(Place::Mapped(Box::new(mapped))))
    }

    pub(crate) fn over_memory(mapping: &Arc<Mapping>) -> Result<Log, OpenError> {
        let mapped = Mapped::over_memory(mapping)?;
        Ok(Log::over(Place::Mapped(Box::new(mapped))))
    }

    fn over(place: Place) -> Log {
        let watcher = None;
        Log { place, watcher }
    }

    /// Has the watcher told how far each pass over the records has come, from then on, but for those that follow.
    /// Only segments hold so many that it is of use, and of those it is told at each block; on the thread that reads.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// let mut log = glasshouse_pal::Pal::memory().log();
    /// let told = std::sync::Arc::new(AtomicUsize::new(0));
    /// let counted = std::sync::Arc::clone(&told);
    /// log.watch(move |_| { counted.fetch_add(1, Ordering::Relaxed); });
    /// assert_eq!(log.records().count(), 0);
    /// assert_eq!(told.load(Ordering::Relaxed), 0);
    /// ```
    pub fn watch(&mut self, watcher: impl Fn(Progress) + Send + Sync + 'static) {
        self.watcher = Some(Arc::new(watcher));
    }

    /// The process that wrote the log. All zeros where nothing in the log depends on it.
    pub fn process(&self) -> ProcessId {
        ask!(self, log => log.process())
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
        ask!(self, log => log.command())
    }

    /// Whether that process still runs, and what it records is seen here. One of another namespace, whose number
    /// means nothing here, runs as long as it holds the lock that a writer has on its log. Segments show what was
    /// spilled, and are never alive: see [`Log::is_growing`].
    pub fn is_alive(&self) -> bool {
        match &self.place {
            Place::Mapped(log) => log.is_alive(),
            Place::Segments(_) => false,
        }
    }

    /// Whether these are segments, which hold records, and of rings and tasks only what the spiller noted.
    pub fn is_segments(&self) -> bool {
        matches!(self.place, Place::Segments(_))
    }

    /// What the process last said of its own end. A log that reads `Running` and is not alive was
    /// killed.
    pub fn lifecycle(&self) -> Lifecycle {
        ask!(self, log => log.lifecycle())
    }

    /// Whether the log outlives its process.
    pub fn is_crash_safe(&self) -> bool {
        match &self.place {
            Place::Mapped(log) => log.is_crash_safe(),
            Place::Segments(_) => true,
        }
    }

    /// How many nanoseconds a clock tick has.
    pub fn rate(&self) -> Rate {
        ask!(self, log => log.rate())
    }

    /// The stamp at which the log begins.
    pub fn start_stamp(&self) -> u64 {
        ask!(self, log => log.start_stamp())
    }

    /// A stamp in nanoseconds since the log began; zero before that.
    pub fn at_ns(&self, stamp: u64) -> u64 {
        let rate = self.rate();
        rate.ns(stamp).saturating_sub(rate.ns(self.start_stamp()))
    }

    /// A stamp as nanoseconds since 1970 UTC; `None` when the log holds no date.
    pub fn wall_ns(&self, stamp: u64) -> Option<u64> {
        ask!(self, log => log.wall_ns(stamp))
    }

    /// What the clocks showed at the start, now and then, and at the end, in the order of time. Of segments what they held
    /// when they were opened; dates count on what was followed since, too.
    pub fn clock_pairs(&self) -> &[ClockPair] {
        ask!(self, log => log.clock_pairs())
    }

    /// All events in time order across rings.
    pub fn records(&self) -> Records {
        ask!(self, log => log.records()).watched(self.watcher.as_ref())
    }

    /// The events about one task, in time order. Of segments only the blocks that hold some are decoded.
    ///
    /// ```
    /// use glasshouse_pal::{Pal, RingOwner, TaskEvent, TaskId};
    /// let pal = Pal::memory();
    /// let ring = pal.lease(RingOwner::Worker(0));
    /// let [one, two] = [1, 2].map(|number| TaskId::new(number).expect("in range"));
    /// for tid in [one, two, one] {
    ///     ring.write(pal.clock().now(), 0, &TaskEvent::Wait { tid });
    /// }
    /// assert_eq!(pal.log().records_about(one).count(), 2);
    /// ```
    pub fn records_about(&self, tid: TaskId) -> Records {
        self.records().about(tid)
    }

    /// The events that were recorded since the cursor was made or used last, in time order among
    /// themselves, and how many records were lost in between: overwritten, such that make no sense, or of segments left
    /// out or removed. Of segments what was spilled by now, as far as it was written whole.
    pub fn follow(&self, cursor: &mut Cursor) -> (Records, u64) {
        let (records, lost) = ask!(self, log => log.follow(cursor));
        cursor.told = cursor.told.saturating_add(lost);
        (records, lost)
    }

    /// Whether more records may come for who follows: while the process runs, and of segments while it spills here.
    /// Asked before [`Log::follow`] it tells whether that gave all there will ever be.
    ///
    /// # Errors
    ///
    /// When the directory of segments that more would come to has been moved or removed.
    ///
    /// ```
    /// use glasshouse_pal::{Pal, spill::{Settings, Spiller}, reader::Log};
    /// let place = tempfile::tempdir().expect("a temporary directory");
    /// let dir = place.path().join("spill");
    /// let mut spiller = Spiller::new(&Pal::memory(), Settings::new(&dir)).expect("made");
    /// spiller.finish();
    /// assert_eq!(Log::open(&dir).expect("readable").is_growing().ok(), Some(false));
    /// ```
    pub fn is_growing(&self) -> Result<bool, OpenError> {
        match &self.place {
            Place::Mapped(log) => Ok(log.is_alive()),
            Place::Segments(log) => log.is_growing(),
        }
    }

    /// What the rings hold beyond the cursor, which moves on; `None` of segments.
    pub(crate) fn snapshot_since(&self, cursor: &mut Cursor) -> Option<Snapshot> {
        match &self.place {
            Place::Mapped(log) => Some(log.snapshot_since(cursor)),
            Place::Segments(_) => None,
        }
    }

    /// What is not in the log, and why.
    pub fn loss(&self) -> Loss {
        ask!(self, log => log.loss())
    }

    /// What the writer could not record; only causes that occurred.
    pub(crate) fn loss_counts(&self) -> Vec<(LossCause, u64)> {
        ask!(self, log => log.loss_counts())
    }

    /// The stamp from which on every ring holds all of its records; `None` when none has lost any.
    pub fn horizon(&self) -> Option<u64> {
        ask!(self, log => log.horizon())
    }

    /// A fold of this log's records into lives, which knows its horizon, its gaps, when its rows were noted, and how
    /// many events were not written: feed it every record.
    ///
    /// ```
    /// let log = glasshouse_pal::Pal::memory().log();
    /// let mut lives = log.lives();
    /// assert!(lives.feed(5, 0, &glasshouse_pal::TaskEvent::ShutdownComplete { clean: true }).is_none());
    /// ```
    pub fn lives(&self) -> Lives {
        let lives = self
            .horizon()
            .map_or_else(Lives::whole, Lives::from_horizon)
            .with_unwritten(unwritten_events(&self.loss_counts()));
        match &self.place {
            Place::Mapped(_) => lives,
            Place::Segments(log) => {
                let lives = lives.with_gaps(log.gaps());
                lives.with_rows_noted(log.rows_noted())
            }
        }
    }

    /// How long the time is, up to the newest record, of which every ring holds all records.
    pub fn retained_ns(&self) -> u64 {
        ask!(self, log => log.retained_ns())
    }

    /// The tasks that had not ended, from the task table: the truth about them when a ring has
    /// wrapped. Read anew at each call. Of segments those at the time of the last row that was noted: at the
    /// end of the spiller, else at the start of the last segment. A gap behind that hides what became of them:
    /// [`Lives::has_rows_as_of`] knows.
    pub fn tasks(&self) -> Tasks<'_> {
        ask!(self, log => log.tasks())
    }

    /// Every row of the task table that the log holds: that of a task which has ended since too, where a segment
    /// noted it. For the names of tasks whose spawn is not there any more.
    ///
    /// ```
    /// let log = glasshouse_pal::Pal::memory().log();
    /// assert!(log.known_tasks().is_empty());
    /// ```
    pub fn known_tasks(&self) -> Vec<TaskRow> {
        match &self.place {
            Place::Mapped(log) => log.tasks().collect(),
            Place::Segments(log) => log.known_tasks(),
        }
    }

    /// The rings that were ever leased, read anew at each call. Of segments those that they hold records of.
    pub fn rings(&self) -> Vec<RingInfo> {
        ask!(self, log => log.rings())
    }

    /// The records and the task table as they stand in memory, read anew at each call. To be asked for
    /// when nobody writes: it may hold halves of what is written meanwhile. Empty of segments.
    pub fn image(&self) -> Image {
        match &self.place {
            Place::Mapped(log) => log.image(),
            Place::Segments(_) => Image::default(),
        }
    }

    /// The text with this number; `None` where there is none. It may hold any character, terminal
    /// controls included.
    pub fn text(&self, id: TextId) -> Option<String> {
        ask!(self, log => log.text(id))
    }

    /// The spawn site with this number; `None` where there is none.
    pub fn site(&self, id: SiteId) -> Option<Site> {
        ask!(self, log => log.site(id))
    }

    /// What the log says of a record kind; `None` for a kind that it never used.
    pub fn schema(&self, kind: u8) -> Option<KindSchema> {
        ask!(self, log => log.schema(kind))
    }

    /// Forgets the records, so that the next question reads them anew. Segments stay as they were opened.
    pub fn refresh(&mut self) {
        match &mut self.place {
            Place::Mapped(log) => log.refresh(),
            Place::Segments(_) => {}
        }
    }

    /// Every word of a log with rings.
    #[cfg(test)]
    pub(crate) fn all_words(&self) -> Vec<u64> {
        match &self.place {
            Place::Mapped(log) => log.all_words(),
            Place::Segments(_) => Vec::new(),
        }
    }

    pub(crate) fn task_events(&self) -> Vec<TaskEvent> {
        let events = self.records().filter_map(|entry| match entry.event {
            Event::Task(event) => Some(event),
            Event::Domain(_) => None,
        });
        events.collect()
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("process", &self.process())
            .field("lifecycle", &self.lifecycle())
            .finish_non_exhaustive()
    }
}
