//! Owns a task's state word: which part of its life the task is in, and who may touch what.
//!
//! ```text
//!                 end_poll (nobody woke it)
//!   SCHEDULED ───────────────────────────────► IDLE
//!     │  ▲ │ ▲                                   │
//!     │  │ │ └─ wake, abort: set WOKEN/ABORTED   │
//!     │  │ └─── start_poll: clears WOKEN         │
//!     │  └───── wake, abort: whoever wins pushes it
//!     └── complete ──► COMPLETE
//! ```
//!
//! A task is SCHEDULED from the wake that made it ready until a poll leaves it waiting: queued or running,
//! and running again after a poll that it was woken in. So a tick of a task that comes back ready takes no
//! read-modify-write at all: what others want of it meanwhile they leave as marks.
//!
//! Who holds the task's *owned reference* may poll it, and only they: the queue entry, then the worker,
//! while SCHEDULED; nobody while IDLE. Winning the edge from IDLE to SCHEDULED creates it again, so that a
//! wake-up needs no reference count. COMPLETE ends it.
//!
//! The bits of the join handle live in the same word, because completion and the handle race:
//! `JOIN_WAKER` set gives the waker field to the completer, clear gives it to the handle;
//! `JOIN_INTEREST` clear at completion gives the output to the completer.

use crate::sync::{AtomicU32, Ordering};
use std::fmt;

const SCHEDULED: u32 = 1 << 0;
const COMPLETE: u32 = 1 << 1;
const WOKEN: u32 = 1 << 2;
const ABORTED: u32 = 1 << 3;
const JOIN_INTEREST: u32 = 1 << 4;
const JOIN_WAKER: u32 = 1 << 5;
const LIFE: u32 = SCHEDULED | COMPLETE;

/// A copy of the word: transitions are functions of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot(u32);

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
    const SPAWNED: Snapshot = Snapshot(SCHEDULED | JOIN_INTEREST);

    pub(crate) fn is_complete(self) -> bool {
        self.0 & COMPLETE != 0
    }

    fn is_scheduled(self) -> bool {
        self.0 & SCHEDULED != 0
    }

    /// Woken or aborted since its last poll began.
    pub(crate) fn is_woken(self) -> bool {
        self.0 & (WOKEN | ABORTED) != 0
    }

    pub(crate) fn is_aborted(self) -> bool {
        self.0 & ABORTED != 0
    }

    fn has_join_waker(self) -> bool {
        self.0 & JOIN_WAKER != 0
    }

    fn with(self, bits: u32) -> Snapshot {
        Snapshot(self.0 | bits)
    }

    fn without(self, bits: u32) -> Snapshot {
        Snapshot(self.0 & !bits)
    }

    fn wake(self) -> (Snapshot, Wake) {
        match self.0 & LIFE {
            0 => (self.with(SCHEDULED), Wake::Push),
            SCHEDULED => (self.with(WOKEN), Wake::Nothing),
            _ => (self, Wake::Nothing),
        }
    }

    fn abort(self) -> (Snapshot, Wake) {
        match self.0 & LIFE {
            0 => (self.with(SCHEDULED | ABORTED), Wake::Push),
            COMPLETE => (self, Wake::Nothing),
            _ => (self.with(ABORTED), Wake::Nothing),
        }
    }

    fn start_poll(self) -> (Snapshot, Start) {
        self.assert_scheduled("is polled");
        let start = if self.is_aborted() {
            Start::Cancel
        } else {
            Start::Poll
        };
        (self.without(WOKEN), start)
    }

    fn end_poll(self) -> (Snapshot, End) {
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

    fn complete(self) -> (Snapshot, Completion) {
        self.assert_scheduled("completes");
        let completion = Completion {
            wake_joiner: self.has_join_waker(),
            drop_output: self.0 & JOIN_INTEREST == 0,
        };
        (self.without(LIFE | WOKEN).with(COMPLETE), completion)
    }

    fn set_join_waker(self) -> (Snapshot, Join) {
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

    fn unset_join_waker(self) -> (Snapshot, Join) {
        if self.is_complete() {
            (self, Join::Complete)
        } else {
            (self.without(JOIN_WAKER), Join::Pending)
        }
    }

    fn drop_join_handle(self) -> (Snapshot, Join) {
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

/// The word itself; only this type loops on compare-exchange.
pub(crate) struct State(AtomicU32);

impl State {
    pub(crate) fn spawned() -> State {
        State(AtomicU32::new(Snapshot::SPAWNED.0))
    }

    pub(crate) fn load(&self) -> Snapshot {
        // Acquire: pairs with the release of `complete`, so that who sees COMPLETE sees the output.
        Snapshot(self.0.load(Ordering::Acquire))
    }

    /// AcqRel throughout: every edge hands over the future, the output or the waker field, and its
    /// winner must see what the previous holder wrote.
    fn update<A>(&self, step: impl Fn(Snapshot) -> (Snapshot, A)) -> A {
        let mut now = self.0.load(Ordering::Acquire);
        loop {
            let (next, action) = step(Snapshot(now));
            match self
                .0
                .compare_exchange_weak(now, next.0, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return action,
                Err(seen) => now = seen,
            }
        }
    }

    /// A waker's step. Even where nothing changes it is a read-modify-write: what the waker wrote before
    /// must be seen by the poll that answers it. `note` is called before a scheduled task is marked as woken,
    /// so that the poller that sees the mark sees the note.
    pub(crate) fn wake(&self, note: impl Fn()) -> Wake {
        self.update(|now| {
            if now.is_scheduled() && !now.is_woken() {
                note();
            }
            now.wake()
        })
    }

    /// An aborter's step; `note` as for `wake`.
    pub(crate) fn abort(&self, note: impl Fn()) -> Wake {
        self.update(|now| {
            if now.is_scheduled() && !now.is_woken() {
                note();
            }
            now.abort()
        })
    }

    /// A poller's first step. `forget` is called when the task was woken again while it was queued: this poll
    /// answers that, so that what was noted then is no news when it ends.
    #[inline]
    pub(crate) fn start_poll(&self, forget: impl FnOnce()) -> Start {
        // Without a mark there is nothing to take off. A mark that comes after this load stays, and the poll
        // that follows the coming one answers it. The queue has handed over what earlier holders wrote.
        if !self.load().is_woken() {
            return Start::Poll;
        }
        forget();
        self.update(Snapshot::start_poll)
    }

    #[inline]
    pub(crate) fn end_poll(&self) -> End {
        self.update(Snapshot::end_poll)
    }

    pub(crate) fn complete(&self) -> Completion {
        self.update(Snapshot::complete)
    }

    /// Gives the waker field, which the handle has just filled, to the completer.
    pub(crate) fn set_join_waker(&self) -> Join {
        self.update(Snapshot::set_join_waker)
    }

    /// Takes the waker field back.
    pub(crate) fn unset_join_waker(&self) -> Join {
        self.update(Snapshot::unset_join_waker)
    }

    /// The handle goes away. `Pending`: the waker field is its to clear; `Complete`: the output is.
    pub(crate) fn drop_join_handle(&self) -> Join {
        self.update(Snapshot::drop_join_handle)
    }

    pub(crate) fn has_join_waker(&self) -> bool {
        self.load().has_join_waker()
    }
}

#[cfg(all(test, not(glasshouse_loom)))]
mod every_transition;
#[cfg(all(test, not(glasshouse_loom)))]
mod tests;
