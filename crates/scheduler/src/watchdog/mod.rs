//! Owns the watchdog: a thread beside the workers that notices a tick which does not end, tells of it, and
//! hands on what the worker in it would have served.
//!
//! ```text
//!          nobody was awake at QUIET_LOOKS looks
//!   AWAKE ──────────────────────────────────────► DOZING
//!   (looks every LOOK) ◄────────────────────────── (no CPU)
//!                        a worker wakes up
//! ```
//!
//! It costs a tick nothing: it reads what the worker's seam stores anyway ([`glasshouse_telemetry::Busy`]).
//! A worker that is in the same tick at two looks, or between the same two ticks, *holds*; at each look from
//! then on its ready tasks go to the shared queue, its due timers are fired, and the driver is polled if
//! nobody is at it. When it is found out, a sleeping worker is woken besides, to take over what the held one
//! did. Once the tick is longer than the threshold it is a *stall*: it is told of, and again each time it has
//! doubled.
//!
//! In virtual time there is no thread: a tick gets longer only by `time::advance`, which looks itself.

mod doze;
mod lasting;
mod stall;
mod watch;

pub(crate) use doze::Doze;
pub(crate) use lasting::Lasting;
pub use stall::Stall;

use crate::runtime::{Shared, Worker};
use crate::task::Class;
use glasshouse_pal::{Clock, Foreign, contain};
use glasshouse_telemetry::Stalled;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use watch::{At, Seen, Watch};

/// Between two looks: as late may be what a stuck worker would have served. A guess between that and the
/// price of a look (some microseconds).
const LOOK: Duration = Duration::from_millis(10);
/// Between two looks where the threshold is tiny.
const LOOK_MIN: Duration = Duration::from_millis(1);
/// Looks in a row at which every worker slept, before the watchdog does: a tenth of a second. Waking it
/// costs a system call, which the wake-ups of a scheduler that is only now and then idle are spared.
const QUIET_LOOKS: u32 = 10;

/// What is called at a stall.
pub(crate) type OnStall = Box<dyn Fn(&Stall) + Send + Sync>;

/// The watchdog, as its thread, the workers and the shutdown see it.
pub(crate) struct Watchdog {
    /// Between two looks.
    look: Duration,
    on_stall: Option<OnStall>,
    watch: Mutex<Watch>,
    doze: Doze,
    is_dismissed: AtomicBool,
}

impl Watchdog {
    /// `clock` is the one that the workers' stamps come from.
    pub(crate) fn new(
        workers: usize,
        threshold: Duration,
        on_stall: Option<OnStall>,
        clock: &Clock,
    ) -> Watchdog {
        let look = (threshold / 2).clamp(LOOK_MIN, LOOK);
        let threshold = clock.ticks_in(threshold);
        let oversleep = clock.ticks_in(look * 4);
        Watchdog {
            look,
            on_stall,
            watch: Mutex::new(Watch::new(workers, threshold, oversleep)),
            doze: Doze::new(),
            is_dismissed: AtomicBool::new(false),
        }
    }

    /// A worker woke up: the watchdog must, too.
    pub(crate) fn worker_awoke(&self) {
        self.doze.stir();
    }

    /// Ends the watchdog's thread.
    pub(crate) fn dismiss(&self) {
        self.is_dismissed.store(true, Ordering::Release);
        self.doze.notify();
    }

    fn is_dismissed(&self) -> bool {
        self.is_dismissed.load(Ordering::Acquire)
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body of the watchdog's thread.
pub(crate) fn run_watchdog(shared: &Arc<Shared>) {
    let dog = &shared.watchdog;
    shared.hub.enter(|| {
        let mut quiet = 0;
        while !dog.is_dismissed() {
            if quiet < QUIET_LOOKS {
                let nap = look(shared);
                dog.doze.nap(nap);
            } else {
                let may_doze = || shared.is_at_rest() && !dog.is_dismissed();
                dog.doze.doze(may_doze);
                quiet = 0;
            }
            quiet = match shared.is_at_rest() {
                true => quiet + 1,
                false => 0,
            };
        }
    });
}

/// One look at all workers. Returns how long it is to the next.
fn look(shared: &Shared) -> Duration {
    let mut watch = shared.watchdog.watch();
    let clock = shared.hub.clock();
    let now = clock.now_ordered();
    watch.start(now);
    for worker in 0..shared.remotes.len() {
        watch.see(worker, find(shared, worker));
    }
    let mut nap = shared.watchdog.look;
    for worker in 0..shared.remotes.len() {
        let Seen::Held { tick, is_new } = watch.seen(worker) else {
            continue;
        };
        let others = watch.others(worker, now);
        let mut stalled = None;
        if let Some(tick) = tick
            && shared.hub.busy(worker) == Some(tick)
            && !shared.watchdog.is_dismissed()
            && watch.is_due(worker, tick, now)
        {
            stalled = Some(Stalled {
                worker,
                tick,
                busy: clock.duration(now.saturating_sub(tick.since)),
                queued: held_up(shared, worker, others),
                others,
            });
        }
        // Before anybody is told, who may take his time.
        if !shared.phase.is_closed() {
            serve(shared, worker, others, is_new);
            if let Some(deadline) = shared.remotes[worker].timers.next() {
                nap = nap.min(clock.duration(deadline.saturating_sub(clock.now())));
            }
        }
        if let Some(stalled) = stalled {
            tell(shared, &stalled);
        }
    }
    nap
}

fn find(shared: &Shared, worker: usize) -> At {
    // The boundary first: a tick that begins in between is found as such.
    let boundary = shared.hub.boundary(worker);
    match shared.hub.busy(worker) {
        Some(tick) => At::Tick(tick),
        None if shared.is_resting(worker) => At::Rest,
        None => At::Between(boundary),
    }
}

/// The ready tasks that wait behind this worker's tick.
fn held_up(shared: &Shared, worker: usize, others: usize) -> usize {
    let queued = shared.remotes[worker].ready();
    if others > 0 {
        return queued;
    }
    queued + shared.injector.len_of_all()
}

/// Hands on what a held worker would have served, to whoever is free.
fn serve(shared: &Shared, worker: usize, others: usize, is_new: bool) {
    let own = &shared.remotes[worker];
    // Nobody takes over from a lone worker, whose queues are its own alone.
    if others > 0 {
        if let Some(task) = own.default.next().take() {
            shared.inject(task);
        }
        for class in [Class::System, Class::Default] {
            // Bounded by what is there now: the worker may push meanwhile.
            for _ in 0..own.queue(class).len() {
                match own.queue(class).pop() {
                    Some(task) => shared.inject(task),
                    None => break,
                }
            }
        }
        if is_new {
            shared.wake_a_worker();
        }
    }
    // Also where no worker is free: a thread in `block_on` may be who waits.
    own.timers.fire(shared.hub.clock().now());
    if let Some(driver) = &shared.driver
        && driver.poll_in_passing()
    {
        shared.wake_a_worker();
    }
}

/// Tells of a stall: in the log, as a warning, and to the application. What subscribers and the
/// application do there is theirs; a panic ends nothing but the telling.
fn tell(shared: &Shared, stalled: &Stalled) {
    let site = shared.hub.stalled(stalled);
    if let Some(on_stall) = &shared.watchdog.on_stall {
        contain(Foreign::StallReport, || {
            on_stall(&Stall::new(stalled, site))
        });
    }
}

/// A shutdown leaves these workers behind.
pub(crate) fn tell_of_all(shared: &Shared, stuck: &[Stalled]) {
    stuck.iter().for_each(|stalled| tell(shared, stalled));
}

/// Virtual time was moved inside a tick of this worker: the look that no thread takes.
pub(crate) fn time_moved(worker: &Worker) {
    let shared = &worker.shared;
    let Some(tick) = shared.hub.busy(0) else {
        return;
    };
    let clock = shared.hub.clock();
    let now = clock.now();
    if shared.watchdog.watch().is_due(0, tick, now) {
        let stalled = Stalled {
            worker: 0,
            tick,
            busy: clock.duration(now.saturating_sub(tick.since)),
            queued: worker.seeded_len(),
            others: 0,
        };
        tell(shared, &stalled);
    }
}
