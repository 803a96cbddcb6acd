//! Owns the proof of the answers: by hand, and against a second way to find them.

mod lanes;
mod play;
mod random;
mod story;
mod waits;
mod ways_out;

use super::*;
use crate::reader::RingId;
use crate::{TaskEvent, TaskState, WakeSource};
use story::{Story, tid};

const W0: RingId = RingId::Worker(0);
const W1: RingId = RingId::Worker(1);

fn slept() -> Activity {
    Activity::Wait {
        state: TaskState::Sleeping,
        ended_by: Some("timer"),
    }
}

/// A path's stretches as (task, activity, length).
fn told(answer: &Answer) -> Vec<(u64, Activity, u64)> {
    let stretches = answer.path.stretches.iter();
    stretches
        .map(|s| (s.task.number(), s.activity, s.ticks()))
        .collect()
}

/// Task 1 joins task 2, which sleeps, then waits for what its child 3 hands it.
fn family() -> Story {
    let mut story = Story::default();
    story.spawned(0, W0, 1, None);
    story.running(10, W0, 1);
    story.spawned(10, W0, 2, Some(1));
    story.running(15, W1, 2);
    story.sleep(20, W1, 2);
    story.join(30, W0, 1, 2);
    story.wake(70, W1, 2, WakeSource::Timer);
    story.running(75, W1, 2);
    story.spawned(75, W1, 3, Some(2));
    story.wait(80, W1, 2);
    story.running(82, W0, 3);
    story.wake(95, W0, 2, WakeSource::Task(tid(3)));
    story.done(97, W0, 3);
    story.running(100, W0, 2);
    story.done(120, W0, 2);
    story.wake(121, W0, 1, WakeSource::Task(tid(2)));
    story.running(125, W0, 1);
    story.done(140, W0, 1);
    story
}

#[test]
fn the_path_goes_back_through_who_woke_and_who_spawned() {
    let answer = family().why(1, 500);
    assert_eq!((answer.path.from, answer.path.to), (0, 140));
    assert_eq!(
        told(&answer),
        [
            (1, Activity::Ready, 10),
            (2, Activity::Ready, 5),
            (2, Activity::Run, 5),
            (2, slept(), 50),
            (2, Activity::Ready, 5),
            (3, Activity::Ready, 7),
            (3, Activity::Run, 13),
            (2, Activity::Ready, 5),
            // Up to the wake, which comes after its last tick's end.
            (2, Activity::Run, 21),
            (1, Activity::Ready, 4),
            (1, Activity::Run, 15),
        ]
    );
    let nodes = answer.path.nodes.iter();
    let nodes: Vec<_> = nodes
        .map(|node| (node.task.number(), node.hop, node.above, node.own_ticks()))
        .collect();
    assert_eq!(
        nodes,
        [
            (1, Hop::Asked, None, 29),
            (2, Hop::Woke, Some(0), 91),
            (3, Hop::Woke, Some(1), 20),
        ]
    );
}

#[test]
fn a_life_s_times_are_its_own_whoever_decided() {
    let answer = family().why(1, 500);
    let life = &answer.life;
    assert_eq!((life.run_ticks, life.ready_ticks), (20 + 15, 10 + 4));
    assert_eq!(life.wait_ticks, [0, 0, 91, 0, 0]);
    assert_eq!((answer.from(), answer.to()), (0, 140));
    assert_eq!((answer.unknown_ticks, answer.is_cut), (0, false));
}

#[test]
fn a_path_ends_at_the_spawn_and_the_ancestors_go_on_to_the_root() {
    let answer = family().why(3, 500);
    assert_eq!(
        told(&answer),
        [(3, Activity::Ready, 7), (3, Activity::Run, 15)]
    );
    let ancestors = answer.ancestors.iter();
    let ancestors: Vec<_> = ancestors.map(|of| (of.task.number(), of.spawned)).collect();
    assert_eq!(ancestors, [(2, Some(10)), (1, Some(0))]);
}

#[test]
fn a_task_that_joins_a_sleeper_is_late_because_of_the_sleep_while_it_goes_on() {
    let mut story = family();
    story.cut_behind(30);
    let answer = story.why(1, 60);
    let asleep = Activity::Wait {
        state: TaskState::Sleeping,
        ended_by: None,
    };
    assert_eq!(
        told(&answer),
        [
            (1, Activity::Ready, 10),
            (2, Activity::Ready, 5),
            (2, Activity::Run, 5),
            (2, asleep, 40),
        ]
    );
    assert_eq!(answer.path.nodes[1].hop, Hop::Awaited);
}

#[test]
fn joins_are_followed_that_began_before_the_task() {
    let mut story = Story::default();
    for (task, ring) in [(3, W0), (2, W1)] {
        story.spawned(0, ring, task, None);
        story.running(1, ring, task);
    }
    story.join(2, W1, 2, 3);
    story.spawned(3, W1, 1, None);
    story.running(4, W1, 1);
    story.join(5, W1, 1, 2);
    assert_eq!(told(&story.why(1, 10)), [(3, Activity::Run, 7)]);
}

#[test]
fn two_tasks_that_wait_for_each_other_s_end_have_paths_that_end() {
    let mut story = Story::default();
    for (task, ring) in [(1, W0), (2, W1)] {
        story.spawned(0, ring, task, None);
        story.running(1, ring, task);
        story.join(3, ring, task, 3 - task);
    }
    let answer = story.why(1, 10);
    let lengths = answer.path.stretches.iter().map(Stretch::ticks);
    assert_eq!(lengths.sum::<u64>(), 10);
}

#[test]
fn who_held_the_worker_is_who_ran_there_meanwhile() {
    let mut story = Story::default();
    story.spawned(0, W0, 7, None);
    story.running(0, W0, 7);
    story.spawned(0, W1, 8, None);
    story.running(0, W1, 8);
    story.spawned(10, W0, 1, None);
    // On worker 0 task 7 until 40, nobody until 45, task 9 until 50; what worker 1 does is of no matter.
    story.done(40, W0, 7);
    story.spawned(42, W1, 9, None);
    story.running(45, W0, 9);
    story.done(50, W0, 9);
    story.running(50, W0, 1);
    story.yielded(60, W0, 1, WakeSource::Task(tid(1)));
    story.done(66, W1, 8);
    story.running(66, W1, 1);
    story.done(70, W1, 1);
    let answer = story.why(1, 100);
    let holders: Vec<_> = answer
        .holders
        .iter()
        .map(|holder| (holder.ring, holder.what, holder.ticks))
        .collect();
    assert_eq!(
        holders,
        [
            (W0, Holding::Task(tid(7)), 30),
            (W1, Holding::Task(tid(8)), 6),
            (W0, Holding::Task(tid(9)), 5),
            (W0, Holding::NoTask, 5),
        ]
    );
    assert_eq!(answer.pending, []);
}

#[test]
fn a_task_that_nobody_takes_up_is_told_what_the_workers_do_meanwhile() {
    let mut story = Story::default();
    story.spawned(0, W0, 7, None);
    story.running(0, W0, 7);
    story.spawned(10, W0, 1, None);
    let answer = story.why(1, 100);
    assert_eq!(answer.holders, []);
    let (ring, what, ticks) = (W0, Holding::Task(tid(7)), 90);
    assert_eq!(answer.pending, [Holder { ring, what, ticks }]);
    assert_eq!(answer.life.ready_ticks, 90);
}

#[test]
fn behind_the_horizon_a_path_begins_in_the_state_that_the_oldest_record_implies() {
    let answer = family().why_from(80, 1, 500);
    // Of task 1 the oldest record is the wake of 121.
    assert_eq!((answer.from(), answer.life.site), (121, None));
    assert_eq!(
        told(&answer),
        [(1, Activity::Ready, 4), (1, Activity::Run, 15)]
    );
    let answer = family().why_from(30, 1, 500);
    assert_eq!(answer.from(), 30);
    assert_eq!(
        told(&answer)[..3],
        [
            // Since before; what it was in then follows from its wake.
            (2, by_timer(TaskState::Waiting), 40),
            (2, Activity::Ready, 5),
            (3, Activity::Ready, 7),
        ]
    );
}

fn by_timer(state: TaskState) -> Activity {
    Activity::Wait {
        state,
        ended_by: Some("timer"),
    }
}

#[test]
fn time_of_which_records_are_missing_is_nobody_s() {
    let mut story = Story::default();
    story.spawned(0, W0, 1, None);
    story.running(10, W0, 1);
    story.skip(1);
    story.running(50, W0, 1);
    story.done(60, W0, 1);
    let answer = story.why(1, 100);
    assert_eq!((answer.unknown_ticks, answer.ends_in_gap), (40, false));
    assert_eq!(
        told(&answer),
        [
            (1, Activity::Ready, 10),
            (1, Activity::Unrecorded, 40),
            (1, Activity::Run, 10),
        ]
    );
}

#[test]
fn a_wait_whose_beginning_is_missing_is_nobody_s_whoever_ended_it() {
    let mut story = Story::default();
    story.spawned(0, W0, 1, None);
    story.running(10, W0, 1);
    story.skip(1);
    story.wake(50, W0, 1, WakeSource::External);
    story.running(56, W0, 1);
    assert_eq!(
        told(&story.why(1, 60)),
        [
            (1, Activity::Ready, 10),
            (1, Activity::Unrecorded, 40),
            (1, Activity::Ready, 6),
            (1, Activity::Run, 4),
        ]
    );
}

#[test]
fn what_was_so_before_a_gap_of_the_log_is_not_told_behind_it() {
    let mut story = family();
    // What is left: task 1 joins task 2, which sleeps; then 2 wakes 1, which runs and ends.
    let lives = story.lose(30, 121);
    let answer = story.ask_of(lives, 1, 500).expect("the story speaks of it");
    assert_eq!(
        told(&answer),
        [
            (1, Activity::Ready, 10),
            (2, Activity::Ready, 5),
            (2, Activity::Run, 5),
            (2, Activity::Unrecorded, 101),
            (1, Activity::Ready, 4),
            (1, Activity::Run, 15),
        ]
    );
    // Its join is not seen to last either.
    assert_eq!(answer.life.wait_ticks, [0; 5]);
    assert_eq!((answer.unknown_ticks, answer.ends_in_gap), (91, false));
}

#[test]
fn a_task_that_a_gap_follows_is_judged_up_to_its_last_record() {
    let mut story = family();
    let lives = story.lose(30, 121);
    let answer = story.ask_of(lives, 2, 500).expect("the story speaks of it");
    assert_eq!((answer.from(), answer.to()), (10, 20));
    assert!(answer.ends_in_gap);
    assert_eq!(answer.life.wait_ticks, [0; 5]);
}

#[test]
fn what_held_a_worker_before_a_gap_of_the_log_does_not_hold_it_behind() {
    let mut story = Story::default();
    story.spawned(0, W0, 7, None);
    story.running(0, W0, 7);
    story.spawned(100, W1, 1, None);
    story.running(120, W0, 1);
    story.done(130, W0, 1);
    let lives = story.lose(10, 100);
    let answer = story.ask_of(lives, 1, 500).expect("the story speaks of it");
    let (ring, what, ticks) = (W0, Holding::NoTask, 20);
    assert_eq!(answer.holders, [Holder { ring, what, ticks }]);
}

#[test]
fn what_a_thread_outside_spawns_has_no_earlier_path() {
    let mut story = Story::default();
    story.spawned(0, W0, 1, None);
    story.running(5, W0, 1);
    story.wait(10, W0, 1);
    story.spawned(30, W0, 2, None);
    story.running(34, W0, 2);
    story.wake(40, W0, 1, WakeSource::Task(tid(2)));
    story.running(44, W1, 1);
    story.done(50, W1, 1);
    assert_eq!(
        told(&story.why(1, 90)),
        [
            (2, Activity::Unborn, 30),
            (2, Activity::Ready, 4),
            (2, Activity::Run, 6),
            (1, Activity::Ready, 4),
            (1, Activity::Run, 6),
        ]
    );
}

#[test]
fn a_task_that_no_record_speaks_of_has_no_answer() {
    assert!(family().ask(9, 500).is_none());
    let record = TaskEvent::ShutdownComplete { clean: true };
    let mut story = Story::default();
    story.record(1, W0, 0, record);
    assert!(story.ask(1, 500).is_none());
}
