//! Owns the edge from idle to ready: who makes it, how it is recorded, and where the task goes.

use crate::runtime::context::{self, Worker};
use crate::runtime::entered;
use crate::task::{Counted, Task};
use glasshouse_pal::WakeSource;
use std::sync::{Arc, PoisonError};

/// What a waker does that is not used up by it.
pub(crate) fn wake(task: &Counted) {
    if !is_by_itself(task) {
        wake_from_outside(task);
    }
}

/// What a waker does that is used up by it.
pub(crate) fn wake_by_value(task: Counted) {
    if !is_by_itself(&task) {
        use_up_from_outside(task);
    }
}

/// Whether a task is woken by its own poll, which finds the note that is made of it here.
#[inline(always)]
fn is_by_itself(task: &Counted) -> bool {
    entered::with_worker(|worker| worker.is_some_and(|worker| worker.note_self_wake(task)))
}

/// A wake that is not of a task by its own poll.
#[inline(never)]
fn wake_from_outside(task: &Counted) {
    entered::with_worker_of(Arc::as_ptr(task.shared()), |worker| wake_on(worker, task));
}

/// The same, where the waker's reference goes with the wake: in one step on a worker's thread, if workers poll
/// the task.
#[inline(never)]
fn use_up_from_outside(task: Counted) {
    entered::with_worker_of(Arc::as_ptr(task.shared()), |worker| match worker {
        Some(worker) if task.guest().is_none() => {
            let by = worker.wake_source();
            if let Some(won) = task.wake_by_value(|task| task.trace().note_waker(by)) {
                worker.seam.woke(won.trace(), by);
                worker.push_woken_by(won, by);
            }
        }
        _ => wake_on(worker, &task),
    });
}

/// A wake on this worker's thread, or on one that is no worker's.
fn wake_on(worker: Option<&Worker>, task: &Counted) {
    let by = match worker {
        Some(worker) => worker.wake_source(),
        None => context::source().unwrap_or(WakeSource::External),
    };
    if let Some(won) = task.wake(|| task.trace().note_waker(by)) {
        made_ready(worker, task, won, by);
    }
}

/// What `JoinHandle::abort` and the end of the scheduler do.
pub(crate) fn abort(task: &Counted) {
    entered::with_worker_of(Arc::as_ptr(task.shared()), |worker| {
        let by = WakeSource::Abort(worker.and_then(|worker| worker.current()));
        if let Some(won) = task.abort(|| task.trace().note_waker(by)) {
            made_ready(worker, task, won, by);
        }
    });
}

/// Records the wake and puts the task where it will be run. The caller won the edge, and holds `woken`: as soon
/// as the task is pushed it may end, and only that keeps the cell.
fn made_ready(worker: Option<&Worker>, woken: &Counted, task: Task, by: WakeSource) {
    match worker {
        Some(worker) => worker.seam.woke(task.trace(), by),
        None => woken.shared().hub.woke(task.trace(), by),
    }
    if let Some(guest) = woken.guest() {
        *guest.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        guest.unpark();
        return;
    }
    match worker {
        Some(worker) => worker.push_woken_by(task, by),
        None => {
            let shared = woken.shared();
            shared.hub.pushed();
            shared.inject(task);
        }
    }
}
