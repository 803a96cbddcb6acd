//! Owns the waker of a task: a counted reference behind the standard library's table.

use crate::runtime;
use crate::task::raw::{Counted, Task};
use std::mem::ManuallyDrop;
use std::task::{RawWaker, RawWakerVTable, Waker};

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// What tells the wakers of tasks from others.
pub(crate) fn vtable() -> &'static RawWakerVTable {
    &VTABLE
}

/// A waker for the time of a poll. It borrows the poller's owned reference instead of counting.
pub(crate) fn borrowed(task: &Task) -> ManuallyDrop<Waker> {
    let ptr = task.header_ptr().as_ptr().cast_const().cast();
    // SAFETY: the table's functions keep the contract of RawWaker (below). The waker is never dropped, so
    // the reference it does not hold is never given back; clones count their own.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(ptr, &VTABLE)) })
}

/// The reference behind a waker, without giving it up.
///
/// # Safety
/// `ptr` is the data of a live waker of this table.
unsafe fn peek(ptr: *const ()) -> ManuallyDrop<Counted> {
    // SAFETY: it came from `into_raw`, or borrows an owned reference; not dropping it keeps the count.
    ManuallyDrop::new(unsafe { Counted::from_raw(ptr) })
}

unsafe fn clone(ptr: *const ()) -> RawWaker {
    // SAFETY: the caller's waker is alive.
    let counted = unsafe { peek(ptr) };
    RawWaker::new(Counted::clone(&counted).into_raw(), &VTABLE)
}

unsafe fn wake(ptr: *const ()) {
    // SAFETY: the caller gives this waker up, and with it the reference.
    let counted = unsafe { Counted::from_raw(ptr) };
    runtime::wake_by_value(counted);
}

unsafe fn wake_by_ref(ptr: *const ()) {
    // SAFETY: the caller's waker is alive.
    let counted = unsafe { peek(ptr) };
    runtime::wake(&counted);
}

unsafe fn drop_waker(ptr: *const ()) {
    // SAFETY: the caller gives this waker up, and with it the reference.
    drop(unsafe { Counted::from_raw(ptr) });
}
