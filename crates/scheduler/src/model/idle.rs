//! Models of the list of sleepers: a push is seen by a worker that falls asleep, or it is woken.

use super::explore;
use crate::idle::{Call, Idle};
use crate::parker::Parker;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// One of two workers, and a queue that the other pushes to.
struct Scene {
    idle: Idle,
    parker: Parker,
    call: Call,
    queue: AtomicUsize,
}

impl Scene {
    fn new() -> Arc<Scene> {
        Arc::new(Scene {
            idle: Idle::new(2),
            parker: Parker::new(),
            call: Call::none(),
            queue: AtomicUsize::new(0),
        })
    }

    fn push(&self) {
        self.queue.store(1, Ordering::Relaxed);
    }

    fn is_empty(&self) -> bool {
        self.queue.load(Ordering::Relaxed) == 0
    }

    /// What follows a push.
    fn wake(&self) {
        if self.idle.worker_to_wake(|_| &self.call).is_some() {
            self.parker.unpark(|| unreachable!("nobody polls"));
        }
    }

    /// The worker says that it sleeps, looks once more, and sleeps until there is something.
    fn sleep(&self, searching: bool) {
        self.idle.fall_asleep(0, searching);
        if self.is_empty() {
            // Loom reports a deadlock here if nobody wakes it.
            self.parker.park(None);
        }
        let _ = self.idle.wake_up(0, &self.call);
        assert!(!self.is_empty());
    }
}

#[test]
fn a_worker_that_falls_asleep_sees_the_push_or_is_woken() {
    explore(|| {
        let scene = Scene::new();
        let pusher = {
            let scene = scene.clone();
            thread::spawn(move || {
                scene.push();
                scene.wake();
            })
        };
        let searching = scene.idle.start_searching();
        if searching && !scene.is_empty() {
            let _ = scene.idle.stop_searching();
        } else {
            scene.sleep(searching);
        }
        pusher.join().unwrap();
    });
}

#[test]
fn a_worker_that_falls_asleep_as_another_pushes_is_woken_when_that_takes_its_next_task() {
    explore(|| {
        let scene = Scene::new();
        let pusher = {
            let scene = scene.clone();
            thread::spawn(move || {
                scene.push();
                if scene.idle.is_wanted() {
                    scene.wake();
                }
                // Its next task, by an exchange elsewhere.
                let head = AtomicUsize::new(0);
                head.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire)
                    .unwrap();
                if scene.idle.is_overlooked() {
                    scene.wake();
                }
            })
        };
        scene.sleep(false);
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
