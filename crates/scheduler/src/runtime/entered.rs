//! Owns which scheduler a thread works for: a stack of what it has entered, and beside it a plain pointer
//! to the worker on top, since every wake asks for it.

use crate::handle::Handle;
use crate::runtime::context::Worker;
use crate::runtime::shared::Shared;
use crate::sync::thread_local;
use crate::task::Header;
use std::cell::{Cell, RefCell};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

enum Entered {
    Worker(Rc<Worker>),
    Handle(Handle),
}

impl Entered {
    fn worker(&self) -> Option<&Rc<Worker>> {
        match self {
            Entered::Worker(worker) => Some(worker),
            Entered::Handle(_) => None,
        }
    }
}

thread_local! {
    static STACK: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
    /// The worker on top of the stack; null when the top is none.
    static TOP: Cell<*const Worker> = const { Cell::new(ptr::null()) };
}

/// Ends what `enter` began.
pub(crate) struct EnterGuard(std::marker::PhantomData<*mut ()>);

impl Drop for EnterGuard {
    fn drop(&mut self) {
        // The thread may be ending, and its stack gone already.
        let left = STACK.try_with(|stack| {
            let mut stack = stack.borrow_mut();
            let left = stack.pop();
            point_at_top(&stack);
            left
        });
        drop(left);
    }
}

fn point_at_top(stack: &[Entered]) {
    let top = stack.last().and_then(Entered::worker);
    TOP.with(|cell| cell.set(top.map_or(ptr::null(), Rc::as_ptr)));
}

fn enter(entered: Entered) -> EnterGuard {
    STACK.with(|stack| {
        let mut stack = stack.borrow_mut();
        stack.push(entered);
        point_at_top(&stack);
    });
    EnterGuard(std::marker::PhantomData)
}

pub(crate) fn enter_worker(worker: &Rc<Worker>) -> EnterGuard {
    enter(Entered::Worker(worker.clone()))
}

/// On one of the scheduler's own workers the thread stays a worker: what it spawns has a parent, and
/// goes to its own queue.
pub(crate) fn enter_handle(handle: &Handle) -> EnterGuard {
    let own = find_worker(Arc::as_ptr(handle.shared()));
    enter(own.map_or_else(|| Entered::Handle(handle.clone()), Entered::Worker))
}

/// The worker on top of the stack.
///
/// # Safety
/// The reference must not outlive the call that asks: guards leave in the order opposite to that in which
/// they came, so what was on top when a function was called is still entered when it returns.
#[inline(always)]
unsafe fn top<'a>() -> Option<&'a Worker> {
    // SAFETY: the pointer is that of an `Rc` on this thread's stack, which lies there until its guard goes and
    // points elsewhere (`point_at_top`). Should the stack be destroyed before (an exit of the process from inside
    // a poll), the frame that entered the worker still holds a reference of its own.
    unsafe { TOP.with(Cell::get).as_ref() }
}

/// Calls `f` with the thread's worker, if it is one now. What `f` calls may enter and leave.
#[inline(always)]
pub(crate) fn with_worker<R>(f: impl FnOnce(Option<&Worker>) -> R) -> R {
    // SAFETY: `f` returns before we do, and cannot keep the reference.
    f(unsafe { top() })
}

/// Calls `f` with the task whose poll is under way on this thread, if one is.
pub(crate) fn with_polled<R>(f: impl FnOnce(Option<&Header>) -> R) -> R {
    with_worker(|worker| {
        let polling = worker.map_or(ptr::null(), Worker::polling);
        // SAFETY: the pointer stands from `set_current` to `end_polling`, between which the tick holds the
        // owned reference that keeps the cell; we are called inside of that poll, and `f` returns before it.
        f(unsafe { polling.as_ref() })
    })
}

/// The thread's worker of this scheduler, also from inside another that it has entered since. `shared`
/// is only compared.
#[inline(always)]
pub(crate) fn with_worker_of<R>(shared: *const Shared, f: impl FnOnce(Option<&Worker>) -> R) -> R {
    // SAFETY: `f` returns before we do, and cannot keep the reference.
    match unsafe { top() } {
        Some(worker) if Arc::as_ptr(&worker.shared) == shared => f(Some(worker)),
        // Nothing was entered, or not on this thread alone.
        _ => with_found(shared, f),
    }
}

#[cold]
#[inline(never)]
fn with_found<R>(shared: *const Shared, f: impl FnOnce(Option<&Worker>) -> R) -> R {
    f(find_worker(shared).as_deref())
}

fn find_worker(shared: *const Shared) -> Option<Rc<Worker>> {
    look(|entered| {
        entered
            .iter()
            .rev()
            .filter_map(Entered::worker)
            .find(|worker| Arc::as_ptr(&worker.shared) == shared)
            .cloned()
    })
}

/// Looks at what this thread has entered, the latest last. Nothing, while the thread ends: a waker that is
/// called then is outside of any worker.
fn look<R: Default>(at: impl FnOnce(&[Entered]) -> R) -> R {
    STACK
        .try_with(|stack| at(&stack.borrow()))
        .unwrap_or_default()
}

/// Whether this thread runs tasks, of whatever scheduler.
pub(crate) fn is_on_worker() -> bool {
    look(|entered| entered.iter().any(|entered| entered.worker().is_some()))
}

/// The scheduler that this thread works for, or has entered.
pub(crate) fn current_handle() -> Option<Handle> {
    look(|entered| match entered.last()? {
        Entered::Worker(worker) => Some(Handle::new(worker.shared.clone())),
        Entered::Handle(handle) => Some(handle.clone()),
    })
}

/// Calls `f` with the scheduler that this thread works for, or has entered.
#[inline(always)]
pub(crate) fn with_current<R>(f: impl FnOnce(Option<&Arc<Shared>>) -> R) -> R {
    // SAFETY: `f` returns before we do, and cannot keep the reference.
    match unsafe { top() } {
        Some(worker) => f(Some(&worker.shared)),
        None => f(current_handle().as_ref().map(Handle::shared)),
    }
}
