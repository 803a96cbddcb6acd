//! Owns the iteration over a log's events.

use super::entry::Entry;
use super::snapshot::Snapshot;
use crate::clock::Rate;
use std::sync::Arc;

/// The events of a log in time order, as they were at one moment.
///
/// ```
/// let log = glasshouse_pal::Pal::memory().log();
/// assert_eq!(log.records().count(), 0);
/// ```
pub struct Records {
    snapshot: Arc<Snapshot>,
    rate: Rate,
    start_stamp: u64,
    next: usize,
}

impl Records {
    pub(crate) fn new(snapshot: Arc<Snapshot>, rate: Rate, start_stamp: u64) -> Records {
        Records {
            snapshot,
            rate,
            start_stamp,
            next: 0,
        }
    }
}

impl Iterator for Records {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let entry = self
            .snapshot
            .entry(self.next, self.rate, self.start_stamp)?;
        self.next += 1;
        Some(entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.snapshot.len() - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Records {}
