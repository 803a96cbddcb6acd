//! Owns what a shutdown does, step by step, and who takes the last one.
//!
//! ```text
//!  tasks end by themselves ──► close ──► the workers cancel what is left ──► complete
//!  (until the deadline)                  (a stuck one is left behind)        (ShutdownComplete)
//! ```
//!
//! Who shuts down waits for the workers and completes. A thread that runs a task of the same scheduler cannot
//! wait for its own task: it leaves what is to be completed to the last of the workers and guests that goes. In
//! both cases the end of every task is in the log before `ShutdownComplete`; only what a worker that was left
//! behind does when it comes back is not.

use crate::runtime::entered;
use crate::runtime::root::inline_worker;
use crate::runtime::shared::{Shape, Shared};
use crate::runtime::shutdown::{Phase, Shutdown};
use crate::watchdog::{self, Lasting};
use glasshouse_pal::TaskEvent;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How much longer than its time a shutdown waits for workers that get on with cancelling what is left. A
/// guess: it lets go of some million tasks.
const GRACE: Duration = Duration::from_secs(1);
/// What holds a worker for so long when the time is over is taken to be stuck, and its worker is left behind.
/// Ten times the quantum that a poll has by default.
const STUCK: Duration = Duration::from_millis(50);
/// Between two looks at workers that may be stuck.
const LOOK: Duration = Duration::from_millis(5);

/// What the thread that shuts a scheduler down runs of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    Nothing,
    /// Its root, in `block_on` beside the workers.
    Root,
    /// Any of its tasks, as a worker.
    Tasks,
}

impl Runs {
    fn here(shared: &Arc<Shared>) -> Runs {
        entered::with_worker_of(Arc::as_ptr(shared), |worker| match worker {
            None => Runs::Nothing,
            Some(worker) if worker.index.is_none() => Runs::Root,
            Some(_) => Runs::Tasks,
        })
    }
}

/// What is left to do when every worker and every guest has gone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bequest {
    clean: bool,
    deadline: Option<Instant>,
}

/// Ends the scheduler. Without a timeout it cancels at once, and waits for its workers as long as it takes.
pub(crate) fn shut_down(
    shared: &Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    timeout: Option<Duration>,
) -> Shutdown {
    let here = Runs::here(shared);
    // A time beyond the clock's reach is for ever.
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    if here == Runs::Tasks {
        // Its own task would not end before it.
        return Shutdown::of(end_without_waiting(shared, deadline));
    }
    let allowed = timeout.unwrap_or_default();
    begin(shared, allowed);
    let ended = match shared.shape {
        Shape::Threads => end_workers(shared, allowed, deadline),
        Shape::Local | Shape::Deterministic { .. } => end_inline(shared, allowed),
    };
    let bequest = Bequest {
        clean: ended == Ended::Clean,
        deadline,
    };
    if ended != Ended::LeftBehind {
        // Until here: who waits for ever for a stuck task wants to know.
        shared.watchdog.dismiss();
        // The watchdog may be who shuts down, from what it calls at a stall.
        let here = thread::current().id();
        for thread in threads.into_iter().filter(|it| it.thread().id() != here) {
            // A worker contains the panics of its tasks; one of its own was printed by the hook.
            let _ = thread.join();
        }
    }
    if ended == Ended::LeftBehind {
        complete(shared, bequest);
    } else if here == Runs::Root {
        shared.phase.bequeath(bequest);
    } else {
        // Guests were told to end; one whose poll goes on is not waited for.
        let patience = Instant::now() + STUCK;
        let has_no_guests = |_| shared.has_no_guests();
        let _ = shared.phase.wait(Some(patience), has_no_guests);
        complete(shared, bequest);
    }
    Shutdown::of(bequest.clean)
}

/// Ends the scheduler at once, and waits for nobody. What cannot end without this thread ends on it.
pub(crate) fn shut_down_in_background(shared: &Arc<Shared>) {
    match shared.shape {
        Shape::Threads => drop(end_without_waiting(shared, Some(Instant::now()))),
        Shape::Local | Shape::Deterministic { .. } => {
            let _ = shut_down(shared, Vec::new(), Some(Duration::ZERO));
        }
    }
}

/// Closes the scheduler, and leaves the rest to who is the last to go. Whether there was nothing to cancel.
fn end_without_waiting(shared: &Shared, deadline: Option<Instant>) -> bool {
    begin(shared, Duration::ZERO);
    let clean = shared.live.is_empty();
    shared.phase.bequeath(Bequest { clean, deadline });
    close(shared);
    clean
}

fn begin(shared: &Shared, timeout: Duration) {
    shared.hub.event(TaskEvent::ShutdownBegin { timeout });
    shared.phase.set(Phase::Draining);
}

/// How the tasks ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// By themselves, as far as they are default ones.
    Clean,
    /// Some were cancelled.
    Cancelled,
    /// Some have not ended: a worker is stuck.
    LeftBehind,
}

impl Ended {
    fn of(clean: bool) -> Ended {
        if clean {
            Ended::Clean
        } else {
            Ended::Cancelled
        }
    }
}

/// Refuses spawns, and tells everybody.
fn close(shared: &Shared) {
    shared.phase.set(Phase::Closed);
    shared.unpark_all();
}

/// Has the worker threads end the tasks.
fn end_workers(shared: &Shared, allowed: Duration, deadline: Option<Instant>) -> Ended {
    // A time beyond the clock's reach is for ever.
    let until = Instant::now().checked_add(allowed);
    let clean = shared.phase.wait(until, |_| shared.live.is_empty());
    close(shared);
    if wait_for_workers(shared, deadline) {
        Ended::of(clean)
    } else {
        Ended::LeftBehind
    }
}

/// Waits until the last worker has come to its end. At the deadline it gives up when one is stuck, and tells of
/// the polls that are; without a deadline it waits for ever.
fn wait_for_workers(shared: &Shared, deadline: Option<Instant>) -> bool {
    let wait = |until| shared.phase.wait(until, |alive| alive == 0);
    if wait(deadline) {
        return true;
    }
    let patience = Instant::now() + GRACE;
    let mut lasting = Lasting::new(shared, STUCK);
    loop {
        let now = Instant::now();
        if wait(Some(patience.min(now + LOOK))) {
            return true;
        }
        if let Some(stuck) = lasting.look(shared) {
            watchdog::tell_of_all(shared, &stuck);
            return false;
        }
        if now >= patience {
            return false;
        }
    }
}

/// Ends the tasks on this thread, as their one worker: no thread is inside `block_on`, which borrows the
/// scheduler.
fn end_inline(shared: &Arc<Shared>, allowed: Duration) -> Ended {
    let worker = inline_worker(shared);
    let clean = match shared.shape {
        Shape::Deterministic { .. } => worker.run_out(allowed),
        Shape::Threads | Shape::Local => worker.run_until_ended(allowed),
    };
    close(shared);
    worker.drain_alone();
    Ended::of(clean)
}

/// Called by a worker or guest of a closed scheduler that has nothing more to record.
pub(super) fn left(shared: &Shared) {
    if let Some(bequest) = shared.phase.inherit(|| shared.has_no_guests()) {
        complete(shared, bequest);
    }
}

/// The last step.
fn complete(shared: &Shared, bequest: Bequest) {
    shared.watchdog.dismiss();
    for remote in &shared.remotes {
        remote.timers.close();
    }
    shared.blocking.shut_down(bequest.deadline);
    shared.hub.event(TaskEvent::ShutdownComplete {
        clean: bequest.clean,
    });
    if let Some(spill) = &shared.spill {
        spill.finish();
    }
    shared.hub.close();
}
