//! Owns the bits of a task's state word and the transitions between them, as functions of a copy.

use std::fmt;

pub(super) const SCHEDULED: u32 = 1 << 0;
pub(super) const COMPLETE: u32 = 1 << 1;
pub(super) const WOKEN: u32 = 1 << 2;
pub(super) const ABORTED: u32 = 1 << 3;
pub(super) const JOIN_INTEREST: u32 = 1 << 4;
pub(super) const JOIN_WAKER: u32 = 1 << 5;
pub(super) const LIFE: u32 = SCHEDULED | COMPLETE;

/// A copy of the word's bits: transitions are functions of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot(pub(super) u32);

/// What a waker or an aborter has to do.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// It won the edge from IDLE to SCHEDULED and holds the owned reference: push it.
    Push,
    /// The poller will see to it, or nothing is left to wake.
    Nothing,
}

/// What a poller finds when it starts.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Poll the future.
    Poll,
    /// The task was aborted: drop the future.
    Cancel,
}

/// What a poller finds when its future is pending.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The task is IDLE, and no longer the poller's.
    Idle,
    /// It was woken or aborted meanwhile; it is still SCHEDULED: push it.
    Again,
}

/// What the completer owns beside the task.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Completion {
    /// The join handle left a waker: take it and wake it.
    pub(crate) wake_joiner: bool,
    /// The join handle is gone: drop the output.
    pub(crate) drop_output: bool,
}

/// What a join handle's step came to.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    /// The task is not complete; the handle's step took effect.
    Pending,
    /// The task is complete: the output is the handle's.
    Complete,
}

impl Snapshot {
    /// A task just spawned, with a join handle.
    pub(super) const SPAWNED: Snapshot = Snapshot(SCHEDULED | JOIN_INTEREST);

    pub(crate) fn is_complete(self) -> bool {
        self.0 & COMPLETE != 0
    }

    pub(super) fn is_scheduled(self) -> bool {
        self.0 & SCHEDULED != 0
    }

    /// Woken or aborted since its last poll began.
    pub(crate) fn is_woken(self) -> bool {
        self.0 & (WOKEN | ABORTED) != 0
    }

    pub(crate) fn is_aborted(self) -> bool {
        self.0 & ABORTED != 0
    }

    pub(super) fn has_join_waker(self) -> bool {
        self.0 & JOIN_WAKER != 0
    }

    fn with(self, bits: u32) -> Snapshot {
        Snapshot(self.0 | bits)
    }

    fn without(self, bits: u32) -> Snapshot {
        Snapshot(self.0 & !bits)
    }

    pub(super) fn wake(self) -> (Snapshot, Wake) {
        match self.0 & LIFE {
            0 => (self.with(SCHEDULED), Wake::Push),
            SCHEDULED => (self.with(WOKEN), Wake::Nothing),
            _ => (self, Wake::Nothing),
        }
    }

    pub(super) fn abort(self) -> (Snapshot, Wake) {
        match self.0 & LIFE {
            0 => (self.with(SCHEDULED | ABORTED), Wake::Push),
            COMPLETE => (self, Wake::Nothing),
            _ => (self.with(ABORTED), Wake::Nothing),
        }
    }

    pub(super) fn start_poll(self) -> (Snapshot, Start) {
        self.assert_scheduled("is polled");
        let start = if self.is_aborted() {
            Start::Cancel
        } else {
            Start::Poll
        };
        (self.without(WOKEN), start)
    }

    pub(super) fn end_poll(self) -> (Snapshot, End) {
        self.assert_scheduled("ends a poll");
        if self.is_woken() {
            (self, End::Again)
        } else {
            (self.without(SCHEDULED), End::Idle)
        }
    }

    fn assert_scheduled(self, step: &str) {
        assert_eq!(
            self.0 & LIFE,
            SCHEDULED,
            "only a scheduled task {step}: {self:?}"
        );
    }

    pub(super) fn complete(self) -> (Snapshot, Completion) {
        self.assert_scheduled("completes");
        let completion = Completion {
            wake_joiner: self.has_join_waker(),
            drop_output: self.0 & JOIN_INTEREST == 0,
        };
        (self.without(LIFE | WOKEN).with(COMPLETE), completion)
    }

    pub(super) fn set_join_waker(self) -> (Snapshot, Join) {
        assert!(
            !self.has_join_waker(),
            "the waker field is the handle's: {self:?}"
        );
        if self.is_complete() {
            (self, Join::Complete)
        } else {
            (self.with(JOIN_WAKER), Join::Pending)
        }
    }

    pub(super) fn unset_join_waker(self) -> (Snapshot, Join) {
        if self.is_complete() {
            (self, Join::Complete)
        } else {
            (self.without(JOIN_WAKER), Join::Pending)
        }
    }

    pub(super) fn drop_join_handle(self) -> (Snapshot, Join) {
        if self.is_complete() {
            (self.without(JOIN_INTEREST), Join::Complete)
        } else {
            (self.without(JOIN_INTEREST | JOIN_WAKER), Join::Pending)
        }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let life = match self.0 & LIFE {
            0 => "Idle",
            SCHEDULED => "Scheduled",
            COMPLETE => "Complete",
            _ => "Impossible",
        };
        f.write_str(life)?;
        for (bit, name) in [
            (WOKEN, "woken"),
            (ABORTED, "aborted"),
            (JOIN_INTEREST, "join interest"),
            (JOIN_WAKER, "join waker"),
        ] {
            if self.0 & bit != 0 {
                write!(f, " + {name}")?;
            }
        }
        Ok(())
    }
}
