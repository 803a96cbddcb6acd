//! Owns the places of armed timers, and the lists that they stand in.
//!
//! Places are used again, the latest freed first, so that arming allocates only while more timers are armed
//! than ever before. A key names a place and the arming; numbers of armings are never used again, so the
//! key of a timer that has fired finds nothing, whoever has its place now.

use std::mem;
use std::num::NonZeroU64;
use std::task::Waker;

/// No place.
const NONE: u32 = u32::MAX;
/// Places that are kept when no timer is armed; more are given back. A guess: 2.6 MB.
const KEPT: usize = 1 << 16;

/// One arming of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) number: NonZeroU64,
    pub(crate) place: u32,
}

/// Timers in the order in which they were appended.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    first: u32,
    last: u32,
}

impl List {
    pub(super) const EMPTY: List = List {
        first: NONE,
        last: NONE,
    };

    pub(super) fn is_empty(&self) -> bool {
        self.first == NONE
    }
}

/// A place: of an armed timer while it has a waker, else free.
struct Entry {
    fires_at: u64,
    number: NonZeroU64,
    previous: u32,
    /// The next in its list; the next free place if it is free.
    next: u32,
    waker: Option<Waker>,
}

/// What a timer takes while it is armed.
#[cfg(test)]
pub(super) const ENTRY_BYTES: usize = size_of::<Entry>();

/// The places of one wheel.
pub(super) struct Entries {
    places: Vec<Entry>,
    free: u32,
    armed: usize,
    /// The number of the next arming.
    next_number: NonZeroU64,
}

impl Entries {
    pub(super) fn new() -> Entries {
        Entries {
            places: Vec::new(),
            free: NONE,
            armed: 0,
            next_number: NonZeroU64::MIN,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.armed == 0
    }

    /// A new arming, in no list yet.
    #[inline]
    pub(super) fn add(&mut self, fires_at: u64, waker: Waker) -> Key {
        self.armed += 1;
        let number = self.next_number;
        // 2^64 armings take longer than the clock reaches.
        self.next_number = number.saturating_add(1);
        let place = self.free;
        if let Some(entry) = self.places.get_mut(place as usize) {
            self.free = entry.next;
            entry.fires_at = fires_at;
            entry.number = number;
            entry.waker = Some(waker);
            return Key { number, place };
        }
        let place = self.places.len() as u32;
        assert!(
            place != NONE,
            "2^32 timers are armed on one worker; something arms without end"
        );
        self.places.push(Entry {
            fires_at,
            number,
            previous: NONE,
            next: NONE,
            waker: Some(waker),
        });
        Key { number, place }
    }

    /// When an armed timer fires; nothing if it is not armed any more.
    #[inline]
    pub(super) fn fires_at(&self, key: Key) -> Option<u64> {
        let entry = self.places.get(key.place as usize)?;
        (entry.number == key.number && entry.waker.is_some()).then_some(entry.fires_at)
    }

    /// Changes when an armed timer fires. It must be in no list.
    pub(super) fn set_fires_at(&mut self, key: Key, fires_at: u64) {
        self.places[key.place as usize].fires_at = fires_at;
    }

    /// The waker of a timer that is armed.
    pub(super) fn waker_mut(&mut self, key: Key) -> Option<&mut Waker> {
        self.fires_at(key)?;
        self.places[key.place as usize].waker.as_mut()
    }

    /// Frees the place of a timer that is armed, and in no list.
    #[inline]
    pub(super) fn free(&mut self, key: Key) -> Option<Waker> {
        let entry = &mut self.places[key.place as usize];
        let waker = entry.waker.take();
        entry.next = self.free;
        self.free = key.place;
        self.armed -= 1;
        waker
    }

    /// Gives up the memory of a peak that is over. To be dropped outside of any lock.
    #[must_use]
    pub(super) fn give_up_spare(&mut self) -> Option<impl Sized + use<>> {
        if self.armed != 0 || self.places.len() <= KEPT {
            return None;
        }
        self.free = NONE;
        Some(mem::take(&mut self.places))
    }

    /// Takes every waker; no key finds anything any more.
    pub(super) fn clear(&mut self) -> Vec<Waker> {
        self.free = NONE;
        self.armed = 0;
        mem::take(&mut self.places)
            .into_iter()
            .filter_map(|entry| entry.waker)
            .collect()
    }

    fn key(&self, place: u32) -> Option<Key> {
        let number = self.places.get(place as usize)?.number;
        Some(Key { number, place })
    }

    /// The first of a list.
    pub(super) fn first(&self, list: &List) -> Option<Key> {
        self.key(list.first)
    }

    /// The next in the list that this timer is in.
    pub(super) fn after(&self, key: Key) -> Option<Key> {
        self.key(self.places[key.place as usize].next)
    }

    /// Appends a timer that is in no list.
    #[inline]
    pub(super) fn append(&mut self, list: &mut List, key: Key) {
        let entry = &mut self.places[key.place as usize];
        entry.previous = list.last;
        entry.next = NONE;
        match self.places.get_mut(list.last as usize) {
            Some(last) => last.next = key.place,
            None => list.first = key.place,
        }
        list.last = key.place;
    }

    /// Takes a timer out of the list that it is in.
    #[inline]
    pub(super) fn unlink(&mut self, list: &mut List, key: Key) {
        let Entry { previous, next, .. } = self.places[key.place as usize];
        match self.places.get_mut(previous as usize) {
            Some(entry) => entry.next = next,
            None => list.first = next,
        }
        match self.places.get_mut(next as usize) {
            Some(entry) => entry.previous = previous,
            None => list.last = previous,
        }
    }
}
