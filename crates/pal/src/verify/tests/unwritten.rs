//! Owns the proof of what is excused where the writer counted events that it could not write, and that no more is.

use super::scene::{Actor, Scene, Tampered, lines};
use crate::cause::WakeSource;
use crate::event::TaskEvent;
use crate::loss::LossCause;
use crate::pal::Pal;
use crate::verify::{Report, verify};
use std::sync::atomic::Ordering::Relaxed;

const BY: WakeSource = WakeSource::External;

/// What is found in a log in which so many fewer events were counted than were lost.
fn short_of(uncounted: u64, write: impl FnOnce(&mut Scene)) -> Report {
    let log = Tampered::new(|scene| write(scene));
    let header = log.header();
    let counted = &header.first().loss[LossCause::NoRing as usize];
    let lost = counted.load(Relaxed);
    counted.store(
        lost.checked_sub(uncounted).expect("as many were lost"),
        Relaxed,
    );
    log.verify()
}

/// A task lives as `write` says; nothing is found if the log counts what it lost, and `finding` if it counts one less.
fn excused_to_the_last(lost: u64, finding: &str, write: impl Fn(&mut Scene)) {
    let report = short_of(0, &write);
    assert_eq!((lines(&report), report.unwritten), (vec![], lost));
    let report = short_of(1, &write);
    assert_eq!(lines(&report), [finding]);
}

/// The whole life of a thread without a ring: only the wakes of its task, by others, are recorded.
fn live_unseen(scene: &mut Scene, at: u64, number: u64, ring: usize) {
    let mut task = scene.lose_spawn(at, number);
    let tid = task.tid;
    scene.lose(&mut task, at + 1, TaskEvent::Running { tid });
    scene.lose(&mut task, at + 2, TaskEvent::Wait { tid });
    scene.step(&mut task, ring, at + 3, TaskEvent::Wake { tid, by: BY });
    scene.lose(&mut task, at + 4, TaskEvent::Running { tid });
    scene.lose(&mut task, at + 5, TaskEvent::Done { tid });
    scene.free(task);
}

#[test]
fn the_lives_of_threads_without_a_ring_are_held_against_nobody() {
    let finding = "task 5: it has not ended by its records, and has no row in the task table";
    excused_to_the_last(15, finding, |scene| {
        for number in 3..=5 {
            live_unseen(scene, 10 * number, number, 1);
        }
    });
}

/// A round of three in which only the wake is written.
fn wait_unseen(scene: &Scene, task: &mut Actor, at: u64) {
    let tid = task.tid;
    scene.lose(task, at, TaskEvent::Running { tid });
    scene.lose(task, at + 1, TaskEvent::Wait { tid });
    scene.step(task, 0, at + 2, TaskEvent::Wake { tid, by: BY });
}

#[test]
fn missing_records_in_the_midst_of_a_life_are_excused_up_to_what_was_counted() {
    let finding = "task 3, record 4 of ring 0: records are missing: transition 7 (modulo 256) was due, 9 is there";
    excused_to_the_last(6, finding, |scene| {
        let mut task = scene.spawn(0, 10, 3, None);
        for at in [20, 30, 40] {
            wait_unseen(scene, &mut task, at);
        }
    });
}

#[test]
fn a_row_that_has_gone_on_from_the_records_is_excused_up_to_what_was_counted() {
    let mut found = Vec::new();
    for uncounted in [0, 1] {
        let report = short_of(uncounted, |scene| {
            let mut task = scene.spawn(0, 10, 3, None);
            let tid = task.tid;
            scene.lose(&mut task, 20, TaskEvent::Running { tid });
            scene.lose(&mut task, 25, TaskEvent::Yield { tid, by: BY });
            scene.lose(&mut task, 27, TaskEvent::Running { tid });
        });
        found.push((report.unwritten, report.holds()));
    }
    assert_eq!(found, [(3, true), (0, false)]);
}

#[test]
fn a_task_of_which_nothing_was_written_is_excused_up_to_what_was_counted() {
    let finding = "task 3: it has a row in the task table, and no record speaks of it";
    excused_to_the_last(4, finding, |scene| {
        let mut task = scene.lose_spawn(10, 3);
        let tid = task.tid;
        scene.lose(&mut task, 20, TaskEvent::Running { tid });
        scene.lose(&mut task, 25, TaskEvent::Yield { tid, by: BY });
        scene.lose(&mut task, 27, TaskEvent::Running { tid });
    });
}

#[test]
fn more_missing_records_than_a_count_of_transitions_can_show_are_excused() {
    // Before the last wake: half a round and more, a whole round, a round and some.
    for rounds in [50, 128, 170] {
        let report = short_of(0, |scene| {
            let mut task = scene.spawn(0, 10, 3, None);
            let tid = task.tid;
            for round in 0..rounds {
                let at = 20 + 5 * round;
                scene.lose(&mut task, at, TaskEvent::Running { tid });
                scene.lose(&mut task, at + 3, TaskEvent::Yield { tid, by: BY });
            }
            wait_unseen(scene, &mut task, 5000);
            scene.step(&mut task, 0, 5010, TaskEvent::Running { tid });
        });
        assert_eq!(lines(&report), [""; 0], "{rounds} rounds");
    }
    // A task that yields alone comes round with nothing to show for it.
    let report = short_of(0, |scene| {
        let mut task = scene.spawn(0, 10, 3, None);
        let tid = task.tid;
        for round in 0..128 {
            let at = 20 + 5 * round;
            scene.lose(&mut task, at, TaskEvent::Running { tid });
            scene.lose(&mut task, at + 3, TaskEvent::Yield { tid, by: BY });
        }
        scene.step(&mut task, 0, 5000, TaskEvent::Running { tid });
    });
    assert_eq!((lines(&report), report.unwritten), (vec![], 256));
}

#[test]
fn what_no_missing_record_explains_is_found_however_many_were_counted() {
    let log = Tampered::new(|scene| {
        scene.play();
        (0..10_000).for_each(|_| scene.pal.count_loss(LossCause::NoRing));
    });
    assert!(log.verify().holds());
    // Task 1 goes on after its end.
    log.record(0, 6).first().words[2].store(1, Relaxed);
    let found = lines(&log.verify());
    assert!(
        found[0].starts_with("task 1, record 6 of ring 0: "),
        "{found:?}"
    );
}

#[test]
fn a_spawn_that_is_not_the_first_transition_is_found_however_many_were_counted() {
    let log = Tampered::new(|scene| {
        scene.play();
        (0..10_000).for_each(|_| scene.pal.count_loss(LossCause::NoRing));
    });
    log.retag(0, 2, |tag| tag.aux = 1);
    assert!(lines(&log.verify())[0].starts_with("task 2, record 2 of ring 0: records are missing"));
}

#[test]
fn a_tampered_record_in_a_log_that_lacks_a_few_is_found() {
    let write = |scene: &mut Scene| {
        scene.play();
        live_unseen(scene, 300, 3, 1);
    };
    let log = Tampered::new(write);
    assert_eq!(log.verify().unwritten, 5);
    // A wake becomes a yield, which nothing short of a whole round explains.
    log.retag(1, 3, |tag| tag.kind = crate::format::kind::YIELD);
    let found = lines(&log.verify());
    assert!(
        found[0].ends_with("it went from `sleeping` to `yielded` without running"),
        "{found:?}"
    );

    // A round of task 2 that never was makes three more missing than were counted.
    let log = Tampered::new(write);
    for seq in [5, 6, 7] {
        log.retag(0, seq, |tag| tag.aux += 3);
    }
    assert_eq!(
        lines(&log.verify()),
        ["task 3, record 8 of ring 1: it entered `scheduled` without having been spawned"]
    );
}

#[test]
fn the_row_of_a_task_that_lacks_records_is_compared_as_far_as_these_go() {
    let mut slot = None;
    let log = Tampered::new(|scene| {
        let mut task = scene.spawn(0, 10, 3, None);
        wait_unseen(scene, &mut task, 20);
        slot = Some(task.slot);
    });
    assert!(log.verify().holds());
    let row = log.row(slot.expect("written"));
    row[5].fetch_add(1, Relaxed);
    assert_eq!(
        lines(&log.verify()),
        ["task 3: in the task table run 2 + wait 1 + ready 10 is not its life of 12 clock ticks"]
    );
}

#[test]
fn a_live_log_that_lacks_records_holds() {
    let mut scene = Scene::new(Pal::memory());
    live_unseen(&mut scene, 10, 3, 0);
    let report = verify(&scene.pal.log());
    assert_eq!((lines(&report), report.unwritten), (vec![], 3));
}
