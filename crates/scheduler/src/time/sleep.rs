//! Owns the future that waits for a deadline.

use crate::handle::Handle;
use crate::runtime::context::{self, Worker};
use crate::runtime::entered;
use crate::task::coop;
use crate::time::Instant;
use crate::time::timers::{Armed, Look, Timers, wake_all};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
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
    with_timers(|timers| {
        let now = Instant::on(timers.clock());
        Sleep::new(timers, now.saturating_add(duration), Some(duration))
    })
}

/// Waits until `deadline`.
///
/// # Panics
/// Outside of a scheduler.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    with_timers(|timers| Sleep::new(timers, deadline, None))
}

/// Calls `f` with the timers that this thread arms first.
#[track_caller]
fn with_timers<R>(f: impl FnOnce(&Arc<Timers>) -> R) -> R {
    entered::with_worker(|worker| match worker {
        Some(worker) => f(timers_of(worker)),
        None => f(&Handle::current().shared().remotes[0].timers),
    })
}

/// A guest has no timers of its own: it arms with the first worker.
fn timers_of(worker: &Worker) -> &Arc<Timers> {
    &worker.shared.remotes[worker.index.unwrap_or(0)].timers
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
    /// The timers it is armed with, or was last.
    timers: Arc<Timers>,
    deadline: Instant,
    /// What the log says that its task sleeps; zero until it is known.
    dur_ns: u64,
    state: State,
    /// Whether waiting for it is why its task waits; not so for the deadline inside a timeout.
    claims: bool,
}

#[derive(Clone, Copy)]
enum State {
    Idle,
    Armed(Armed, WakerId),
    Elapsed,
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

impl Sleep {
    fn new(timers: &Arc<Timers>, deadline: Instant, asked: Option<Duration>) -> Sleep {
        Sleep {
            timers: timers.clone(),
            deadline,
            dur_ns: asked.map_or(0, |asked| {
                u64::try_from(asked.as_nanos()).unwrap_or(u64::MAX)
            }),
            state: State::Idle,
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
        matches!(self.state, State::Elapsed) || Instant::on(self.timers.clock()) >= self.deadline
    }

    /// Waits for another moment. A task that waits already is woken then, without having to poll again; at
    /// once, if the moment has come.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.get_mut();
        this.deadline = deadline;
        this.dur_ns = 0;
        match this.state {
            State::Armed(armed, waker) => {
                this.state = entered::with_worker(|worker| this.rearm(worker, armed, waker));
            }
            State::Idle | State::Elapsed => this.state = State::Idle,
        }
    }

    fn rearm(&mut self, worker: Option<&Worker>, armed: Armed, waker: WakerId) -> State {
        let here = worker.filter(|worker| self.is_of(worker));
        let now = self.present(here);
        if self.timers.has_fired(&armed) {
            return State::Idle;
        }
        if now >= self.deadline.ns() {
            wake_all(self.timers.disarm(&armed).into_iter());
            return State::Elapsed;
        }
        match self.timers.rearm(&armed, self.deadline.ns(), now) {
            Some((armed, look)) => {
                self.tell_owner(here, look);
                State::Armed(armed, waker)
            }
            None => State::Idle,
        }
    }

    /// Whether this worker is one of the scheduler that it was made for.
    fn is_of(&self, worker: &Worker) -> bool {
        Arc::ptr_eq(timers_of(worker), &self.timers)
            || self.timers.is_of(Arc::as_ptr(&worker.shared))
    }

    /// The present in nanoseconds, or the start of the tick, which costs no look at the clock, if the deadline
    /// is far from it.
    fn present(&self, here: Option<&Worker>) -> u64 {
        let clock = self.timers.clock();
        if let Some(worker) = here
            && !clock.is_virtual()
        {
            let tick = clock.ns(worker.seam.now());
            if tick.saturating_add(NEAR_NS) < self.deadline.ns() {
                return tick;
            }
        }
        clock.ns(clock.now())
    }

    /// After something was armed on another thread than that of the timers' worker.
    fn tell_owner(&self, here: Option<&Worker>, look: Look) {
        let is_owner = here.is_some_and(|worker| {
            worker.index.is_some() && Arc::ptr_eq(timers_of(worker), &self.timers)
        });
        if look == Look::Earlier && !is_owner {
            self.timers.unpark_owner();
        }
    }

    fn poll_on(&mut self, here: Option<&Worker>, cx: &Context<'_>) -> Poll<()> {
        if self.has_fired() {
            self.state = State::Elapsed;
            return Poll::Ready(());
        }
        let here = here.filter(|worker| self.is_of(worker));
        let now = self.present(here);
        if now >= self.deadline.ns() {
            self.disarm();
            self.state = State::Elapsed;
            return Poll::Ready(());
        }
        if !self.is_armed_for(cx.waker()) {
            if self.has_fired() {
                // Since the look above, on another thread.
                self.state = State::Elapsed;
                return Poll::Ready(());
            }
            self.arm(here, now, cx.waker());
        }
        if self.claims {
            if self.dur_ns == 0 {
                self.dur_ns = self.deadline.ns().saturating_sub(now);
            }
            context::claim_sleep(Duration::from_nanos(self.dur_ns));
        }
        Poll::Pending
    }

    fn has_fired(&self) -> bool {
        matches!(&self.state, State::Armed(armed, _) if self.timers.has_fired(armed))
    }

    /// Whether it is armed, if need be with this waker from now on.
    fn is_armed_for(&mut self, waker: &Waker) -> bool {
        let State::Armed(armed, held) = &mut self.state else {
            return false;
        };
        let id = WakerId::of(waker);
        if *held == id {
            return true;
        }
        *held = id;
        self.timers.update(armed, waker.clone())
    }

    fn arm(&mut self, here: Option<&Worker>, now: u64, waker: &Waker) {
        if let Some(worker) = here
            && !Arc::ptr_eq(timers_of(worker), &self.timers)
        {
            self.timers = timers_of(worker).clone();
        }
        let id = WakerId::of(waker);
        match self.timers.arm(self.deadline.ns(), now, waker.clone()) {
            Some((armed, look)) => {
                self.state = State::Armed(armed, id);
                self.tell_owner(here, look);
            }
            // The last tick of a task that is about to be cancelled.
            None if here.is_some() => self.state = State::Idle,
            None => panic!(
                "the scheduler of this sleep has ended, so nothing would wake who waits for it; let it end \
                 before its scheduler does"
            ),
        }
    }

    fn disarm(&mut self) {
        if let State::Armed(armed, _) = &self.state
            && !self.timers.has_fired(armed)
        {
            drop(self.timers.disarm(armed));
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        // A bound on something else is looked at even if that has used up the tick's budget.
        if this.claims {
            ready!(coop::poll_proceed(cx));
        }
        let polled = match this.state {
            State::Elapsed => Poll::Ready(()),
            _ => entered::with_worker(|worker| this.poll_on(worker, cx)),
        };
        if this.claims && polled.is_ready() {
            coop::made_progress();
        }
        polled
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.disarm();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
