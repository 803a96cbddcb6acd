//! Owns a task's state word: which part of its life the task is in, who may touch what, and how many references
//! keep it.
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
//!
//! Above the bits the word counts the references that keep the cell: a waker that is used up makes its wake and
//! gives up its reference in one step, and so does the handle of a task that never waited and that nobody has marked or holds besides.

mod snapshot;

pub(crate) use snapshot::{Completion, End, Join, Start, Wake};

use crate::sync::{AtomicU64, Ordering, fence};
use snapshot::{JOIN_INTEREST, Snapshot};
use std::process;

/// One reference, in the word's upper half.
const REFERENCE: u64 = 1 << 32;

/// The word itself; only this type loops on compare-exchange.
pub(crate) struct State(AtomicU64);

impl State {
    /// Counts two references: the task's own life, and the join handle.
    const SPAWNED: u64 = 2 * REFERENCE + Snapshot::SPAWNED.0 as u64;

    pub(crate) fn spawned() -> State {
        State(AtomicU64::new(State::SPAWNED))
    }

    pub(crate) fn load(&self) -> Snapshot {
        // Acquire: pairs with the release of `complete`, so that who sees COMPLETE sees the output.
        Snapshot(self.0.load(Ordering::Acquire) as u32)
    }

    fn update<A>(&self, step: impl Fn(Snapshot) -> (Snapshot, A)) -> A {
        self.update_giving_up(0, step).0
    }

    /// Takes the step and gives up so many references; also returns how many are left. AcqRel throughout: every
    /// edge hands over the future, the output or the waker field, and its winner must see what the previous
    /// holder wrote.
    #[inline(always)]
    fn update_giving_up<A>(
        &self,
        references: u64,
        step: impl Fn(Snapshot) -> (Snapshot, A),
    ) -> (A, u64) {
        let mut now = self.0.load(Ordering::Acquire);
        loop {
            let bits = now as u32;
            let (next, action) = step(Snapshot(bits));
            // Only the lower half changes but for the references.
            let next = (now ^ u64::from(bits ^ next.0)) - references * REFERENCE;
            match self
                .0
                .compare_exchange_weak(now, next, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return (action, next / REFERENCE),
                Err(seen) => now = seen,
            }
        }
    }

    /// A new reference beside the caller's.
    pub(crate) fn add_reference(&self) {
        // Relaxed: a new reference is made from one that is held.
        let before = self.0.fetch_add(REFERENCE, Ordering::Relaxed);
        if before > u64::MAX / 2 {
            // Wakers leaked by the thousand million: going on would free the cell under their feet.
            process::abort();
        }
    }

    /// The caller's reference goes. Whether it was the last: then the cell is the caller's to free.
    #[must_use]
    pub(crate) fn give_up_reference(&self) -> bool {
        // Who finds its own reference to be the only one need not count down: nobody is left to make another.
        // Acquire, as the fence below: the others' use of the cell comes before its end.
        if self.0.load(Ordering::Acquire) / REFERENCE == 1 {
            return true;
        }
        // Release: our use of the cell comes before its end; the acquire fence pairs with it.
        let is_last = self.0.fetch_sub(REFERENCE, Ordering::Release) / REFERENCE == 1;
        if is_last {
            fence(Ordering::Acquire);
        }
        is_last
    }

    /// A waker's step. Even where nothing changes it is a read-modify-write: what the waker wrote before
    /// must be seen by the poll that answers it. `note` is called before a scheduled task is marked as woken,
    /// so that the poller that sees the mark sees the note.
    pub(crate) fn wake(&self, note: impl Fn()) -> Wake {
        self.wake_giving_up(0, note).0
    }

    /// The same, and the waker's reference goes with it. Whether it was the last: then the cell is the
    /// caller's to free, and there was nothing to wake.
    pub(crate) fn wake_by_value(&self, note: impl Fn()) -> (Wake, bool) {
        let (wake, left) = self.wake_giving_up(1, note);
        (wake, left == 0)
    }

    #[inline(always)]
    fn wake_giving_up(&self, references: u64, note: impl Fn()) -> (Wake, u64) {
        self.update_giving_up(references, |now| {
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

    /// The handle goes away, and its reference with it, if the word is as at the spawn: the task has not waited, and
    /// nobody has marked it or holds it besides.
    pub(crate) fn drop_join_handle_of_fresh(&self) -> bool {
        const DROPPED: u64 = State::SPAWNED - REFERENCE - JOIN_INTEREST as u64;
        // A look first: an exchange that fails costs as much as one that succeeds.
        self.0.load(Ordering::Relaxed) == State::SPAWNED
            && self
                .0
                .compare_exchange(State::SPAWNED, DROPPED, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
    }

    pub(crate) fn has_join_waker(&self) -> bool {
        self.load().has_join_waker()
    }
}

#[cfg(all(test, not(glasshouse_loom)))]
mod every_transition;
#[cfg(all(test, not(glasshouse_loom)))]
mod tests;
