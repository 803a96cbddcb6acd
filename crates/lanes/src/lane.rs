//! Owns the handle of one lane.

use crate::acquire::Acquire;
use crate::core::LaneIndex;
use crate::events;
use crate::lanes::Guard;
use crate::permit::Permit;
use crate::shared::Shared;
use std::fmt;
use std::sync::Arc;

/// A named class of work with a concurrency limit. Clones are the same lane.
///
/// ```
/// use glasshouse_lanes::Lanes;
/// use glasshouse_scheduler::{Builder, Handle};
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// scheduler.block_on(async {
///     let lanes = Lanes::builder().lane("io", 2).build(&Handle::current()).unwrap();
///     let lane = lanes.lane("io").unwrap();
///     let permit = lane.acquire().await;
///     assert_eq!((lane.name(), lane.limit(), lane.status().in_use), ("io", 2, 1));
/// });
/// ```
#[derive(Clone)]
pub struct Lane {
    guard: Arc<Guard>,
    index: LaneIndex,
}

/// A lane at one moment.
///
/// ```
/// use glasshouse_lanes::{LaneStatus, Lanes};
/// use glasshouse_scheduler::Builder;
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// let lanes = Lanes::builder().lane("io", 2).build(scheduler.handle()).unwrap();
/// let status: LaneStatus = lanes.lane("io").unwrap().status();
/// assert_eq!((status.limit, status.in_use, status.waiting_len), (2, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneStatus {
    /// The permits that there are.
    pub limit: usize,
    /// The permits that are held, or handed over and about to be taken up.
    pub in_use: usize,
    /// The waiters that were handed none yet.
    pub waiting_len: usize,
    /// The permits taken up so far.
    pub granted: u64,
    /// The time that their takers waited for them, up to the hand-over.
    pub waited_ns: u64,
}

impl Lane {
    pub(crate) fn new(guard: Arc<Guard>, index: LaneIndex) -> Lane {
        Lane { guard, index }
    }

    /// Waits for a permit, first come, first served. Under the global limit the oldest waiter whose
    /// lane has room goes first.
    pub fn acquire(&self) -> Acquire {
        Acquire::new(self.clone())
    }

    /// Takes a permit if one is free. Never passes a waiter who could have it.
    pub fn try_acquire(&self) -> Option<Permit> {
        let shared = self.shared();
        if !shared.book().core.try_take(self.index) {
            return None;
        }
        let lane = shared.lane(self.index);
        events::acquired(lane.text, lane.limit, 0);
        Some(Permit::new(shared.clone(), self.index, shared.now_ns()))
    }

    /// The lane's name.
    pub fn name(&self) -> &str {
        &self.shared().lane(self.index).name
    }

    /// How many permits there are.
    pub fn limit(&self) -> usize {
        self.status().limit
    }

    /// The lane now.
    pub fn status(&self) -> LaneStatus {
        let core = &self.shared().book().core;
        let totals = core.lane_totals(self.index);
        LaneStatus {
            limit: core.lane_limit(self.index),
            in_use: core.lane_in_use(self.index),
            waiting_len: core.lane_waiting(self.index),
            granted: totals.granted,
            waited_ns: totals.waited_ns,
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        self.guard.shared()
    }

    pub(crate) fn index(&self) -> LaneIndex {
        self.index
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("name", &self.name()).finish()
    }
}
