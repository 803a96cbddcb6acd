//! Owns what a ring's header tells: its owner, and what that does with its time.

use super::entry::RingId;
use super::rings::RingPlace;
use super::source::Source;
use crate::clock::ClockPair;
use crate::format::header::{RING_HEADER_BYTES, RING_PAIRS, RingHeader};
use crate::id::TaskId;
use crate::owner::{RingOwner, WorkerState};
use crate::record::RECORD_WORDS;
use std::io;
use std::mem::offset_of;

/// A ring's header.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, WorkerState};
/// let pal = Pal::memory();
/// let ring = pal.lease(RingOwner::Worker(0));
/// ring.current(pal.clock().now(), None, WorkerState::Parked);
/// let rings = pal.log().rings();
/// assert_eq!(rings[0].owner, Some(RingOwner::Worker(0)));
/// assert_eq!(rings[0].state, Some(WorkerState::Parked));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingInfo {
    /// The ring.
    pub id: RingId,
    /// Who leased it last; `None` when nobody ever did.
    pub owner: Option<RingOwner>,
    /// Whether it is leased.
    pub is_leased: bool,
    /// The operating system's number of the owner's thread; zero where it is not known.
    pub thread: u32,
    /// Records that the ring holds.
    pub capacity: u64,
    /// The sequence number of the newest record.
    pub head: u64,
    /// When the owner last said that it is alive, in ticks of the log's clock.
    pub heartbeat: u64,
    /// The task that the owner runs.
    pub task: Option<TaskId>,
    /// What the owner does; `None` for a state that this version does not know.
    pub state: Option<WorkerState>,
    /// Since when, in ticks of the log's clock.
    pub state_since: u64,
    /// Ticks spent in each state, without the present stay, in the order of [`WorkerState::ALL`].
    pub state_ticks: [u64; 3],
    /// Events written, by kind.
    pub events: Box<[u64; 256]>,
}

/// The words of a ring's header.
const WORDS: usize = RING_HEADER_BYTES / 8;

pub(crate) fn read(source: &Source, place: &RingPlace) -> io::Result<RingInfo> {
    let words = header_words(source, place)?;
    let word = |offset: usize| words[offset / 8];
    let state_at = offset_of!(RingHeader, state_ticks);
    let events_at = offset_of!(RingHeader, events) / 8;
    let mut events = Box::new([0; 256]);
    events.copy_from_slice(&words[events_at..events_at + 256]);
    let state = word(offset_of!(RingHeader, state));
    Ok(RingInfo {
        id: place.id,
        owner: RingOwner::from_word(word(offset_of!(RingHeader, owner))),
        is_leased: word(offset_of!(RingHeader, leased)) == 1,
        thread: u32::try_from(word(offset_of!(RingHeader, thread))).unwrap_or(0),
        capacity: place.capacity,
        head: word(offset_of!(RingHeader, head)),
        heartbeat: word(offset_of!(RingHeader, heartbeat))
            .max(word(offset_of!(RingHeader, state_since))),
        task: TaskId::new(word(offset_of!(RingHeader, task))),
        state: WorkerState::ALL
            .into_iter()
            .find(|known| *known as u64 == state),
        state_since: word(offset_of!(RingHeader, state_since)),
        state_ticks: [0, 8, 16].map(|word_at| word(state_at + word_at)),
        events,
    })
}

/// The clock pairs that a ring's header keeps, in no order.
pub(crate) fn clock_pairs(source: &Source, place: &RingPlace) -> io::Result<Vec<ClockPair>> {
    let before = header_words(source, place)?;
    let words = header_words(source, place)?;
    let after = header_words(source, place)?;
    let first = offset_of!(RingHeader, pairs) / 8;
    let pairs = (0..RING_PAIRS).filter_map(|index| {
        let at = first + index * RECORD_WORDS;
        // The protocol of a record: see `record`.
        let is_whole = before[at] != 0 && before[at] == after[at];
        is_whole.then(|| ClockPair {
            ticks: words[at + 1],
            monotonic_ns: words[at + 2],
            wall_ns: words[at + 3],
        })
    });
    Ok(pairs.collect())
}

fn header_words(source: &Source, place: &RingPlace) -> io::Result<Box<[u64; WORDS]>> {
    let mut words = Box::new([0; WORDS]);
    source.read(place.header_at, &mut words[..])?;
    Ok(words)
}
