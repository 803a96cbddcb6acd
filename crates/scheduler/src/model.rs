//! Loom models of the protocols between threads: every interleaving that the memory model allows is run.
//!
//! Properties: a wake-up between two polls is never lost and never doubles the owned reference; a join
//! handle gets the output or the completer drops it, never both; an entry of a local queue is taken
//! exactly once; an unpark is never lost; a push is seen by a worker that falls asleep, or it is woken.

use crate::idle::Idle;
use crate::parker::Parker;
use crate::queue::{Entry, LocalQueue};
use crate::task::{Completion, End, Join, Start, State, Wake};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Stands for the owned reference and the queue of one task.
#[derive(Default)]
struct Queue {
    owned: AtomicUsize,
    pushed: AtomicUsize,
}

impl Queue {
    fn push(&self) {
        assert_eq!(
            self.owned.fetch_add(1, Ordering::AcqRel),
            0,
            "two owned references"
        );
        self.pushed.fetch_add(1, Ordering::AcqRel);
    }

    fn pop(&self) -> bool {
        self.pushed
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| n.checked_sub(1))
            .is_ok()
    }

    fn give_up(&self) {
        self.owned.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Polls while the task is in the queue; each poll notes what it sees.
fn poll_all(state: &State, queue: &Queue, ready: &AtomicUsize, seen: &AtomicUsize) {
    while queue.pop() {
        assert_eq!(state.start_poll(), Start::Poll);
        seen.store(ready.load(Ordering::Relaxed), Ordering::Relaxed);
        // The owned reference is given up with the publication of IDLE, so before it.
        queue.give_up();
        match state.end_poll() {
            End::Idle => {}
            End::Again => {
                state.reschedule();
                queue.push();
            }
        }
    }
}

#[test]
fn a_wake_between_or_during_polls_is_answered_by_a_poll_that_sees_its_cause() {
    // Three threads: unbounded, the executions are too many. Two preemptions find the known bugs of this
    // kind, and three already take minutes.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let state = Arc::new(State::spawned());
        let queue = Arc::new(Queue::default());
        let ready = Arc::new(AtomicUsize::new(0));
        let seen = Arc::new(AtomicUsize::new(0));
        queue.push();
        let wakers: Vec<_> = (0..2)
            .map(|_| {
                let (state, queue, ready) = (state.clone(), queue.clone(), ready.clone());
                thread::spawn(move || {
                    ready.fetch_add(1, Ordering::Relaxed);
                    if state.wake(|| {}) == Wake::Push {
                        queue.push();
                    }
                })
            })
            .collect();
        poll_all(&state, &queue, &ready, &seen);
        for waker in wakers {
            waker.join().unwrap();
        }
        poll_all(&state, &queue, &ready, &seen);
        assert_eq!(
            seen.load(Ordering::Relaxed),
            2,
            "the last poll saw both causes"
        );
    });
}

#[test]
fn an_abort_is_seen_by_the_poller_or_wins_the_wake() {
    loom::model(|| {
        let state = Arc::new(State::spawned());
        let aborter = {
            let state = state.clone();
            thread::spawn(move || state.abort(|| {}))
        };
        let cancelled_at_start = state.start_poll() == Start::Cancel;
        let left_idle = !cancelled_at_start && state.end_poll() == End::Idle;
        let pushed = aborter.join().unwrap() == Wake::Push;
        assert_eq!(
            left_idle, pushed,
            "an idle task is pushed by its aborter, and only then"
        );
        if pushed {
            assert_eq!(state.start_poll(), Start::Cancel);
        } else if !cancelled_at_start {
            state.reschedule();
            assert_eq!(state.start_poll(), Start::Cancel);
        }
    });
}

#[test]
fn the_output_and_the_join_waker_have_one_owner() {
    loom::model(|| {
        let state = Arc::new(State::spawned());
        assert_eq!(state.start_poll(), Start::Poll);
        let completer = {
            let state = state.clone();
            thread::spawn(move || state.complete())
        };
        // The handle leaves a waker, then goes away.
        let left_waker = state.set_join_waker() == Join::Pending;
        let dropped = state.drop_join_handle();
        let Completion {
            wake_joiner,
            drop_output,
        } = completer.join().unwrap();
        match dropped {
            Join::Complete => assert!(!drop_output, "the handle drops it"),
            Join::Pending => assert!(drop_output && !wake_joiner, "the completer drops it"),
        }
        if wake_joiner {
            assert!(left_waker);
        }
    });
}

impl Entry for usize {
    fn into_ptr(self) -> *mut () {
        std::ptr::without_provenance_mut(self)
    }

    unsafe fn from_ptr(ptr: *mut ()) -> usize {
        ptr.addr()
    }
}

#[test]
fn an_entry_is_taken_once_by_the_owner_or_by_a_thief() {
    loom::model(|| {
        let queue = Arc::new(LocalQueue::<usize>::new());
        queue.push(1).unwrap();
        queue.push(2).unwrap();
        let thief = {
            let queue = queue.clone();
            thread::spawn(move || {
                let mine = LocalQueue::<usize>::new();
                let mut taken: Vec<usize> = queue.steal_into(&mine).into_iter().collect();
                taken.extend(std::iter::from_fn(|| mine.pop()));
                taken
            })
        };
        let mut taken: Vec<usize> = queue.pop().into_iter().collect();
        queue.push(3).unwrap();
        queue.push(4).unwrap();
        taken.extend(std::iter::from_fn(|| queue.pop()));
        taken.extend(thief.join().unwrap());
        taken.sort_unstable();
        assert_eq!(taken, [1, 2, 3, 4]);
    });
}

#[test]
fn an_unpark_is_never_lost() {
    loom::model(|| {
        let parker = Arc::new(Parker::new());
        let ready = Arc::new(AtomicUsize::new(0));
        parker.claim();
        let other = {
            let (parker, ready) = (parker.clone(), ready.clone());
            thread::spawn(move || {
                ready.store(1, Ordering::Relaxed);
                parker.unpark(|| unreachable!("nobody polls"));
            })
        };
        parker.park(None);
        assert_eq!(
            ready.load(Ordering::Relaxed),
            1,
            "the park saw what came before the unpark"
        );
        other.join().unwrap();
    });
}

#[test]
fn a_worker_that_falls_asleep_sees_the_push_or_is_woken() {
    loom::model(|| {
        let idle = Arc::new(Idle::new(2));
        let parker = Arc::new(Parker::new());
        let queue = Arc::new(AtomicUsize::new(0));
        parker.claim();
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
