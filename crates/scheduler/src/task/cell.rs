//! Owns the half of a task that knows its future's type: the cell, and the steps the header's table calls.
//!
//! Every function here is unsafe to call for the same reason: the caller must hold what the state word
//! gives it (`raw.rs` says who holds what), and the header must lie in a `Cell<F>` of the same `F`.

use crate::queue::Entry;
use crate::task::join_error::{JoinError, panic_message};
use crate::task::joining::Joining;
use crate::task::raw::{Counted, Header, Outcome, Parts, Task};
use glasshouse_pal::{Foreign, catch, contain};
use std::any::Any;
use std::cell::UnsafeCell;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

/// The steps that need to know the future's type. Each takes the cell's header pointer.
pub(super) struct Vtable {
    pub(super) poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Outcome,
    pub(super) cancel: unsafe fn(NonNull<Header>) -> Outcome,
    /// Moves the output to the pointer, which is an `Option<Result<T, JoinError>>`.
    pub(super) take_output: unsafe fn(NonNull<Header>, *mut ()),
    pub(super) drop_output: unsafe fn(NonNull<Header>),
    pub(super) join_waker: unsafe fn(NonNull<Header>) -> NonNull<Option<Waker>>,
    pub(super) dealloc: unsafe fn(NonNull<Header>),
}

#[repr(C)]
struct Cell<F: Future> {
    // First, so that a pointer to the header is a pointer to the cell.
    header: Header,
    join_waker: UnsafeCell<Option<Waker>>,
    stage: UnsafeCell<Stage<F>>,
}

enum Stage<F: Future> {
    Future(F),
    Output(Result<F::Output, JoinError>),
    Consumed,
}

struct VtableOf<F>(PhantomData<F>);

impl<F: Future> VtableOf<F> {
    const VTABLE: Vtable = Vtable {
        poll: poll::<F>,
        cancel: cancel::<F>,
        take_output: take_output::<F>,
        drop_output: drop_output::<F>,
        join_waker: join_waker::<F>,
        dealloc: dealloc::<F>,
    };
}

/// Puts a future on the heap. The task is SCHEDULED, its registry entry and its push are the caller's.
pub(crate) fn allocate<F>(future: F, parts: Parts) -> (Task, Joining<F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    put_on_heap(future, parts)
}

/// As [`allocate`], for a future that stays on this thread.
///
/// # Panics
/// On any other thread than the one that owns the scheduler.
pub(crate) fn allocate_local<F>(future: F, parts: Parts) -> (Task, Joining<F::Output>)
where
    F: Future + 'static,
    F::Output: 'static,
{
    assert!(
        parts.shared.is_owner(),
        "a local task must be spawned on the thread that will run it"
    );
    put_on_heap(future, parts)
}

fn put_on_heap<F: Future>(future: F, parts: Parts) -> (Task, Joining<F::Output>) {
    let cell = Box::new(Cell {
        header: Header::new(&VtableOf::<F>::VTABLE, parts),
        join_waker: UnsafeCell::new(None),
        stage: UnsafeCell::new(Stage::Future(future)),
    });
    let header = NonNull::from(Box::leak(cell)).cast::<Header>();
    let ptr = header.as_ptr();
    // SAFETY: the header is new and SCHEDULED, so the owned reference is made here, once.
    let task = unsafe { Task::from_ptr(ptr.cast()) };
    // SAFETY: it counts two references: the task's own life, and this one.
    let counted = unsafe { Counted::from_raw(ptr.cast_const().cast()) };
    // SAFETY: the output of `F` is what is joined, and nobody else can.
    (task, unsafe { Joining::new(counted) })
}

unsafe fn stage<F: Future>(header: NonNull<Header>) -> *mut Stage<F> {
    // SAFETY: the header is the first field of this cell (`repr(C)`), which is alive.
    unsafe { (*header.cast::<Cell<F>>().as_ptr()).stage.get() }
}

unsafe fn poll<F: Future>(header: NonNull<Header>, cx: &mut Context<'_>) -> Outcome {
    // SAFETY: the caller holds the sole right to the stage.
    let stage = unsafe { &mut *stage::<F>(header) };
    let Stage::Future(future) = &mut *stage else {
        unreachable!("a running task has its future");
    };
    // SAFETY: the future is in a heap cell and is dropped in place: it never moves.
    let future = unsafe { Pin::new_unchecked(future) };
    let polled = catch(|| future.poll(cx));
    let result = match polled {
        Ok(Poll::Pending) => return Outcome::Pending,
        Ok(Poll::Ready(output)) => Ok(output),
        Err(payload) => Err(payload),
    };
    finish(header, stage, result)
}

unsafe fn cancel<F: Future>(header: NonNull<Header>) -> Outcome {
    // SAFETY: the caller holds the sole right to the stage.
    let stage = unsafe { &mut *stage::<F>(header) };
    let drop_future = catch(|| *stage = Stage::Consumed);
    // SAFETY: the header outlives the call.
    let trace = unsafe { header.as_ref() }.trace();
    match drop_future {
        Ok(()) => {
            *stage = Stage::Output(Err(JoinError::cancelled(trace.id())));
            Outcome::Cancelled
        }
        Err(payload) => panicked(header, stage, payload),
    }
}

/// Drops the future and stores its result; a panic in the drop counts as the task's.
fn finish<F: Future>(
    header: NonNull<Header>,
    stage: &mut Stage<F>,
    result: std::thread::Result<F::Output>,
) -> Outcome {
    // The assignment drops the future in place; if that panics the stage is already `Consumed`.
    let dropped = catch(|| *stage = Stage::Consumed);
    match (result, dropped) {
        (Ok(output), Ok(())) => {
            *stage = Stage::Output(Ok(output));
            Outcome::Ready
        }
        (Ok(output), Err(payload)) => {
            // The panic takes its place.
            contain(Foreign::Value, move || drop(output));
            panicked(header, stage, payload)
        }
        (Err(payload), Ok(())) => panicked(header, stage, payload),
        (Err(first), Err(second)) => {
            contain(Foreign::Value, move || drop(second));
            panicked(header, stage, first)
        }
    }
}

fn panicked<F: Future>(
    header: NonNull<Header>,
    stage: &mut Stage<F>,
    payload: Box<dyn Any + Send>,
) -> Outcome {
    // SAFETY: the header outlives the call.
    let header = unsafe { header.as_ref() };
    let text = header.shared().hub.pal().text(panic_message(&*payload));
    *stage = Stage::Output(Err(JoinError::panicked(header.trace().id(), payload)));
    Outcome::Panicked(text)
}

unsafe fn take_output<F: Future>(header: NonNull<Header>, to: *mut ()) {
    // SAFETY: the caller owns the output.
    let stage = unsafe { &mut *stage::<F>(header) };
    if let Stage::Output(output) = mem::replace(stage, Stage::Consumed) {
        // SAFETY: the caller passes an `Option` of this task's result.
        unsafe { *to.cast::<Option<Result<F::Output, JoinError>>>() = Some(output) };
    }
}

unsafe fn drop_output<F: Future>(header: NonNull<Header>) {
    // SAFETY: the caller owns the output.
    let stage = unsafe { &mut *stage::<F>(header) };
    let output = mem::replace(stage, Stage::Consumed);
    // Nobody waits for this result, so a panic in its drop has nobody to go to.
    contain(Foreign::Value, move || drop(output));
}

unsafe fn join_waker<F: Future>(header: NonNull<Header>) -> NonNull<Option<Waker>> {
    // SAFETY: the header is the first field of this cell (`repr(C)`), which is alive.
    let cell = unsafe { &*header.cast::<Cell<F>>().as_ptr() };
    // SAFETY: a pointer from `UnsafeCell::get` is never null.
    unsafe { NonNull::new_unchecked(cell.join_waker.get()) }
}

unsafe fn dealloc<F: Future>(header: NonNull<Header>) {
    // SAFETY: the cell was made by `allocate` as a `Box`, and this was its last reference.
    let mut cell = unsafe { Box::from_raw(header.cast::<Cell<F>>().as_ptr()) };
    // A joiner's waker may still be here, if the task ended while its handle looked at it.
    if let Some(waker) = cell.join_waker.get_mut().take() {
        contain(Foreign::Waker, move || drop(waker));
    }
    drop(cell);
}

#[cfg(all(test, not(glasshouse_loom)))]
mod tests {
    use super::*;

    /// What glibc's allocator takes for a request: a word of its own, in steps of two words.
    fn bytes_on_heap(request_bytes: usize) -> usize {
        (request_bytes + 8).next_multiple_of(16)
    }

    fn cell_bytes<F: Future>(_: &F) -> usize {
        size_of::<Cell<F>>()
    }

    #[test]
    fn a_task_with_an_empty_future_takes_at_most_128_bytes_on_the_heap() {
        assert!(bytes_on_heap(cell_bytes(&async {})) <= 128);
        assert!(bytes_on_heap(cell_bytes(&std::future::pending::<()>())) <= 128);
    }
}
