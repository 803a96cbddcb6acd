//! Owns the armed timers of one worker, by deadline.
//!
//! They stand behind a lock, because a task may be dropped, or polled again, on another worker than the
//! one that armed its timer; the owner takes it too. The earliest deadline is kept beside it, so that a
//! turn without a due timer is one load.

use crate::runtime::context;
use glasshouse_pal::WakeSource;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// The value of `earliest` when no timer is armed.
const NONE: u64 = u64::MAX;

/// A timer's place: its deadline in clock ticks, and a number that keeps equal deadlines in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerKey {
    deadline: u64,
    number: u64,
}

/// The timers of one worker.
pub(crate) struct Timers {
    earliest: AtomicU64,
    armed: Mutex<Armed>,
}

#[derive(Default)]
struct Armed {
    wakers: BTreeMap<TimerKey, Waker>,
    numbers: u64,
}

impl Timers {
    pub(crate) fn new() -> Timers {
        Timers {
            earliest: AtomicU64::new(NONE),
            armed: Mutex::new(Armed::default()),
        }
    }

    fn armed(&self) -> MutexGuard<'_, Armed> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_earliest(&self, armed: &Armed) {
        let earliest = armed
            .wakers
            .first_key_value()
            .map_or(NONE, |(key, _)| key.deadline);
        // Release: pairs with the load in `next`. Written under the lock only.
        self.earliest.store(earliest, Ordering::Release);
    }

    /// The earliest deadline in clock ticks.
    pub(crate) fn next(&self) -> Option<u64> {
        let earliest = self.earliest.load(Ordering::Acquire);
        (earliest != NONE).then_some(earliest)
    }

    /// Arms a timer. Whether it is now the earliest: a thread other than the owner must then wake it.
    pub(crate) fn arm(&self, deadline: u64, waker: Waker) -> (TimerKey, bool) {
        // The last moment of the clock stands for never.
        let deadline = deadline.min(NONE - 1);
        let mut armed = self.armed();
        armed.numbers += 1;
        let key = TimerKey {
            deadline,
            number: armed.numbers,
        };
        armed.wakers.insert(key, waker);
        let first = self.next().is_none_or(|earliest| deadline < earliest);
        if first {
            self.note_earliest(&armed);
        }
        (key, first)
    }

    /// Lets an armed timer wake another waker. Whether it is still armed.
    pub(crate) fn update(&self, key: TimerKey, waker: &Waker) -> bool {
        let mut armed = self.armed();
        let Some(held) = armed.wakers.get_mut(&key) else {
            return false;
        };
        let old = (!held.will_wake(waker)).then(|| std::mem::replace(held, waker.clone()));
        drop(armed);
        // Dropping a waker may free a task: not under the lock.
        drop(old);
        true
    }

    /// Disarms a timer, if it has not fired.
    pub(crate) fn disarm(&self, key: TimerKey) {
        let mut armed = self.armed();
        let waker = armed.wakers.remove(&key);
        if waker.is_some() && self.next() == Some(key.deadline) {
            self.note_earliest(&armed);
        }
        drop(armed);
        drop(waker);
    }

    /// Wakes what is due at `now`, in the order of deadlines.
    pub(crate) fn fire(&self, now: u64) {
        if self.earliest.load(Ordering::Acquire) > now {
            return;
        }
        let mut armed = self.armed();
        let later = armed.wakers.split_off(&TimerKey {
            deadline: now.saturating_add(1),
            number: 0,
        });
        let due = std::mem::replace(&mut armed.wakers, later);
        self.note_earliest(&armed);
        drop(armed);
        context::waking_as(WakeSource::Timer, || {
            due.into_values().for_each(context::wake_contained)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::SplitMix64;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn timers_agree_with_a_sorted_list_under_random_operations() {
        let timers = Timers::new();
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let mut model: Vec<TimerKey> = Vec::new();
        let mut random = SplitMix64(7);
        let (mut now, mut fired) = (0, 0);
        for _ in 0..20_000 {
            match random.next() % 4 {
                0 | 1 => {
                    let deadline = now + random.next() % 100;
                    let (key, first) = timers.arm(deadline, Waker::from(count.clone()));
                    assert_eq!(first, model.iter().all(|held| deadline < held.deadline));
                    model.push(key);
                }
                2 if !model.is_empty() => {
                    let index = (random.next() % model.len() as u64) as usize;
                    timers.disarm(model.swap_remove(index));
                }
                _ => {
                    now += random.next() % 20;
                    timers.fire(now);
                    fired += model.iter().filter(|key| key.deadline <= now).count();
                    model.retain(|key| key.deadline > now);
                }
            }
            assert_eq!(timers.next(), model.iter().map(|key| key.deadline).min());
            assert_eq!(count.0.load(Ordering::Relaxed), fired);
        }
    }

    #[test]
    fn a_timer_that_fired_cannot_be_updated_or_disarmed() {
        let timers = Timers::new();
        let (key, _) = timers.arm(5, Waker::noop().clone());
        timers.fire(5);
        assert!(!timers.update(key, Waker::noop()));
        timers.disarm(key);
        assert_eq!(timers.next(), None);
    }
}
