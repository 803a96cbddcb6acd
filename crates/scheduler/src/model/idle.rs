//! Models of the list of sleepers: a push is seen by a worker that falls asleep, or it is woken.

use super::explore;
use crate::idle::Idle;
use crate::parker::Parker;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

#[test]
fn a_worker_that_falls_asleep_sees_the_push_or_is_woken() {
    explore(|| {
        let idle = Arc::new(Idle::new(2));
        let parker = Arc::new(Parker::new());
        let queue = Arc::new(AtomicUsize::new(0));
        let pusher = {
            let (idle, parker, queue) = (idle.clone(), parker.clone(), queue.clone());
            thread::spawn(move || {
                queue.store(1, Ordering::Relaxed);
                if idle.worker_to_wake().is_some() {
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
            let _ = idle.wake_up(0);
            assert_eq!(queue.load(Ordering::Relaxed), 1);
        }
        pusher.join().unwrap();
    });
}
