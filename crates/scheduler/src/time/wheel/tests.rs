//! Owns the wheel's tests. Under random operations it agrees with a sorted map in these:
//! - each timer fires once, never before its deadline, and late by no more than it may be;
//! - timers fire in the order of their times, and those with the same time in the order of arming;
//! - what was disarmed does not fire, and what has fired cannot be disarmed or armed anew;
//! - `next` is never after the first timer, and on an exact wheel is its time.

use super::rounding::{COARSE_BITS, SLACK_BITS, UNIT_BITS};
use super::*;
use crate::queue::SplitMix64;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::Wake;

/// A waker that notes its number.
struct Note {
    number: u64,
    fired: Arc<Mutex<Vec<u64>>>,
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.fired.lock().unwrap().push(self.number);
    }
}

/// Runs until nothing more is due, and says what fired.
fn expire(wheel: &mut Wheel, now_ns: u64, fired: &Mutex<Vec<u64>>) -> Vec<u64> {
    let mut batch = Batch::new();
    while {
        let more = wheel.expire(now_ns, &mut batch);
        batch.drain().for_each(Waker::wake);
        more
    } {}
    mem::take(&mut fired.lock().unwrap())
}

/// A wheel beside the map that it must agree with.
struct Pair {
    wheel: Wheel,
    fired: Arc<Mutex<Vec<u64>>>,
    /// By the unit in which it fires, and the number of its latest arming.
    model: BTreeMap<(u64, u64), Timer>,
    random: SplitMix64,
    now_ns: u64,
    armings: u64,
}

#[derive(Clone, Copy)]
struct Timer {
    number: u64,
    key: Key,
}

impl Pair {
    fn new(is_exact: bool, seed: u64) -> Pair {
        Pair {
            wheel: Wheel::new(is_exact),
            fired: Arc::default(),
            model: BTreeMap::new(),
            random: SplitMix64(seed),
            now_ns: 0,
            armings: 0,
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.random.next() % bound
    }

    /// A distance of any size: as many are below a microsecond as between an hour and a day.
    fn distance_ns(&mut self) -> u64 {
        let bits = 1 + self.below(50);
        1 + self.below(1 << bits)
    }

    /// What may lie between a deadline and its timer.
    fn check_lateness(&self, deadline_ns: u64, fires_at: u64) {
        let late = self
            .wheel
            .rounding
            .ns(fires_at)
            .checked_sub(deadline_ns)
            .expect("no timer is early");
        let distance = deadline_ns - self.now_ns;
        let allowed = match self.wheel.rounding.is_exact() {
            true => 0,
            false => (distance >> SLACK_BITS).clamp(1 << UNIT_BITS, 1 << COARSE_BITS),
        };
        assert!(late <= allowed, "{distance} ns ahead, {late} ns late");
    }

    fn arm(&mut self) {
        let deadline_ns = self.now_ns + self.distance_ns();
        self.armings += 1;
        let number = self.armings;
        let fired = self.fired.clone();
        let waker = Waker::from(Arc::new(Note { number, fired }));
        let (key, fires_at) = self.wheel.arm(deadline_ns, self.now_ns, waker);
        self.check_lateness(deadline_ns, fires_at);
        self.model.insert((fires_at, number), Timer { number, key });
    }

    fn pick(&mut self) -> Option<(u64, u64)> {
        let index = self.random.next() as usize % self.model.len().max(1);
        self.model.keys().nth(index).copied()
    }

    fn rearm(&mut self) {
        let Some(place) = self.pick() else { return };
        let deadline_ns = self.now_ns + self.distance_ns();
        let timer = self.model.remove(&place).unwrap();
        let fires_at = self.wheel.rearm(timer.key, deadline_ns, self.now_ns);
        let fires_at = fires_at.expect("it has not fired");
        self.check_lateness(deadline_ns, fires_at);
        self.armings += 1;
        self.model.insert((fires_at, self.armings), timer);
    }

    fn disarm(&mut self) {
        let Some(place) = self.pick() else { return };
        let timer = self.model.remove(&place).unwrap();
        assert!(self.wheel.disarm(timer.key).is_some());
        assert!(self.wheel.disarm(timer.key).is_none(), "it was disarmed");
    }

    fn advance(&mut self, to_ns: u64) {
        self.now_ns = to_ns;
        let now = self.wheel.rounding.passed(to_ns);
        let later = self.model.split_off(&(now + 1, 0));
        let due = mem::replace(&mut self.model, later);
        let expected: Vec<u64> = due.values().map(|timer| timer.number).collect();
        let fired = expire(&mut self.wheel, to_ns, &self.fired);
        assert_eq!(fired, expected, "at {to_ns}");
        for timer in due.values() {
            assert!(self.wheel.waker_mut(timer.key).is_none());
            assert!(self.wheel.rearm(timer.key, u64::MAX - 1, to_ns).is_none());
            assert!(self.wheel.disarm(timer.key).is_none());
        }
    }

    fn check_next(&mut self) {
        let first = self.model.keys().next().map(|&(fires_at, _)| fires_at);
        let next = self.wheel.next();
        if self.wheel.rounding.is_exact() {
            assert_eq!(next, first);
        } else {
            assert_eq!(next.is_some(), first.is_some());
            assert!(next <= first);
            assert!(next.is_none_or(|next| next > self.wheel.elapsed));
        }
    }

    fn step(&mut self) {
        match self.below(16) {
            0..6 => self.arm(),
            6..8 => self.rearm(),
            8..10 => self.disarm(),
            10..12 => {
                // To where a worker would wake up.
                if let Some(next) = self.wheel.next() {
                    self.advance(self.wheel.rounding.ns(next).max(self.now_ns));
                }
            }
            _ => {
                let bits = 1 + self.below(34);
                let ahead = self.below(1 << bits);
                self.advance(self.now_ns + ahead);
            }
        }
        self.check_next();
    }
}

#[test]
fn an_exact_wheel_agrees_with_a_sorted_map_under_random_operations() {
    for seed in 0..40 {
        let mut pair = Pair::new(true, seed);
        (0..1500).for_each(|_| pair.step());
    }
}

#[test]
fn a_wheel_that_rounds_agrees_with_a_sorted_map_under_random_operations() {
    for seed in 0..40 {
        let mut pair = Pair::new(false, seed);
        (0..1500).for_each(|_| pair.step());
    }
}

#[test]
fn a_timer_fires_at_every_distance_that_a_clock_has() {
    for bits in 0..64 {
        let fired = Arc::default();
        let mut wheel = Wheel::new(true);
        expire(&mut wheel, 12_345, &fired);
        let deadline_ns = 12_345_u64.saturating_add(1 << bits).min(NEVER - 1);
        let (_, fires_at) = wheel.arm(deadline_ns, 12_345, Waker::noop().clone());
        assert_eq!(fires_at, deadline_ns);
        let mut batch = Batch::new();
        assert_eq!(wheel.next(), Some(deadline_ns));
        let _ = wheel.expire(deadline_ns - 1, &mut batch);
        assert_eq!(batch.drain().count(), 0, "2^{bits} ns ahead: early");
        let _ = wheel.expire(deadline_ns, &mut batch);
        assert_eq!(batch.drain().count(), 1, "2^{bits} ns ahead: not fired");
    }
}

#[test]
fn a_timer_that_never_fires_can_be_armed_for_another_time() {
    for is_exact in [true, false] {
        let fired = Arc::default();
        let mut wheel = Wheel::new(is_exact);
        let note = Note { number: 1, fired };
        let fired = note.fired.clone();
        let (key, fires_at) = wheel.arm(NEVER, 0, Waker::from(Arc::new(note)));
        assert_eq!((fires_at, wheel.next()), (NEVER, None));
        assert_eq!(expire(&mut wheel, NEVER - 1, &fired), []);
        let mut wheel = Wheel::new(is_exact);
        let (key_of_other, _) = wheel.arm(NEVER, 0, Waker::noop().clone());
        assert_eq!(key, key_of_other);
        assert!(wheel.rearm(key, 1 << 30, 0).is_some());
        assert_eq!(
            wheel.next().map(|units| wheel.rounding.ns(units)),
            Some(1 << 30)
        );
        assert!(wheel.rearm(key, NEVER, 0).is_some());
        assert_eq!(wheel.next(), None);
        assert!(wheel.disarm(key).is_some());
    }
}

#[test]
fn timers_armed_within_a_coarse_step_fire_together() {
    let mut wheel = Wheel::new(false);
    let second = 1_000_000_000;
    for n in 0..1000 {
        let _ = wheel.arm(second + n * 400, n * 400, Waker::noop().clone());
    }
    let mut times = Vec::new();
    let mut batch = Batch::new();
    while let Some(next) = wheel.next() {
        times.push(next);
        while wheel.expire(wheel.rounding.ns(next), &mut batch) {
            batch.drain().for_each(drop);
        }
        batch.drain().for_each(drop);
    }
    assert!(times.len() <= 2, "{times:?}");
}

#[test]
fn the_memory_of_a_peak_is_given_back() {
    let mut wheel = Wheel::new(true);
    let arm = |wheel: &mut Wheel| wheel.arm(5, 1, Waker::noop().clone()).0;
    let keys: Vec<Key> = (0..100_000).map(|_| arm(&mut wheel)).collect();
    assert!(wheel.give_up_spare().is_none(), "timers are armed");
    for &key in &keys {
        assert!(wheel.disarm(key).is_some());
    }
    assert!(wheel.give_up_spare().is_some());
    assert!(wheel.give_up_spare().is_none(), "it is given back once");
    let fresh = arm(&mut wheel);
    assert!(keys.iter().all(|&key| wheel.disarm(key).is_none()));
    assert!(wheel.disarm(fresh).is_some());
}

#[test]
fn what_is_disarmed_between_two_batches_does_not_fire() {
    let fired = Arc::default();
    let mut wheel = Wheel::new(true);
    let keys: Vec<Key> = (0..Batch::SIZE as u64 + 3)
        .map(|number| {
            let fired = Arc::clone(&fired);
            let waker = Waker::from(Arc::new(Note { number, fired }));
            wheel.arm(70, 0, waker).0
        })
        .collect();
    let mut batch = Batch::new();
    assert!(wheel.expire(70, &mut batch));
    assert_eq!(batch.drain().count(), Batch::SIZE);
    assert_eq!(
        wheel.fired_ns(),
        69,
        "not all that is due has been taken out"
    );
    assert_eq!(wheel.next(), Some(70));
    assert!(wheel.disarm(keys[Batch::SIZE + 1]).is_some());
    let rest = [Batch::SIZE as u64, Batch::SIZE as u64 + 2];
    assert_eq!(expire(&mut wheel, 70, &fired), rest);
    assert_eq!(wheel.fired_ns(), 70);
}

#[test]
fn a_timer_takes_40_bytes() {
    assert_eq!(entries::ENTRY_BYTES, 40);
}
