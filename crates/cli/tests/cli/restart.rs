//! Who follows the place where a process has just begun to spill follows that one, and none before it.

use crate::follow_spill::{follow, text, told};
use crate::place::{Place, signal, until};
use glasshouse_pal::spill::{Settings, Spiller};
use glasshouse_pal::{Pal, RingOwner, RingWriter, TaskEvent, TaskId};
use rustix::process::Signal;
use std::process::Child;

/// A process that spills, as far as who reads can tell: this one.
struct Run {
    pal: Pal,
    ring: RingWriter,
    spiller: Spiller,
}

impl Run {
    fn begin(place: &Place) -> Run {
        let pal = Pal::memory();
        Run {
            ring: pal.lease(RingOwner::Worker(0)),
            spiller: Spiller::new(&pal, Settings::new(place.path("spill"))).expect("a place"),
            pal,
        }
    }

    /// Records one event of this task and ends.
    fn end_with(mut self, number: u64) {
        let tid = TaskId::new(number).expect("in range");
        let now = self.pal.clock().now();
        assert!(self.ring.write(now, 1, &TaskEvent::Running { tid }));
        let _ = self.spiller.finish();
    }
}

/// A follower that says that it waits.
fn waiting(place: &Place) -> Child {
    let follower = follow(place, &[], "all");
    until("it waits", || {
        text(&place.path("all.err")).ends_with("waiting for its first segment\n")
    });
    follower
}

#[test]
fn who_follows_soon_after_a_restart_is_given_what_the_process_records_that_runs_now() {
    let place = Place::new();
    Run::begin(&place).end_with(1);
    let run = Run::begin(&place);
    let mut follower = waiting(&place);
    run.end_with(2);
    assert_eq!(follower.wait().expect("ended").code(), Some(0));
    let (lines, said) = told(&place, "all");
    let [line] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert!(line.contains(" #2 "), "{line}");
    assert_eq!(said, "followed without losing a record");
}

#[test]
fn who_does_not_follow_is_given_what_the_process_before_left_and_told_so() {
    let place = Place::new();
    Run::begin(&place).end_with(1);
    let before = place.run(&["log", "spill"]);
    let _run = Run::begin(&place);
    let now = place.run(&["log", "spill"]);
    assert_eq!((now.code, &now.out), (Some(0), &before.out));
    let (line, rest) = now.err.split_once('\n').expect("two lines");
    assert!(
        line.contains("has no segment yet, `--follow` waits for it"),
        "{line}"
    );
    assert_eq!(rest, before.err);
}

#[test]
fn ctrl_c_ends_the_waiting_for_a_first_segment() {
    let place = Place::new();
    let _run = Run::begin(&place);
    let follower = waiting(&place);
    signal(follower.id(), Signal::INT);
    let output = follower.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(told(&place, "all").0, [""; 0]);
}

#[test]
fn who_waits_is_told_where_the_process_ends_without_a_segment() {
    let place = Place::new();
    Run::begin(&place).end_with(1);
    let run = Run::begin(&place);
    let mut follower = waiting(&place);
    drop(run);
    assert_eq!(follower.wait().expect("ended").code(), Some(2));
    let (lines, said) = told(&place, "all");
    assert_eq!(lines, [""; 0], "nothing of the one before");
    assert!(said.starts_with("glasshouse: spill/"), "{said}");
    assert!(
        said.contains("ended before it had spilled anything"),
        "{said}"
    );
}
