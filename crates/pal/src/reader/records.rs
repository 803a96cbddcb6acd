//! Owns the iteration over a log's events.

use super::entry::Entry;
use super::progress::{Watched, Watcher};
use super::segments::Stream;
use super::snapshot::Snapshot;
use crate::clock::Rate;
use crate::id::TaskId;
use crate::ways_out::WaysOut;
use std::sync::Arc;

/// The events of a log in time order, as they were at one moment.
///
/// ```
/// let log = glasshouse_pal::Pal::memory().log();
/// assert_eq!(log.records().count(), 0);
/// ```
pub struct Records {
    from: From,
    rate: Rate,
    /// When the log began, in the nanoseconds of the rate.
    start_ns: u64,
    /// The task that is asked for; any where it is `None`.
    about: Option<TaskId>,
}

/// Where they come from.
enum From {
    Snapshot {
        snapshot: Arc<Snapshot>,
        next: usize,
    },
    Segments(Box<Stream>),
}

impl Records {
    pub(crate) fn new(snapshot: Arc<Snapshot>, rate: Rate, start_stamp: u64) -> Records {
        let next = 0;
        Records {
            from: From::Snapshot { snapshot, next },
            start_ns: rate.ns(start_stamp),
            rate,
            about: None,
        }
    }

    pub(crate) fn streaming(stream: Stream, rate: Rate, start_stamp: u64) -> Records {
        Records {
            from: From::Segments(Box::new(stream)),
            start_ns: rate.ns(start_stamp),
            rate,
            about: None,
        }
    }

    /// Those of which this watcher is told.
    pub(super) fn watched(mut self, watcher: Option<&Watcher>) -> Records {
        if let (From::Segments(stream), Some(watcher)) = (&mut self.from, watcher) {
            stream.watch(Watched::by(Arc::clone(watcher)));
        }
        self
    }

    /// Those of one task. To be asked before the first is taken.
    pub(crate) fn about(mut self, tid: TaskId) -> Records {
        if let From::Segments(stream) = &mut self.from {
            stream.only(tid);
        }
        self.about = Some(tid);
        self
    }
}

impl Iterator for Records {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            let entry = match &mut self.from {
                From::Segments(stream) => {
                    let packed = stream.next()?;
                    let words = stream.words_of(&packed).iter().copied();
                    // The spiller keeps what it could decode; anything else is damage.
                    let Some(event) = stream.kinds().event(&packed.raw, words) else {
                        stream.tell_senseless(&packed);
                        continue;
                    };
                    let tag = packed.tag();
                    Entry {
                        seq: tag.seq,
                        ring: packed.ring,
                        stamp: packed.stamp(),
                        at_ns: self.rate.ns(packed.stamp()).saturating_sub(self.start_ns),
                        aux: tag.aux,
                        event,
                        ways_out: WaysOut::of(tag.kind, packed.raw[3]),
                    }
                }
                From::Snapshot { snapshot, next } => {
                    let entry = snapshot.entry(*next, self.rate, self.start_ns)?;
                    *next += 1;
                    entry
                }
            };
            if self.about.is_none() || self.about == entry.event.tid() {
                return Some(entry);
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.from {
            From::Snapshot { snapshot, next } => {
                let left = snapshot.len() - next;
                let least = if self.about.is_none() { left } else { 0 };
                (least, Some(left))
            }
            From::Segments(_) => (0, None),
        }
    }
}
