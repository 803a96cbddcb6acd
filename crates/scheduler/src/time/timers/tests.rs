//! Owns the tests of what threads share of a worker's timers.

use super::*;
use std::sync::{Arc, Mutex};
use std::task::Wake;

fn virtual_timers() -> Timers {
    Timers::new(Clock::virtual_time(), 0)
}

fn arm(timers: &Timers, deadline_ns: u64) -> (Armed, Look) {
    timers
        .arm(deadline_ns, 0, Waker::noop().clone())
        .expect("they are open")
}

#[test]
fn a_timer_before_the_first_one_moves_the_look_forward() {
    let timers = virtual_timers();
    assert!(!timers.is_due(NEVER - 1));
    assert_eq!(arm(&timers, 50).1, Look::Earlier);
    assert_eq!(arm(&timers, 60).1, Look::AsBefore);
    let (first, look) = arm(&timers, 40);
    assert_eq!(look, Look::Earlier);
    assert!(timers.is_due(40) && !timers.is_due(39));
    drop(timers.disarm(&first));
    assert!(timers.is_due(40), "nobody has looked since");
    assert_eq!(timers.next(), Some(50));
    assert!(!timers.is_due(49));
}

#[test]
fn a_timer_that_fired_cannot_be_updated_armed_again_or_disarmed() {
    let timers = virtual_timers();
    let (armed, _) = arm(&timers, 5);
    assert!(!timers.has_fired(&armed));
    timers.fire(4);
    assert!(timers.update(&armed, Waker::noop().clone()));
    timers.fire(5);
    assert!(timers.has_fired(&armed));
    assert!(!timers.update(&armed, Waker::noop().clone()));
    assert!(timers.rearm(&armed, 9, 5).is_none());
    assert!(timers.disarm(&armed).is_none());
    assert_eq!(timers.next(), None);
}

/// Notes, for each timer that it is about, whether it seems armed and whether it seems to have fired.
struct Seen {
    at: Mutex<Vec<Armed>>,
    timers: Arc<Timers>,
    seen: Mutex<Vec<(bool, bool)>>,
}

impl Wake for Seen {
    fn wake(self: Arc<Self>) {
        let at = self.at.lock().unwrap();
        let seen = at
            .iter()
            .map(|armed| (self.timers.is_armed(armed), self.timers.has_fired(armed)));
        self.seen.lock().unwrap().extend(seen);
    }
}

#[test]
fn while_many_fire_at_once_none_of_them_is_taken_to_be_armed() {
    let timers = Arc::new(virtual_timers());
    let look = Arc::new(Seen {
        at: Mutex::default(),
        timers: timers.clone(),
        seen: Mutex::default(),
    });
    let (first, _) = timers
        .arm(5, 0, look.clone().into())
        .expect("they are open");
    let rest: Vec<Armed> = (0..100).map(|_| arm(&timers, 5).0).collect();
    let (later, _) = arm(&timers, 6);
    look.at.lock().unwrap().extend([first, rest[99], later]);
    timers.fire(5);
    // Only the wheel knows of the second.
    let expected = [(false, false), (false, false), (true, false)];
    assert_eq!(*look.seen.lock().unwrap(), expected);
    assert!(
        [first, rest[99]]
            .iter()
            .all(|armed| timers.has_fired(armed))
    );
}

#[test]
fn on_a_real_clock_a_timer_stays_where_it_is_if_it_would_fire_no_later() {
    let timers = Timers::new(Clock::process(), 0);
    let second = 1_000_000_000;
    let arm = |deadline| timers.arm(deadline, 0, Waker::noop().clone());
    let (armed, _) = arm(second).expect("they are open");
    let (same, look) = timers.rearm(&armed, second - 1, 0).expect("it is armed");
    assert_eq!((same.fires_ns, look), (armed.fires_ns, Look::AsBefore));
    let (later, _) = timers
        .rearm(&armed, armed.fires_ns + 1, 0)
        .expect("it is armed");
    assert!(later.fires_ns > armed.fires_ns);
    assert!(timers.disarm(&later).is_some());
}

#[test]
fn closed_timers_wake_who_waits_and_arm_nothing_any_more() {
    let timers = virtual_timers();
    let waker = futures::task::noop_waker();
    let (armed, _) = arm(&timers, 5);
    timers.close();
    timers.fire(NEVER - 1);
    assert!(timers.is_closed() && !timers.is_armed(&armed));
    assert!(!timers.update(&armed, waker.clone()));
    assert!(timers.arm(7, 0, waker).is_none());
    assert_eq!(timers.next(), None);
}
