//! Every transition by state.

use super::*;

const IDLE: Snapshot = Snapshot(0);
fn snap(bits: u32) -> Snapshot {
    Snapshot(bits)
}

#[test]
fn every_wake_and_abort_by_state() {
    for (from, wake, abort) in [
        (IDLE, (READY, Wake::Push), (READY | ABORTED, Wake::Push)),
        (
            snap(READY),
            (READY, Wake::Nothing),
            (READY | ABORTED, Wake::Nothing),
        ),
        (
            snap(RUNNING),
            (RUNNING | WOKEN, Wake::Nothing),
            (RUNNING | ABORTED, Wake::Nothing),
        ),
        (
            snap(RUNNING | WOKEN),
            (RUNNING | WOKEN, Wake::Nothing),
            (RUNNING | WOKEN | ABORTED, Wake::Nothing),
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
    assert_eq!(snap(READY).start_poll(), (snap(RUNNING), Start::Poll));
    assert_eq!(
        snap(READY | ABORTED).start_poll(),
        (snap(RUNNING | ABORTED), Start::Cancel)
    );
    assert_eq!(snap(RUNNING).end_poll(), (IDLE, End::Idle));
    assert_eq!(
        snap(RUNNING | WOKEN).end_poll(),
        (snap(RUNNING | WOKEN), End::Again)
    );
    assert_eq!(
        snap(RUNNING | ABORTED).end_poll(),
        (snap(RUNNING | ABORTED), End::Again)
    );
    assert_eq!(snap(RUNNING | WOKEN).reschedule(), snap(READY));
    assert_eq!(
        snap(RUNNING | ABORTED).reschedule(),
        snap(READY | ABORTED),
        "an abort outlives the poll that it came too late for"
    );
}

#[test]
fn steps_from_states_that_cannot_be_are_refused() {
    for from in [IDLE, snap(RUNNING), snap(COMPLETE)] {
        assert!(std::panic::catch_unwind(|| from.start_poll()).is_err());
    }
    for from in [IDLE, snap(READY), snap(COMPLETE)] {
        assert!(std::panic::catch_unwind(|| from.end_poll()).is_err());
        assert!(std::panic::catch_unwind(|| from.reschedule()).is_err());
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
        let (next, completion) = snap(RUNNING | WOKEN | bits).complete();
        assert!(next.is_complete() && !next.is_woken() && !next.is_running());
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
        snap(RUNNING | JOIN_INTEREST).set_join_waker(),
        (snap(RUNNING | JOIN_INTEREST | JOIN_WAKER), Join::Pending)
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
        snap(READY | JOIN_INTEREST | JOIN_WAKER).drop_join_handle(),
        (snap(READY), Join::Pending)
    );
}

#[test]
fn a_snapshot_prints_its_flags() {
    assert_eq!(
        format!("{:?}", snap(RUNNING | WOKEN | JOIN_INTEREST)),
        "Running + woken + join interest"
    );
}
