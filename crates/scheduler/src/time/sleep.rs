//! Owns the future that waits for a deadline.

use crate::handle::Handle;
use crate::runtime::context::{self, Worker};
use crate::runtime::directory::{self, SchedulerId};
use crate::runtime::{Shared, entered};
use crate::task::coop;
use crate::time::instant::{self, Instant, with_clock};
use crate::time::timers::{Armed, Look, Timers, wake_all};
use glasshouse_pal::Clock;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

/// Deadlines nearer than this are compared with the clock. For others the start of the tick, which is known,
/// is near enough to the present: at worst a timer is armed that fires at once.
const NEAR_NS: u64 = 100_000;

/// Waits for `duration`. A duration beyond the clock's reach waits for ever.
///
/// A sleep never ends early. It ends late by at most a 32nd of its duration, and at most half a
/// millisecond, on top of what the operating system takes to wake a thread; in virtual time it ends
/// exactly.
///
/// # Panics
/// Outside of a scheduler.
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    with_current(|shared| {
        let now = Instant::on(shared.hub.clock());
        let asked_ns = instant::ns_of(duration);
        Sleep::new(shared, now.saturating_add_ns(asked_ns), asked_ns)
    })
}

/// Waits until `deadline`.
///
/// # Panics
/// Outside of a scheduler.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    with_current(|shared| Sleep::new(shared, deadline, 0))
}

#[track_caller]
fn with_current<R>(f: impl FnOnce(&Shared) -> R) -> R {
    entered::with_worker(|worker| match worker {
        Some(worker) => f(&worker.shared),
        None => f(Handle::current().shared()),
    })
}

/// The future of [`sleep`] and [`sleep_until`].
///
/// Once it is ready it stays so, until it is [reset](Sleep::reset).
///
/// ```
/// use glasshouse_scheduler::{Builder, time};
/// # let scheduler = Builder::deterministic(1).build().unwrap();
/// # scheduler.block_on(async {
/// let nap: time::Sleep = time::sleep(std::time::Duration::from_millis(5));
/// nap.await;
/// # });
/// ```
#[must_use = "a future does nothing unless it is awaited"]
pub struct Sleep {
    deadline: Instant,
    /// What the log says that its task sleeps; zero until it is known.
    dur_ns: u64,
    armed: Option<ArmedFor>,
    scheduler: SchedulerId,
    is_elapsed: bool,
    /// Whether waiting for it is why its task waits; not so for the deadline inside a timeout.
    claims: bool,
}

/// A timer that was armed, and whose waker it has.
#[derive(Clone, Copy)]
struct ArmedFor {
    timer: Armed,
    waker: WakerId,
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
}

/// A scheduler as a thread reaches it that polls, resets or drops a sleep.
#[derive(Clone, Copy)]
struct Here<'a> {
    shared: &'a Shared,
    /// The thread's worker there, if it has one: a guest too.
    worker: Option<&'a Worker>,
}

impl<'a> Here<'a> {
    /// Calls `f` with the scheduler, if it has not gone.
    #[inline(always)]
    fn find<R>(scheduler: SchedulerId, f: impl FnOnce(Option<Here<'_>>) -> R) -> R {
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
    fn timers_of(self, timer: &Armed) -> &'a Timers {
        self.timers(timer.worker())
    }

    fn has_fired(self, timer: &Armed) -> bool {
        self.timers_of(timer).has_fired(timer)
    }

    fn clock(self) -> &'a Clock {
        self.shared.hub.clock()
    }

    /// The present in nanoseconds; if `deadline` is far from it the start of the tick, which costs no look at
    /// the clock.
    fn present(self, deadline: Instant) -> u64 {
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
    fn arm(self, deadline: Instant, now: u64, waker: &Waker) -> Option<ArmedFor> {
        let timers = self.timers(self.index());
        let (timer, look) = timers.arm(deadline.ns(), now, waker.clone())?;
        self.tell_owner(&timer, look);
        let waker = WakerId::of(waker);
        Some(ArmedFor { timer, waker })
    }

    /// After a timer was armed: its worker must not sleep through it.
    fn tell_owner(self, timer: &Armed, look: Look) {
        let is_owner = self
            .worker
            .is_some_and(|worker| worker.index == Some(timer.worker()));
        if look == Look::Earlier && !is_owner {
            self.shared.unpark(timer.worker());
        }
    }

    fn disarm(self, timer: &Armed) {
        if !self.has_fired(timer) {
            drop(self.timers_of(timer).disarm(timer));
        }
    }
}

impl Sleep {
    fn new(shared: &Shared, deadline: Instant, asked_ns: u64) -> Sleep {
        Sleep {
            deadline,
            dur_ns: asked_ns,
            armed: None,
            scheduler: shared.listed.id(),
            is_elapsed: false,
            claims: true,
        }
    }

    /// The same deadline as a bound on something else: it never is the reason of a wait.
    pub(crate) fn unclaimed(mut self) -> Sleep {
        self.claims = false;
        self
    }

    /// The moment it waits for.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the moment has come.
    pub fn is_elapsed(&self) -> bool {
        if self.is_elapsed {
            return true;
        }
        let now = Here::find(self.scheduler, |here| match here {
            Some(here) => Instant::on(here.clock()),
            None => with_clock(Instant::on),
        });
        now >= self.deadline
    }

    /// Waits for another moment. A task that waits already is woken then, without having to poll again; at
    /// once, if the moment has come.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.get_mut();
        this.deadline = deadline;
        this.dur_ns = 0;
        this.is_elapsed = false;
        if let Some(armed) = this.armed {
            Here::find(this.scheduler, |here| this.rearm(here, armed));
        }
    }

    fn rearm(&mut self, here: Option<Here<'_>>, armed: ArmedFor) {
        self.armed = None;
        let Some(here) = here.filter(|here| !here.has_fired(&armed.timer)) else {
            return;
        };
        let timers = here.timers_of(&armed.timer);
        let now = here.present(self.deadline);
        if now >= self.deadline.ns() {
            self.is_elapsed = true;
            wake_all(timers.disarm(&armed.timer).into_iter());
        } else if let Some((timer, look)) = timers.rearm(&armed.timer, self.deadline.ns(), now) {
            here.tell_owner(&timer, look);
            self.armed = Some(ArmedFor { timer, ..armed });
        }
    }

    fn poll_here(&mut self, here: Option<Here<'_>>, waker: &Waker) -> Poll<()> {
        let Some(here) = here else {
            ended();
        };
        if self.armed.is_some_and(|armed| here.has_fired(&armed.timer)) {
            return self.elapsed();
        }
        let now = here.present(self.deadline);
        if now >= self.deadline.ns() {
            if let Some(armed) = self.armed {
                here.disarm(&armed.timer);
            }
            return self.elapsed();
        }
        if !self.wakes(here, waker) {
            if self.armed.is_some_and(|armed| here.has_fired(&armed.timer)) {
                // Since the look above, on another thread.
                return self.elapsed();
            }
            self.armed = here.arm(self.deadline, now, waker);
            if self.armed.is_none() && here.worker.is_none() {
                // On a worker it is the last tick of a task that is about to be cancelled.
                ended();
            }
        }
        if self.claims {
            if self.dur_ns == 0 {
                self.dur_ns = self.deadline.ns().saturating_sub(now);
            }
            context::claim_sleep(Duration::from_nanos(self.dur_ns));
        }
        Poll::Pending
    }

    fn elapsed(&mut self) -> Poll<()> {
        self.armed = None;
        self.is_elapsed = true;
        Poll::Ready(())
    }

    /// Whether it is armed, with this waker from now on.
    fn wakes(&mut self, here: Here<'_>, waker: &Waker) -> bool {
        let Some(armed) = &mut self.armed else {
            return false;
        };
        let id = WakerId::of(waker);
        if armed.waker == id {
            return true;
        }
        armed.waker = id;
        let timers = here.timers_of(&armed.timer);
        timers.update(&armed.timer, waker.clone())
    }
}

#[cold]
fn ended() -> ! {
    panic!(
        "the scheduler of this sleep has ended, so nothing would wake who waits for it; let it end before \
         its scheduler does"
    )
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        // A bound on something else is looked at even if that has used up the tick's budget.
        if this.claims {
            ready!(coop::poll_proceed(cx));
        }
        if !this.is_elapsed {
            ready!(Here::find(this.scheduler, |here| this.poll_here(here, cx.waker())));
        }
        if this.claims {
            coop::made_progress();
        }
        Poll::Ready(())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(armed) = self.armed {
            Here::find(self.scheduler, |here| {
                if let Some(here) = here {
                    here.disarm(&armed.timer);
                }
            });
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
