//! Owns one entry of a log as a reader sees it.

use crate::domain::Event;
use crate::ways_out::WaysOut;
use std::fmt;

/// A ring, by what it was made for: a worker's, or one that other threads lease. When a process
/// has several schedulers, the workers of the later ones lease the latter.
///
/// ```
/// use glasshouse_pal::reader::RingId;
/// assert_eq!(RingId::Worker(2).to_string(), "2");
/// assert_eq!(RingId::External(0).to_string(), "ext0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RingId {
    /// The ring of the worker with this number.
    Worker(u16),
    /// One of the rings for other threads.
    External(u16),
}

impl fmt::Display for RingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RingId::Worker(number) => write!(f, "{number}"),
            RingId::External(number) => write!(f, "ext{number}"),
        }
    }
}

/// One event of a log, with where and when it was recorded.
///
/// ```
/// use glasshouse_pal::{Clock, Event, Pal, RingOwner, TaskEvent};
/// let clock = Clock::virtual_time();
/// let pal = Pal::memory_with(clock.clone());
/// clock.advance_ns(250);
/// let event = TaskEvent::ShutdownComplete { clean: true };
/// pal.lease(RingOwner::Worker(0)).write(clock.now(), 0, &event);
/// let log = pal.log();
/// let entry = log.records().next().expect("one record");
/// assert_eq!((entry.seq, entry.at_ns, entry.event), (1, 250, Event::Task(event)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The sequence number in its ring, from 1.
    pub seq: u64,
    /// The ring.
    pub ring: RingId,
    /// The stamp, in ticks of the log's clock.
    pub stamp: u64,
    /// The stamp in nanoseconds since the log began. Rounded so that differences between two
    /// entries are the same whichever way they are added up.
    pub at_ns: u64,
    /// For a transition: its number in its task's life, modulo 256.
    pub aux: u8,
    /// What happened.
    pub event: Event,
    /// Of a wait: what may end it beside what the event says.
    pub ways_out: WaysOut,
}
