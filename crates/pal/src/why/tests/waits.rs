//! Owns the proof of who waits for whom.

use super::story::{Story, tid};
use super::{W0, W1};
use crate::why::{Prospect, Reason};
use crate::{DomainEvent, EncodedSource, Pal, SiteId, TaskId, TaskState, WakeSource};

/// Spawns these tasks and runs each.
fn with_tasks(tasks: std::ops::RangeInclusive<u64>) -> Story {
    let mut story = Story::default();
    for task in tasks {
        story.spawned(task, W0, task, None);
        story.running(task, W0, task);
    }
    story
}

fn prospects(story: &Story) -> Vec<(u64, Prospect)> {
    let picture = story.picture();
    let of = |task: TaskId| (task.number(), picture.prospects[&task]);
    let mut prospects: Vec<_> = picture.waiting.iter().map(|w| of(w.task)).collect();
    prospects.sort_by_key(|(task, _)| *task);
    prospects
}

fn circles(story: &Story) -> Vec<Vec<u64>> {
    let cycles = story.picture().cycles;
    let numbers = |cycle: Vec<TaskId>| cycle.into_iter().map(TaskId::number).collect();
    cycles.into_iter().map(numbers).collect()
}

#[test]
fn tasks_that_join_each_other_are_a_circle_and_who_joins_them_is_stuck_too() {
    let mut story = with_tasks(1..=5);
    story.join(10, W0, 1, 3);
    story.join(11, W0, 2, 3);
    story.join(12, W0, 3, 4);
    story.join(13, W0, 4, 2);
    story.sleep(14, W0, 5);
    assert_eq!(circles(&story), [[2, 3, 4]]);
    use Prospect::{Open, Stuck};
    assert_eq!(
        prospects(&story),
        [(1, Stuck), (2, Stuck), (3, Stuck), (4, Stuck), (5, Open)]
    );
    assert!(story.picture().can_any_act());
}

#[test]
fn tasks_that_only_ever_woke_each_other_and_wait_are_a_circle() {
    let mut story = with_tasks(1..=2);
    story.wait(10, W0, 1);
    story.wake(12, W1, 1, WakeSource::Task(tid(2)));
    story.wait(13, W1, 2);
    story.running(14, W0, 1);
    story.wake(15, W0, 2, WakeSource::Task(tid(1)));
    story.running(16, W1, 2);
    assert_eq!(circles(&story), [[0; 0]; 0], "both run");
    story.wait(20, W0, 1);
    story.wait(21, W1, 2);
    assert_eq!(circles(&story), [[1, 2]]);
    assert!(!story.picture().can_any_act());
}

#[test]
fn a_task_that_others_than_tasks_woke_before_is_not_stuck() {
    for by in [
        WakeSource::External,
        WakeSource::Timer,
        WakeSource::Io,
        WakeSource::Lane(None),
    ] {
        let mut story = with_tasks(1..=2);
        story.wait(10, W0, 1);
        story.wake(12, W1, 1, by);
        story.running(14, W0, 1);
        story.wait(20, W0, 1);
        story.join(21, W0, 2, 1);
        let open = [(1, Prospect::Open), (2, Prospect::Open)];
        assert_eq!(prospects(&story), open, "{by:?}");
    }
}

#[test]
fn a_task_whose_wakers_have_all_ended_is_stuck() {
    let mut story = with_tasks(1..=3);
    story.wait(10, W0, 1);
    story.wake(12, W1, 1, WakeSource::Task(tid(2)));
    story.running(13, W0, 1);
    story.wait(14, W0, 1);
    story.io(15, W1, 3);
    assert_eq!(
        prospects(&story),
        [(1, Prospect::Open), (3, Prospect::Open)]
    );
    story.done(16, W1, 2);
    assert_eq!(
        prospects(&story),
        [(1, Prospect::Stuck), (3, Prospect::Open)]
    );
    assert_eq!(circles(&story), [[0; 0]; 0]);
}

#[test]
fn a_task_that_nobody_ever_woke_is_stuck_once_no_task_can_act() {
    let mut story = with_tasks(1..=3);
    story.wait(10, W0, 1);
    story.join(11, W0, 2, 1);
    let unknown = [(1, Prospect::Unknown), (2, Prospect::Unknown)];
    assert_eq!(prospects(&story), unknown, "task 3 runs");
    story.sleep(12, W0, 3);
    assert_eq!(
        prospects(&story)[..2],
        unknown,
        "task 3 sleeps, and may wake it then"
    );
    story.wake(62, W0, 3, WakeSource::Timer);
    story.running(63, W0, 3);
    story.done(64, W0, 3);
    let stuck = [(1, Prospect::Stuck), (2, Prospect::Stuck)];
    assert_eq!(prospects(&story), stuck);
}

#[test]
fn a_task_whose_join_has_ended_is_about_to_be_woken() {
    let mut story = with_tasks(1..=2);
    story.join(10, W0, 1, 2);
    story.done(12, W1, 2);
    assert_eq!(prospects(&story), [(1, Prospect::Open)]);
}

/// Tells that a task takes a lane's permit (32) or gives it back (33).
fn permit(story: &mut Story, stamp: u64, kind: u8, task: u64, lane: u64) {
    story.record(stamp, W0, 0, DomainEvent::from_log(kind, task, &[lane, 5]));
}

#[test]
fn tasks_that_hold_what_the_other_waits_for_are_a_circle_through_lanes() {
    let mut story = with_tasks(1..=2);
    permit(&mut story, 5, 32, 1, 70);
    permit(&mut story, 6, 32, 2, 71);
    story.lane(10, W0, 1, 71);
    story.lane(11, W0, 2, 70);
    assert_eq!(circles(&story), [[1, 2]]);
    permit(&mut story, 12, 33, 2, 71);
    assert_eq!(circles(&story), [[0; 0]; 0], "it gave its permit back");
}

#[test]
fn the_task_table_tells_of_waits_whose_records_are_gone() {
    let pal = Pal::memory();
    let [one, two] = [1, 2].map(|number| {
        let slot = pal.table().take_shared().expect("room");
        let (site, state) = (SiteId(3), TaskState::Waiting);
        pal.table()
            .slot(slot)
            .publish(tid(number), site, None, state, number);
        slot
    });
    let by = |task| EncodedSource::of(WakeSource::Task(tid(task)));
    pal.table().slot(one).set_waker(by(2));
    pal.table().slot(two).set_waker(by(1));
    let mut waits = Story::default().waits();
    pal.log().tasks().for_each(|row| waits.row(&row));
    let picture = waits.picture();
    assert_eq!(picture.cycles, [[tid(1), tid(2)]]);
    let first = &picture.waiting[0];
    assert_eq!((first.reason, first.since), (Reason::Other, 1));
    assert_eq!(first.site, Some(SiteId(3)));
}

#[test]
fn a_long_chain_of_joins_is_followed_without_depth() {
    const TASKS: u64 = 50_000;
    let mut story = with_tasks(1..=TASKS);
    for task in 1..TASKS {
        story.join(TASKS + task, W0, task, task + 1);
    }
    story.join(2 * TASKS, W0, TASKS, 1);
    let picture = story.picture();
    assert_eq!(picture.cycles.len(), 1);
    assert_eq!(picture.cycles[0].len() as u64, TASKS);
}
