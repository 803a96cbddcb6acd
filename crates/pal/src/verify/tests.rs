//! Owns the proof that every kind of tampering is found, and that nothing else is.

mod every_record;
pub(crate) mod scene;
mod unfinished;
mod unwritten;

use super::*;
use crate::automaton::Violation;
use crate::event::TaskEvent;
use crate::format::kind;
use crate::owner::RingOwner;
use crate::pal::Pal;
use crate::reader::RingId;
use scene::{Tampered, lines, tid};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The story in a log at rest, after `tamper` had its way with it.
fn told(tamper: impl FnOnce(&Tampered)) -> Report {
    let log = Tampered::new(|scene| {
        scene.play();
    });
    tamper(&log);
    log.verify()
}

fn add(word: &AtomicU64, by: u64) {
    word.fetch_add(by, Relaxed);
}

#[test]
fn an_honest_log_holds() {
    let report = told(|_| {});
    assert_eq!(lines(&report), [""; 0]);
    assert_eq!((report.rest, report.horizon), (Rest::AtRest, None));
    assert_eq!((report.records, report.tasks, report.ended), (14, 2, 1));
    assert_eq!((report.rows, report.rings, report.half_done), (1, 2, 0));
}

#[test]
fn a_record_of_another_kind_is_found() {
    // Task 1's wake becomes a second yield.
    let report = told(|log| log.retag(1, 3, |tag| tag.kind = kind::YIELD));
    let fault = Fault::Rule(Violation::LeftUnrun {
        state: TaskState::Sleeping,
        entered: TaskState::Yielded,
    });
    let (tid, ring, seq) = (tid(1), RingId::Worker(1), 3);
    let found = Finding::Record {
        tid,
        ring,
        seq,
        fault,
    };
    assert_eq!(report.findings[0], found);
    assert_eq!(
        lines(&report)[1..],
        [
            "ring 1: its header counted 1 events of kind 3, 2 are there",
            "ring 1: its header counted 1 events of kind 10, 0 are there",
        ]
    );
}

#[test]
fn a_run_without_a_wake_is_found() {
    let report = told(|log| log.retag(1, 3, |tag| tag.kind = kind::RUNNING));
    let waiting = TaskState::Sleeping;
    let fault = Fault::Rule(Violation::RanUnwoken { waiting });
    assert!(matches!(report.findings[0], Finding::Record { fault: f, .. } if f == fault));
}

#[test]
fn an_erased_record_is_found() {
    let report = told(|log| log.erase(1, 3));
    assert_eq!(
        lines(&report),
        [
            "task 1, record 4 of ring 1: records are missing: transition 3 (modulo 256) was due, 4 is there",
            "ring 1: 1 records are missing among those that it should hold",
            "ring 1: its header counted 1 events of kind 10, 0 are there",
        ]
    );
}

#[test]
fn an_erased_last_record_is_found() {
    let report = told(|log| log.erase(1, 7));
    assert_eq!(
        lines(&report),
        [
            "ring 1: 1 records are missing among those that it should hold",
            "ring 1: its header counted 1 events of kind 11, 0 are there",
            "task 1: it has not ended by its records, and has no row in the task table",
        ]
    );
}

#[test]
fn a_changed_count_of_transitions_is_found() {
    let report = told(|log| log.retag(0, 4, |tag| tag.aux += 9));
    assert!(lines(&report)[0].starts_with("task 1, record 4 of ring 0: records are missing"));
}

#[test]
fn a_changed_stamp_is_found_in_what_follows_from_it() {
    let early = told(|log| log.record(0, 4).first().words[1].store(90, Relaxed));
    assert!(
        lines(&early)
            .iter()
            .any(|line| line.contains("out of order"))
    );
    // In order still, but the row knows better.
    let report = told(|log| add(&log.record(0, 5).first().words[1], 1));
    assert_eq!(
        lines(&report),
        [
            "task 2: the task table says it waited, in clock ticks, 40, its records 41",
            "task 2: the task table says it was ready, in clock ticks, 12, its records 11",
        ]
    );
}

#[test]
fn a_record_given_to_another_task_is_found() {
    let report = told(|log| log.record(1, 1).first().words[2].store(77, Relaxed));
    let entered = TaskState::Running;
    let fault = Fault::Rule(Violation::Unborn { entered });
    assert!(matches!(report.findings[0], Finding::Record { fault: f, .. } if f == fault));
    assert!(
        report
            .findings
            .iter()
            .any(|found| found.task() == Some(tid(2)))
    );
}

#[test]
fn a_record_that_makes_no_sense_is_found() {
    // A wake by nobody.
    let report = told(|log| log.record(1, 3).first().words[3].store(0, Relaxed));
    assert!(
        report
            .findings
            .contains(&Finding::Unreadable { records: 1 })
    );
}

#[test]
fn a_second_spawn_and_a_life_after_the_end_are_found() {
    let again = told(|log| {
        log.retag(0, 5, |tag| tag.kind = kind::SPAWNED);
        log.record(0, 5).first().words[3].store(1 << 32, Relaxed);
    });
    assert!(lines(&again)[0].ends_with("it was spawned again while `io_wait`"));
    let undead = told(|log| {
        log.retag(0, 6, |tag| tag.kind = kind::DONE);
    });
    assert!(
        lines(&undead)
            .iter()
            .any(|line| line.contains("after it had ended as `done`"))
    );
}

/// What is found when something is added to a word of task 2's row.
fn with_row_word(word: usize, by: u64) -> Vec<String> {
    let mut slot = None;
    let log = Tampered::new(|scene| slot = Some(scene.play().slot));
    add(&log.row(slot.expect("written"))[word], by);
    lines(&log.verify())
}

#[test]
fn a_changed_row_of_the_task_table_is_found() {
    let said = |what: &str| format!("task 2: the task table says {what}");
    let sum = |parts: &str| {
        format!("task 2: in the task table {parts} is not its life of 75 clock ticks")
    };
    // Task 2 ran 15 and 8, waited 40, was ready 10 and 2.
    for (word, by, expected) in [
        (
            1,
            1 << 56,
            vec![said("its state is done, its records waiting")],
        ),
        (
            1,
            1,
            vec![
                said("it is in that state since 181, its records 180"),
                sum("run 23 + wait 40 + ready 12").replace("75", "76"),
            ],
        ),
        (2, 1 << 32, vec![said("its spawn site is 3, its records 2")]),
        (2, 1, vec![said("it was polled 3, its records 2")]),
        (3, 1, vec![said("its parent is 2, its records 1")]),
        (
            5,
            1,
            vec![
                said("it ran, in clock ticks, 24, its records 23"),
                sum("run 24 + wait 40 + ready 12"),
            ],
        ),
        (
            6,
            1,
            vec![
                said("it waited, in clock ticks, 41, its records 40"),
                sum("run 23 + wait 41 + ready 12"),
            ],
        ),
        (
            7,
            1,
            vec![
                said("it was ready, in clock ticks, 13, its records 12"),
                sum("run 23 + wait 40 + ready 13"),
            ],
        ),
    ] {
        assert_eq!(with_row_word(word, by), expected, "word {word} + {by}");
    }
}

#[test]
fn a_row_without_records_and_records_without_a_row_are_found() {
    assert_eq!(
        with_row_word(0, 90),
        [
            "task 92: it has a row in the task table, and no record speaks of it",
            "task 2: it has not ended by its records, and has no row in the task table",
        ]
    );
}

#[test]
fn the_same_log_is_judged_in_the_same_words() {
    // Many tasks, none of which has a row.
    let pal = Pal::memory();
    let ring = pal.lease(RingOwner::Worker(0));
    let (parent, site) = (None, pal.site("a.rs", 1, 1, None));
    for number in 1..=50 {
        let tid = tid(number);
        ring.write(number, 0, &TaskEvent::Spawned { tid, parent, site });
    }
    // One of them is excused: the first.
    pal.count_loss(LossCause::TableFull);
    drop(ring);
    let report = verify(&pal.log());
    let tasks: Vec<_> = report.findings.iter().filter_map(Finding::task).collect();
    assert_eq!(tasks, (2..=50).map(tid).collect::<Vec<_>>());
}

#[test]
fn a_changed_count_in_a_ring_s_header_is_found() {
    let count = told(|log| {
        add(&log.ring(0).first().events[usize::from(kind::WAKE)], 1);
    });
    assert_eq!(
        lines(&count),
        ["ring 0: its header counted 2 events of kind 10, 1 are there"]
    );
}

#[test]
fn counts_as_large_as_can_be_are_found_and_not_added_to() {
    // Found by fuzzing: one more than that is no number.
    let log = Tampered::new(|scene| {
        scene.play();
        for cause in [LossCause::NoRing, LossCause::Reentrant] {
            scene.pal.count_loss(cause);
        }
    });
    for cause in [LossCause::NoRing, LossCause::Reentrant] {
        log.header().first().loss[cause as usize].store(u64::MAX, Relaxed);
    }
    log.ring(0).first().events[usize::from(kind::WAKE)].store(u64::MAX, Relaxed);
    log.kill();
    assert_eq!(
        lines(&log.verify()),
        ["ring 0: its header counted 18446744073709551615 events of kind 10, 1 are there"]
    );
}

#[test]
fn findings_beyond_the_bound_are_counted_only() {
    let pal = Pal::memory();
    let ring = pal.lease(RingOwner::Worker(0));
    let most = FINDINGS_MAX as u64 + 5;
    for number in 1..=most {
        ring.write(number, 1, &TaskEvent::Done { tid: tid(number) });
    }
    drop(ring);
    let report = verify(&pal.log());
    assert_eq!(
        (report.findings.len(), report.findings_total),
        (FINDINGS_MAX, most)
    );
}

#[test]
fn no_damage_makes_the_judge_panic() {
    let log = Tampered::new(|scene| {
        scene.play();
    });
    let parts = log.used_words();
    let mut state = 7u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    let mut judged = 0;
    for _ in 0..60 {
        let mut undo = Vec::new();
        for _ in 0..3 {
            let part = &parts[random(parts.len())];
            let word = &part[random(part.len())];
            let values = [
                0,
                1,
                u64::MAX,
                1 << random(64),
                word.load(Relaxed) ^ 1 << random(64),
            ];
            undo.push((word, word.load(Relaxed)));
            word.store(values[random(values.len())], Relaxed);
        }
        judged += usize::from(log.try_verify().is_some());
        for (word, was) in undo.into_iter().rev() {
            word.store(was, Relaxed);
        }
    }
    assert!(judged > 20, "only {judged} could be opened");
    assert!(log.verify().holds());
}

#[test]
fn tasks_at_fault_are_remembered_only_where_rows_are_compared_with_them() {
    for is_at_rest in [true, false] {
        let pal = Pal::memory();
        let ring = pal.lease(RingOwner::Worker(0));
        for number in 1..=10 {
            ring.write(number, 1, &TaskEvent::Done { tid: tid(number) });
        }
        let _held = (!is_at_rest).then_some(ring);
        let log = pal.log();
        let mut judge = Judge::new(&log, &log.rings(), &log.loss());
        let mut lives = log.lives();
        for entry in log.records() {
            if let Event::Task(event) = &entry.event
                && let Some(step) = lives.feed(entry.stamp, entry.aux, event)
            {
                judge.step(&entry, &step);
            }
        }
        assert_eq!(judge.report.findings_total, 10);
        let remembered = if is_at_rest { 10 } else { 0 };
        assert_eq!(judge.told.len(), remembered, "{:?}", judge.report.rest);
    }
}
