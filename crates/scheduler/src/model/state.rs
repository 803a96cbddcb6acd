//! Models of the state word: a wake-up between two polls is never lost and never doubles the owned reference; a
//! join handle gets the output or the completer drops it, never both.

use super::{explore, explore_within};
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
        assert_eq!(state.start_poll(|| {}), Start::Poll);
        seen.store(ready.load(Ordering::Relaxed), Ordering::Relaxed);
        // The owned reference is given up with the publication of IDLE, so before it.
        queue.give_up();
        match state.end_poll() {
            End::Idle => {}
            End::Again => queue.push(),
        }
    }
}

#[test]
fn a_wake_between_or_during_polls_is_answered_by_a_poll_that_sees_its_cause() {
    // Three threads: with three preemptions it already takes minutes.
    explore_within(2, || {
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
    explore(|| {
        let state = Arc::new(State::spawned());
        let aborter = {
            let state = state.clone();
            thread::spawn(move || state.abort(|| {}))
        };
        let cancelled_at_start = state.start_poll(|| {}) == Start::Cancel;
        let left_idle = !cancelled_at_start && state.end_poll() == End::Idle;
        let pushed = aborter.join().unwrap() == Wake::Push;
        assert_eq!(
            left_idle, pushed,
            "an idle task is pushed by its aborter, and only then"
        );
        if pushed {
            assert_eq!(state.start_poll(|| {}), Start::Cancel);
        } else if !cancelled_at_start {
            assert_eq!(state.start_poll(|| {}), Start::Cancel);
        }
    });
}

#[test]
fn the_output_and_the_join_waker_have_one_owner() {
    explore(|| {
        let state = Arc::new(State::spawned());
        assert_eq!(state.start_poll(|| {}), Start::Poll);
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
