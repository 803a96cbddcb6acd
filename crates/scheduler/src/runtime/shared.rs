//! Owns what all threads of one scheduler share.

use crate::blocking::Pool;
use crate::driver::Driver;
use crate::idle::{Call, Idle};
use crate::parker::Parker;
use crate::queue::{Injector, LocalQueue, Takers};
use crate::runtime::directory::Listed;
use crate::runtime::live::Live;
use crate::runtime::registry::Registry;
use crate::runtime::roots::Roots;
use crate::runtime::shutdown::PhaseCell;
use crate::spill::Spill;
use crate::task::{Class, Guest, Task};
use crate::time::Timers;
use crate::watchdog::Watchdog;
use glasshouse_pal::Clock;
use glasshouse_telemetry::Hub;
use slab::Slab;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

/// Who runs the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Threads of their own.
    Threads,
    /// The one worker is the thread in `block_on`.
    Local,
    /// The one worker is the thread in `block_on`; time is virtual and the seed picks the next task.
    Deterministic { seed: u64, io: bool },
}

/// The part of a worker that other threads reach: they take from its queues, arm, cancel and fire its timers,
/// and wake it.
pub(crate) struct Remote {
    pub(crate) system: LocalQueue<Task>,
    pub(crate) default: LocalQueue<Task>,
    pub(crate) parker: Parker,
    /// Beside the parker, whose cache line who calls the worker has anyway.
    pub(crate) call: Call,
    pub(crate) timers: Timers,
}

impl Remote {
    /// One of so many workers.
    pub(crate) fn new(worker: usize, workers: usize, clock: &Clock) -> Remote {
        // The siblings take from a worker's queues, and so does the watchdog where it can hand on to a sibling.
        // A lone worker has its own to itself.
        let takers = if workers == 1 {
            Takers::Owner
        } else {
            Takers::All
        };
        Remote {
            system: LocalQueue::new(takers),
            default: LocalQueue::new(takers),
            parker: Parker::new(),
            call: Call::none(),
            timers: Timers::new(clock.clone(), worker),
        }
    }

    #[inline]
    pub(crate) fn queue(&self, class: Class) -> &LocalQueue<Task> {
        match class {
            Class::Default => &self.default,
            Class::System => &self.system,
        }
    }

    /// The ready tasks of either class in its queues, with the one that is next.
    #[inline]
    pub(crate) fn ready(&self) -> usize {
        let next = usize::from(!self.default.next().is_empty());
        self.default.len() as usize + self.system.len() as usize + next
    }
}

/// One scheduler, as its workers, handles, tasks and wakers see it.
pub(crate) struct Shared {
    pub(crate) listed: Listed,
    pub(crate) hub: Arc<Hub>,
    pub(crate) shape: Shape,
    pub(crate) injector: Injector,
    pub(crate) idle: Idle,
    pub(crate) remotes: Box<[Arc<Remote>]>,
    pub(crate) registry: Registry,
    pub(crate) roots: Roots,
    pub(crate) live: Live,
    pub(crate) phase: PhaseCell,
    /// Absent where descriptors are refused.
    pub(crate) driver: Option<Driver>,
    pub(crate) blocking: Pool,
    pub(crate) quantum_ticks: u64,
    pub(crate) watchdog: Watchdog,
    /// Keeps the log on disk, where asked to.
    pub(crate) spill: Option<Spill>,
    /// Threads inside `block_on` beside the workers.
    pub(crate) guests: Mutex<Slab<Arc<Guest>>>,
    /// The one thread that may run its worker, where tasks need not be Send; such a scheduler cannot leave
    /// the thread that built it.
    pub(crate) owner: Option<ThreadId>,
    /// Whether a thread runs as the worker that is inside `block_on`.
    pub(crate) is_run_inline: AtomicBool,
    /// The state of a deterministic scheduler's generator between two stays of its worker.
    pub(crate) random: AtomicU64,
}

impl Shared {
    /// A push by a thread that has no queue of its own.
    pub(crate) fn inject(&self, task: Task) {
        self.injector.push(task);
        if self.is_deterministic() {
            // Its one worker says nothing when it sleeps, as it seldom does: always wake it.
            self.unpark(0);
        } else {
            self.wake_a_worker();
        }
    }

    /// After a push: one worker more, if one sleeps and none searches.
    pub(crate) fn wake_a_worker(&self) {
        let call_of = |worker: usize| &self.remotes[worker].call;
        if let Some(worker) = self.idle.worker_to_wake(call_of) {
            self.unpark(worker);
        }
    }

    /// This worker is awake. Whether somebody called it: then it counts as searching.
    pub(crate) fn awoke(&self, worker: usize) -> bool {
        self.idle.wake_up(worker, &self.remotes[worker].call)
    }

    pub(crate) fn unpark(&self, worker: usize) {
        self.remotes[worker].parker.unpark(|| {
            if let Some(driver) = &self.driver {
                driver.interrupt();
            }
        });
    }

    /// Every worker and every guest looks around: the scheduler has closed.
    pub(crate) fn unpark_all(&self) {
        (0..self.remotes.len()).for_each(|worker| self.unpark(worker));
        let guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        guests.iter().for_each(|(_, guest)| guest.unpark());
    }

    /// Whether no thread is inside `block_on` beside the workers.
    pub(crate) fn has_no_guests(&self) -> bool {
        let guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
        guests.is_empty()
    }

    /// Whether no worker runs: each sleeps, or is not inside `block_on`.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.is_away() || self.idle.is_everyone_asleep()
    }

    /// Whether this worker does not run.
    pub(crate) fn is_resting(&self, worker: usize) -> bool {
        self.is_away() || self.idle.is_asleep(worker)
    }

    /// Whether no thread is inside the `block_on` that runs the one worker.
    fn is_away(&self) -> bool {
        self.shape == Shape::Local && !self.is_run_inline.load(Ordering::Relaxed)
    }

    /// Whether this thread is the one that runs the tasks which are not Send.
    pub(crate) fn is_owner(&self) -> bool {
        self.owner == Some(thread::current().id())
    }

    pub(crate) fn is_deterministic(&self) -> bool {
        matches!(self.shape, Shape::Deterministic { .. })
    }
}
