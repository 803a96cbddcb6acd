//! Owns a held permit: dropping it gives it back.

use crate::core::LaneIndex;
use crate::events;
use crate::shared::Shared;
use glasshouse_scheduler::task;
use std::fmt;
use std::sync::Arc;

/// The right to work on a lane, for as long as it is kept. It may move to another task or thread,
/// and it may outlive every handle of its lanes.
///
/// ```
/// use glasshouse_lanes::Lanes;
/// use glasshouse_scheduler::Builder;
/// let scheduler = Builder::deterministic(1).build().unwrap();
/// let lanes = Lanes::builder().lane("io", 1).build(scheduler.handle()).unwrap();
/// let lane = lanes.lane("io").unwrap();
/// let permit = lane.try_acquire().unwrap();
/// assert_eq!(permit.lane(), "io");
/// assert!(lane.try_acquire().is_none());
/// drop(permit);
/// assert!(lane.try_acquire().is_some());
/// ```
#[must_use = "a permit that is dropped at once protects nothing"]
pub struct Permit {
    shared: Arc<Shared>,
    lane: LaneIndex,
    since_ns: u64,
}

impl Permit {
    /// A permit that is held since then.
    pub(crate) fn new(shared: Arc<Shared>, lane: LaneIndex, since_ns: u64) -> Permit {
        Permit {
            shared,
            lane,
            since_ns,
        }
    }

    /// The lane's name.
    pub fn lane(&self) -> &str {
        &self.shared.lane(self.lane).name
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let held_ns = self.shared.now_ns().saturating_sub(self.since_ns);
        events::released(self.shared.lane(self.lane).text, held_ns);
        let mut book = self.shared.book();
        let returned = book.core.give_back(self.lane, task::try_id());
        self.shared.follow_up(book, returned);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("lane", &self.lane())
            .finish()
    }
}
