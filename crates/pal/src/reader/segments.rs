//! Owns the reader's view of a spiller's segments: one log, whose records stream by.

mod ahead;
mod decoder;
mod find;
mod index;
mod notes;
mod scan;
mod stream;

use super::error::OpenError;
use super::gap::Gap;
use super::loss::{Loss, RingLoss};
use super::names::{KindSchema, Site};
use super::records::Records;
use super::ring_info::RingInfo;
use super::tasks::Tasks;
use crate::clock::{ClockPair, Rate};
use crate::format::header::{LOSS_WORDS, Lifecycle};
use crate::host::ProcessId;
use crate::loss::{LossCause, occurred};
use crate::owner::RingOwner;
use crate::reader::RingId;
use crate::slot::TaskRow;
use crate::text_id::{SiteId, TextId};
use index::Index;
use std::path::Path;
use std::sync::Arc;
pub(crate) use stream::Stream;

/// A log in segments. [`Log`](super::Log) says what each question means.
pub(crate) struct Segments {
    index: Arc<Index>,
}

impl Segments {
    /// Opens a segment, or the segments in a directory; `None` for a file that is something else.
    pub(crate) fn open(path: &Path) -> Result<Option<Segments>, OpenError> {
        let Some(files) = find::files(path)? else {
            return Ok(None);
        };
        let index = Arc::new(Index::of(path, files)?);
        Ok(Some(Segments { index }))
    }

    pub(crate) fn process(&self) -> ProcessId {
        self.index.header.process
    }

    pub(crate) fn command(&self) -> &str {
        &self.index.header.command
    }

    pub(crate) fn lifecycle(&self) -> Lifecycle {
        match &self.index.notes.status {
            // It came to its end, as it does at the end of its scheduler.
            Some(status) if status.is_final && status.lifecycle == Lifecycle::Running => {
                Lifecycle::CleanExit
            }
            Some(status) => status.lifecycle,
            None => Lifecycle::Running,
        }
    }

    pub(crate) fn rate(&self) -> Rate {
        self.index.header.rate
    }

    pub(crate) fn start_stamp(&self) -> u64 {
        self.index.header.start_stamp
    }

    pub(crate) fn wall_ns(&self, stamp: u64) -> Option<u64> {
        self.index.wall.at(stamp)
    }

    pub(crate) fn clock_pairs(&self) -> &[ClockPair] {
        self.index.wall.pairs()
    }

    pub(crate) fn records(&self) -> Records {
        self.records_if(true)
    }

    /// All events, or none.
    pub(crate) fn records_if(&self, any: bool) -> Records {
        let mut stream = Stream::new(Arc::clone(&self.index));
        if !any {
            stream.end();
        }
        Records::streaming(stream, self.rate(), self.start_stamp())
    }

    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.index.gaps
    }

    pub(crate) fn loss(&self) -> Loss {
        let index = &self.index;
        let loss = |(ring, held): (&RingId, &index::Held)| RingLoss {
            ring: *ring,
            newest_seq: held.newest,
            overwritten: (held.newest)
                .saturating_sub(held.records)
                .saturating_sub(held.in_gaps),
        };
        Loss {
            rings: index.rings.iter().map(loss).collect(),
            unwritten: self.loss_counts(),
            unreadable: index.unreadable,
            damaged_rings: 0,
            gaps: index.gaps.clone(),
            torn_bytes: index.torn_bytes,
            damaged_segments: index.damaged_segments,
        }
    }

    /// What the log's writer could not record, when that was noted last.
    pub(crate) fn loss_counts(&self) -> Vec<(LossCause, u64)> {
        let status = self.index.notes.status.as_ref();
        occurred(&status.map_or([0; LOSS_WORDS], |status| status.loss))
    }

    pub(crate) fn horizon(&self) -> Option<u64> {
        let from = self.index.header.whole_from;
        (from > 0).then_some(from)
    }

    pub(crate) fn retained_ns(&self) -> u64 {
        let Some((first, last)) = self.index.stamps() else {
            return 0;
        };
        let from = self.horizon().unwrap_or(first.min(self.start_stamp()));
        let rate = self.rate();
        rate.ns(last).saturating_sub(rate.ns(from))
    }

    pub(crate) fn tasks(&self) -> Tasks<'_> {
        Tasks::noted(self.index.notes.newest_rows())
    }

    pub(crate) fn known_tasks(&self) -> Vec<TaskRow> {
        self.index.notes.known_rows.values().copied().collect()
    }

    /// What is known of the rings without their headers: who they were for, and how far they came.
    pub(crate) fn rings(&self) -> Vec<RingInfo> {
        let last = self.index.stamps().map_or(0, |(_, last)| last);
        let info = |(ring, held): (&RingId, &index::Held)| RingInfo {
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
        self.index.rings.iter().map(info).collect()
    }

    pub(crate) fn text(&self, id: TextId) -> Option<String> {
        self.index.notes.text(id)
    }

    pub(crate) fn site(&self, id: SiteId) -> Option<Site> {
        self.index.notes.site(id)
    }

    pub(crate) fn schema(&self, kind: u8) -> Option<KindSchema> {
        self.index.notes.kinds.get(&kind).cloned()
    }
}
