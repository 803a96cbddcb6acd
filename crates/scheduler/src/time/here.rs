//! Owns how a thread reaches the timers that a sleep is armed with.
//!
//! A sleep keeps its scheduler's number and no reference. On a thread that works for this scheduler the rest
//! is at hand; elsewhere the directory finds it.

use crate::runtime::context::Worker;
use crate::runtime::directory::{self, SchedulerId};
use crate::runtime::{Shared, entered};
use crate::task;
use crate::time::Instant;
use crate::time::timers::{Armed, Look, Timers};
use glasshouse_pal::Clock;
use std::cell::Cell;
use std::task::Waker;

/// Deadlines nearer than this are compared with the clock. For others the start of the tick, which is known,
/// is near enough to the present: at worst a timer is armed that fires at once.
const NEAR_NS: u64 = 100_000;

/// A timer that was armed, and whose waker it has.
#[derive(Clone, Copy)]
pub(crate) struct ArmedFor {
    pub(super) timer: Armed,
    waker: WakerId,
}

impl ArmedFor {
    /// Whether this waker is the one it has.
    pub(super) fn wakes(&self, waker: &Waker) -> bool {
        self.waker == WakerId::of(waker)
    }
}

/// Tells wakers apart without asking the timers, where the waker itself is. It is alive there as long as
/// its timer is armed, so no other has its address.
#[derive(Clone, Copy, PartialEq, Eq)]
struct WakerId {
    data: usize,
    vtable: usize,
}

impl WakerId {
    fn of(waker: &Waker) -> WakerId {
        WakerId {
            data: waker.data().addr(),
            vtable: std::ptr::from_ref(waker.vtable()).addr(),
        }
    }

    /// Whether it is the waker of a task of ours.
    fn is_a_tasks(self) -> bool {
        self.vtable == std::ptr::from_ref(task::waker_vtable()).addr()
    }
}

/// The timer of a sleep that is gone, still armed with the worker that keeps it here.
///
/// Most timers never fire: a task bounds each of its waits, so it drops one sleep and arms the next in the same
/// tick. The next one takes the timer over where it stands, its waker included, so that the lock is taken once
/// and no reference is counted. What nobody has taken over is disarmed before the worker looks at its timers,
/// in its next turn; its waker is a task's, so nothing of the application's is kept that long. (Only if the tick
/// is so long that another thread fires the worker's timers, it may wake its task once for nothing.)
pub(crate) struct SpareTimer(Cell<Option<ArmedFor>>);

impl SpareTimer {
    pub(crate) const fn none() -> SpareTimer {
        SpareTimer(Cell::new(None))
    }
}

impl Worker {
    /// Disarms what no sleep has taken over.
    #[inline(always)]
    pub(crate) fn disarm_spare(&self) {
        if let Some(spare) = self.spare_timer.0.get() {
            self.spare_timer.0.set(None);
            self.disarm_left(spare);
        }
    }

    #[cold]
    fn disarm_left(&self, spare: ArmedFor) {
        let timers = &self.shared.remotes[spare.timer.worker()].timers;
        drop(timers.disarm(&spare.timer));
    }
}

/// A scheduler as a thread reaches it that polls, resets or drops a sleep.
#[derive(Clone, Copy)]
pub(super) struct Here<'a> {
    shared: &'a Shared,
    /// The thread's worker there, if it has one: a guest too.
    pub(super) worker: Option<&'a Worker>,
}

impl<'a> Here<'a> {
    /// Calls `f` with the scheduler, if it has not gone.
    #[inline(always)]
    pub(super) fn find<R>(scheduler: SchedulerId, f: impl FnOnce(Option<Here<'_>>) -> R) -> R {
        entered::with_worker(|worker| match worker {
            Some(worker) if worker.shared.listed.id() == scheduler => f(Some(Here {
                shared: &worker.shared,
                worker: Some(worker),
            })),
            _ => Here::find_elsewhere(scheduler, f),
        })
    }

    #[cold]
    fn find_elsewhere<R>(scheduler: SchedulerId, f: impl FnOnce(Option<Here<'_>>) -> R) -> R {
        let shared = directory::find(scheduler);
        f(shared.as_deref().map(|shared| Here {
            shared,
            worker: None,
        }))
    }

    /// Whose timers a sleep is armed with here. A thread without timers of its own takes the first worker's.
    fn index(self) -> usize {
        self.worker.and_then(|worker| worker.index).unwrap_or(0)
    }

    fn timers(self, worker: usize) -> &'a Timers {
        &self.shared.remotes[worker].timers
    }

    /// The timers that this one was armed with.
    pub(super) fn timers_of(self, timer: &Armed) -> &'a Timers {
        self.timers(timer.worker())
    }

    pub(super) fn has_fired(self, timer: &Armed) -> bool {
        self.timers_of(timer).has_fired(timer)
    }

    pub(super) fn is_armed(self, timer: &Armed) -> bool {
        self.timers_of(timer).is_armed(timer)
    }

    pub(super) fn clock(self) -> &'a Clock {
        self.shared.hub.clock()
    }

    /// The present in nanoseconds; if `deadline` is far from it the start of the tick, which costs no look at
    /// the clock.
    #[inline(always)]
    pub(super) fn present(self, deadline: Instant) -> u64 {
        let clock = self.clock();
        if let Some(worker) = self.worker
            && !clock.is_virtual()
        {
            let tick = clock.ns(worker.seam.now());
            if tick.saturating_add(NEAR_NS) < deadline.ns() {
                return tick;
            }
        }
        clock.ns(clock.now())
    }

    /// Arms a timer; nothing when the scheduler has ended.
    #[inline(always)]
    pub(super) fn arm(self, deadline: Instant, now: u64, waker: &Waker) -> Option<ArmedFor> {
        if let Some(worker) = self.worker
            && let Some(spare) = worker.spare_timer.0.get()
            && spare.wakes(waker)
        {
            worker.spare_timer.0.set(None);
            if let Some(armed) = self.rearm(spare, deadline, now) {
                return Some(armed);
            }
        }
        self.arm_anew(deadline, now, waker)
    }

    #[inline(never)]
    fn arm_anew(self, deadline: Instant, now: u64, waker: &Waker) -> Option<ArmedFor> {
        if let Some(worker) = self.worker {
            worker.disarm_spare();
        }
        let timers = self.timers(self.index());
        let (timer, look) = timers.arm(deadline.ns(), now, waker.clone())?;
        self.tell_owner(&timer, look);
        let waker = WakerId::of(waker);
        Some(ArmedFor { timer, waker })
    }

    /// Lets a timer fire at another time; nothing if it has fired.
    #[inline(always)]
    pub(super) fn rearm(self, armed: ArmedFor, deadline: Instant, now: u64) -> Option<ArmedFor> {
        let timers = self.timers_of(&armed.timer);
        let (timer, look) = timers.rearm(&armed.timer, deadline.ns(), now)?;
        self.tell_owner(&timer, look);
        Some(ArmedFor { timer, ..armed })
    }

    /// Lets a timer wake another waker. Whether it is still armed.
    pub(super) fn update(self, armed: &mut ArmedFor, waker: &Waker) -> bool {
        armed.waker = WakerId::of(waker);
        self.timers_of(&armed.timer)
            .update(&armed.timer, waker.clone())
    }

    /// After a timer was armed: its worker must not sleep through it.
    #[inline(always)]
    fn tell_owner(self, timer: &Armed, look: Look) {
        let is_owner = self
            .worker
            .is_some_and(|worker| worker.index == Some(timer.worker()));
        if look == Look::Earlier && !is_owner {
            self.shared.unpark(timer.worker());
        }
    }

    pub(super) fn disarm(self, timer: &Armed) {
        if !self.has_fired(timer) {
            drop(self.timers_of(timer).disarm(timer));
        }
    }

    /// The sleep of this timer is dropped.
    #[inline(always)]
    pub(super) fn leave(self, armed: ArmedFor) {
        match self.worker {
            Some(worker)
                if worker.index == Some(armed.timer.worker()) && armed.waker.is_a_tasks() =>
            {
                if !self.has_fired(&armed.timer) {
                    worker.disarm_spare();
                    worker.spare_timer.0.set(Some(armed));
                }
            }
            _ => self.disarm(&armed.timer),
        }
    }
}
