//! Owns the task's header and the two kinds of pointers to it. The cell around the header, with the join
//! handle's waker and the future or its output, is in `cell.rs`.
//!
//! Two kinds of pointers reach it. [`Task`] is the *owned reference*: there is one while the task is
//! SCHEDULED (queued or running), none while it is IDLE (winning the wake makes it again, `Counted::wake`), and
//! completion gives it up. [`Counted`] is what wakers and join handles hold. The count includes one for
//! the life of the task itself, so the cell outlives its last poll.
//!
//! Who touches what, as the state word has it:
//! - the future: who holds the owned reference, once it has called `start_poll`;
//! - the output: the completer until COMPLETE, then the join handle, or the completer if there is none;
//! - the join waker: the handle while `JOIN_WAKER` is clear, the completer when it is set.

use crate::parker::Parker;
use crate::queue::Entry;
use crate::runtime::{self, Shared};
use crate::sync::{AtomicU32, AtomicU64};
use crate::task::cell::Vtable;
use crate::task::state::{Completion, State, Wake};
use glasshouse_pal::TextId;
use glasshouse_telemetry::TaskTrace;
use std::mem::{self, ManuallyDrop};
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

/// Which queue a task waits in: system tasks are chosen first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Default,
    System,
}

/// What a task is made of, beside its future.
pub(crate) struct Parts {
    pub(crate) shared: Arc<Shared>,
    pub(crate) trace: TaskTrace,
    pub(crate) class: Class,
    pub(crate) home: Home,
}

/// Who polls a task.
pub(crate) enum Home {
    /// Any worker, through the queues.
    Workers,
    /// The worker that is inside `block_on`: the task is its root.
    Inline,
    /// The guest that is inside `block_on`: the task is its root.
    Guest(Arc<Guest>),
}

/// Where a root outside the workers is pushed: a queue of one, and its thread asleep beside it.
pub(crate) struct Guest {
    pub(crate) ready: Mutex<Option<Task>>,
    pub(crate) parker: Parker,
}

impl Guest {
    pub(crate) fn unpark(&self) {
        self.parker
            .unpark(|| unreachable!("a guest never polls the driver"));
    }
}

/// The part of a task that does not depend on its future.
pub(crate) struct Header {
    pub(crate) state: State,
    vtable: &'static Vtable,
    /// Taken out when the cell is freed.
    shared: ManuallyDrop<Arc<Shared>>,
    trace: TaskTrace,
    /// Run time in clock ticks since the task last waited or was throttled. Written by who runs it.
    pub(crate) quantum_used: AtomicU64,
    /// Who polls it, where that is no worker.
    guest: Option<Arc<Guest>>,
    /// Where the registry keeps it.
    pub(crate) registry_key: AtomicU32,
    class: Class,
    is_root: bool,
}

impl Header {
    pub(super) fn new(vtable: &'static Vtable, parts: Parts) -> Header {
        let Parts {
            shared,
            trace,
            class,
            home,
        } = parts;
        let is_root = !matches!(home, Home::Workers);
        let guest = match home {
            Home::Guest(guest) => Some(guest),
            Home::Workers | Home::Inline => None,
        };
        Header {
            state: State::spawned(),
            vtable,
            shared: ManuallyDrop::new(shared),
            trace,
            quantum_used: AtomicU64::new(0),
            guest,
            registry_key: AtomicU32::new(0),
            class,
            is_root,
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn trace(&self) -> &TaskTrace {
        &self.trace
    }

    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// Who polls it, where that is no worker.
    pub(crate) fn guest(&self) -> Option<&Arc<Guest>> {
        self.guest.as_ref()
    }

    /// Whether its future is on a stack, not in its cell.
    pub(crate) fn is_root(&self) -> bool {
        self.is_root
    }
}

/// What a poll came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pending,
    Ready,
    Panicked(TextId),
    Cancelled,
}

/// The owned reference: the right and the duty to poll the task next.
#[derive(Debug)]
pub(crate) struct Task(NonNull<Header>);

// SAFETY: the cell is Send (`allocate` asks it of future and output), and the owned reference is held by
// one thread at a time: the queues hand it over with release and acquire. A local cell need not be Send
// (`allocate_local`): its scheduler has one worker, which alone polls and finishes tasks, and whose thread
// is the one that spawned it (`Shared::owner`; its `LocalScheduler` is not Send). Its owned reference may
// pass through other threads, but they only push it.
unsafe impl Send for Task {}

impl std::ops::Deref for Task {
    type Target = Header;
    fn deref(&self) -> &Header {
        // SAFETY: the owned reference keeps the cell alive; the header is only touched through `&`.
        unsafe { self.0.as_ref() }
    }
}

impl Task {
    /// Polls the future; on completion the output is in the cell. Only after `start_poll`.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Outcome {
        // SAFETY: the owned reference is the sole right to the future.
        unsafe { (self.vtable.poll)(self.0, cx) }
    }

    /// Drops the future; the output is the cancellation. Only after `start_poll`.
    pub(crate) fn cancel(&self) -> Outcome {
        // SAFETY: as for `poll`.
        unsafe { (self.vtable.cancel)(self.0) }
    }

    /// Publishes the completion, hands the output over or drops it. The joiner's waker is returned, so
    /// that the caller can record the end before the joiner's wake.
    pub(crate) fn complete(&self) -> Option<Waker> {
        let Completion {
            wake_joiner,
            drop_output,
        } = self.state.complete();
        if drop_output {
            // SAFETY: COMPLETE without JOIN_INTEREST: the output is the completer's.
            unsafe { (self.vtable.drop_output)(self.0) };
        }
        if wake_joiner {
            // SAFETY: COMPLETE with JOIN_WAKER: the field is the completer's.
            unsafe { (self.vtable.join_waker)(self.0).as_mut().take() }
        } else {
            None
        }
    }

    /// Ends the task's own life, after completion. The cell goes with the last reference.
    pub(crate) fn release(self) {
        drop(Counted(self.0));
    }

    /// A counted reference beside the owned one.
    pub(crate) fn counted(&self) -> Counted {
        // The task's own life is counted: that count is borrowed here only to make another.
        let own = ManuallyDrop::new(Counted(self.0));
        Counted::clone(&own)
    }

    /// Where the cell is, for comparison and for the registry.
    pub(crate) fn header_ptr(&self) -> NonNull<Header> {
        self.0
    }
}

impl Entry for Task {
    fn into_ptr(self) -> *mut () {
        self.0.as_ptr().cast()
    }

    unsafe fn from_ptr(ptr: *mut ()) -> Task {
        // SAFETY: the caller passes on what `into_ptr` gave, which was never null.
        Task(unsafe { NonNull::new_unchecked(ptr.cast()) })
    }
}

/// A counted reference, as wakers and join handles hold it: it keeps the cell, not the task.
#[derive(Debug)]
pub(crate) struct Counted(NonNull<Header>);

// SAFETY: through a counted reference only the header is touched (all of it atomic or immutable), and
// what the state word gives to the join handle (which is Send only with its `T`). The last one frees the
// cell on whatever thread: by then the future is gone (the task's own reference ends after it), and so is
// the output (its handle took or dropped it, or the completer did).
unsafe impl Send for Counted {}
// SAFETY: as for Send.
unsafe impl Sync for Counted {}

impl std::ops::Deref for Counted {
    type Target = Header;
    fn deref(&self) -> &Header {
        // SAFETY: we hold one of the references that keep the cell alive.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for Counted {
    fn clone(&self) -> Counted {
        self.state.add_reference();
        Counted(self.0)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.state.give_up_reference() {
            // SAFETY: that was the last reference.
            unsafe { free(self.0) };
        }
    }
}

/// # Safety
/// The last reference was given up just now, by the caller: the future and the output are gone or nobody else's.
unsafe fn free(header: NonNull<Header>) {
    let (shared, dealloc) = {
        // SAFETY: the caller has the cell to itself.
        let header = unsafe { &mut *header.as_ptr() };
        // SAFETY: nothing looks at the field after this.
        let shared = unsafe { ManuallyDrop::take(&mut header.shared) };
        (shared, header.vtable.dealloc)
    };
    // SAFETY: nobody reaches the cell after this.
    unsafe { dealloc(header) };
    runtime::leave_reference(shared);
}

impl Counted {
    /// Makes the counted reference that `into_raw` gave away whole again.
    ///
    /// # Safety
    /// `ptr` comes from `into_raw`, and is turned back once (or the result is not dropped).
    pub(crate) unsafe fn from_raw(ptr: *const ()) -> Counted {
        // SAFETY: the caller says where it comes from; it was never null.
        Counted(unsafe { NonNull::new_unchecked(ptr.cast_mut().cast()) })
    }

    pub(crate) fn into_raw(self) -> *const () {
        let ptr = self.0.as_ptr().cast_const().cast();
        mem::forget(self);
        ptr
    }

    /// A waker's step: the owned reference, if it won the edge from IDLE to SCHEDULED. `note` is
    /// called before a scheduled task is marked as woken.
    pub(crate) fn wake(&self, note: impl Fn()) -> Option<Task> {
        self.won(self.state.wake(note))
    }

    /// The same by a waker that is used up: its reference goes in the same step.
    #[inline(always)]
    pub(crate) fn wake_by_value(self, note: impl Fn(&Header)) -> Option<Task> {
        let task = ManuallyDrop::new(self);
        let (wake, is_last) = task.state.wake_by_value(|| note(&task));
        if is_last {
            // SAFETY: the reference that `task` does not give up again was the last one.
            unsafe { free(task.0) };
        }
        task.won(wake)
    }

    /// The join handle's reference goes with the handle, in one step if the state word is as at the spawn; otherwise
    /// it is given back.
    pub(super) fn drop_join_handle_of_fresh(self) -> Result<(), Counted> {
        let task = ManuallyDrop::new(self);
        match task.state.drop_join_handle_of_fresh() {
            true => Ok(()),
            false => Err(ManuallyDrop::into_inner(task)),
        }
    }

    /// An aborter's step, as `wake`.
    pub(crate) fn abort(&self, note: impl Fn()) -> Option<Task> {
        self.won(self.state.abort(note))
    }

    /// The edge to SCHEDULED makes the owned reference again, once: the state word lets one thread win it.
    fn won(&self, wake: Wake) -> Option<Task> {
        match wake {
            Wake::Push => Some(Task(self.0)),
            Wake::Nothing => None,
        }
    }

    pub(super) fn vtable(&self) -> &'static Vtable {
        self.vtable
    }

    pub(crate) fn header_ptr(&self) -> NonNull<Header> {
        self.0
    }
}
