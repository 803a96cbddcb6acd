//! Owns the future that waits for a deadline.

use crate::handle::Handle;
use crate::runtime::context;
use crate::runtime::directory::SchedulerId;
use crate::runtime::{Shared, entered};
use crate::task::coop;
use crate::time::here::{ArmedFor, Here};
use crate::time::instant::{self, Instant, with_clock};
use crate::time::timers::wake_all;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

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
/// It has 64 bytes and is `Unpin`: it can be polled where it lies, moved, and passed to another task or thread
/// between two polls, without a box. While it waits, its timer takes 40 bytes with the worker that polled it
/// first; they are used again, so that arming allocates only while more timers are armed than ever before.
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

    /// The same deadline as a bound on something else: it never is the reason of a wait, and is told beside that.
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

    #[inline(always)]
    fn rearm(&mut self, here: Option<Here<'_>>, armed: ArmedFor) {
        self.armed = None;
        let Some(here) = here.filter(|here| !here.has_fired(&armed.timer)) else {
            return;
        };
        let now = here.present(self.deadline);
        if now >= self.deadline.ns() {
            self.is_elapsed = true;
            wake_all(
                here.timers_of(&armed.timer)
                    .disarm(&armed.timer)
                    .into_iter(),
            );
        } else {
            self.armed = here.rearm(armed, self.deadline, now);
        }
    }

    #[inline(always)]
    fn poll_here(&mut self, here: Option<Here<'_>>, waker: &Waker) -> Poll<()> {
        let Some(here) = here else {
            ended();
        };
        if let Some(armed) = self.armed
            && here.has_fired(&armed.timer)
        {
            if !here.timers_of(&armed.timer).is_closed() {
                return self.elapsed();
            }
            self.armed = None;
        }
        let now = here.present(self.deadline);
        if now >= self.deadline.ns() {
            if let Some(armed) = self.armed {
                here.disarm(&armed.timer);
            }
            return self.elapsed();
        }
        if !self.wakes(here, waker) {
            // If it has fired since the look above, on another thread, it is armed anew and fires at once.
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
        } else if let Some(worker) = here.worker {
            worker.claim_bound();
        } else {
            context::claim_bound();
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
        (armed.wakes(waker) && here.is_armed(&armed.timer)) || here.update(armed, waker)
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
    #[inline]
    fn drop(&mut self) {
        if let Some(armed) = self.armed {
            Here::find(self.scheduler, |here| {
                if let Some(here) = here {
                    here.leave(armed);
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
