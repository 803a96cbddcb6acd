//! Models of the list of sleepers: a push is seen by a worker that falls asleep, or it is woken.

use super::explore;
use crate::idle::{Call, Idle};
use crate::parker::Parker;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

#[test]
fn a_worker_that_falls_asleep_sees_the_push_or_is_woken() {
    explore(|| {
        let idle = Arc::new(Idle::new(2));
        let parker = Arc::new(Parker::new());
        let call = Arc::new(Call::none());
        let queue = Arc::new(AtomicUsize::new(0));
        let pusher = {
            let (idle, parker, call, queue) =
                (idle.clone(), parker.clone(), call.clone(), queue.clone());
            thread::spawn(move || {
                queue.store(1, Ordering::Relaxed);
                if idle.worker_to_wake(|_| &call).is_some() {
                    parker.unpark(|| unreachable!("nobody polls"));
                }
            })
        };
        let searching = idle.start_searching();
        if searching && queue.load(Ordering::Relaxed) == 1 {
            let _ = idle.stop_searching();
        } else {
            idle.fall_asleep(0, searching);
            if queue.load(Ordering::Relaxed) == 0 {
                // Loom reports a deadlock here if nobody wakes it.
                parker.park(None);
            }
            let _ = idle.wake_up(0, &call);
            assert_eq!(queue.load(Ordering::Relaxed), 1);
        }
        pusher.join().unwrap();
    });
}

#[test]
fn a_worker_that_falls_asleep_as_another_pushes_is_woken_when_that_takes_its_next_task() {
    explore(|| {
        let idle = Arc::new(Idle::new(2));
        let parker = Arc::new(Parker::new());
        let call = Arc::new(Call::none());
        let queue = Arc::new(AtomicUsize::new(0));
        let pusher = {
            let (idle, parker, call, queue) =
                (idle.clone(), parker.clone(), call.clone(), queue.clone());
            thread::spawn(move || {
                let wake = || {
                    if idle.worker_to_wake(|_| &call).is_some() {
                        parker.unpark(|| unreachable!("nobody polls"));
                    }
                };
                queue.store(1, Ordering::Release);
                if idle.is_wanted() {
                    wake();
                }
                // Its next task, by an exchange elsewhere.
                let head = AtomicUsize::new(0);
                head.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire)
                    .unwrap();
                if idle.is_overlooked() {
                    wake();
                }
            })
        };
        idle.fall_asleep(0, false);
        if queue.load(Ordering::Acquire) == 0 {
            // Loom reports a deadlock here if nobody wakes it.
            parker.park(None);
        }
        let _ = idle.wake_up(0, &call);
        assert_eq!(queue.load(Ordering::Acquire), 1);
        pusher.join().unwrap();
    });
}

#[test]
fn a_worker_that_wakes_up_as_it_is_called_counts_as_one_that_searches() {
    explore(|| {
        let idle = Arc::new(Idle::new(2));
        let call = Arc::new(Call::none());
        idle.fall_asleep(0, false);
        let pusher = {
            let (idle, call) = (idle.clone(), call.clone());
            thread::spawn(move || idle.worker_to_wake(|_| &call))
        };
        // As at the end of a timeout: nobody unparked it.
        let is_called = idle.wake_up(0, &call);
        if is_called {
            assert!(idle.stop_searching(), "nobody else searches");
        }
        assert_eq!(pusher.join().unwrap(), is_called.then_some(0));
        assert!(!idle.is_asleep(0));
        // Nobody is counted twice, or for ever: the next that sleeps is found.
        idle.fall_asleep(0, false);
        assert_eq!(idle.worker_to_wake(|_| &call), Some(0));
        assert!(idle.wake_up(0, &call));
        assert!(idle.stop_searching());
    });
}
