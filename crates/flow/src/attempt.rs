//! Owns one attempt's end: by itself, by its timeout, or by a cancelled run. Whoever ends a command asks
//! first, and waits a while before it insists.
//!
//! ```text
//! running ──ends──► Exit
//!    ├─ timeout ───► asked to end ──ends──────────────────► Timeout
//!    └─ cancelled ─► asked to end ──grace over, or killed─► killed ──ends──► Timeout | Cancelled
//! ```

use crate::cancel::Cancel;
use crate::outcome::Outcome;
use crate::runner::{Child, Exit};
use futures::future::{Either, select};
use glasshouse_scheduler::time::timeout;
use std::pin::pin;
use std::time::Duration;

/// How long an attempt may take, and who may end it.
#[derive(Clone, Copy)]
pub(crate) struct Limits<'a> {
    pub(crate) timeout: Option<Duration>,
    /// How long a command that was asked to end may take to do so.
    pub(crate) grace: Duration,
    pub(crate) cancel: &'a Cancel,
}

/// Waits for the child's end, and brings it about where a limit is reached. A child that ended by itself at
/// the very moment of its limit has ended by itself.
pub(crate) async fn see_through(child: &mut impl Child, limits: Limits<'_>) -> Outcome {
    let stopped = {
        let (ended, cancelled) = (pin!(child.ended()), pin!(limits.cancel.cancelled()));
        let end = within(limits.timeout, select(ended, cancelled)).await;
        match (end, limits.timeout) {
            (Some(Either::Left((exit, _))), _) => return outcome_of(exit),
            (None, Some(timeout)) => Outcome::Timeout {
                timeout_ns: nanos(timeout),
            },
            _ => Outcome::Cancelled,
        }
    };
    let is_killed = {
        let (terminated, killed) = (
            pin!(child.terminate(limits.grace)),
            pin!(limits.cancel.killed()),
        );
        matches!(select(terminated, killed).await, Either::Right(_))
    };
    if is_killed {
        child.kill();
        child.ended().await;
    }
    stopped
}

/// What the future gives within the limit; `None` after it.
async fn within<F: Future>(limit: Option<Duration>, future: F) -> Option<F::Output> {
    match limit {
        Some(limit) => timeout(limit, future).await.ok(),
        None => Some(future.await),
    }
}

fn outcome_of(exit: Exit) -> Outcome {
    match exit {
        Exit::Code(0) => Outcome::Success,
        Exit::Code(exit_code) => Outcome::ExitCode { exit_code },
        Exit::Signal(signal) => Outcome::Signal { signal },
        Exit::Lost(error) => Outcome::SpawnError { error },
    }
}

/// In nanoseconds; what does not fit, after 584 years, stays at the largest.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
