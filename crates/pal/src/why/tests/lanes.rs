//! Owns the proof of who waits for whom through lanes.

use super::W0;
use super::story::Story;
use super::waits::{circles, prospects, with_tasks};
use crate::DomainEvent;
use crate::lives::Lives;
use crate::why::Prospect;

/// Tells that a task takes a permit of a lane that has one (32), or gives it back (33).
pub(super) fn permit(story: &mut Story, stamp: u64, kind: u8, task: u64, lane: u64) {
    story.record(
        stamp,
        W0,
        0,
        DomainEvent::from_log(kind, task, &[lane, 5, 1]),
    );
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
fn a_lane_whose_permits_are_not_all_accounted_for_makes_no_circle() {
    let mut story = with_tasks(1..=3);
    permit(&mut story, 5, 32, 3, 71);
    permit(&mut story, 6, 32, 1, 70);
    permit(&mut story, 7, 33, 3, 71);
    permit(&mut story, 8, 32, 2, 71);
    story.lane(10, W0, 1, 71);
    story.lane(11, W0, 2, 70);
    assert_eq!(circles(&story), [[1, 2]]);
    let circles_of = |lives| story.picture_of(lives, &[]).cycles.len();
    // Before the horizon task 3 took one, and task 1 the one that it still holds; it can be anyone's.
    assert_eq!(circles_of(Lives::from_horizon(7)), 0);
    let mut lossy = story.clone();
    let lives = lossy.lose(6, 8);
    // Who gave what back in a gap is not known either.
    assert_eq!(lossy.picture_of(lives, &[]).cycles.len(), 0);
    // A lane with room: they wait for a limit over all.
    let wide = DomainEvent::from_log(32, 2, &[71, 5, 2]);
    story.record(12, W0, 0, wide);
    permit(&mut story, 13, 33, 2, 71);
    assert_eq!(story.picture().lane_holders.len(), 1, "of lane 70");
    assert_eq!(circles(&story), [[0; 0]; 0]);
}

#[test]
fn who_waits_for_a_lane_whose_holders_have_ended_is_stuck_unless_a_task_that_can_act_may_have_the_permit()
 {
    let mut story = with_tasks(1..=3);
    permit(&mut story, 5, 32, 1, 70);
    story.lane(10, W0, 2, 70);
    story.done(11, W0, 1);
    let prospects = |story: &Story| prospects(story)[0];
    assert_eq!(prospects(&story), (2, Prospect::Unknown), "task 3 runs");
    story.done(12, W0, 3);
    assert_eq!(prospects(&story), (2, Prospect::Stuck));
}
