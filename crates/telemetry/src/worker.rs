//! Owns a worker's side of the seam: every transition that a thread with a ring makes. Those of a tick
//! are beside the tick itself.
//!
//! Order within a transition: stamp, slot, then (by the scheduler) the state, then the record. A
//! task's stamps never decrease: each is held at the one before where two processors' clocks disagree,
//! and the worker's boundary moves along, so that run, wait and ready delay add up to the task's life
//! exactly.

use crate::ENABLED;
use crate::depth::Flow;
use crate::hub::{Hub, Wake, denial, task_id};
use crate::meter::{Meter, Sample};
use crate::pulse::Pulse;
use crate::settings::SpawnSite;
use crate::site_cache::SiteCache;
use crate::spans;
use crate::trace::{Deferred, TaskTrace};
use glasshouse_pal::{
    Clock, EncodedEvent, EncodedSource, Installed, RingOwner, RingWriter, Slot, SlotCache,
    TaskEvent, TaskId, TaskState, TaskTable, WakeSource, WorkerState,
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
/// ```
/// use glasshouse_telemetry::{Hub, Settings, SpawnSite, TaskEvent, pal::{Pal, WakeSource}};
/// use glasshouse_telemetry::Leave;
/// use std::panic::Location;
/// let pal = Pal::memory();
/// let hub = Hub::new(Settings { pal: Some(pal.clone()), workers: 1, ..Settings::default() });
/// let worker = hub.worker(0);
/// let site = SpawnSite { location: Location::caller(), name: Some("pump") };
/// let task = worker.spawned(&site, None);
/// let mut tick = worker.start_tick(&task);
/// worker.poll_returned(&mut tick);
/// let draft = worker.leave(&task, &tick, Leave::Wait);
/// worker.commit(tick, draft);
/// worker.woke(&task, WakeSource::Timer);
/// # #[cfg(feature = "record")]
/// assert_eq!(
///     pal.events().last(),
///     Some(&TaskEvent::Wake { tid: task.id(), by: WakeSource::Timer })
/// );
/// ```
pub struct Worker {
    pub(crate) hub: Arc<Hub>,
    /// `None` for a guest.
    index: Option<usize>,
    /// Before the ring, which it gives up.
    _installed: Installed,
    pub(crate) ring: RingWriter,
    /// When the next clock pair is due.
    pub(crate) next_pair: Cell<u64>,
    pub(crate) clock: Clock,
    /// The log's, kept here because every transition goes there.
    table: TaskTable,
    pub(crate) meter: Arc<Meter>,
    flow: Arc<Flow>,
    /// Whether there is a recorder to push into.
    pub(crate) pushes: bool,
    /// The last boundary's stamp, and the task of the tick that lasts: others look at it.
    pub(crate) pulse: Arc<Pulse>,
    /// The next id of its block, and how many are left.
    ids: Cell<(u64, u64)>,
    slots: RefCell<SlotCache>,
    sites: SiteCache,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("index", &self.index)
            .field("boundary", &self.pulse.boundary())
            .finish_non_exhaustive()
    }
}

impl Worker {
    pub(crate) fn new(hub: Arc<Hub>, index: Option<usize>, owner: RingOwner) -> Worker {
        let ring = hub.pal().lease(owner);
        let pulse = match index {
            Some(index) => hub.pulses[index].clone(),
            None => Arc::new(Pulse::new()),
        };
        pulse.set_boundary(hub.clock().now_ordered());
        Worker {
            index,
            _installed: ring.install(),
            ring,
            next_pair: Cell::new(0),
            clock: hub.clock().clone(),
            table: hub.pal().table().clone(),
            meter: hub.meters.join(),
            flow: hub.meters.depth.flow(index).clone(),
            pushes: hub.push.is_some(),
            pulse,
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
        self.pulse.boundary()
    }

    /// Reads the clock anew as the boundary, after all that other threads have done that is seen here:
    /// to be called after a steal and a take from the shared queue. The end of a park does so itself.
    pub fn refresh(&self) -> u64 {
        self.hide_task();
        let now = self.clock.now_ordered();
        let now = self.hub.not_before(self.pulse.boundary(), now);
        self.pulse.set_boundary(now);
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
        let stamp = self.pulse.boundary();
        let slot = self.table.take(&mut self.slots.borrow_mut());
        match slot {
            Some(slot) => {
                let slot = self.table.slot(slot);
                slot.publish(tid, site_id, parent, TaskState::Scheduled, stamp);
            }
            None => self.hub.without_slot(),
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
        self.ring.write(task.since(), task.aux(), &event);
        self.meter.entered(TaskState::Scheduled);
        if self.pushes {
            self.push_state(TaskState::Scheduled);
        }
    }

    /// A spawn on this thread was refused at `capacity` tasks.
    pub fn denied(&self, site: &SpawnSite<'_>, parent: Option<TaskId>, capacity: usize) {
        if ENABLED {
            let site = self.sites.id(site, self.hub.pal());
            let event = denial(site, parent, capacity);
            self.ring.write(self.pulse.boundary(), 0, &event);
        }
    }

    /// Writes the record that a thread without a ring left, with the stamp that it took; nothing if
    /// there is none.
    #[inline(always)]
    pub fn take_in(&self, task: &TaskTrace) {
        if task.has_deferred() {
            self.take_in_deferred(task);
        }
    }

    #[cold]
    #[inline(never)]
    fn take_in_deferred(&self, task: &TaskTrace) {
        match task.take_deferred() {
            Deferred::Nothing => {}
            _ if !ENABLED => {}
            Deferred::Spawned => self.record_spawned(task, None),
            Deferred::Wake => {
                let by = task.noted_waker().unwrap_or(WakeSource::External);
                task.forget_waker();
                let tid = task.id();
                let event = TaskEvent::Wake { tid, by };
                // Counted by the sample that was taken then.
                self.ring.write(task.since(), task.aux(), &event);
                if self.pushes {
                    self.push_state(TaskState::Scheduled);
                }
            }
        }
    }

    /// This thread has won the wake of `task`: stamps and records it. Before the push.
    #[inline(always)]
    pub fn woke(&self, task: &TaskTrace, by: WakeSource) {
        let by = EncodedSource::of(by);
        let now = self.now_from(task.since());
        let Wake { stamp, aux, wait } = self.hub.stamp_wake(task, by, now, &self.table);
        if !self.pulse.is_in_tick() && stamp > self.pulse.boundary() {
            // What runs next on this worker runs after this wake. Inside a tick the boundary stays: its
            // end is read anyway.
            self.pulse.set_boundary(stamp);
        }
        if ENABLED {
            let event = EncodedEvent::wake(task.id(), by);
            self.ring.write_encoded(stamp, aux, event);
            self.meter.sample(Sample::Wait, wait);
            if self.pushes {
                self.push(TaskState::Scheduled, Sample::Wait, wait);
            }
        }
    }

    /// The time; not before the boundary, and not before `since`, unless two processors' clocks disagree.
    #[inline]
    fn now_from(&self, since: u64) -> u64 {
        let now = self.clock.now().max(self.pulse.boundary());
        if now >= since {
            return now;
        }
        // The processor may have read ahead of the exchange that won the wake, and so ahead of a wait that
        // ended on another one just now.
        self.clock.now_ordered().max(self.pulse.boundary())
    }

    /// The task has ended and is recorded: its slot is free again.
    pub fn free(&self, task: &TaskTrace) {
        if let Some(id) = task.slot() {
            self.table.slot(id).clear();
            self.table.give_back(&mut self.slots.borrow_mut(), id);
        }
    }

    /// This worker pushes a task onto a ready queue.
    #[inline]
    pub fn pushed(&self) {
        debug_assert!(self.index.is_some(), "a guest counts otherwise");
        if ENABLED {
            self.flow.pushed();
            self.depth_moved();
        }
    }

    /// A guest pushes a task onto a ready queue: it counts where all threads do that are no workers.
    pub fn pushed_as_guest(&self) {
        debug_assert!(self.index.is_none(), "a worker counts for itself");
        if ENABLED {
            self.flow.pushed_shared();
            self.depth_moved();
        }
    }

    /// This worker has popped a task from a ready queue; a guest has none.
    #[inline]
    pub fn popped(&self) {
        debug_assert!(self.index.is_some(), "a guest has no ready queue");
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
        if ENABLED {
            self.hide_task();
            let now = self.clock.now();
            self.ring.current(now, None, WorkerState::Parked);
            self.date(now);
        }
    }

    /// The worker has been unparked. The date waits for the end of its first tick's poll: whoever that wakes
    /// after a pause need not wait for clocks to be read.
    pub fn unparked(&self) {
        // As after all that other threads have done: one of them may have unparked it.
        let now = self.refresh();
        if ENABLED {
            self.ring.current(now, None, WorkerState::Searching);
            self.next_pair.set(0);
        }
    }

    /// Puts a date to the stamps around, and moves the boundary on: no task is charged for that.
    #[cold]
    pub(crate) fn date_and_refresh(&self, end: u64) {
        self.date(end);
        let now = self.hub.not_before(end, self.clock.now());
        self.pulse.set_boundary(now);
    }

    #[cold]
    pub(crate) fn date(&self, now: u64) {
        self.ring.clock_pair();
        self.next_pair.set(now + self.clock.ticks(PAIR_SPACING_NS));
    }

    #[inline]
    pub(crate) fn slot(&self, task: &TaskTrace) -> Option<&Slot> {
        task.slot().map(|slot| self.table.slot(slot))
    }

    /// Tells the ring's header that the task it shows has ended its tick. Not done at the end of each:
    /// while one tick follows another at once, nothing lies between them.
    #[inline]
    fn hide_task(&self) {
        if ENABLED && self.ring.current_task().is_some() {
            let end = self.pulse.boundary();
            self.ring.current(end, None, WorkerState::Searching);
        }
    }

    /// Pushes a transition into `state` and the duration in raw clock ticks that it ends.
    #[cold]
    pub(crate) fn push(&self, state: TaskState, kind: Sample, raw: u64) {
        self.push_state(state);
        self.push_sample(kind, raw);
    }

    #[cold]
    fn push_state(&self, state: TaskState) {
        if let Some(push) = &self.hub.push {
            push.entered(state);
        }
    }

    #[cold]
    fn push_sample(&self, kind: Sample, raw: u64) {
        if let Some(push) = &self.hub.push {
            push.sample(kind, self.clock.ns(raw));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.hide_task();
        self.hub.meters.leave(&self.meter);
    }
}
