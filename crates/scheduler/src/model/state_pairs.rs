//! Models of the state word: any two of run, wake, abort, join and drop at a time, on a task that waits and on
//! one that is ready. Neither undoes what the other did, and the owned reference is made once.

use super::{executions, say};
use crate::task::{self, Completion, End, Start, State};
use loom::sync::Arc;
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

fn take(step: Step, state: &State) -> Given {
    match step {
        Run => match (state.start_poll(|| {}), state.end_poll()) {
            (_, End::Again) => Given::Owned,
            (start, End::Idle) => {
                assert_eq!(start, Start::Poll, "an abort that was seen stays");
                Given::Nothing
            }
        },
        Complete => {
            let _ = state.start_poll(|| {});
            Given::Ended(state.complete())
        }
        Wake | Abort => {
            let wake = match step {
                Wake => state.wake(|| {}),
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
        let state = Arc::new(State::spawned());
        if !is_ready {
            assert_eq!(state.start_poll(|| {}), Start::Poll);
            assert_eq!(state.end_poll(), End::Idle);
        }
        let other = {
            let state = state.clone();
            thread::spawn(move || take(steps[1], &state))
        };
        let given = [take(steps[0], &state), other.join().unwrap()];
        judge(is_ready, steps, given, &state);
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
