//! Models of timers that are armed, fired and disarmed by different threads: whoever waits is woken once, and
//! no worker sleeps through what another armed with it.

use super::{explore, explore_within};
use crate::parker::Parker;
use crate::time::{Look, Timers};
use glasshouse_pal::Clock;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::task::{Wake, Waker};

/// Counts its wakes, and unparks who waits for one.
struct Sleeper {
    wakes: AtomicUsize,
    parker: Parker,
}

impl Sleeper {
    fn new() -> std::sync::Arc<Sleeper> {
        let parker = Parker::new();
        std::sync::Arc::new(Sleeper {
            wakes: AtomicUsize::new(0),
            parker,
        })
    }

    fn waker(self: &std::sync::Arc<Sleeper>) -> Waker {
        self.clone().into()
    }

    fn wakes(&self) -> usize {
        self.wakes.load(Ordering::Relaxed)
    }
}

impl Wake for Sleeper {
    fn wake(self: std::sync::Arc<Sleeper>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        self.parker.unpark(|| unreachable!("nobody polls"));
    }
}

/// Another thread fires what is due at 5.
fn fire(timers: &Arc<Timers>) -> thread::JoinHandle<()> {
    let timers = timers.clone();
    thread::spawn(move || timers.fire(5))
}

/// A timer is a unit of virtual time.
fn timers() -> Arc<Timers> {
    Arc::new(Timers::new(Clock::virtual_time(), 0))
}

#[test]
fn a_worker_that_parks_knows_the_timer_or_is_unparked_by_who_armed_it() {
    explore(|| {
        let timers = timers();
        let sleeper = Sleeper::new();
        let owner = Arc::new(Parker::new());
        let armer = {
            let (timers, owner, waker) = (timers.clone(), owner.clone(), sleeper.waker());
            thread::spawn(move || {
                let (_, look) = timers.arm(5, 0, waker).expect("they are open");
                if look == Look::Earlier {
                    owner.unpark(|| unreachable!("nobody polls"));
                }
            })
        };
        while timers.next().is_none() {
            // Loom reports a deadlock here if nobody ends the park.
            owner.park(None);
        }
        assert_eq!(timers.next(), Some(5));
        timers.fire(5);
        assert_eq!(sleeper.wakes(), 1);
        armer.join().unwrap();
    });
}

#[test]
fn a_timer_is_fired_or_disarmed_and_never_both() {
    explore(|| {
        let timers = timers();
        let sleeper = Sleeper::new();
        let (armed, _) = timers.arm(5, 0, sleeper.waker()).expect("they are open");
        let firing = fire(&timers);
        let had_fired = timers.has_fired(&armed);
        let disarmed = timers.disarm(&armed).is_some();
        assert!(!(had_fired && disarmed), "it had fired");
        firing.join().unwrap();
        assert_eq!(sleeper.wakes(), usize::from(!disarmed));
        assert!(timers.has_fired(&armed));
        assert_eq!(timers.next(), None);
    });
}

#[test]
fn two_threads_that_fire_wake_each_of_two_sleepers_once() {
    explore_within(3, || {
        let timers = timers();
        let sleepers = [Sleeper::new(), Sleeper::new()];
        for sleeper in &sleepers {
            let _ = timers.arm(5, 0, sleeper.waker()).expect("they are open");
        }
        let other = fire(&timers);
        timers.fire(5);
        other.join().unwrap();
        assert_eq!(sleepers.map(|sleeper| sleeper.wakes()), [1, 1]);
    });
}

#[test]
fn a_task_that_changes_its_waker_while_the_timer_fires_is_woken_or_sees_it() {
    explore(|| {
        let timers = timers();
        let (old, new) = (Sleeper::new(), Sleeper::new());
        let (armed, _) = timers.arm(5, 0, old.waker()).expect("they are open");
        let firing = fire(&timers);
        if timers.update(&armed, new.waker()) {
            // Loom reports a deadlock here if nobody is woken any more.
            new.parker.park(None);
        } else {
            assert!(timers.has_fired(&armed), "else it would be armed again");
        }
        assert!(timers.has_fired(&armed));
        firing.join().unwrap();
        assert_eq!(old.wakes() + new.wakes(), 1);
    });
}

#[test]
fn who_was_woken_by_a_timer_does_not_take_it_to_be_armed_while_others_still_fire() {
    explore(|| {
        let timers = timers();
        let sleepers = [Sleeper::new(), Sleeper::new()];
        let [first, second] = [0, 1].map(|n: usize| {
            let waker = sleepers[n].waker();
            timers.arm(5, 0, waker).expect("they are open").0
        });
        let firing = {
            let timers = timers.clone();
            // A batch is a single timer in the models, so the lock is given back between the two.
            thread::spawn(move || timers.fire(5))
        };
        if timers.is_armed(&second) {
            // Loom reports a deadlock here if it had fired before, and nobody is woken any more.
            sleepers[1].parker.park(None);
        }
        sleepers[0].parker.park(None);
        assert!(!timers.is_armed(&first));
        firing.join().unwrap();
        assert!(timers.has_fired(&first) && timers.has_fired(&second));
    });
}

#[test]
fn a_timer_that_is_armed_again_while_it_fires_fires_once_more_or_only_then() {
    explore(|| {
        let timers = timers();
        let sleeper = Sleeper::new();
        let (armed, _) = timers.arm(5, 0, sleeper.waker()).expect("they are open");
        let firing = fire(&timers);
        let again = timers.rearm(&armed, 9, 0).map(|(armed, _)| armed);
        firing.join().unwrap();
        match again {
            Some(again) => {
                assert_eq!((sleeper.wakes(), timers.next()), (0, Some(9)));
                timers.fire(9);
                assert!(timers.has_fired(&again));
            }
            None => assert_eq!(timers.next(), None),
        }
        assert_eq!(sleeper.wakes(), 1);
    });
}

#[test]
fn timers_that_close_wake_who_was_armed_and_refuse_who_was_not() {
    explore(|| {
        let timers = timers();
        let sleeper = Sleeper::new();
        let armer = {
            let (timers, waker) = (timers.clone(), sleeper.waker());
            thread::spawn(move || timers.arm(5, 0, waker).is_some())
        };
        timers.close();
        let was_armed = armer.join().unwrap();
        assert_eq!(sleeper.wakes(), usize::from(was_armed));
    });
}
