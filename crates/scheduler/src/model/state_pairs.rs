//! Models of the state word: any two of run, wake, abort, join and drop at a time, by two owners, on a task that
//! waits and on one that is ready. Neither undoes what the other did, a wake is seen by a poll or followed by
//! one, and the owned reference is made once.

use super::{executions, say};
use crate::task::{self, Completion, End, Start, State};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// A poll that leaves the task waiting.
    Run,
    /// A poll that ends it.
    Complete,
    Wake,
    Abort,
    /// The handle leaves a waker.
    Join,
    /// The handle goes.
    Drop,
}

use Step::*;

const STEPS: [Step; 6] = [Run, Complete, Wake, Abort, Join, Drop];

impl Step {
    /// Steps of the one who polls, and of the one handle.
    fn is_taken_by_the_same_as(self, other: Step) -> bool {
        let polls = |step| matches!(step, Run | Complete);
        let joins = |step| matches!(step, Join | Drop);
        polls(self) && polls(other) || joins(self) && joins(other)
    }
}

/// What a step gave to who took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    Nothing,
    /// The owned reference: to push.
    Owned,
    /// The end, and what the completer owns.
    Ended(Completion),
    /// The output: the task was complete.
    Output,
}

/// A task's state, and what a waker wants it to see.
struct Scene {
    state: State,
    is_caused: AtomicBool,
    is_seen: AtomicBool,
}

fn take(step: Step, scene: &Scene) -> Given {
    let state = &scene.state;
    match step {
        Run => {
            let start = state.start_poll(|| {});
            let is_caused = scene.is_caused.load(Ordering::Relaxed);
            scene.is_seen.store(is_caused, Ordering::Relaxed);
            match (start, state.end_poll()) {
                (_, End::Again) => Given::Owned,
                (start, End::Idle) => {
                    assert_eq!(start, Start::Poll, "an abort that was seen stays");
                    Given::Nothing
                }
            }
        }
        Complete => {
            let _ = state.start_poll(|| {});
            Given::Ended(state.complete())
        }
        Wake | Abort => {
            let wake = match step {
                Wake => {
                    scene.is_caused.store(true, Ordering::Relaxed);
                    state.wake(|| {})
                }
                _ => state.abort(|| {}),
            };
            match wake {
                task::Wake::Push => Given::Owned,
                task::Wake::Nothing => Given::Nothing,
            }
        }
        Join | Drop => {
            let join = match step {
                Join => state.set_join_waker(),
                _ => state.drop_join_handle(),
            };
            match join {
                task::Join::Complete => Given::Output,
                task::Join::Pending => Given::Nothing,
            }
        }
    }
}

/// Who polls owns the task when it is ready; nobody does when it waits, and then nobody polls.
fn explore_pair(is_ready: bool, steps: [Step; 2]) -> usize {
    executions(None, move || {
        let scene = Arc::new(Scene {
            state: State::spawned(),
            is_caused: AtomicBool::new(false),
            is_seen: AtomicBool::new(false),
        });
        if !is_ready {
            assert_eq!(scene.state.start_poll(|| {}), Start::Poll);
            assert_eq!(scene.state.end_poll(), End::Idle);
        }
        let other = {
            let scene = scene.clone();
            thread::spawn(move || take(steps[1], &scene))
        };
        let given = [take(steps[0], &scene), other.join().unwrap()];
        if steps.contains(&Run) && steps.contains(&Wake) {
            let is_seen = scene.is_seen.load(Ordering::Relaxed);
            assert!(is_seen || given.contains(&Given::Owned), "the wake is lost");
        }
        judge(is_ready, steps, given, &scene.state);
    })
}

fn judge(is_ready: bool, steps: [Step; 2], given: [Given; 2], state: &State) {
    let of = |step: Step| (0..2).find(|&at| steps[at] == step).map(|at| given[at]);
    let has = |step: Step| steps.contains(&step);
    let owned = given.iter().filter(|&&given| given == Given::Owned).count();
    let ended = of(Complete).is_some();
    if !is_ready || has(Run) {
        // Who wakes or aborts a task that waits gets the reference, or the poller keeps it.
        let most = usize::from(has(Wake) || has(Abort));
        assert!(owned <= most, "{steps:?}: {given:?}");
        if !is_ready || has(Abort) {
            assert_eq!(owned, most, "{steps:?}: {given:?}");
        }
    } else {
        assert_eq!(owned, 0, "{steps:?}: somebody else has it");
    }
    let Completion {
        wake_joiner,
        drop_output,
    } = match of(Complete) {
        Some(Given::Ended(completion)) => completion,
        _ => {
            // What the steps left is there for the poll that ends it.
            if is_ready && !has(Run) || owned == 1 {
                let start = state.start_poll(|| {});
                assert_eq!(start == Start::Cancel, has(Abort), "{steps:?}");
            } else {
                assert_eq!(state.wake(|| {}), task::Wake::Push, "{steps:?}");
            }
            state.complete()
        }
    };
    if let Some(joined) = of(Join) {
        assert_eq!(wake_joiner, joined == Given::Nothing, "{steps:?}");
    }
    if let Some(dropped) = of(Drop) {
        assert_eq!(drop_output, dropped == Given::Nothing, "{steps:?}");
    }
    assert!(!drop_output || has(Drop), "{steps:?}: the handle is there");
    if ended {
        assert_eq!(state.wake(|| {}), task::Wake::Nothing);
        assert_eq!(state.abort(|| {}), task::Wake::Nothing);
    }
}

fn explore_pairs(is_ready: bool, steps: &[Step]) {
    let mut explored = 0;
    for (at, &one) in steps.iter().enumerate() {
        for &other in &steps[at..] {
            if !one.is_taken_by_the_same_as(other) {
                explored += explore_pair(is_ready, [one, other]);
                // Loom leaves out orders in which the thread that it runs second comes first as a whole.
                explored += explore_pair(is_ready, [other, one]);
            }
        }
    }
    say(explored, None);
}

#[test]
fn any_two_steps_on_a_ready_task_both_count() {
    explore_pairs(true, &STEPS);
}

#[test]
fn any_two_steps_on_a_waiting_task_both_count() {
    explore_pairs(false, &[Wake, Abort, Join, Drop]);
}
