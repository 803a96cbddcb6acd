//! Owns the handle's side of joining: where its waker waits, and how the output is taken.

use crate::task::JoinError;
use crate::task::raw::Counted;
use crate::task::state::Join;
use glasshouse_pal::{Foreign, contain};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::sync::Mutex;
use std::task::{Poll, Waker};

/// The one right to a task's output, which is a `T`. Dropping it gives the output up.
pub(crate) struct Joining<T> {
    /// Given up when it is dropped.
    task: ManuallyDrop<Counted>,
    // Sent and shared as a `T` behind a lock: it gives a `T` to whoever holds it alone.
    output: PhantomData<Mutex<T>>,
}

impl<T> Joining<T> {
    /// # Safety
    /// The task's output is a `T`, and this is the task's first and only `Joining`.
    pub(crate) unsafe fn new(task: Counted) -> Joining<T> {
        Joining {
            task: ManuallyDrop::new(task),
            output: PhantomData,
        }
    }

    pub(crate) fn task(&self) -> &Counted {
        &self.task
    }

    /// Takes the output if the task is complete, else leaves `waker`.
    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<Result<T, JoinError>> {
        if !self.is_complete_or_left(waker) {
            return Poll::Pending;
        }
        let mut output: Option<Result<T, JoinError>> = None;
        let vtable = self.task.vtable();
        // SAFETY: COMPLETE with JOIN_INTEREST gives the output to the handle; `T` is its type (`new`).
        unsafe { (vtable.take_output)(self.task.header_ptr(), (&raw mut output).cast()) };
        match output {
            Some(output) => Poll::Ready(output),
            None => panic!(
                "a JoinHandle was polled again after it gave its result; keep the result instead"
            ),
        }
    }

    /// Whether the task is complete; if not, `waker` is where its completer finds it.
    pub(super) fn is_complete_or_left(&mut self, waker: &Waker) -> bool {
        let state = &self.task.state;
        if state.load().is_complete() {
            return true;
        }
        // The completer takes the waker if it finds JOIN_WAKER set: take the bit back before a look at it.
        if state.has_join_waker() && state.unset_join_waker() == Join::Complete {
            return true;
        }
        let vtable = self.task.vtable();
        // SAFETY: the cell is alive; JOIN_WAKER is clear, and only the handle sets it: the field is ours.
        let slot = unsafe { (vtable.join_waker)(self.task.header_ptr()).as_mut() };
        if !slot.as_ref().is_some_and(|held| held.will_wake(waker)) {
            *slot = Some(waker.clone());
        }
        state.set_join_waker() == Join::Complete
    }
}

impl<T> Drop for Joining<T> {
    fn drop(&mut self) {
        // SAFETY: it is taken here alone, and nothing looks at the field after this.
        let task = unsafe { ManuallyDrop::take(&mut self.task) };
        let Err(task) = task.drop_join_handle_of_fresh() else {
            return;
        };
        let vtable = task.vtable();
        // After completion nobody else looks at the handle's bits.
        let found = if task.state.load().is_complete() {
            Join::Complete
        } else {
            task.state.drop_join_handle()
        };
        match found {
            // SAFETY: COMPLETE with JOIN_INTEREST until now: the output is the handle's.
            Join::Complete => unsafe { (vtable.drop_output)(task.header_ptr()) },
            Join::Pending => {
                // SAFETY: JOIN_WAKER was cleared before completion: the field is the handle's.
                let waker = unsafe { (vtable.join_waker)(task.header_ptr()).as_mut().take() };
                if let Some(waker) = waker {
                    // Its drop is foreign code: a panic is contained, as every panic of a task.
                    contain(Foreign::Waker, move || drop(waker));
                }
            }
        }
    }
}
