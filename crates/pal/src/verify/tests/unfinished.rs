//! Owns the proof of what is excused, and that no more is: half-done steps of killed processes, rings
//! that have wrapped.

use super::scene::{Actor, Scene, Tampered, lines};
use crate::cause::WakeSource;
use crate::event::TaskEvent;
use crate::format::kind;
use crate::owner::WorkerState;
use crate::pal::Pal;
use crate::slot::Slot;
use crate::state::TaskState;
use crate::verify::{Report, Rest, verify};
use std::sync::atomic::Ordering::Relaxed;

#[test]
fn a_header_that_ends_early_hides_nothing_in_a_dead_log() {
    let head = killed(|_| {}, |log| log.ring(0).first().head.store(3, Relaxed));
    assert_eq!(
        lines(&head),
        ["ring 0: its header ends at record 3, its newest record is 7"]
    );
}

/// The story, then `last`, then a death without warning, then `tamper`.
fn killed(last: impl FnOnce(&mut Scene), tamper: impl FnOnce(&Tampered)) -> Report {
    let log = Tampered::new(|scene| {
        scene.play();
        last(scene);
    });
    log.kill();
    tamper(&log);
    log.verify()
}

/// Task 3 begins to run on ring 0.
fn third(scene: &mut Scene) -> Actor {
    let mut third = scene.spawn(0, 200, 3, None);
    let now = TaskEvent::Running { tid: third.tid };
    scene.rings[0].current(201, Some(third.tid), WorkerState::Running);
    scene.step(&mut third, 0, 201, now);
    third
}

#[test]
fn a_killed_process_may_leave_each_ring_s_last_step_half_done() {
    let by = WakeSource::External;
    let report = killed(
        |scene| {
            // Its row says that it waits, another worker has woken it, and the wait is not recorded.
            let mut third = third(scene);
            let tid = third.tid;
            scene.enter(&mut third, 210, &TaskEvent::Wait { tid });
            scene.step(&mut third, 1, 212, TaskEvent::Wake { tid, by });
            scene.step(&mut third, 1, 213, TaskEvent::Running { tid });
        },
        |_| {},
    );
    assert_eq!(lines(&report), [""; 0]);
    assert_eq!((report.rest, report.half_done), (Rest::Stopped, 1));

    let report = killed(
        |scene| {
            let mut third = third(scene);
            let tid = third.tid;
            scene.enter(&mut third, 210, &TaskEvent::Wait { tid });
        },
        |_| {},
    );
    assert_eq!((lines(&report), report.half_done), (vec![], 1));
}

/// What is found when a process is killed with task 3 in a state and its row's counts ahead of that by so much.
fn killed_counting(last: &[TaskState], count: impl FnOnce(&Slot)) -> (Vec<String>, u64) {
    let by = WakeSource::Timer;
    let report = killed(
        |scene| {
            let mut third = third(scene);
            let tid = third.tid;
            for (at, state) in (210..).zip(last) {
                let event = match state {
                    TaskState::Waiting => TaskEvent::Wait { tid },
                    TaskState::Yielded => TaskEvent::Yield { tid, by },
                    other => panic!("no such scene: {other:?}"),
                };
                scene.step(&mut third, 0, at, event);
            }
            count(scene.pal.table().slot(third.slot));
        },
        |_| {},
    );
    (lines(&report), report.half_done)
}

#[test]
fn a_killed_process_may_have_counted_the_time_in_a_state_that_a_task_had_yet_to_leave() {
    assert_eq!(killed_counting(&[], |row| row.add_run(5)), (vec![], 1));
    assert_eq!(
        killed_counting(&[TaskState::Waiting], |row| row.add_wait(5)),
        (vec![], 1)
    );
    for (ready, polls) in [(5, 0), (5, 1), (0, 1)] {
        let count = |row: &Slot| {
            row.add_ready(ready);
            (0..polls).for_each(|_| row.count_poll());
        };
        assert_eq!(killed_counting(&[TaskState::Yielded], count), (vec![], 1));
    }
}

#[test]
fn the_time_in_another_state_than_a_task_was_in_is_found_in_the_row_of_a_killed_process() {
    let said = |what: &str| format!("task 3: the task table says {what}");
    let sum = |parts: &str, life| {
        format!("task 3: in the task table {parts} is not its life of {life} clock ticks")
    };
    let waited = killed_counting(&[], |row| row.add_wait(5));
    let expected = vec![
        said("it waited, in clock ticks, 5, its records 0"),
        sum("run 0 + wait 5 + ready 1", 1),
    ];
    assert_eq!(waited, (expected, 0));
    let polled = killed_counting(&[TaskState::Yielded], |row| {
        (0..2).for_each(|_| row.count_poll())
    });
    assert_eq!(polled, (vec![said("it was polled 3, its records 1")], 0));
    let both = killed_counting(&[TaskState::Waiting], |row| {
        row.add_wait(5);
        row.add_run(5);
    });
    let expected = vec![
        said("it ran, in clock ticks, 14, its records 9"),
        said("it waited, in clock ticks, 5, its records 0"),
        sum("run 14 + wait 5 + ready 1", 10),
    ];
    assert_eq!(both, (expected, 0));
}

#[test]
fn a_row_of_a_killed_process_may_say_more_than_a_sum_holds() {
    let report = killed(
        |scene| {
            let third = scene.spawn(0, 200, 3, None);
            let row = scene.pal.table().slot(third.slot);
            row.add_ready(u64::MAX);
            row.count_poll();
        },
        |_| {},
    );
    assert_eq!((lines(&report), report.half_done), (vec![], 1));
}

#[test]
fn a_killed_process_may_leave_a_wake_from_outside_to_nobody() {
    let report = killed(
        |scene| {
            let mut third = third(scene);
            let tid = third.tid;
            scene.step(&mut third, 0, 210, TaskEvent::Wait { tid });
            let by = WakeSource::External;
            scene.enter(&mut third, 220, &TaskEvent::Wake { tid, by });
        },
        |_| {},
    );
    assert_eq!((lines(&report), report.half_done), (vec![], 1));
}

#[test]
fn more_than_one_half_done_step_a_ring_is_found() {
    let by = WakeSource::Timer;
    let report = killed(
        |scene| {
            // Its waits are the records 10, 13 and 16 of ring 0.
            let mut third = third(scene);
            let tid = third.tid;
            for at in [210, 220, 230] {
                scene.step(&mut third, 0, at, TaskEvent::Wait { tid });
                scene.step(&mut third, 0, at + 1, TaskEvent::Wake { tid, by });
                scene.step(&mut third, 0, at + 2, TaskEvent::Running { tid });
            }
        },
        |log| {
            [10, 13, 16]
                .map(|seq| log.erase(0, seq))
                .into_iter()
                .collect()
        },
    );
    // There are two rings, so that two gaps can be what a death leaves.
    assert_eq!(report.half_done, 2);
    assert_eq!(
        lines(&report),
        [
            "task 3, record 17 of ring 0: records are missing: transition 8 (modulo 256) was due, 9 is there",
            "ring 0: its header counted 4 events of kind 9, 1 are there",
        ]
    );
}

#[test]
fn a_wrapped_log_is_judged_from_its_horizon() {
    let by = WakeSource::Timer;
    let log = Tampered::new(|scene| {
        let mut second = scene.play();
        let tid = second.tid;
        let capacity = scene.pal.log().rings()[0].capacity;
        for round in 0..capacity {
            let at = 200 + 3 * round;
            scene.step(&mut second, 0, at, TaskEvent::Wake { tid, by });
            scene.step(&mut second, 0, at + 1, TaskEvent::Running { tid });
            scene.step(&mut second, 0, at + 2, TaskEvent::Wait { tid });
        }
    });
    let report = log.verify();
    assert_eq!(lines(&report), [""; 0]);
    assert!(report.horizon.is_some_and(|horizon| horizon > 200));
    assert_eq!((report.tasks, report.rows), (1, 1));

    let last = log.ring(0).first().head.load(Relaxed);
    log.retag(0, last, |tag| tag.kind = kind::YIELD);
    log.record(0, last).first().words[3].store(by.to_word(), Relaxed);
    assert_eq!(
        lines(&log.verify()),
        [
            "ring 0: its header counted 0 events of kind 3, 1 are there",
            "task 2: the task table says its state is waiting, its records yielded",
        ]
    );
}

#[test]
fn a_live_log_is_judged_by_its_records_alone() {
    let mut scene = Scene::new(Pal::memory());
    scene.play();
    let report = verify(&scene.pal.log());
    assert_eq!((report.rest, report.rows, report.rings), (Rest::Live, 0, 0));
    assert!(report.holds());
}
