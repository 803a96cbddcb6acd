//! Every transition by state.

use super::State;
use super::snapshot::*;

const IDLE: Snapshot = Snapshot(0);
fn snap(bits: u32) -> Snapshot {
    Snapshot(bits)
}

#[test]
fn every_wake_and_abort_by_state() {
    for (from, wake, abort) in [
        (
            IDLE,
            (SCHEDULED, Wake::Push),
            (SCHEDULED | ABORTED, Wake::Push),
        ),
        (
            snap(SCHEDULED),
            (SCHEDULED | WOKEN, Wake::Nothing),
            (SCHEDULED | ABORTED, Wake::Nothing),
        ),
        (
            snap(SCHEDULED | WOKEN),
            (SCHEDULED | WOKEN, Wake::Nothing),
            (SCHEDULED | WOKEN | ABORTED, Wake::Nothing),
        ),
        (
            snap(SCHEDULED | ABORTED),
            (SCHEDULED | ABORTED | WOKEN, Wake::Nothing),
            (SCHEDULED | ABORTED, Wake::Nothing),
        ),
        (
            snap(COMPLETE),
            (COMPLETE, Wake::Nothing),
            (COMPLETE, Wake::Nothing),
        ),
    ] {
        assert_eq!(from.wake(), (snap(wake.0), wake.1), "wake from {from:?}");
        assert_eq!(
            from.abort(),
            (snap(abort.0), abort.1),
            "abort from {from:?}"
        );
    }
}

#[test]
fn every_poll_step_by_state() {
    assert_eq!(snap(SCHEDULED).start_poll(), (snap(SCHEDULED), Start::Poll));
    assert_eq!(
        snap(SCHEDULED | WOKEN).start_poll(),
        (snap(SCHEDULED), Start::Poll),
        "a poll answers every wake before it"
    );
    assert_eq!(
        snap(SCHEDULED | ABORTED | WOKEN).start_poll(),
        (snap(SCHEDULED | ABORTED), Start::Cancel)
    );
    assert_eq!(snap(SCHEDULED).end_poll(), (IDLE, End::Idle));
    for mark in [WOKEN, ABORTED, WOKEN | ABORTED] {
        assert_eq!(
            snap(SCHEDULED | mark).end_poll(),
            (snap(SCHEDULED | mark), End::Again),
            "a mark outlives the poll that it came too late for"
        );
    }
}

#[test]
fn a_poll_starts_without_a_write_when_the_task_has_no_mark() {
    let state = State::spawned();
    assert_eq!(
        state.start_poll(|| panic!("nothing to forget")),
        Start::Poll
    );
    assert_eq!(state.wake(|| {}), Wake::Nothing);
    let forgotten = std::cell::Cell::new(false);
    assert_eq!(state.start_poll(|| forgotten.set(true)), Start::Poll);
    assert!(forgotten.get());
    assert!(!state.load().is_woken());
}

#[test]
fn steps_from_states_that_cannot_be_are_refused() {
    for from in [IDLE, snap(COMPLETE)] {
        assert!(std::panic::catch_unwind(|| from.start_poll()).is_err());
        assert!(std::panic::catch_unwind(|| from.end_poll()).is_err());
        assert!(std::panic::catch_unwind(|| from.complete()).is_err());
    }
}

#[test]
fn completion_says_who_owns_the_output_and_the_waker() {
    for (bits, wake_joiner, drop_output) in [
        (0, false, true),
        (JOIN_INTEREST, false, false),
        (JOIN_INTEREST | JOIN_WAKER, true, false),
    ] {
        let (next, completion) = snap(SCHEDULED | WOKEN | bits).complete();
        assert!(next.is_complete() && !next.is_woken() && !next.is_scheduled());
        assert_eq!(
            completion,
            Completion {
                wake_joiner,
                drop_output
            }
        );
    }
}

#[test]
fn the_join_handle_loses_the_waker_field_at_completion_only() {
    assert_eq!(
        snap(SCHEDULED | JOIN_INTEREST).set_join_waker(),
        (snap(SCHEDULED | JOIN_INTEREST | JOIN_WAKER), Join::Pending)
    );
    assert_eq!(
        snap(COMPLETE).set_join_waker(),
        (snap(COMPLETE), Join::Complete)
    );
    assert_eq!(
        snap(JOIN_INTEREST | JOIN_WAKER).unset_join_waker(),
        (snap(JOIN_INTEREST), Join::Pending)
    );
    assert_eq!(
        snap(COMPLETE | JOIN_INTEREST | JOIN_WAKER).drop_join_handle(),
        (snap(COMPLETE | JOIN_WAKER), Join::Complete)
    );
    assert_eq!(
        snap(SCHEDULED | JOIN_INTEREST | JOIN_WAKER).drop_join_handle(),
        (snap(SCHEDULED), Join::Pending)
    );
}

#[test]
fn a_snapshot_prints_its_flags() {
    assert_eq!(
        format!("{:?}", snap(SCHEDULED | WOKEN | JOIN_INTEREST)),
        "Scheduled + woken + join interest"
    );
}

#[test]
fn a_waker_that_is_used_up_gives_its_reference_with_the_wake() {
    let state = State::spawned();
    state.add_reference();
    assert_eq!(state.wake_by_value(|| {}), (Wake::Nothing, false));
    assert_eq!(state.start_poll(|| {}), Start::Poll, "it was marked");
    assert_eq!(state.end_poll(), End::Idle);
    state.add_reference();
    assert_eq!(state.wake_by_value(|| {}), (Wake::Push, false));
    assert!(!state.give_up_reference(), "the handle's");
    assert!(state.give_up_reference(), "the task's own was the last");
}

#[test]
fn the_last_reference_of_a_task_that_ended_may_be_a_waker_s() {
    let state = State::spawned();
    state.add_reference();
    let _ = state.complete();
    assert!(!state.give_up_reference());
    assert!(!state.give_up_reference());
    assert_eq!(state.wake_by_value(|| {}), (Wake::Nothing, true));
}

#[test]
fn the_handle_of_a_task_that_nothing_has_happened_to_goes_in_one_step() {
    let state = State::spawned();
    assert!(state.drop_join_handle_of_fresh());
    assert!(state.complete().drop_output);
    assert!(state.give_up_reference(), "the task's own was the last");
}

#[test]
fn the_handle_of_any_other_task_does_not() {
    let happenings: [fn(&State); 5] = [
        |state| state.add_reference(),
        |state| assert_eq!(state.wake(|| {}), Wake::Nothing),
        |state| assert_eq!(state.abort(|| {}), Wake::Nothing),
        |state| assert_eq!(state.end_poll(), End::Idle),
        |state| assert_eq!(state.set_join_waker(), Join::Pending),
    ];
    for happen in happenings {
        let state = State::spawned();
        happen(&state);
        let before = state.load();
        assert!(!state.drop_join_handle_of_fresh());
        assert_eq!(state.load(), before);
    }
}
