//! Owns the future that waits for a deadline.

use crate::handle::Handle;
use crate::runtime::{context, entered};
use crate::time::{Instant, TimerKey};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Waits for `duration`. A duration beyond the clock's reach waits for ever.
///
/// # Panics
/// Outside of a scheduler.
pub fn sleep(duration: Duration) -> Sleep {
    Sleep::new(Instant::now().saturating_add(duration))
}

/// Waits until `deadline`.
///
/// # Panics
/// Outside of a scheduler.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::new(deadline)
}

/// The future of [`sleep`] and [`sleep_until`].
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
    handle: Handle,
    deadline: Instant,
    armed: Option<Armed>,
    /// Whether waiting for it is why its task waits; not so for the deadline inside a timeout.
    claims: bool,
}

/// Where a timer is armed.
struct Armed {
    worker: usize,
    key: TimerKey,
    dur: Duration,
}

impl Sleep {
    fn new(deadline: Instant) -> Sleep {
        Sleep {
            handle: Handle::current(),
            deadline,
            armed: None,
            claims: true,
        }
    }

    /// The same deadline as a bound on something else: it never is the reason of a wait.
    pub(crate) fn unclaimed(deadline: Instant) -> Sleep {
        let mut sleep = Sleep::new(deadline);
        sleep.claims = false;
        sleep
    }

    /// The moment it waits for.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the moment has come.
    pub fn is_elapsed(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Waits for another moment.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.get_mut();
        this.disarm();
        this.deadline = deadline;
    }

    fn disarm(&mut self) {
        if let Some(armed) = self.armed.take() {
            self.handle.shared().remotes[armed.worker]
                .timers
                .disarm(armed.key);
        }
    }

    fn arm(&mut self, now: Instant, cx: &Context<'_>) -> Duration {
        let shared = self.handle.shared();
        let here = entered::with_worker_of(std::sync::Arc::as_ptr(shared), |worker| {
            worker.and_then(|worker| worker.index)
        });
        // A thread that has no timers of its own arms with the first worker, and wakes it if need be.
        let worker = here.unwrap_or(0);
        let deadline = self.deadline.ticks(shared.hub.clock());
        let (key, first) = shared.remotes[worker]
            .timers
            .arm(deadline, cx.waker().clone());
        if first && here.is_none() {
            shared.unpark(worker);
        }
        let dur = self.deadline.duration_since(now);
        self.armed = Some(Armed { worker, key, dur });
        dur
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let now = Instant::now();
        if now >= this.deadline {
            this.disarm();
            return Poll::Ready(());
        }
        let still_armed = this.armed.as_ref().filter(|armed| {
            this.handle.shared().remotes[armed.worker]
                .timers
                .update(armed.key, cx.waker())
        });
        let dur = match still_armed {
            Some(armed) => armed.dur,
            None => this.arm(now, cx),
        };
        if this.claims {
            context::claim_sleep(dur);
        }
        Poll::Pending
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
