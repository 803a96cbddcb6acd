//! Owns the reader's view of a spiller's segments: one log, whose records stream by.

mod ahead;
mod decoder;
mod find;
mod following;
mod gather;
mod held;
mod home;
mod index;
mod notes;
mod runs;
mod scan;
mod shelf;
mod stream;
mod tail;
mod unbegun;
mod unread;

use super::cursor::Cursor;
use super::error::OpenError;
use super::gap::Gap;
use super::kinds::Kinds;
use super::loss::{Loss, RingLoss};
use super::names::{KindSchema, Site};
use super::records::Records;
use super::ring_info::RingInfo;
use super::tasks::Tasks;
use super::wall::WallClock;
use crate::clock::{ClockPair, Rate};
use crate::format::header::{LOSS_WORDS, Lifecycle};
use crate::host::ProcessId;
use crate::loss::{LossCause, occurred};
use crate::owner::RingOwner;
use crate::reader::RingId;
use crate::segment::Status;
use crate::slot::TaskRow;
use crate::text_id::{SiteId, TextId};
use held::Held;
use index::Index;
use notes::Notes;
use shelf::Shelf;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub(crate) use following::Following;
pub(crate) use stream::Stream;
pub use unbegun::unbegun;

/// A log in segments. [`Log`](super::Log) says what each question means.
pub(crate) struct Segments {
    /// What there was when it was opened.
    index: Index,
    shelf: Mutex<Arc<Shelf>>,
    /// What was noted since, as far as somebody has followed.
    learned: RwLock<Notes>,
    /// What the clocks showed since, from the last time on that the index knows.
    dates: RwLock<WallClock>,
}

impl Segments {
    /// Opens a segment, or the segments in a directory; `None` for a file that is something else.
    pub(crate) fn open(path: &Path) -> Result<Option<Segments>, OpenError> {
        let Some(files) = find::files(path)? else {
            return Ok(None);
        };
        let (index, shelf) = Index::of(path, files)?;
        let known = index.wall.pairs().last();
        let dates = WallClock::new(Vec::from_iter(known.copied()), index.gathered.header.rate);
        Ok(Some(Segments {
            dates: RwLock::new(dates),
            learned: RwLock::new(Notes::behind(&index.notes)),
            shelf: Mutex::new(Arc::new(shelf)),
            index,
        }))
    }

    pub(crate) fn process(&self) -> ProcessId {
        self.index.gathered.header.process
    }

    pub(crate) fn command(&self) -> &str {
        &self.index.gathered.header.command
    }

    pub(crate) fn lifecycle(&self) -> Lifecycle {
        match self.status() {
            // It came to its end, as it does at the end of its scheduler.
            Some(status) if status.is_final && status.lifecycle == Lifecycle::Running => {
                Lifecycle::CleanExit
            }
            Some(status) => status.lifecycle,
            None => Lifecycle::Running,
        }
    }

    pub(crate) fn rate(&self) -> Rate {
        self.index.gathered.header.rate
    }

    pub(crate) fn start_stamp(&self) -> u64 {
        self.index.gathered.header.start_stamp
    }

    pub(crate) fn wall_ns(&self, stamp: u64) -> Option<u64> {
        let known = &self.index.wall;
        match known.pairs().last() {
            Some(last) if stamp < last.ticks => known.at(stamp),
            _ => read(&self.dates).at(stamp),
        }
    }

    pub(crate) fn clock_pairs(&self) -> &[ClockPair] {
        self.index.wall.pairs()
    }

    pub(crate) fn records(&self) -> Records {
        self.records_of(Arc::clone(&self.shelf()))
    }

    fn records_of(&self, shelf: Arc<Shelf>) -> Records {
        Records::streaming(Stream::new(shelf), self.rate(), self.start_stamp())
    }

    /// Whether the spiller goes on.
    pub(crate) fn is_growing(&self) -> Result<bool, OpenError> {
        let Index { home, tail, .. } = &self.index;
        let has_ended = self.status().is_some_and(|status| status.is_final);
        let Some(tail) = tail.as_ref().filter(|_| !has_ended) else {
            return Ok(false);
        };
        if !home.is_there() {
            return Err(OpenError::Moved {
                path: home.path().to_owned(),
            });
        }
        let has_next = home.is_one && home.next(tail.number, || false).is_some();
        Ok(!has_next && home.is_spilled_to_by(&self.process()))
    }

    /// What came since the cursor was used last, and how many records were lost in between.
    pub(crate) fn follow(&self, cursor: &mut Cursor) -> (Records, u64) {
        // Asked first: what was spilled before it ended is there once it has ended. One that was moved may go on.
        let is_over = matches!(self.is_growing(), Ok(false));
        let is_first = cursor.segments.is_none();
        let following = cursor
            .segments
            .get_or_insert_with(|| Box::new(Following::behind(&self.index)));
        let found = following.look(&self.index.home, is_over);
        if !found.pairs.is_empty() {
            write(&self.dates).learn(&found.pairs);
        }
        let (files, blocks) = match is_first {
            true => self.let_go().and(found.new),
            false => found.new,
        };
        let shelf = Shelf {
            files,
            blocks,
            kinds: self.learn(found.notes),
            hearer: following.vanished.hearer(),
        };
        let mut lost = following.take_lost();
        if is_first {
            let before = self.loss();
            lost = lost.saturating_add(before.overwritten());
            lost = lost.saturating_add(before.in_gaps());
        }
        (self.records_of(Arc::new(shelf)), lost)
    }

    /// The blocks as they were opened, which from then on hold no file open that is removed meanwhile.
    fn let_go(&self) -> Arc<Shelf> {
        let mut shelf = self.shelf();
        if self.index.tail.is_none() {
            // Nobody removes what a process has left while it is read.
            return Arc::clone(&shelf);
        }
        let closed = Arc::new(shelf.closed());
        std::mem::replace(&mut shelf, closed)
    }

    fn shelf(&self) -> MutexGuard<'_, Arc<Shelf>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what was noted, for as long only as that takes: others ask meanwhile. What is known of kinds by now.
    fn learn(&self, notes: Notes) -> Kinds {
        let mut learned = write(&self.learned);
        learned.add(notes);
        learned.field_counts()
    }

    fn learned(&self) -> RwLockReadGuard<'_, Notes> {
        read(&self.learned)
    }

    /// What the log said of itself last.
    fn status(&self) -> Option<Status> {
        let learned = self.learned().status.clone();
        learned.or_else(|| self.index.notes.status.clone())
    }

    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.index.gathered.gaps
    }

    pub(crate) fn loss(&self) -> Loss {
        let gathered = &self.index.gathered;
        let senseless = self.index.unread.senseless();
        let loss = |(ring, held): (&RingId, &Held)| RingLoss {
            ring: *ring,
            newest_seq: held.newest,
            overwritten: held.lacking(),
        };
        Loss {
            rings: gathered.rings.iter().map(loss).collect(),
            unwritten: self.loss_counts(),
            unreadable: (gathered.unreadable).saturating_add(senseless),
            senseless,
            damaged_rings: 0,
            gaps: gathered.gaps.clone(),
            torn_bytes: gathered.torn_bytes,
            damaged_segments: gathered.damaged_segments,
            unread: self.index.unread.by_segment(),
        }
    }

    /// What the log's writer could not record, when that was noted last.
    pub(crate) fn loss_counts(&self) -> Vec<(LossCause, u64)> {
        occurred(&self.status().map_or([0; LOSS_WORDS], |status| status.loss))
    }

    pub(crate) fn horizon(&self) -> Option<u64> {
        let from = self.index.gathered.header.whole_from;
        (from > 0).then_some(from)
    }

    pub(crate) fn retained_ns(&self) -> u64 {
        let Some((first, last)) = self.index.gathered.stamps else {
            return 0;
        };
        let from = self.horizon().unwrap_or(first.min(self.start_stamp()));
        let rate = self.rate();
        rate.ns(last).saturating_sub(rate.ns(from))
    }

    pub(crate) fn tasks(&self) -> Tasks<'_> {
        let learned = self.learned();
        let newest = match learned.has_rows {
            true => learned.newest_rows(),
            false => self.index.notes.newest_rows(),
        };
        Tasks::noted(newest)
    }

    /// A stamp before which [`Segments::tasks`] were not noted.
    pub(crate) fn rows_noted(&self) -> u64 {
        let learned = self.learned();
        match learned.has_rows {
            true => learned.rows_noted,
            false => self.index.notes.rows_noted,
        }
    }

    pub(crate) fn known_tasks(&self) -> Vec<TaskRow> {
        let mut rows = self.index.notes.known_rows.clone();
        rows.extend(&self.learned().known_rows);
        rows.into_values().collect()
    }

    /// What is known of the rings without their headers: who they were for, and how far they came.
    pub(crate) fn rings(&self) -> Vec<RingInfo> {
        let last = self.index.gathered.stamps.map_or(0, |(_, last)| last);
        let info = |(ring, held): (&RingId, &Held)| RingInfo {
            id: *ring,
            owner: Some(match ring {
                RingId::Worker(number) => RingOwner::Worker(*number),
                RingId::External(_) => RingOwner::External,
            }),
            is_leased: false,
            thread: 0,
            capacity: 0,
            head: held.newest,
            heartbeat: last,
            task: None,
            state: None,
            state_since: 0,
            state_ticks: [0; 3],
            events: Box::new([0; 256]),
        };
        self.index.gathered.rings.iter().map(info).collect()
    }

    pub(crate) fn text(&self, id: TextId) -> Option<String> {
        let known = self.index.notes.text(id);
        known.or_else(|| self.learned().text(id))
    }

    pub(crate) fn site(&self, id: SiteId) -> Option<Site> {
        let known = self.index.notes.site(id);
        known.or_else(|| self.learned().site(id))
    }

    pub(crate) fn schema(&self, kind: u8) -> Option<KindSchema> {
        self.learned().kinds.get(&kind).cloned()
    }
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spill::{Settings, Spiller};
    use crate::{Pal, RingOwner, TaskEvent};
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    #[test]
    fn who_asks_of_names_does_not_wait_for_who_follows_to_have_read_the_files() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let pal = Pal::memory();
        let ring = pal.lease(RingOwner::Worker(0));
        let settings = Settings {
            flush: Duration::from_nanos(1),
            ..Settings::new(place.path().join("spill"))
        };
        let mut spiller = Spiller::new(&pal, settings).expect("made");
        let event = TaskEvent::ShutdownComplete { clean: true };
        assert!(ring.write(pal.clock().now(), 0, &event));
        let _ = (spiller.step(), spiller.step());
        let opened = Segments::open(spiller.path()).expect("readable");
        let segments = Rc::new(opened.expect("segments"));
        let (asked, of) = (Rc::new(Cell::new(0)), Rc::clone(&segments));
        let count = Rc::clone(&asked);
        scan::tests::MEANWHILE.set(Some(Box::new(move || {
            assert!(of.learned.try_read().is_ok(), "nobody holds it");
            count.set(count.get() + 1);
        })));
        assert!(ring.write(pal.clock().now(), 0, &event));
        let _ = spiller.finish();
        let (records, _) = segments.follow(&mut Cursor::default());
        assert_eq!((records.count(), asked.get() > 0), (2, true));
        scan::tests::MEANWHILE.set(None);
    }
}
