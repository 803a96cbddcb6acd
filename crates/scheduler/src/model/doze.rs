//! Models of the watchdog's sleep: a worker that wakes up finds the watchdog awake, or wakes it.

use super::explore;
use crate::idle::{Call, Idle};
use crate::watchdog::Doze;
use loom::sync::Arc;
use loom::thread;

#[test]
fn a_watchdog_that_falls_asleep_sees_that_a_worker_woke_up_or_is_woken() {
    explore(|| {
        let idle = Arc::new(Idle::new(1));
        let doze = Arc::new(Doze::new());
        idle.fall_asleep(0, false);
        let worker = {
            let (idle, doze) = (idle.clone(), doze.clone());
            thread::spawn(move || {
                let _ = idle.wake_up(0, &Call::none());
                doze.stir();
            })
        };
        // Loom reports a deadlock here if nobody wakes it.
        doze.doze(|| idle.is_everyone_asleep());
        worker.join().unwrap();
        assert!(!idle.is_everyone_asleep());
    });
}

#[test]
fn a_watchdog_sees_that_a_pusher_woke_a_worker_or_is_woken_by_it() {
    explore(|| {
        let idle = Arc::new(Idle::new(1));
        let doze = Arc::new(Doze::new());
        idle.fall_asleep(0, false);
        let worker = {
            let (idle, doze) = (idle.clone(), doze.clone());
            thread::spawn(move || {
                let call = Arc::new(Call::none());
                let pusher = {
                    let (idle, call) = (idle.clone(), call.clone());
                    // It takes the worker off the list, and the worker finds itself called.
                    thread::spawn(move || assert_eq!(idle.worker_to_wake(|_| &call), Some(0)))
                };
                pusher.join().unwrap();
                assert!(idle.wake_up(0, &call));
                doze.stir();
            })
        };
        doze.doze(|| idle.is_everyone_asleep());
        worker.join().unwrap();
    });
}
