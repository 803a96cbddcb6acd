//! Owns a worker's side of the seam: every transition that a thread with a ring makes.
//!
//! Order within a transition: stamp, slot, then (by the scheduler) the state, then the record. A
//! task's stamps never decrease: each is held at the one before where two processors' clocks disagree,
//! and the worker's boundary moves along, so that run, wait and ready delay add up to the task's life
//! exactly.

use crate::ENABLED;
use crate::depth::Flow;
use crate::hub::{Hub, denial, task_id};
use crate::meter::{Meter, Sample};
use crate::settings::SpawnSite;
use crate::site_cache::SiteCache;
use crate::spans::{self, TickSpan};
use crate::tick::{Draft, Leave, Tick};
use crate::trace::{Deferred, TaskTrace};
use glasshouse_pal::{
    Clock, Failure, Installed, RingOwner, RingWriter, Slot, SlotCache, TaskEvent, TaskId,
    TaskState, WakeSource, WorkerState,
};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;

/// How many ids a worker takes from the source at once.
const ID_BLOCK: u64 = 64;
/// How far apart clock pairs are while a worker never parks.
const PAIR_SPACING_NS: u64 = 1_000_000_000;

/// The seam of one worker, or of a thread that runs a task like one. Stays on its thread.
///
/// [`Hub`] shows one whole tick.
pub struct Worker {
    hub: Arc<Hub>,
    /// `None` for a guest.
    index: Option<usize>,
    /// Before the ring, which it gives up.
    _installed: Installed,
    ring: RingWriter,
    /// When the next clock pair is due.
    next_pair: Cell<u64>,
    clock: Clock,
    meter: Arc<Meter>,
    flow: Arc<Flow>,
    /// Whether there is a recorder to push into.
    pushes: bool,
    /// Whether the ring's header shows a task.
    shows_task: Cell<bool>,
    /// The last boundary's stamp.
    boundary: Cell<u64>,
    is_in_tick: Cell<bool>,
    /// The next id of its block, and how many are left.
    ids: Cell<(u64, u64)>,
    slots: RefCell<SlotCache>,
    sites: SiteCache,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("index", &self.index)
            .field("boundary", &self.boundary.get())
            .finish_non_exhaustive()
    }
}

impl Worker {
    pub(crate) fn new(hub: Arc<Hub>, index: Option<usize>, owner: RingOwner) -> Worker {
        let ring = hub.pal().lease(owner);
        Worker {
            index,
            _installed: ring.install(),
            ring,
            next_pair: Cell::new(0),
            clock: hub.clock().clone(),
            meter: hub.meters.join(),
            flow: hub.meters.depth.flow(index).clone(),
            pushes: hub.push.is_some(),
            shows_task: Cell::new(false),
            boundary: Cell::new(hub.clock().now_ordered()),
            is_in_tick: Cell::new(false),
            ids: Cell::new((0, 0)),
            slots: RefCell::default(),
            sites: SiteCache::new(),
            hub,
        }
    }

    /// The scheduler's side.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The last boundary's stamp: the end of one tick is the start of the next.
    #[inline]
    pub fn now(&self) -> u64 {
        self.boundary.get()
    }

    /// Reads the clock anew as the boundary, after all that other threads have done that is seen here:
    /// to be called after a park, a steal, and a take from the shared queue.
    pub fn refresh(&self) -> u64 {
        self.hide_task();
        let now = self.clock.now_ordered().max(self.boundary.get());
        self.boundary.set(now);
        now
    }

    /// Runs `f` inside the span `scheduler.loop{worker}`; a guest has no such span.
    pub fn in_loop<R>(&self, f: impl FnOnce() -> R) -> R {
        if ENABLED {
            spans::in_loop(self.index, f)
        } else {
            f()
        }
    }

    /// A task spawned on this thread; stamped with the tick's start, or the boundary outside a tick.
    pub fn spawned(&self, site: &SpawnSite<'_>, parent: Option<TaskId>) -> TaskTrace {
        let pal = self.hub.pal();
        let tid = self.next_id();
        let site_id = self.sites.id(site, pal);
        let stamp = self.boundary.get();
        let slot = pal.table().take(&mut self.slots.borrow_mut());
        if let Some(slot) = slot {
            let slot = pal.table().slot(slot);
            slot.publish(tid, site_id, parent, TaskState::Scheduled, stamp);
        }
        let task = TaskTrace::new(tid, slot, site_id, stamp, Deferred::Nothing);
        if ENABLED {
            self.record_spawned(&task, parent);
            spans::spawned(tid, site);
        }
        task
    }

    #[inline]
    fn next_id(&self) -> TaskId {
        let (next, left) = self.ids.get();
        let (next, left) = match left {
            0 => (self.hub.ids().take(ID_BLOCK), ID_BLOCK),
            _ => (next, left),
        };
        self.ids.set((next + 1, left - 1));
        task_id(next)
    }

    fn record_spawned(&self, task: &TaskTrace, parent: Option<TaskId>) {
        let event = TaskEvent::Spawned {
            tid: task.id(),
            parent,
            site: task.site(),
        };
        self.record(task.since(), task.aux(), &event, TaskState::Scheduled);
    }

    /// A spawn on this thread was refused at `capacity` tasks.
    pub fn denied(&self, site: &SpawnSite<'_>, parent: Option<TaskId>, capacity: usize) {
        if ENABLED {
            let site = self.sites.id(site, self.hub.pal());
            let event = denial(site, parent, capacity);
            self.ring.write(self.boundary.get(), 0, &event);
        }
    }

    /// Writes the record that a thread without a ring left, with the stamp that it took; nothing if
    /// there is none.
    #[inline]
    pub fn take_in(&self, task: &TaskTrace) {
        match task.take_deferred() {
            Deferred::Nothing => {}
            _ if !ENABLED => {}
            Deferred::Spawned => self.record_spawned(task, None),
            Deferred::Wake => {
                let by = task.noted_waker().unwrap_or(WakeSource::External);
                self.record_wake(task.since(), task.aux(), task.id(), by);
            }
        }
    }

    /// The task begins to run, at the boundary.
    #[inline]
    pub fn start_tick(&self, task: &TaskTrace) -> Tick {
        let since = task.since();
        let start = self.hub.not_before(since, self.boundary.get());
        self.boundary.set(start);
        self.is_in_tick.set(true);
        let ready = start - since;
        let tid = task.id();
        let wait = task.take_wait();
        task.clear_waker();
        let aux = task.advance(start);
        if let Some(slot) = self.slot(task) {
            slot.add_ready(ready);
            slot.count_poll();
            slot.enter(TaskState::Running, start);
        }
        let mut span = TickSpan::NONE;
        if ENABLED {
            self.ring.current(start, Some(tid), WorkerState::Running);
            self.shows_task.set(true);
            let event = TaskEvent::Running { tid };
            self.ring.write(start, aux, &event);
            self.meter.entered(TaskState::Running);
            self.meter.sample(Sample::Ready, ready);
            if let Some(wait) = wait {
                self.meter.sample(Sample::Wait, wait);
            }
            if self.pushes {
                let samples = [(Sample::Ready, Some(ready)), (Sample::Wait, wait)];
                self.push(TaskState::Running, &samples);
            }
            span = TickSpan::enter(tid);
        }
        Tick {
            tid,
            start,
            end: start,
            left: Cell::new(None),
            span,
        }
    }

    /// The poll has returned: reads the clock, the tick's end and the next one's start. Returns the run
    /// time in raw clock ticks.
    #[inline]
    pub fn poll_returned(&self, tick: &mut Tick) -> u64 {
        let now = self.clock.now();
        tick.end = self.hub.not_before(tick.start, now);
        self.boundary.set(tick.end);
        self.is_in_tick.set(false);
        if ENABLED && tick.end >= self.next_pair.get() {
            self.date(tick.end);
        }
        tick.end - tick.start
    }

    /// Puts a date to the stamps around, while the worker is too busy to park.
    #[cold]
    fn date(&self, now: u64) {
        self.ring.clock_pair();
        self.next_pair.set(now + self.clock.ticks(PAIR_SPACING_NS));
    }

    /// The task is about to leave Running, at the tick's end: stamps it and its slot. To be called
    /// before the state is published, and again with [`Leave::Yield`] if a wake came in between.
    #[inline]
    pub fn leave(&self, task: &TaskTrace, tick: &Tick, leave: Leave) -> Draft {
        let tid = tick.tid;
        let event = self.leaving(task, tid, leave);
        // Each variant of `Leave` becomes a transition.
        let state = event.state().unwrap_or(TaskState::Waiting);
        let run = tick.end - tick.start;
        let slot = self.slot(task);
        let aux = match tick.left.get() {
            Some(aux) => aux,
            None => {
                let aux = task.advance(tick.end);
                tick.left.set(Some(aux));
                if let Some(slot) = slot {
                    slot.add_run(run);
                }
                aux
            }
        };
        if let Some(slot) = slot {
            slot.enter(state, tick.end);
        }
        Draft { event, state, aux }
    }

    #[inline]
    fn leaving(&self, task: &TaskTrace, tid: TaskId, leave: Leave) -> TaskEvent {
        // Whoever wakes a running task notes himself first; one who does not is no task of ours.
        let by = || task.noted_waker().unwrap_or(WakeSource::External);
        match leave {
            Leave::Yield => TaskEvent::Yield { tid, by: by() },
            Leave::Throttled => TaskEvent::Throttled { tid, by: by() },
            Leave::Sleep { dur } => TaskEvent::Sleep { tid, dur },
            Leave::Io(io) => TaskEvent::IoWait { tid, io },
            Leave::Join(on) => TaskEvent::JoinWait { tid, on },
            Leave::Lane(lane) => TaskEvent::LaneWait { tid, lane },
            Leave::Wait => TaskEvent::Wait { tid },
            Leave::Done => TaskEvent::Done { tid },
            Leave::Failed { kind, text } => {
                let error = Failure { kind, text };
                TaskEvent::Failed { tid, error }
            }
        }
    }

    /// The state is published: records the transition, and closes the tick's span. The task itself may
    /// be elsewhere by now, or gone.
    #[inline]
    pub fn commit(&self, tick: Tick, draft: Draft) {
        if ENABLED {
            let run = tick.end - tick.start;
            self.ring.write(tick.end, draft.aux, &draft.event);
            self.meter.entered(draft.state);
            self.meter.sample(Sample::Run, run);
            if self.pushes {
                self.push(draft.state, &[(Sample::Run, Some(run))]);
            }
            tick.span.close(draft.state);
        }
    }

    /// This thread has won the wake of `task`: stamps and records it. Before the push.
    #[inline]
    pub fn woke(&self, task: &TaskTrace, by: WakeSource) {
        let (stamp, aux) = self.hub.stamp_wake(task, by);
        if !self.is_in_tick.get() && stamp > self.boundary.get() {
            // What runs next on this worker runs after this wake. Inside a tick the boundary stays: its
            // end is read anyway.
            self.boundary.set(stamp);
        }
        if ENABLED {
            self.record_wake(stamp, aux, task.id(), by);
        }
    }

    fn record_wake(&self, stamp: u64, aux: u8, tid: TaskId, by: WakeSource) {
        let event = TaskEvent::Wake { tid, by };
        self.record(stamp, aux, &event, TaskState::Scheduled);
    }

    /// The task has ended and is recorded: its slot is free again.
    pub fn free(&self, task: &TaskTrace) {
        if let Some(id) = task.slot() {
            let table = self.hub.pal().table();
            table.slot(id).clear();
            table.give_back(&mut self.slots.borrow_mut(), id);
        }
    }

    /// This thread pushes a task onto a ready queue.
    #[inline]
    pub fn pushed(&self) {
        if ENABLED {
            self.flow.pushed();
            self.depth_moved();
        }
    }

    /// This thread has popped a task from a ready queue.
    #[inline]
    pub fn popped(&self) {
        if ENABLED {
            self.flow.popped();
            self.depth_moved();
        }
    }

    #[inline]
    fn depth_moved(&self) {
        if self.pushes {
            self.hub.push_depth();
        }
    }

    /// The worker is about to park.
    pub fn parked(&self) {
        self.rests(WorkerState::Parked);
    }

    /// The worker has been unparked.
    pub fn unparked(&self) {
        self.rests(WorkerState::Searching);
    }

    fn rests(&self, state: WorkerState) {
        if ENABLED {
            self.hide_task();
            let now = self.clock.now();
            self.ring.current(now, None, state);
            self.date(now);
        }
    }

    #[inline]
    fn slot(&self, task: &TaskTrace) -> Option<&Slot> {
        task.slot().map(|slot| self.hub.pal().table().slot(slot))
    }

    /// Tells the ring's header that the task it shows has ended its tick. Not done at the end of each:
    /// while one tick follows another at once, nothing lies between them.
    #[inline]
    fn hide_task(&self) {
        if ENABLED && self.shows_task.replace(false) {
            let end = self.boundary.get();
            self.ring.current(end, None, WorkerState::Searching);
        }
    }

    /// Writes and counts a transition into `state`, outside a tick's own.
    #[inline]
    fn record(&self, stamp: u64, aux: u8, event: &TaskEvent, state: TaskState) {
        self.ring.write(stamp, aux, event);
        self.meter.entered(state);
        if self.pushes {
            self.push(state, &[]);
        }
    }

    /// Pushes a transition into `state` and the durations that it ends, in raw clock ticks.
    #[cold]
    fn push(&self, state: TaskState, samples: &[(Sample, Option<u64>)]) {
        let Some(push) = &self.hub.push else {
            return;
        };
        push.entered(state);
        for &(kind, raw) in samples {
            if let Some(raw) = raw {
                push.sample(kind, self.clock.ns(raw));
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.hub.meters.leave(&self.meter);
    }
}
