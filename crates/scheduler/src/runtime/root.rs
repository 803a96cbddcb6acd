//! Owns `block_on`: its future stays on the caller's stack, and is a task like any other in the log.

use crate::parker::Parker;
use crate::queue::Seeded;
use crate::runtime::context::Worker;
use crate::runtime::ending;
use crate::runtime::entered::{self, EnterGuard};
use crate::runtime::schedule::abort;
use crate::runtime::shared::{Shape, Shared};
use crate::runtime::tick::After;
use crate::task::{Class, Counted, Guest, Home, Outcome, Parts, Task, allocate, coop};
use glasshouse_telemetry::SpawnSite;
use std::any::Any;
use std::future::{Future, Pending, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

/// A root as the loop that runs it sees it: which task it is, and how it is polled.
pub(crate) struct Root<'a> {
    task: Counted,
    poll: &'a mut dyn FnMut(&mut Context<'_>) -> Outcome,
}

impl Root<'_> {
    pub(crate) fn is(&self, task: &Task) -> bool {
        task.header_ptr() == self.task.header_ptr()
    }

    pub(crate) fn abort(&self) {
        abort(&self.task);
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Outcome {
        (self.poll)(cx)
    }
}

/// Runs `future` on this thread until it ends; the scheduler's tasks run meanwhile.
pub(crate) fn block_on<F: Future>(
    shared: &Arc<Shared>,
    future: F,
    site: &SpawnSite<'_>,
) -> F::Output {
    assert!(
        !entered::is_on_worker(),
        "block_on was called on a thread that runs tasks; await the future instead, or call it in \
         spawn_blocking"
    );
    let mut future = pin!(future);
    let mut result: Option<Result<F::Output, Box<dyn Any + Send>>> = None;
    let mut poll =
        |cx: &mut Context<'_>| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Outcome::Pending,
            Ok(Poll::Ready(output)) => {
                result = Some(Ok(output));
                Outcome::Ready
            }
            Err(payload) => {
                let text = crate::task::panic_message(&*payload);
                let text = shared.hub.pal().text(text);
                result = Some(Err(payload));
                Outcome::Panicked(text)
            }
        };
    let hub = shared.hub.clone();
    hub.enter(|| match shared.shape {
        Shape::Threads => run_beside_workers(shared, site, &mut poll),
        // On any other thread than the owner it is a guest, as beside worker threads.
        Shape::Local if !shared.is_owner() => run_beside_workers(shared, site, &mut poll),
        Shape::Local | Shape::Deterministic { .. } => run_as_worker(shared, site, &mut poll),
    });
    match result {
        Some(Ok(output)) => output,
        Some(Err(payload)) => resume_unwind(payload),
        None => panic!("the scheduler was shut down while block_on ran; shut it down afterwards"),
    }
}

/// The cell of a root: its future is on the stack, this one is never polled.
fn allocate_root(worker: &Worker, site: &SpawnSite<'_>, home: Home) -> Task {
    let trace = worker.seam.spawned(site, None);
    let (task, join) = allocate::<Pending<()>>(
        pending(),
        Parts {
            shared: worker.shared.clone(),
            trace,
            class: Class::Default,
            home,
        },
    );
    drop(join);
    task
}

/// The thread is a guest: it runs its root, and the workers run everything else.
fn run_beside_workers(
    shared: &Arc<Shared>,
    site: &SpawnSite<'_>,
    poll: &mut dyn FnMut(&mut Context<'_>) -> Outcome,
) {
    let worker = Worker::new(shared.clone(), shared.hub.guest(), None, None);
    let _entered = entered::enter_worker(&worker);
    let guest = Arc::new(Guest {
        ready: Mutex::new(None),
        parker: Parker::new(),
    });
    let _listed = GuestGuard::new(shared, guest.clone());
    let mut task = allocate_root(&worker, site, Home::Guest(guest.clone()));
    let root = task.counted();
    let _in_dumps = shared.roots.list(task.trace());
    worker.seam.in_loop(|| {
        loop {
            match worker.tick(task, |_, cx| poll(cx)) {
                After::Ended => return,
                After::Ready { task: again, .. } => task = again,
                After::Idle => {
                    worker.seam.parked();
                    task = wait_for_root(shared, &guest, &root);
                    worker.seam.unparked();
                }
            }
        }
    });
}

/// A guest on the scheduler's list, so that its end wakes it.
struct GuestGuard<'a> {
    shared: &'a Shared,
    key: usize,
}

impl<'a> GuestGuard<'a> {
    fn new(shared: &'a Shared, guest: Arc<Guest>) -> GuestGuard<'a> {
        let mut guests = shared.guests.lock().unwrap_or_else(PoisonError::into_inner);
        let key = guests.insert(guest);
        GuestGuard { shared, key }
    }
}

impl Drop for GuestGuard<'_> {
    fn drop(&mut self) {
        // The thread goes on outside of ticks.
        coop::lift();
        let mut guests = self
            .shared
            .guests
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        guests.remove(self.key);
        drop(guests);
        if self.shared.phase.is_closed() {
            self.shared.phase.nudge();
            ending::left(self.shared);
        }
    }
}

fn wait_for_root(shared: &Shared, guest: &Guest, root: &Counted) -> Task {
    loop {
        if shared.phase.is_closed() {
            // Nobody fires its timers any more, nor watches its descriptors: it is cancelled like the rest.
            abort(root);
        }
        let ready = guest
            .ready
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match ready {
            Some(task) => return task,
            None => guest.parker.park(None),
        }
    }
}

/// The thread is the one worker: the root is a ready task among the others.
fn run_as_worker(
    shared: &Arc<Shared>,
    site: &SpawnSite<'_>,
    poll: &mut dyn FnMut(&mut Context<'_>) -> Outcome,
) {
    let worker = inline_worker(shared);
    let task = allocate_root(&worker, site, Home::Inline);
    let _in_dumps = shared.roots.list(task.trace());
    let mut root = Root {
        task: task.counted(),
        poll,
    };
    worker.push_woken(task);
    worker.seam.in_loop(|| worker.run(Some(&mut root)));
    if worker.is_stuck.get() {
        let Shape::Deterministic { seed, .. } = shared.shape else {
            unreachable!("only a deterministic scheduler knows that nothing can happen");
        };
        panic!(
            "the deterministic scheduler (seed {seed}) waits for ever: no task is ready and no timer is \
             armed; look at who should wake the tasks that wait, or allow_io() if another thread does"
        );
    }
}

/// The one worker that is inside `block_on`, for as long as this thread runs it. What is ready at its end
/// waits for the next.
pub(crate) fn inline_worker(shared: &Arc<Shared>) -> InlineWorker {
    assert!(
        !shared.is_run_inline.swap(true, Ordering::AcqRel),
        "another thread runs this scheduler; let one thread at a time call block_on"
    );
    // What upholds that a local task is polled and dropped on its own thread alone.
    assert!(
        shared.owner.is_none() || shared.is_owner(),
        "a LocalScheduler was run by another thread than its own"
    );
    shared.watchdog.worker_awoke();
    let seeded = shared
        .is_deterministic()
        .then(|| Seeded::resume(shared.random.load(Ordering::Relaxed)));
    let worker = Worker::new(shared.clone(), shared.hub.worker(0), Some(0), seeded);
    InlineWorker {
        _entered: entered::enter_worker(&worker),
        worker,
    }
}

/// See [`inline_worker`].
pub(crate) struct InlineWorker {
    worker: Rc<Worker>,
    _entered: EnterGuard,
}

impl std::ops::Deref for InlineWorker {
    type Target = Rc<Worker>;
    fn deref(&self) -> &Rc<Worker> {
        &self.worker
    }
}

impl Drop for InlineWorker {
    fn drop(&mut self) {
        // The thread goes on outside of ticks.
        coop::lift();
        let shared = &self.worker.shared;
        if let Some(seeded) = &self.worker.seeded {
            let (random, ready) = seeded.borrow_mut().suspend();
            shared.random.store(random, Ordering::Relaxed);
            for task in ready {
                shared.injector.push(task);
            }
        }
        shared.is_run_inline.store(false, Ordering::Release);
    }
}
