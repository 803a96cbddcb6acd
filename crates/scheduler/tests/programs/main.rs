//! Random programs against a reference model: in virtual time every task ends as the model says, when it says;
//! on two workers every task ends once, the log obeys the automaton, and where timing does not matter every task
//! ends as the model says.
//!
//! A failure is shrunk to a small program, and named with the scheduler's seed. `GLASSHOUSE_SEED=n` draws
//! other programs, `GLASSHOUSE_CASES=n` more of them. Without telemetry there is no log to judge.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

mod model;
mod program;
mod real;

use async_channel::Receiver;
use glasshouse_pal::verify::verify;
use glasshouse_pal::{FailureKind, Pal, TaskEvent};
use glasshouse_scheduler::{Builder, JoinHandle, time};
use model::{Prediction, predict};
use program::{HORIZON, Op, Outcome, Timing, UNIT, any_program};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use real::Ends;
use std::collections::BTreeMap;
use std::time::Duration;

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Runs `test` on programs that the seed of this run draws.
fn check(timing: Timing, cases: u32, test: impl Fn(&[Op], u64) -> Result<(), TestCaseError>) {
    let seed = from_environment("GLASSHOUSE_SEED", 1);
    let config = Config {
        cases: from_environment("GLASSHOUSE_CASES", cases.into()) as u32,
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let inputs = (any_program(timing), any::<u64>());
    if let Err(error) =
        TestRunner::new_with_rng(config, rng).run(&inputs, |(program, seed)| test(&program, seed))
    {
        panic!("GLASSHOUSE_SEED={seed}, (program, the scheduler's seed): {error}");
    }
}

/// How many tasks were spawned, and ended in which way.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    spawned: usize,
    done: usize,
    panicked: usize,
    cancelled: usize,
}

/// What the log counts, and the sleeps of whole units in it.
fn recount(pal: &Pal) -> (Counts, usize) {
    let mut counts = Counts::default();
    let mut sleeps = 0;
    for event in pal.events() {
        match event {
            TaskEvent::Spawned { .. } => counts.spawned += 1,
            TaskEvent::Done { .. } => counts.done += 1,
            TaskEvent::Failed { error, .. } => match error.kind {
                FailureKind::Panic => counts.panicked += 1,
                FailureKind::Cancelled => counts.cancelled += 1,
                kind => panic!("no task fails with {kind:?}"),
            },
            TaskEvent::Sleep { dur, .. } => {
                sleeps += usize::from(dur.as_nanos().is_multiple_of(UNIT.as_nanos()));
            }
            _ => {}
        }
    }
    (counts, sleeps)
}

/// What the log must count, given how the program's tasks ended; `others` are done too.
fn counts<'a>(outcomes: impl Iterator<Item = &'a Outcome>, others: usize) -> Counts {
    let mut counts = Counts {
        spawned: others,
        done: others,
        ..Counts::default()
    };
    for outcome in outcomes {
        counts.spawned += 1;
        match outcome {
            Outcome::Done(_) => counts.done += 1,
            Outcome::Panicked => counts.panicked += 1,
            Outcome::Cancelled => counts.cancelled += 1,
        }
    }
    counts
}

fn in_virtual_time(program: &[Op], seed: u64) -> Result<(), TestCaseError> {
    let scheduler = Builder::deterministic(seed).build().unwrap();
    let pal = scheduler.handle().pal().clone();
    let ends = scheduler.block_on(async {
        let (ends, _) = Ends::new(true);
        drop(real::start(program, &ends));
        time::sleep(HORIZON).await;
        ends
    });
    drop(scheduler);
    let Prediction {
        ends: predicted,
        sleeps,
        blocking,
        gave_up_a_join,
        steps: _,
    } = predict(program);
    prop_assert_eq!(&ends.all(), &predicted);
    if !cfg!(feature = "telemetry") {
        return Ok(());
    }
    let outcomes = predicted.values().map(|(outcome, _)| outcome);
    let (counted, sleeps_counted) = recount(&pal);
    prop_assert_eq!(counted, counts(outcomes, blocking + 1));
    prop_assert!(
        sleeps_counted == sleeps || gave_up_a_join && sleeps_counted > sleeps,
        "{sleeps_counted} sleeps are in the log, not {sleeps}"
    );
    let report = verify(&pal.log());
    prop_assert!(report.holds(), "{report:#?}");
    Ok(())
}

#[test]
fn in_virtual_time_programs_end_as_the_model_says_and_when() {
    check(Timing::Matters, 400, in_virtual_time);
}

/// What `wait` waits for comes first, then the end of a scheduler of two workers. How the tasks ended.
fn on_two_workers(
    program: &[Op],
    wait: impl AsyncFnOnce(JoinHandle<u64>, &Ends, Receiver<()>),
) -> Result<BTreeMap<String, Outcome>, TestCaseError> {
    let pal = Pal::memory();
    let scheduler = Builder::new().workers(2).pal(pal.clone()).build().unwrap();
    let ends = scheduler.block_on(async {
        let (ends, changed) = Ends::new(false);
        let first = real::start(program, &ends);
        wait(first, &ends, changed).await;
        ends
    });
    drop(scheduler);
    let begun = ends.begun();
    let ends = without_times(ends.all());
    prop_assert_eq!(begun, ends.len(), "every task ended");
    if !cfg!(feature = "telemetry") {
        return Ok(ends);
    }
    let (counted, _) = recount(&pal);
    prop_assert_eq!(
        counted.spawned,
        counted.done + counted.panicked + counted.cancelled,
        "every task that was spawned ended"
    );
    prop_assert_eq!(
        counted.panicked,
        counts(ends.values(), 0).panicked,
        "as many panics as the tasks say"
    );
    let log = pal.log();
    let report = verify(&log);
    prop_assert!(report.holds(), "{report:#?}");
    prop_assert!(log.loss().is_none(), "nothing is lost");
    Ok(ends)
}

fn without_times(ends: BTreeMap<String, (Outcome, Duration)>) -> BTreeMap<String, Outcome> {
    ends.into_iter()
        .map(|(label, (outcome, _))| (label, outcome))
        .collect()
}

#[test]
fn on_two_workers_programs_end_as_the_model_says_where_timing_does_not_matter() {
    check(Timing::DoesNotMatter, 60, |program, _| {
        let Prediction { ends, steps, .. } = predict(program);
        let predicted = without_times(ends);
        let waits_for_ever = |outcome: &&Outcome| **outcome == Outcome::Cancelled;
        let to_come = predicted.values().filter(|o| !waits_for_ever(o)).count();
        let ended = on_two_workers(program, async |_first, ends, changed| {
            // What waits for ever has come as far as it will.
            while ends.progress() != (steps, to_come) {
                changed.recv().await.unwrap();
            }
        })?;
        prop_assert_eq!(ended, predicted);
        Ok(())
    });
}

#[test]
fn on_two_workers_programs_with_aborts_and_deadlines_leave_a_record_that_holds() {
    /// Programs wait for ever, some of them; then the scheduler's end sees to it after a while.
    const PATIENCE: Duration = Duration::from_millis(3);
    check(Timing::Matters, 60, |program, _| {
        on_two_workers(program, async |first, _ends, _changed| {
            let _ = time::timeout(PATIENCE, first).await;
        })?;
        Ok(())
    });
}
