//! Owns how a scheduler is set up.

use crate::blocking::{KEEP_ALIVE, MAX_THREADS, Pool, PoolSettings};
use crate::build_error::BuildError;
use crate::driver::Driver;
use crate::idle::Idle;
use crate::local_scheduler::LocalScheduler;
use crate::queue::Injector;
use crate::runtime::directory::Listed;
use crate::runtime::{Live, PhaseCell, Registry, Remote, Roots, Shape, Shared};
use crate::scheduler::Scheduler;
use crate::spill::{Spill, spilling};
use crate::start::start_threads;
use crate::thread_names::ThreadNames;
use crate::watchdog::{OnStall, Stall, Watchdog};
use glasshouse_pal::{Clock, Pal, spill};
use glasshouse_telemetry::{Hub, Settings, check_buckets, prometheus::Exporter};
use metrics::Recorder;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;

/// Run time after which a task that comes back ready goes behind its peers. A guess between the delay that
/// a person notices and the price of a switch.
const QUANTUM: Duration = Duration::from_millis(5);
/// A tick that is longer is a stall: a tenth of a second is the longest delay that a person takes for none
/// (Miller, "Response time in man-computer conversational transactions", 1968).
const STALL_THRESHOLD: Duration = Duration::from_millis(100);
/// Workers at most: their numbers are 16 bits in the log.
pub(crate) const MAX_WORKERS: usize = u16::MAX as usize;

/// Sets up a [`Scheduler`].
///
/// ```
/// use glasshouse_scheduler::Builder;
/// let scheduler = Builder::new().workers(2).name("edge").build().unwrap();
/// assert_eq!(scheduler.block_on(async { 6 * 7 }), 42);
/// ```
#[must_use = "a builder does nothing until build() is called"]
pub struct Builder {
    shape: Shape,
    workers: Option<usize>,
    name: String,
    thread_name: Option<ThreadNames>,
    max_blocking_threads: usize,
    thread_keep_alive: Duration,
    quantum: Duration,
    capacity: Option<usize>,
    stall_threshold: Duration,
    on_stall: Option<OnStall>,
    settings: Settings,
    spill: Option<spill::Settings>,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder::new()
    }
}

impl Builder {
    /// Workers on threads of their own, one per processor.
    pub fn new() -> Builder {
        Builder {
            shape: Shape::Threads,
            workers: None,
            name: "glasshouse".to_owned(),
            thread_name: None,
            max_blocking_threads: MAX_THREADS,
            thread_keep_alive: KEEP_ALIVE,
            quantum: QUANTUM,
            capacity: None,
            stall_threshold: STALL_THRESHOLD,
            on_stall: None,
            settings: Settings::default(),
            spill: None,
        }
    }

    /// One worker, the thread in `block_on`; time is virtual, and the seed picks the next of the ready
    /// tasks. The same program and seed leave the same records, in a log of its own in memory whose task
    /// ids begin with 1.
    ///
    /// Virtual time jumps to the next timer when nothing is ready. `spawn_blocking` runs its function in
    /// place. Descriptors are refused (see [`Builder::allow_io`]). A `block_on` that can never end panics.
    pub fn deterministic(seed: u64) -> Builder {
        Builder {
            shape: Shape::Deterministic { seed, io: false },
            workers: Some(1),
            ..Builder::new()
        }
    }

    /// Lets a deterministic scheduler watch descriptors and be woken by other threads. Time goes on in real
    /// time while a descriptor is watched, and the records of two runs may differ. No effect elsewhere.
    pub fn allow_io(mut self) -> Builder {
        if let Shape::Deterministic { io, .. } = &mut self.shape {
            *io = true;
        }
        self
    }

    /// The number of workers; one per processor by default.
    pub fn workers(mut self, workers: usize) -> Builder {
        self.workers = Some(workers);
        self
    }

    /// What the scheduler is called. Its threads are too, with the worker's number or "blocking" behind it,
    /// unless [`Builder::thread_name`] or [`Builder::thread_name_fn`] says otherwise. Linux shows the first 15
    /// bytes of a thread's name.
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = name.into();
        self
    }

    /// What each thread is called, those for blocking functions included. Linux shows the first 15 bytes.
    pub fn thread_name(self, name: impl Into<String>) -> Builder {
        let name = name.into();
        self.thread_name_fn(move || name.clone())
    }

    /// Names each thread as it is started, those for blocking functions included. Linux shows the first 15
    /// bytes; zero bytes are left out.
    ///
    /// ```
    /// use glasshouse_scheduler::{Builder, spawn};
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// let count = AtomicUsize::new(0);
    /// let scheduler = Builder::new()
    ///     .workers(1)
    ///     .thread_name_fn(move || format!("edge-{}", count.fetch_add(1, Ordering::Relaxed)))
    ///     .build()
    ///     .unwrap();
    /// let name = async { std::thread::current().name().map(str::to_owned) };
    /// assert_eq!(scheduler.block_on(scheduler.spawn(name)).unwrap().as_deref(), Some("edge-0"));
    /// ```
    pub fn thread_name_fn(mut self, name: impl Fn() -> String + Send + Sync + 'static) -> Builder {
        self.thread_name = Some(ThreadNames::From(Arc::new(name)));
        self
    }

    /// The threads that may run blocking functions at a time, apart from the workers: 512 by default. They are
    /// started when they are needed. A spiller ([`Builder::spill`]) may have one more.
    pub fn max_blocking_threads(mut self, threads: usize) -> Builder {
        self.max_blocking_threads = threads;
        self
    }

    /// How long an idle thread for blocking functions stays: 10 s by default.
    pub fn thread_keep_alive(mut self, duration: Duration) -> Builder {
        self.thread_keep_alive = duration;
        self
    }

    /// The run time after which a task that comes back ready goes behind its peers: 5 ms by default.
    pub fn quantum(mut self, quantum: Duration) -> Builder {
        self.quantum = quantum;
        self
    }

    /// The number of tasks that may live at a time, system tasks included; no limit by default.
    pub fn capacity(mut self, tasks: usize) -> Builder {
        self.capacity = Some(tasks);
        self
    }

    /// How long a tick may last before it is reported as a stall: 100 ms by default. `Duration::MAX` reports
    /// none.
    ///
    /// A stall is recorded while the tick still runs (`TaskEvent::Stalled`), with a `tracing` warning that
    /// has the task's name and where it was spawned, and again each time its length has doubled. In virtual
    /// time a tick gets longer by `time::advance` only, which reports it.
    pub fn stall_threshold(mut self, threshold: Duration) -> Builder {
        self.stall_threshold = threshold;
        self
    }

    /// Calls `f` with each report of a stall, on a thread of the watchdog (in virtual time, on the one that
    /// is stalled). It must not block: nobody watches meanwhile. Its panic is contained.
    pub fn on_stall(mut self, f: impl Fn(&Stall) + Send + Sync + 'static) -> Builder {
        self.on_stall = Some(Box::new(f));
        self
    }

    /// The log; the process's own by default, and one in memory, in virtual time, for a deterministic scheduler.
    pub fn pal(mut self, pal: Pal) -> Builder {
        self.settings.pal = Some(pal);
        self
    }

    /// Keeps the log's records in segment files on disk, as a system task, which takes one place of the capacity, and
    /// on a thread like those for blocking functions, which cannot keep it from one; no tick knows of it. The last record
    /// that is kept is that of the end, `ShutdownComplete`; what the process records after it is not. A deterministic
    /// scheduler refuses: its time is not the disk's.
    ///
    /// ```
    /// use glasshouse_scheduler::{Builder, Shutdown};
    /// use glasshouse_pal::{Pal, reader::Log, spill::Settings};
    /// use std::time::Duration;
    /// let place = tempfile::tempdir().unwrap();
    /// let dir = place.path().join("spill");
    /// let scheduler = Builder::new().workers(1).pal(Pal::memory()).spill(Settings::new(&dir)).build().unwrap();
    /// scheduler.block_on(async { 6 * 7 });
    /// assert_eq!(scheduler.shutdown(Duration::from_secs(9)), Shutdown::Clean);
    /// let log = Log::open(&dir).unwrap();
    /// # #[cfg(feature = "telemetry")]
    /// assert!(log.records().count() > 5);
    /// ```
    pub fn spill(mut self, settings: spill::Settings) -> Builder {
        self.spill = Some(settings);
        self
    }

    /// Where metrics go, and the recorder of the workers' threads; by default the recorder that is
    /// current on the thread that builds. What it does with what it is told is its own: its panics are
    /// contained, and a tick goes on.
    pub fn recorder(mut self, recorder: Arc<dyn Recorder + Send + Sync>) -> Builder {
        self.settings.recorder = Some(recorder);
        self
    }

    /// An exporter that reads this scheduler's metrics when it is scraped.
    pub fn exporter(mut self, exporter: Exporter) -> Builder {
        self.settings.exporter = Some(exporter);
        self
    }

    /// The upper bounds of the histograms' buckets in seconds, ascending.
    pub fn buckets(mut self, bounds: Vec<f64>) -> Builder {
        self.settings.buckets = Some(bounds);
        self
    }

    /// Starts the workers.
    ///
    /// # Errors
    /// [`BuildError`] says which setting or which resource.
    pub fn build(self) -> Result<Scheduler, BuildError> {
        let names = self.thread_names();
        let shared = self.share(None)?;
        let threads = start_threads(&shared, &names).map_err(BuildError::Thread)?;
        Ok(spilling(Scheduler::new(shared, threads)))
    }

    /// A scheduler whose one worker is this thread while it is inside `block_on`: its tasks need not be
    /// Send. With [`Builder::deterministic`] it is deterministic too.
    ///
    /// # Errors
    /// [`BuildError`] says which setting or which resource.
    pub fn build_local(mut self) -> Result<LocalScheduler, BuildError> {
        if self.shape == Shape::Threads {
            self.shape = Shape::Local;
        }
        let names = self.thread_names();
        let shared = self.share(Some(thread::current().id()))?;
        let threads = start_threads(&shared, &names).map_err(BuildError::Thread)?;
        Ok(LocalScheduler::new(spilling(Scheduler::new(
            shared, threads,
        ))))
    }

    /// All that the threads of the scheduler share, without the threads.
    pub(crate) fn share(mut self, owner: Option<ThreadId>) -> Result<Arc<Shared>, BuildError> {
        let workers = self.worker_count()?;
        if self.capacity == Some(0) {
            return Err(BuildError::Capacity);
        }
        if self.quantum.is_zero() {
            return Err(BuildError::Quantum);
        }
        if self.stall_threshold.is_zero() {
            return Err(BuildError::StallThreshold);
        }
        let is_deterministic = matches!(self.shape, Shape::Deterministic { .. });
        match &self.settings.pal {
            Some(pal) if is_deterministic && !pal.clock().is_virtual() => {
                return Err(BuildError::RealClock);
            }
            // Models move the time themselves.
            Some(pal)
                if !is_deterministic && pal.clock().is_virtual() && !cfg!(glasshouse_loom) =>
            {
                return Err(BuildError::VirtualClock);
            }
            _ => {}
        }
        if let Some(bounds) = &self.settings.buckets {
            check_buckets(bounds)?;
        }
        if self.max_blocking_threads == 0 {
            return Err(BuildError::BlockingThreads);
        }
        let pool = PoolSettings {
            names: self.thread_names(),
            max_threads: self.max_blocking_threads,
            keep_alive: self.thread_keep_alive,
        };
        let (random, wants_io) = match self.shape {
            Shape::Threads | Shape::Local => (0, true),
            Shape::Deterministic { seed, io } => (seed, io),
        };
        if is_deterministic {
            self.settings.own_ids = true;
            self.settings
                .pal
                .get_or_insert_with(|| Pal::memory_with(Clock::virtual_time()));
        }
        self.settings.workers = workers;
        // Loom cannot wait for descriptors.
        let driver = match wants_io && !cfg!(glasshouse_loom) {
            true => Some(Driver::new().map_err(BuildError::Driver)?),
            false => None,
        };
        let hub = Hub::new(self.settings);
        let spill = self.spill.map(|settings| Spill::new(hub.pal(), settings));
        let spill = spill.transpose()?;
        let watchdog = Watchdog::new(workers, self.stall_threshold, self.on_stall, hub.clock());
        Ok(Listed::list(|listed| Shared {
            listed,
            watchdog,
            quantum_ticks: hub.clock().ticks_in(self.quantum),
            shape: self.shape,
            injector: Injector::new(),
            idle: Idle::new(workers),
            remotes: (0..workers)
                .map(|worker| Arc::new(Remote::new(worker, workers, hub.clock())))
                .collect(),
            registry: Registry::new(),
            roots: Roots::default(),
            live: Live::new(workers, self.capacity),
            phase: PhaseCell::new(workers),
            driver,
            blocking: Pool::new(pool),
            guests: Mutex::default(),
            owner,
            is_run_inline: AtomicBool::new(false),
            random: AtomicU64::new(random),
            spill,
            hub,
        }))
    }

    fn thread_names(&self) -> ThreadNames {
        let of_scheduler = || ThreadNames::Of(self.name.clone());
        self.thread_name.clone().unwrap_or_else(of_scheduler)
    }

    fn worker_count(&self) -> Result<usize, BuildError> {
        let workers = match self.workers {
            Some(workers) => workers,
            None if self.shape == Shape::Local => 1,
            None => thread::available_parallelism().map_or(1, usize::from),
        };
        let most = match self.shape {
            Shape::Threads => MAX_WORKERS,
            Shape::Local | Shape::Deterministic { .. } => 1,
        };
        if (1..=most).contains(&workers) {
            Ok(workers)
        } else {
            Err(BuildError::Workers { workers })
        }
    }
}
