//! Owns the armed timers of one worker as threads share them: the wheel behind a lock, and three words beside
//! it that are read without.
//!
//! Who does what:
//! - the worker's own thread arms, and fires what is due at every turn;
//! - whoever drops, resets or polls a timer does so where its task happens to be, often on another worker;
//! - any thread may fire them, since the worker may be stuck in a long tick.
//!
//! The lock is held for a few steps on the wheel, or until a slot that was reached is dealt out, never while a
//! waker is cloned, woken or dropped, and a worker in a long tick does not hold it. Most of the time only its
//! own worker takes it: two atomic exchanges that no other processor contends for. What is asked most often
//! takes no lock at all:
//! - `look_at`, when the wheel must be looked at: at every turn, a load and a comparison;
//! - `fired_ns`, up to when everything has fired: a timer that is polled or dropped after it has fired knows
//!   by it that there is nothing left to disarm;
//! - `reached_ns`, after which nothing has fired: a timer that is polled or moved before knows by it that it is
//!   still armed. Both are written before anybody is woken, so whoever polls because a timer fired, sees that
//!   it may have. Between the two, while many fire at once, only the wheel knows.
//!
//! No wake-up is lost. A thread that arms for a time before `look_at` lowers it under the lock, and, unless it
//! is the worker's own, unparks the worker afterwards; the worker asks `next` under the lock before it parks.
//! One comes first: either `next` knows the timer, or the unpark ends the park.

use crate::runtime::context;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering};
use crate::time::wheel::{Batch, Key, Rounding, Wheel};
use glasshouse_pal::{Clock, WakeSource};
use std::num::NonZeroU64;
use std::sync::PoisonError;
use std::task::Waker;

/// `look_at` while no timer is armed.
const NEVER: u64 = u64::MAX;

/// `fired_ns` when no timer will fire any more.
const CLOSED: u64 = u64::MAX;

/// The timers of one worker.
// A line of its own: what the worker reads at every turn is not where others count references.
#[repr(align(64))]
pub(crate) struct Timers {
    /// In clock ticks; not after the first timer fires. Written under the lock.
    look_at: AtomicU64,
    /// In nanoseconds. Written under the lock.
    fired_ns: AtomicU64,
    /// In nanoseconds. Written under the lock.
    reached_ns: AtomicU64,
    guarded: Mutex<Guarded>,
    rounding: Rounding,
    clock: Clock,
    worker: u32,
}

struct Guarded {
    wheel: Wheel,
    /// `look_at` in the wheel's units.
    look_at: u64,
    is_closed: bool,
}

/// A timer that was armed.
// The key's parts, so that a sleep has room for it all in 64 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Armed {
    number: NonZeroU64,
    place: u32,
    worker: u32,
    /// When it fires, in nanoseconds: its deadline, rounded up.
    fires_ns: u64,
}

impl Armed {
    /// Whose timers it is armed with.
    pub(crate) fn worker(&self) -> usize {
        self.worker as usize
    }

    fn key(&self) -> Key {
        Key {
            number: self.number,
            place: self.place,
        }
    }
}

/// Whether the wheel must be looked at earlier than before. A thread other than the owner must then unpark
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Look {
    AsBefore,
    Earlier,
}

impl Timers {
    pub(crate) fn new(clock: Clock, worker: usize) -> Timers {
        let wheel = Wheel::new(clock.is_virtual());
        let rounding = wheel.rounding();
        Timers {
            look_at: AtomicU64::new(NEVER),
            fired_ns: AtomicU64::new(0),
            reached_ns: AtomicU64::new(0),
            guarded: Mutex::new(Guarded {
                wheel,
                look_at: NEVER,
                is_closed: false,
            }),
            rounding,
            clock,
            worker: worker as u32,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Guarded> {
        self.guarded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_at(&self, guarded: &mut Guarded, units: u64) {
        guarded.look_at = units;
        // Relaxed: a hint. Who acts on it takes the lock first.
        self.look_at
            .store(self.first_tick(self.rounding.ns(units)), Ordering::Relaxed);
    }

    /// The first tick of the clock that is not before this nanosecond.
    fn first_tick(&self, ns: u64) -> u64 {
        let ticks = self.clock.ticks(ns);
        if self.clock.ns(ticks) < ns {
            ticks.saturating_add(1)
        } else {
            ticks
        }
    }

    /// Whether a look at the wheel is due at `now`, in clock ticks.
    #[inline(always)]
    pub(crate) fn is_due(&self, now: u64) -> bool {
        self.look_at.load(Ordering::Relaxed) <= now
    }

    /// Whether a timer has fired, or never will, so that nothing is left to disarm.
    #[inline]
    pub(crate) fn has_fired(&self, armed: &Armed) -> bool {
        // Acquire: pairs with the store in `fire_due`, so that the present is not before it.
        self.fired_ns.load(Ordering::Acquire) >= armed.fires_ns
    }

    /// Whether a timer that was armed surely still is. If not, the wheel must be asked.
    #[inline]
    pub(crate) fn is_armed(&self, armed: &Armed) -> bool {
        // Acquire: pairs with the store in `fire_due`.
        self.reached_ns.load(Ordering::Acquire) < armed.fires_ns
    }

    /// Whether the scheduler has ended: nothing is armed, and nothing can be.
    #[cold]
    pub(crate) fn is_closed(&self) -> bool {
        // Acquire: pairs with the store in `close`.
        self.fired_ns.load(Ordering::Acquire) == CLOSED
    }

    /// When the first timer fires, in clock ticks, or somewhat before, if that timer was disarmed. In virtual
    /// time always the very tick.
    pub(crate) fn next(&self) -> Option<u64> {
        let mut guarded = self.lock();
        let next = guarded.wheel.next();
        let look_at = next.unwrap_or(NEVER);
        if look_at != guarded.look_at {
            self.look_at(&mut guarded, look_at);
        }
        next.map(|_| self.look_at.load(Ordering::Relaxed))
    }

    /// Arms a timer; nothing when the scheduler has ended.
    #[inline]
    pub(crate) fn arm(&self, deadline_ns: u64, now_ns: u64, waker: Waker) -> Option<(Armed, Look)> {
        let mut guarded = self.lock();
        if guarded.is_closed {
            drop(guarded);
            return None;
        }
        let (key, fires_at) = guarded.wheel.arm(deadline_ns, now_ns, waker);
        Some(self.armed(guarded, key, fires_at))
    }

    /// Lets an armed timer fire at another time, for the same waker; nothing if it has fired.
    ///
    /// Takes no lock if it is to fire when it would have: a deadline moved by less than the step to which it is
    /// rounded up, as most are that bound one wait after the other. Should the timer fire meanwhile, its waker
    /// is woken afterwards, and whoever polls then finds that it has.
    #[inline(always)]
    pub(crate) fn rearm(
        &self,
        armed: &Armed,
        deadline_ns: u64,
        now_ns: u64,
    ) -> Option<(Armed, Look)> {
        if self.is_armed(armed) && self.rounding.is_same(armed.fires_ns, deadline_ns, now_ns) {
            return Some((*armed, Look::AsBefore));
        }
        self.move_to(armed, deadline_ns, now_ns)
    }

    #[inline(never)]
    fn move_to(&self, armed: &Armed, deadline_ns: u64, now_ns: u64) -> Option<(Armed, Look)> {
        let mut guarded = self.lock();
        let fires_at = guarded.wheel.rearm(armed.key(), deadline_ns, now_ns)?;
        Some(self.armed(guarded, armed.key(), fires_at))
    }

    #[inline]
    fn armed(
        &self,
        mut guarded: MutexGuard<'_, Guarded>,
        key: Key,
        fires_at: u64,
    ) -> (Armed, Look) {
        let fires_ns = self.rounding.ns(fires_at);
        let armed = Armed {
            number: key.number,
            place: key.place,
            worker: self.worker,
            fires_ns,
        };
        if fires_at >= guarded.look_at {
            return (armed, Look::AsBefore);
        }
        self.look_at(&mut guarded, fires_at);
        (armed, Look::Earlier)
    }

    /// Lets an armed timer wake another waker. Whether it is still armed.
    pub(crate) fn update(&self, armed: &Armed, waker: Waker) -> bool {
        let mut guarded = self.lock();
        let old = match guarded.wheel.waker_mut(armed.key()) {
            Some(held) => Ok(std::mem::replace(held, waker)),
            None => Err(waker),
        };
        drop(guarded);
        // Either is dropped here: that may free a task, and must not happen under the lock.
        old.is_ok()
    }

    /// Disarms a timer: its waker, if it has not fired. `look_at` stays: at worst somebody looks in vain.
    #[inline]
    pub(crate) fn disarm(&self, armed: &Armed) -> Option<Waker> {
        self.lock().wheel.disarm(armed.key())
    }

    /// Wakes what is due at `now`, in clock ticks, the first due first. Any thread may do it.
    #[inline(always)]
    pub(crate) fn fire(&self, now: u64) {
        if self.is_due(now) {
            self.fire_due(now);
        }
    }

    #[cold]
    fn fire_due(&self, now: u64) {
        let now_ns = self.clock.ns(now);
        let mut batch = Batch::new();
        loop {
            let mut guarded = self.lock();
            if guarded.is_closed {
                return;
            }
            let more = guarded.wheel.expire(now_ns, &mut batch);
            let next = guarded.wheel.next().unwrap_or(NEVER);
            self.look_at(&mut guarded, next);
            self.fired_up_to(guarded.wheel.fired_ns(), guarded.wheel.reached_ns());
            let spare = guarded.wheel.give_up_spare();
            drop(guarded);
            drop(spare);
            wake_all(batch.drain());
            if !more {
                return;
            }
        }
    }

    fn fired_up_to(&self, fired_ns: u64, reached_ns: u64) {
        // Release: see `has_fired` and `is_armed`.
        self.fired_ns.store(fired_ns, Ordering::Release);
        self.reached_ns.store(reached_ns, Ordering::Release);
    }

    /// Arms nothing any more. Who still waits is woken, and finds out.
    pub(crate) fn close(&self) {
        let mut guarded = self.lock();
        guarded.is_closed = true;
        // Before anybody is woken: a sleep looks here first.
        self.fired_up_to(CLOSED, CLOSED);
        let wakers = guarded.wheel.clear();
        self.look_at(&mut guarded, NEVER);
        drop(guarded);
        wake_all(wakers.into_iter());
    }
}

/// Wakes, with the timer as the source in the log.
pub(super) fn wake_all(wakers: impl Iterator<Item = Waker>) {
    context::waking_as(WakeSource::Timer, || {
        wakers.for_each(context::wake_contained)
    });
}

#[cfg(test)]
mod tests;
