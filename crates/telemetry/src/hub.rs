//! Owns one scheduler's side of the seam: its log, its meters, and what threads that own no ring do.

use crate::ENABLED;
use crate::buckets::check_buckets;
use crate::catalog::DEFAULT_BUCKETS;
use crate::meter::Sample;
use crate::meters::Meters;
use crate::prometheus::{Exporter, exporter_behind};
use crate::pulse::Pulse;
use crate::push::Push;
use crate::settings::{Settings, SpawnSite};
use crate::site_cache::intern;
use crate::spans;
use crate::trace::{Deferred, TaskTrace};
use crate::worker::Worker;
use glasshouse_pal::{
    self as pal, Clock, EncodedSource, IdSource, LossCause, Pal, RingOwner, SiteId, TaskEvent,
    TaskId, TaskState, TaskTable, WakeSource,
};
use metrics::Recorder;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One scheduler's telemetry, shared by its workers and by every thread that touches its tasks.
///
/// Whoever owns a ring of it goes through a [`Worker`]; the methods here serve everyone else. Such a
/// thread cannot write a record of its own: it stamps the task, and the worker that takes the task in
/// writes the record.
///
/// ```
/// use glasshouse_telemetry::{Hub, Leave, Settings, SpawnSite, TaskEvent, pal::Pal};
/// use std::panic::Location;
/// let pal = Pal::memory();
/// let hub = Hub::new(Settings { pal: Some(pal.clone()), workers: 1, ..Settings::default() });
/// let site = SpawnSite { location: Location::caller(), name: None };
/// let task = hub.spawned(&site);
/// let worker = hub.worker(0);
/// worker.take_in(&task);
/// let mut tick = worker.start_tick(&task);
/// worker.poll_returned(&mut tick);
/// let draft = worker.leave(&task, &tick, Leave::Done);
/// worker.commit(tick, draft);
/// worker.free(&task);
/// # #[cfg(feature = "record")]
/// assert!(matches!(
///     pal.events()[..],
///     [TaskEvent::Spawned { .. }, TaskEvent::Running { .. }, TaskEvent::Done { .. }]
/// ));
/// ```
pub struct Hub {
    pal: Pal,
    clock: Clock,
    own_ids: Option<IdSource>,
    pub(crate) meters: Arc<Meters>,
    pub(crate) push: Option<Push>,
    /// The exporters that read the meters.
    exporters: Vec<Exporter>,
    /// The builder's recorder or exporter, for the threads of the scheduler.
    recorder: Option<Arc<dyn Recorder + Send + Sync>>,
    /// By worker.
    pub(crate) pulses: Box<[Arc<Pulse>]>,
    /// It was told that tasks live without a slot in the task table.
    has_told_of_slots: AtomicBool,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("workers", &self.pulses.len())
            .field("pushes", &self.push.is_some())
            .field("exporters", &self.exporters.len())
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// Makes a scheduler's telemetry and registers its metrics.
    ///
    /// The metrics are pulled by the exporter in `settings`, and by the recorder if that is an
    /// exporter's; any other recorder is pushed into. Without one in `settings` the recorder is the
    /// one current on this thread. Histogram bounds that [`check_buckets`] refuses are not used; the
    /// default ones are.
    pub fn new(settings: Settings) -> Arc<Hub> {
        let workers = settings.workers;
        let pal = settings.pal.unwrap_or_else(|| match ENABLED {
            true => Pal::process(workers),
            false => Pal::off(),
        });
        let clock = pal.clock().clone();
        let buckets = settings
            .buckets
            .filter(|seconds| check_buckets(seconds).is_ok());
        let seconds = buckets.map_or_else(|| DEFAULT_BUCKETS.into(), Arc::from);
        let meters = Arc::new(Meters::new(seconds, clock.clone(), workers));
        let given = settings.exporter.as_ref();
        let recorder = settings.recorder.or_else(|| {
            given.map(|exporter| Arc::new(exporter.recorder()) as Arc<dyn Recorder + Send + Sync>)
        });
        let mut exporters = Vec::from_iter(settings.exporter);
        let mut push = None;
        if ENABLED {
            let mut connect = |recorder: &dyn Recorder| match exporter_behind(recorder) {
                Some(exporter) if exporters.iter().any(|known| known.is_same(&exporter)) => {}
                Some(exporter) => exporters.push(exporter),
                None => push = Push::into_recorder(recorder),
            };
            match &recorder {
                Some(recorder) => connect(recorder.as_ref()),
                None => metrics::with_recorder(connect),
            }
            for exporter in &exporters {
                exporter.attach(&meters);
            }
        }
        Arc::new(Hub {
            pal,
            clock,
            own_ids: settings.own_ids.then(IdSource::starting_at_one),
            meters,
            push,
            exporters,
            recorder,
            pulses: (0..workers).map(|_| Arc::new(Pulse::new())).collect(),
            has_told_of_slots: AtomicBool::new(false),
        })
    }

    /// The log.
    pub fn pal(&self) -> &Pal {
        &self.pal
    }

    /// The log's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Runs `f` with the builder's recorder, if one was given, as this thread's recorder, so that what
    /// the tasks themselves measure lands there too; with the builder's exporter, if only that was.
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        match &self.recorder {
            Some(recorder) => metrics::with_local_recorder(recorder.as_ref(), f),
            None => f(),
        }
    }

    /// The seam of worker `index`, on whose thread this is called. Takes a ring for it.
    ///
    /// # Panics
    /// When `index` is not below the number of workers in the settings.
    pub fn worker(self: &Arc<Self>, index: usize) -> Worker {
        assert!(
            index < self.pulses.len(),
            "worker {index} of a scheduler built for {}",
            self.pulses.len()
        );
        // A log has far fewer rings than 65,536; it decides what becomes of those beyond.
        let owner = RingOwner::Worker(u16::try_from(index).unwrap_or(u16::MAX));
        Worker::new(self.clone(), Some(index), owner)
    }

    /// The seam of a thread that runs a task of this scheduler without being one of its workers.
    pub fn guest(self: &Arc<Self>) -> Worker {
        Worker::new(self.clone(), None, RingOwner::External)
    }

    /// An id for a task that was refused: it is not in the log, and no other task has it.
    pub fn next_id(&self) -> TaskId {
        task_id(self.ids().take(1))
    }

    pub(crate) fn ids(&self) -> &IdSource {
        self.own_ids.as_ref().unwrap_or_else(|| self.pal.ids())
    }

    /// A task spawned by a thread without a ring. Its record is left to the worker that takes it in.
    pub fn spawned(&self, site: &SpawnSite<'_>) -> TaskTrace {
        let tid = task_id(self.ids().take(1));
        let site_id = intern(site, &self.pal);
        let stamp = self.clock.now_ordered();
        let slot = self.pal.table().take_shared();
        match slot {
            Some(slot) => {
                let slot = self.pal.table().slot(slot);
                slot.publish(tid, site_id, None, TaskState::Scheduled, stamp);
            }
            None => self.without_slot(),
        }
        if ENABLED {
            spans::spawned(tid, site);
        }
        TaskTrace::new(tid, slot, site_id, stamp, Deferred::Spawned)
    }

    /// A task lives without a slot: the log counts each, and the first is told.
    #[cold]
    pub(crate) fn without_slot(&self) {
        if ENABLED && !self.has_told_of_slots.swap(true, Ordering::Relaxed) {
            spans::table_full(self.pal.path());
        }
    }

    /// A thread without a ring has won the wake of `task`. Before the push; the record is left to the
    /// worker that takes it in.
    pub fn woke(&self, task: &TaskTrace, by: WakeSource) {
        // Ordered, so that a wake never precedes the wait that it ends, on another processor.
        let now = self.clock.now_ordered();
        let wake = self.stamp_wake(task, EncodedSource::of(by), now, self.pal.table());
        task.defer_wake(by);
        if ENABLED {
            self.meters.outside.sample_shared(Sample::Wait, wake.wait);
            if let Some(push) = &self.push {
                push.sample(Sample::Wait, self.clock.ns(wake.wait));
            }
        }
    }

    /// Stamps a wake in the trace and the slot: at `now`, or when the wait began if that is later.
    #[inline]
    pub(crate) fn stamp_wake(
        &self,
        task: &TaskTrace,
        by: EncodedSource,
        now: u64,
        table: &TaskTable,
    ) -> Wake {
        let since = task.since();
        let stamp = self.not_before(since, now);
        let wait = stamp - since;
        // Whoever won the wake holds the task alone: what was noted before is of an earlier poll.
        task.forget_waker();
        let aux = task.advance(stamp);
        if let Some(slot) = task.slot() {
            let slot = table.slot(slot);
            slot.add_wait(wait);
            slot.set_waker(by);
            slot.enter(TaskState::Scheduled, stamp);
        }
        Wake { stamp, aux, wait }
    }

    /// `stamp`, held at `since` if it lies before it: two processors' clocks may disagree.
    #[inline]
    pub(crate) fn not_before(&self, since: u64, stamp: u64) -> u64 {
        if stamp < since {
            self.count_regression();
            return since;
        }
        stamp
    }

    #[cold]
    fn count_regression(&self) {
        self.pal.count_loss(LossCause::ClockRegressed);
    }

    /// A task was pushed onto the shared queue by a thread that is no worker.
    pub fn pushed(&self) {
        if ENABLED {
            self.meters.depth.flow(None).pushed_shared();
            self.push_depth();
        }
    }

    /// Pushes the ready-queue depth after it has moved.
    pub(crate) fn push_depth(&self) {
        if let Some(push) = &self.push {
            push.depth(&self.meters.depth);
        }
    }

    /// A spawn by a thread without a ring was refused at `capacity` tasks.
    pub fn denied(&self, site: &SpawnSite<'_>, capacity: usize) {
        if ENABLED {
            self.event(denial(intern(site, &self.pal), None, capacity));
        }
    }

    /// One of the scheduler's own events, from any thread.
    pub fn event(&self, event: TaskEvent) {
        if !ENABLED {
            return;
        }
        let is_own = |log: Pal| std::ptr::eq(log.table(), self.pal.table());
        if pal::current_log().is_some_and(is_own) {
            pal::emit(event);
        } else {
            // This thread's ring, if it has one, is another log's.
            let ring = self.pal.lease(RingOwner::External);
            ring.write(self.clock.now_ordered(), 0, &event);
        }
    }

    /// Tasks in ready queues: exact whenever no push or pop is under way.
    pub fn ready_depth(&self) -> u64 {
        self.meters.depth.read()
    }

    /// The scheduler has ended: its exporters read it a last time and keep its totals. A second call
    /// does nothing.
    pub fn close(&self) {
        for exporter in &self.exporters {
            exporter.detach(&self.meters);
        }
    }
}

/// A wake that was stamped.
pub(crate) struct Wake {
    pub(crate) stamp: u64,
    /// The transition's number.
    pub(crate) aux: u8,
    /// How long the task waited, in raw ticks.
    pub(crate) wait: u64,
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.close();
    }
}

pub(crate) fn denial(site: SiteId, parent: Option<TaskId>, capacity: usize) -> TaskEvent {
    TaskEvent::SpawnDenied {
        parent,
        site,
        capacity: u32::try_from(capacity).unwrap_or(u32::MAX),
    }
}

/// The id with a number that an [`IdSource`] handed out.
#[inline]
pub(crate) fn task_id(number: u64) -> TaskId {
    // A source begins at one; at a billion spawns a second it stays in range for two years.
    TaskId::new(number).expect("an id source hands out numbers in range")
}
