//! Owns the proof of who waits for whom.

use super::story::{Story, tid};
use super::{W0, W1};
use crate::lives::Lives;
use crate::why::{Prospect, Reason, Role, Waits};
use crate::{EncodedSource, Pal, SiteId, TaskId, TaskRow, TaskState, WakeSource};
use std::collections::HashSet;

/// Spawns these tasks and runs each.
pub(super) fn with_tasks(tasks: std::ops::RangeInclusive<u64>) -> Story {
    let mut story = Story::default();
    for task in tasks {
        story.spawned(task, W0, task, None);
        story.running(task, W0, task);
    }
    story
}

pub(super) fn prospects(story: &Story) -> Vec<(u64, Prospect)> {
    let picture = story.picture();
    let of = |task: TaskId| (task.number(), picture.prospects[&task]);
    let mut prospects: Vec<_> = picture.waiting.iter().map(|w| of(w.task)).collect();
    prospects.sort_by_key(|(task, _)| *task);
    prospects
}

pub(super) fn circles(story: &Story) -> Vec<Vec<u64>> {
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

#[test]
fn a_host_that_nobody_asks_is_idle_and_frees_nobody() {
    let mut story = with_tasks(1..=2);
    story.wait(10, W0, 2);
    story.wake(11, W1, 2, WakeSource::Task(tid(1)));
    story.wait(12, W1, 1);
    story.running(13, W0, 2);
    story.wait(14, W0, 2);
    assert_eq!(story.picture().prospect(tid(1)), Some(Prospect::Stuck));
    let of = |role| {
        let mut waits = Waits::new(Lives::whole());
        story.entries.iter().for_each(|entry| waits.feed(entry));
        waits.picture_of(|_| role)
    };
    let picture = of(Role::Host);
    assert_eq!(picture.waiting[0].reason, Reason::Request);
    assert_eq!(picture.prospect(tid(1)), Some(Prospect::Idle));
    assert!(!picture.can_any_act());
    let picture = of(Role::Function);
    assert_eq!(picture.prospect(tid(1)), Some(Prospect::Open));
    assert!(picture.can_any_act());
}

#[test]
fn what_keeps_the_runtime_up_goes_on_and_is_none_that_can_act() {
    let mut story = Story::default();
    story.spawned_at(1, 1, SiteId(7));
    story.spawned_at(2, 2, SiteId(8));
    let picture_of = |story: &Story| {
        let mut waits = Waits::new(Lives::whole());
        story.entries.iter().for_each(|entry| waits.feed(entry));
        waits.picture_of(|site| match site {
            SiteId(7) => Role::Upkeep,
            _ => Role::Task,
        })
    };
    let assert_acting = |story: &Story, acting: &[u64]| {
        let picture = picture_of(story);
        let mut found: Vec<u64> = picture.acting().map(TaskId::number).collect();
        found.sort_unstable();
        assert_eq!(found, acting);
        assert_eq!(picture.can_any_act(), !acting.is_empty());
        assert_eq!(picture.upkeep, [tid(1)].into());
        picture
    };
    assert_acting(&story, &[2]);
    story.running(3, W1, 2);
    assert_acting(&story, &[2]);
    story.sleep(4, W1, 2);
    assert_acting(&story, &[2]);
    story.wake(5, W1, 2, WakeSource::Timer);
    story.running(6, W1, 2);
    story.wait(7, W1, 2);
    // It is ready, runs, waits for its step on another thread, and sleeps: none of that wakes the other.
    let stuck = |story: &Story| {
        let picture = assert_acting(story, &[]);
        assert_eq!(picture.prospect(tid(2)), Some(Prospect::Stuck));
        picture.prospect(tid(1))
    };
    assert_eq!(stuck(&story), None);
    story.running(10, W0, 1);
    assert_eq!(stuck(&story), None);
    story.wait(11, W0, 1);
    assert_eq!(stuck(&story), Some(Prospect::Open));
    story.wake(12, W0, 1, WakeSource::External);
    story.running(13, W0, 1);
    story.sleep(14, W0, 1);
    assert_eq!(stuck(&story), Some(Prospect::Open));
}

#[test]
fn whom_a_task_waits_for_of_which_only_the_task_table_tells_is_not_known() {
    let row = |task: u64, state: TaskState| TaskRow {
        state: Some(state),
        waker: Some(WakeSource::Timer),
        ..waiting_row(task, 1, 2)
    };
    let rows = [
        row(1, TaskState::LaneWait),
        row(2, TaskState::JoinWait),
        row(3, TaskState::Waiting),
        row(4, TaskState::Sleeping),
    ];
    let picture = Story::default().picture_of(Lives::from_horizon(9), &rows);
    let prospect = |task: u64| picture.prospect(tid(task));
    // What a timer ended may have been a sleep.
    assert_eq!([1, 2, 3].map(prospect), [Some(Prospect::Unknown); 3]);
    assert_eq!(prospect(4), Some(Prospect::Open));
}

/// A row of a task that waits without a name since then, and was woken by that one.
fn waiting_row(task: u64, since: u64, by: u64) -> TaskRow {
    let pal = Pal::memory();
    let slot = pal.table().take_shared().expect("room");
    let (site, state) = (SiteId(3), TaskState::Waiting);
    let slot = pal.table().slot(slot);
    slot.publish(tid(task), site, None, state, since);
    slot.set_waker(EncodedSource::of(WakeSource::Task(tid(by))));
    pal.log().tasks().next().expect("it lives")
}

#[test]
fn records_are_believed_where_the_task_table_was_noted_before_them() {
    let mut story = with_tasks(1..=2);
    story.wait(10, W0, 1);
    story.join(11, W0, 2, 1);
    let rows = [waiting_row(1, 10, 2), waiting_row(2, 10, 1)];
    let waits = |story: &Story| {
        let waiting = story.picture_of(Lives::whole(), &rows).waiting;
        let waits = waiting.into_iter().map(|of| (of.task.number(), of.reason));
        waits.collect::<Vec<_>>()
    };
    let joins = (2, Reason::Join { on: Some(tid(1)) });
    assert_eq!(waits(&story), [(1, Reason::Other), joins]);
    story.wake(12, W0, 1, WakeSource::External);
    story.running(13, W0, 1);
    story.done(14, W0, 1);
    assert_eq!(waits(&story), [joins]);
}

#[test]
fn behind_a_gap_a_wait_goes_on_only_if_the_task_table_knows_it() {
    let mut story = with_tasks(1..=3);
    story.wait(10, W0, 1);
    story.join(11, W0, 2, 1);
    story.io(50, W1, 3);
    let lives = || story.clone().lose(20, 50);
    let waiting = |rows: &[TaskRow]| {
        let waiting = story.picture_of(lives(), rows).waiting;
        let waits = waiting.into_iter().map(|of| (of.task.number(), of.since));
        waits.collect::<Vec<_>>()
    };
    assert_eq!(waiting(&[]), [(3, 50)]);
    // It has not moved; the other has, and waits anew.
    let rows = [waiting_row(2, 11, 1), waiting_row(1, 30, 2)];
    assert_eq!(waiting(&rows), [(2, 11), (1, 30), (3, 50)]);
    let picture = story.picture_of(lives(), &rows);
    let on = Some(tid(1));
    assert_eq!(picture.waiting[0].reason, Reason::Join { on });
}

#[test]
fn a_row_that_was_noted_before_a_gap_tells_of_no_wait_behind_it() {
    let mut story = with_tasks(1..=3);
    story.wait(10, W0, 1);
    story.io(50, W1, 3);
    let lives = story.clone().lose(20, 50);
    // The one has records, of the other none is left.
    let rows = [waiting_row(1, 10, 2), waiting_row(9, 1, 2)];
    let picture = |lives| story.picture_of(lives, &rows);
    let noted = |stamp| story.clone().lose(20, 50).with_rows_noted(stamp);
    for lives in [noted(50), lives] {
        let picture = picture(lives);
        assert_eq!(picture.waiting.len(), 3, "{picture:?}");
        assert_eq!(picture.unseen, HashSet::new());
    }
    let picture = picture(noted(20));
    let waits: Vec<TaskId> = picture.waiting.iter().map(|of| of.task).collect();
    assert_eq!((waits, picture.states.len()), (vec![tid(3)], 1));
    assert_eq!(picture.unseen, HashSet::from([1, 2, 9].map(tid)));
}

#[test]
fn who_waits_for_one_that_is_unseen_is_neither_stuck_nor_about_to_be_woken() {
    let mut story = with_tasks(1..=1);
    for task in [2, 3] {
        story.spawned(50, W0, task, None);
        story.running(51, W0, task);
    }
    story.wait(52, W0, 2);
    // It runs since before the gap, for all that is there.
    story.wake(53, W1, 2, WakeSource::Task(tid(1)));
    story.running(54, W0, 2);
    story.wait(55, W0, 2);
    story.join(56, W0, 3, 1);
    let lives = story.lose(20, 50).with_rows_noted(15);
    let picture = story.picture_of(lives, &[]);
    assert_eq!(picture.unseen, HashSet::from([tid(1)]));
    for task in [2, 3].map(tid) {
        assert_eq!(picture.prospect(task), Some(Prospect::Unknown), "{task}");
    }
    assert!(picture.can_any_act(), "it may");
}

#[test]
fn what_keeps_the_runtime_up_is_none_that_may_act_where_it_is_unseen_either() {
    let told = |role: Role| {
        let mut story = with_tasks(1..=1);
        story.spawned(50, W0, 3, None);
        story.running(51, W0, 3);
        story.wait(52, W0, 3);
        let lives = story.lose(20, 50).with_rows_noted(15);
        let mut waits = Waits::new(lives);
        // Of the second no record is left.
        waits.row(&waiting_row(2, 11, 1));
        story.entries.iter().for_each(|entry| waits.feed(entry));
        let picture = waits.picture_of(|_| role);
        (picture.unseen.len(), picture.can_any_act())
    };
    assert_eq!(told(Role::Upkeep), (2, false));
    assert_eq!(told(Role::Task), (2, true));
}

#[test]
fn behind_a_last_gap_the_task_table_tells_if_it_was_noted_behind_it() {
    let mut story = with_tasks(1..=2);
    story.wait(10, W0, 1);
    story.wait(11, W0, 2);
    let lives = || story.clone().lose(20, 50);
    let waiting = |lives| {
        let waiting = story.picture_of(lives, &[waiting_row(2, 30, 1)]).waiting;
        let waits = waiting.into_iter().map(|of| (of.task.number(), of.since));
        waits.collect::<Vec<_>>()
    };
    // Noted before the gap it tells with the records of the time before.
    assert_eq!(waiting(lives().with_rows_noted(15)), [(1, 10), (2, 11)]);
    assert_eq!(waiting(lives().with_rows_noted(55)), [(2, 30)]);
}

#[test]
fn who_woke_a_task_in_a_gap_is_not_known() {
    let mut story = with_tasks(1..=2);
    story.wait(10, W0, 1);
    story.wake(12, W1, 1, WakeSource::Task(tid(2)));
    story.done(15, W1, 2);
    story.running(50, W0, 1);
    story.wait(51, W0, 1);
    assert_eq!(prospects(&story), [(1, Prospect::Stuck)]);
    let lives = story.lose(20, 50);
    let picture = story.picture_of(lives, &[]);
    assert!(picture.waiting[0].wakers.has_more);
    assert_eq!(picture.prospect(tid(1)), Some(Prospect::Unknown));
}

#[test]
fn the_task_table_tells_of_waits_whose_records_are_gone() {
    let rows = [waiting_row(1, 1, 2), waiting_row(2, 2, 1)];
    let picture = Story::default().picture_of(Lives::whole(), &rows);
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
