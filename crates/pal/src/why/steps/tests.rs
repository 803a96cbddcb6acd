//! Owns the proof that dropping steps takes none from a walk, but where there are too many of use.

use super::*;
use proptest::prelude::*;

fn tid(number: u64) -> TaskId {
    TaskId::new(number).expect("in range")
}

fn step(task: u64, stamp: u64, link: Link, peer: Option<u64>) -> NewStep {
    NewStep {
        stamp,
        tid: tid(task),
        before: Some(TaskState::Running),
        entered: TaskState::Yielded,
        link,
        peer: peer.map(tid),
        peer_state: TaskState::Running,
    }
}

/// The stamps of the steps on the way back from a task, and where that ends.
fn way_back(steps: &Steps, task: u64) -> (Vec<u64>, Way) {
    let mut stamps = Vec::new();
    let mut way = steps.latest(tid(task));
    while let Way::Step(id) = way {
        let step = steps.at(id).expect("it is there");
        stamps.push(step.stamp);
        way = step.from();
    }
    (stamps, way)
}

#[test]
fn the_newest_steps_are_kept_and_older_ones_are_known_to_be_gone() {
    let mut steps = Steps::within(Room::between(1, 4), LastEnded::of(1));
    for stamp in 0..9 {
        steps.push(step(1, stamp, Link::Own, None));
    }
    assert_eq!(way_back(&steps, 1), (vec![8, 7, 6], Way::Dropped));
    assert_eq!(way_back(&steps, 2), (vec![], Way::Begin));
}

#[test]
fn a_task_whose_steps_were_all_dropped_is_known_to_have_had_some() {
    let mut steps = Steps::within(Room::between(1, 4), LastEnded::of(1));
    steps.push(step(2, 0, Link::Own, None));
    for stamp in 1..9 {
        steps.push(step(1, stamp, Link::Own, None));
    }
    assert_eq!(way_back(&steps, 2), (vec![], Way::Dropped));
    steps.push(step(1, 9, Link::Woken, Some(2)));
    assert_eq!(way_back(&steps, 1), (vec![9], Way::Dropped));
}

#[test]
fn steps_of_tasks_that_ended_go_with_them_unless_another_goes_back_to_them() {
    let mut steps = Steps::within(Room::between(16, 1 << 20), LastEnded::of(4));
    steps.push(step(1, 0, Link::Own, None));
    for task in 2..10_000 {
        steps.push(step(task, task, Link::Spawned, Some(1)));
        let entered = TaskState::Done;
        let end = step(task, task, Link::Own, None);
        steps.push(NewStep { entered, ..end });
        if task == 5000 {
            steps.push(step(1, task, Link::Woken, Some(task)));
        }
        assert!(steps.steps.len() <= 64 && steps.latest.len() <= 8);
    }
    assert_eq!(way_back(&steps, 1), (vec![5000, 5000, 5000, 0], Way::Begin));
}

#[test]
fn a_step_takes_24_bytes() {
    assert_eq!(size_of::<Step>(), 24);
}

/// What happens next: to which task, how, and by which.
fn any_step() -> impl Strategy<Value = (u64, Link, u64, bool)> {
    let link = prop::sample::select(vec![Link::Own, Link::Timer, Link::Woken, Link::Spawned]);
    (1u64..6, link, 1u64..6, prop::bool::weighted(0.2))
}

proptest! {
    #[test]
    fn a_walk_takes_the_same_way_whether_steps_of_no_use_are_dropped_or_not(
        all in prop::collection::vec(any_step(), 0..200)
    ) {
        let room = |least| Room::between(least, 1 << 20);
        let steps = |least| Steps::within(room(least), LastEnded::of(1 << 10));
        let [mut dropping, mut keeping] = [1, 1 << 20].map(steps);
        for (stamp, (task, link, peer, is_end)) in (0..).zip(&all) {
            for steps in [&mut dropping, &mut keeping] {
                let mut new = step(*task, stamp, *link, Some(*peer));
                if *is_end {
                    new.entered = TaskState::Done;
                }
                steps.push(new);
            }
        }
        for task in 1..6 {
            prop_assert_eq!(way_back(&dropping, task), way_back(&keeping, task));
        }
    }
}
