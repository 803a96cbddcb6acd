//! Owns the proof that a wait which a deadline may end is taken for no hang, and one that something else may end, too, only
//! where no task can act.

use super::lanes::permit;
use super::story::{Story, tid};
use super::waits::{circles, prospects, with_tasks};
use super::{W0, W1};
use crate::why::{Activity, Prospect};
use crate::{TaskState, WakeSource, WaysOut};

const DEADLINE: WaysOut = WaysOut {
    deadline: true,
    other: false,
};
const OTHER: WaysOut = WaysOut {
    deadline: false,
    other: true,
};

/// Tells of two waits, of which the first may end so, too.
type Tell = fn(&mut Story, WaysOut);

#[test]
fn a_timeout_around_one_wait_of_a_circle_frees_all_of_it() {
    let lanes = |story: &mut Story, ways_out| {
        permit(story, 5, 32, 1, 70);
        permit(story, 6, 32, 2, 71);
        story.lane(10, W0, 1, 71);
        story.with_ways_out(ways_out);
        story.lane(11, W0, 2, 70);
    };
    let joins = |story: &mut Story, ways_out| {
        story.join(10, W0, 1, 2);
        story.with_ways_out(ways_out);
        story.join(11, W0, 2, 1);
    };
    let words = |story: &mut Story, ways_out| {
        story.wait(9, W1, 2);
        story.wait(10, W0, 1);
        story.wake(12, W1, 1, WakeSource::Task(tid(2)));
        story.running(14, W0, 1);
        story.wake(15, W0, 2, WakeSource::Task(tid(1)));
        story.running(16, W1, 2);
        story.wait(20, W0, 1);
        story.with_ways_out(ways_out);
        story.wait(21, W1, 2);
    };
    let all: [(&str, Tell); 3] = [("lanes", lanes), ("joins", joins), ("words", words)];
    for (what, tell) in all {
        let told = |ways_out| {
            let mut story = with_tasks(1..=2);
            tell(&mut story, ways_out);
            story
        };
        let stuck = told(WaysOut::default());
        assert_eq!(circles(&stuck), [[1, 2]], "{what}");
        assert!(!stuck.picture().can_any_act(), "{what}");
        let open = told(DEADLINE);
        assert_eq!(circles(&open), [[0; 0]; 0], "{what}");
        let both = [(1, Prospect::Open), (2, Prospect::Open)];
        assert_eq!(prospects(&open), both, "{what}");
        assert!(open.picture().can_any_act(), "{what}");
    }
}

/// Task 1 holds the permit for which task 2 waits, and joins a set of that and task 3, or that alone.
fn joins_a_set(ways_out: WaysOut) -> Story {
    let mut story = with_tasks(1..=3);
    permit(&mut story, 5, 32, 1, 70);
    story.lane(10, W0, 2, 70);
    story.join(11, W0, 1, 2);
    story.with_ways_out(ways_out);
    story
}

#[test]
fn another_task_of_a_set_that_can_act_may_end_the_wait_for_one_that_is_in_a_circle_with_it() {
    use Prospect::{Open, Stuck, Unknown};
    let mut story = joins_a_set(OTHER);
    story.sleep(12, W0, 3);
    assert_eq!(prospects(&story), [(1, Unknown), (2, Unknown), (3, Open)]);
    assert_eq!(circles(&story), [[0; 0]; 0]);
    let mut story = joins_a_set(WaysOut::default());
    story.sleep(12, W0, 3);
    assert_eq!(prospects(&story), [(1, Stuck), (2, Stuck), (3, Open)]);
    assert_eq!(circles(&story), [[1, 2]]);
}

#[test]
fn a_set_of_which_a_thread_outside_may_wake_a_task_is_not_stuck_and_one_without_any_is() {
    let with = |by: Option<WakeSource>| {
        let mut story = joins_a_set(OTHER);
        if let Some(by) = by {
            story.wait(12, W1, 3);
            story.wake(13, W1, 3, by);
            story.running(14, W1, 3);
        }
        story.lane(15, W1, 3, 70);
        if by.is_some() {
            story.wake(16, W1, 3, WakeSource::Lane(None));
            story.running(17, W1, 3);
            story.wait(18, W1, 3);
        }
        story
    };
    let outside = with(Some(WakeSource::External));
    assert!(!outside.picture().can_any_act());
    assert_eq!(prospects(&outside)[0], (1, Prospect::Unknown));
    assert_eq!(circles(&outside), [[0; 0]; 0]);
    assert_eq!(circles(&with(None)), [[1, 2]]);
}

#[test]
fn a_wait_for_a_lane_that_something_else_may_end_is_not_stuck_while_a_task_can_act() {
    use Prospect::{Open, Stuck, Unknown};
    let told = |ways_out: WaysOut| {
        let mut story = with_tasks(1..=3);
        permit(&mut story, 5, 32, 1, 70);
        story.lane(10, W0, 2, 70);
        story.with_ways_out(ways_out);
        story.join(11, W0, 1, 2);
        story.sleep(12, W0, 3);
        prospects(&story)
    };
    assert_eq!(told(OTHER), [(1, Unknown), (2, Unknown), (3, Open)]);
    assert_eq!(
        told(WaysOut::default()),
        [(1, Stuck), (2, Stuck), (3, Open)]
    );
}

#[test]
fn a_deadline_that_ended_a_wait_may_end_no_other_that_it_does_not_bound() {
    let told = |ways_out: WaysOut| {
        let mut story = with_tasks(1..=1);
        story.wait(10, W0, 1);
        story.with_ways_out(ways_out);
        story.wake(20, W0, 1, WakeSource::Timer);
        story.running(21, W0, 1);
        story.wait(22, W0, 1);
        prospects(&story)
    };
    assert_eq!(told(DEADLINE), [(1, Prospect::Stuck)]);
    assert_eq!(told(WaysOut::default()), [(1, Prospect::Open)]);
}

#[test]
fn the_path_of_who_waits_for_a_set_goes_to_none_of_its_tasks() {
    let tasks = |ways_out| {
        let mut story = joins_a_set(ways_out);
        story.sleep(12, W0, 3);
        let path = story.why(1, 50).path;
        let told = path.stretches.last().copied().expect("a stretch");
        (told.task.number(), told.activity)
    };
    let wait = |state| Activity::Wait {
        state,
        ended_by: None,
    };
    assert_eq!(tasks(OTHER), (1, wait(TaskState::JoinWait)));
    // Of a set of one task that is who decides.
    assert_eq!(tasks(WaysOut::default()), (2, wait(TaskState::LaneWait)));
}
