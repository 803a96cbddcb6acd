//! Owns armed timers by the time at which they fire: a hierarchy of wheels.
//!
//! A wheel of level 0 has a slot for each unit of time, one of level `n` a slot for a whole turn of the
//! wheel below. A timer stands at the lowest level on whose wheel its slot can be told from the one that
//! is passing now: the highest base-64 digit in which its time differs from `elapsed`. When time
//! reaches a slot, its timers fire if it is at level 0 (their times are the slot's), and else are dealt
//! out to the levels below. Arming and disarming take the same few steps, however many timers are armed.
//!
//! Invariants:
//! - a timer in a slot fires after `elapsed`; one that does not is in `due`, waiting to be taken out;
//! - so in every wheel the slots in use lie after the one that is passing, and every timer of a level
//!   fires before those of the levels above;
//! - timers with the same time stand in the order in which they were armed, since a slot is dealt out
//!   before anything can be put below it.
//!
//! On a real clock times are rounded up (`rounding.rs`). What rounds to the same time needs one wake-up of a
//! sleeping worker, and the coarsest steps are the slots of level 1, so timers armed for later fire straight
//! from there.

mod entries;
mod rounding;

pub(crate) use entries::Key;
pub(crate) use rounding::Rounding;

use entries::{Entries, List};
use std::mem;
use std::task::Waker;

/// Slots of a wheel: the bits of one word.
const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
/// Wheels that hold all of 64 bits.
const LEVELS: usize = u64::BITS.div_ceil(DIGIT_BITS) as usize;
/// The time of a timer that never fires. It stands in no list.
pub(super) const NEVER: u64 = u64::MAX;
/// In a slot's `soonest`: a timer that was it has left. No timer fires at zero.
const UNKNOWN: u64 = 0;

#[derive(Clone, Copy)]
struct Slot {
    timers: List,
    /// When the first of them fires.
    soonest: u64,
}

impl Slot {
    const EMPTY: Slot = Slot {
        timers: List::EMPTY,
        soonest: NEVER,
    };
}

/// Where a slot is, and when it is reached.
#[derive(Clone, Copy)]
struct Reached {
    level: usize,
    slot: usize,
    at: u64,
}

/// Wakers taken out of a wheel together, so that the lock around it is taken seldom, and not held while they
/// wake.
pub(crate) struct Batch {
    wakers: [Option<Waker>; Batch::SIZE],
    len: usize,
}

impl Batch {
    const SIZE: usize = if cfg!(glasshouse_loom) { 1 } else { 32 };

    pub(crate) fn new() -> Batch {
        Batch {
            wakers: [const { None }; Batch::SIZE],
            len: 0,
        }
    }

    fn is_full(&self) -> bool {
        self.len == Batch::SIZE
    }

    fn push(&mut self, waker: Option<Waker>) {
        self.wakers[self.len] = waker;
        self.len += 1;
    }

    /// Takes the wakers, the first due first.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Waker> {
        let len = mem::take(&mut self.len);
        self.wakers[..len].iter_mut().filter_map(Option::take)
    }
}

/// The timers of one worker. Times are in nanoseconds where they come in, in units everywhere else.
pub(crate) struct Wheel {
    entries: Entries,
    /// The slots of as many levels as were needed so far.
    slots: Vec<Slot>,
    /// For each level, which slots have timers.
    occupied: [u64; LEVELS],
    /// Timers whose time has come, until they are taken out.
    due: List,
    /// All up to here is due or has fired.
    elapsed: u64,
    rounding: Rounding,
}

impl Wheel {
    /// A wheel that fires each timer at its very nanosecond, or one that rounds up.
    pub(crate) fn new(is_exact: bool) -> Wheel {
        Wheel {
            entries: Entries::new(),
            slots: Vec::new(),
            occupied: [0; LEVELS],
            due: List::EMPTY,
            elapsed: 0,
            rounding: Rounding::new(is_exact),
        }
    }

    pub(crate) fn rounding(&self) -> Rounding {
        self.rounding
    }

    /// When a timer fires, in units. Never before `deadline_ns`, and after `elapsed`.
    #[inline]
    fn round_up(&self, deadline_ns: u64, now_ns: u64) -> u64 {
        let units = self.rounding.up(deadline_ns, now_ns);
        units.max(self.elapsed.saturating_add(1))
    }

    /// Arms a timer: its key, and the unit in which it fires.
    #[inline]
    pub(crate) fn arm(&mut self, deadline_ns: u64, now_ns: u64, waker: Waker) -> (Key, u64) {
        if self.entries.is_empty() {
            // Nothing has moved it on meanwhile. The nearer it is, the fewer levels a timer goes through.
            self.elapsed = self.elapsed.max(self.rounding.passed(now_ns));
        }
        let fires_at = self.round_up(deadline_ns, now_ns);
        let key = self.entries.add(fires_at, waker);
        self.link(key, fires_at);
        (key, fires_at)
    }

    /// Lets an armed timer fire at another time: the unit, or nothing if it has fired.
    pub(crate) fn rearm(&mut self, key: Key, deadline_ns: u64, now_ns: u64) -> Option<u64> {
        let before = self.entries.fires_at(key)?;
        self.unlink(key, before);
        let fires_at = self.round_up(deadline_ns, now_ns);
        self.entries.set_fires_at(key, fires_at);
        self.link(key, fires_at);
        Some(fires_at)
    }

    /// The waker of a timer that has not fired.
    pub(crate) fn waker_mut(&mut self, key: Key) -> Option<&mut Waker> {
        self.entries.waker_mut(key)
    }

    /// Disarms a timer; nothing if it has fired.
    #[inline]
    pub(crate) fn disarm(&mut self, key: Key) -> Option<Waker> {
        let fires_at = self.entries.fires_at(key)?;
        self.unlink(key, fires_at);
        self.entries.free(key)
    }

    /// Takes out timers that are due at `now_ns`, the first due first, as far as `batch` has room. Whether
    /// there may be more.
    pub(crate) fn expire(&mut self, now_ns: u64, batch: &mut Batch) -> bool {
        let now = self.rounding.passed(now_ns);
        loop {
            while let Some(key) = self.entries.first(&self.due) {
                if batch.is_full() {
                    return true;
                }
                self.entries.unlink(&mut self.due, key);
                batch.push(self.entries.free(key));
            }
            match self.first_slot() {
                Some(reached) if reached.at <= now => self.reach(reached),
                _ => break,
            }
        }
        self.elapsed = self.elapsed.max(now);
        false
    }

    /// Everything that fires up to this nanosecond has been taken out.
    pub(crate) fn fired_ns(&self) -> u64 {
        let fired = self.elapsed - u64::from(!self.due.is_empty());
        self.rounding.ns(fired)
    }

    /// Nothing that fires after this nanosecond has been taken out.
    pub(crate) fn reached_ns(&self) -> u64 {
        self.rounding.ns(self.elapsed)
    }

    /// The unit at which to look again: never after the first timer fires, and on an exact wheel the very
    /// time at which it does.
    pub(crate) fn next(&mut self) -> Option<u64> {
        if !self.due.is_empty() {
            return Some(self.elapsed);
        }
        let Reached { level, slot, at } = self.first_slot()?;
        let soonest = self.slots[level * SLOTS + slot].soonest;
        if soonest != UNKNOWN {
            return Some(soonest);
        }
        if !self.rounding.is_exact() {
            // Reached then, it is dealt out, and what it holds is known better: one look a level at most.
            return Some(at);
        }
        let timers = self.slots[level * SLOTS + slot].timers;
        let mut soonest = NEVER;
        let mut key = self.entries.first(&timers);
        while let Some(timer) = key {
            soonest = soonest.min(self.entries.fires_at(timer)?);
            key = self.entries.after(timer);
        }
        self.slots[level * SLOTS + slot].soonest = soonest;
        Some(soonest)
    }

    /// Gives up the memory of a peak that is over. To be dropped outside of any lock.
    #[must_use]
    pub(crate) fn give_up_spare(&mut self) -> Option<impl Sized + use<>> {
        self.entries.give_up_spare()
    }

    /// Disarms everything.
    pub(crate) fn clear(&mut self) -> Vec<Waker> {
        self.slots.clear();
        self.occupied = [0; LEVELS];
        self.due = List::EMPTY;
        self.entries.clear()
    }

    /// The level and slot of a timer that fires after `elapsed`.
    #[inline]
    fn place(&self, fires_at: u64) -> (usize, usize) {
        // The lowest digit counts as different, so that there is one.
        let different = (self.elapsed ^ fires_at) | (SLOTS as u64 - 1);
        let level = different.ilog2() / DIGIT_BITS;
        let digit = fires_at >> (level * DIGIT_BITS) & (SLOTS as u64 - 1);
        (level as usize, digit as usize)
    }

    #[inline]
    fn link(&mut self, key: Key, fires_at: u64) {
        if fires_at == NEVER {
            return;
        }
        let (level, slot) = self.place(fires_at);
        self.occupied[level] |= 1 << slot;
        let slot = level * SLOTS + slot;
        if self.slots.len() <= slot {
            self.slots.resize((level + 1) * SLOTS, Slot::EMPTY);
        }
        let slot = &mut self.slots[slot];
        slot.soonest = slot.soonest.min(fires_at);
        self.entries.append(&mut slot.timers, key);
    }

    #[inline]
    fn unlink(&mut self, key: Key, fires_at: u64) {
        if fires_at == NEVER {
            return;
        }
        if fires_at <= self.elapsed {
            return self.entries.unlink(&mut self.due, key);
        }
        let (level, digit) = self.place(fires_at);
        let slot = &mut self.slots[level * SLOTS + digit];
        self.entries.unlink(&mut slot.timers, key);
        if slot.timers.is_empty() {
            *slot = Slot::EMPTY;
            self.occupied[level] &= !(1 << digit);
        } else if slot.soonest == fires_at && level != 0 {
            slot.soonest = UNKNOWN;
        }
    }

    /// The slot in use that is reached first.
    fn first_slot(&self) -> Option<Reached> {
        let level = self.occupied.iter().position(|&slots| slots != 0)?;
        let slot = self.occupied[level].trailing_zeros();
        let shift = level as u32 * DIGIT_BITS;
        // The digits above are those of the time that passes now; above the topmost wheel there are none.
        let above = self.elapsed.checked_shr(shift + DIGIT_BITS).unwrap_or(0);
        let at = (above << DIGIT_BITS | u64::from(slot)) << shift;
        Some(Reached {
            level,
            slot: slot as usize,
            at,
        })
    }

    /// Time has come to a slot: what is due there goes to `due`, which is empty, the rest to the levels below.
    fn reach(&mut self, Reached { level, slot, at }: Reached) {
        self.occupied[level] &= !(1 << slot);
        let slot = mem::replace(&mut self.slots[level * SLOTS + slot], Slot::EMPTY);
        self.elapsed = at;
        if level == 0 {
            self.due = slot.timers;
            return;
        }
        let mut next = self.entries.first(&slot.timers);
        while let Some(key) = next {
            next = self.entries.after(key);
            match self.entries.fires_at(key) {
                Some(fires_at) if fires_at > at => self.link(key, fires_at),
                _ => self.entries.append(&mut self.due, key),
            }
        }
    }
}

#[cfg(test)]
mod tests;
