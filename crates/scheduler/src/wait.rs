//! For leaf futures of other crates: why a poll is pending, and who wakes.
//!
//! A future that returns pending may claim the reason of its task's wait; the log then has it in the
//! place of a plain `Wait`. When several futures of one poll claim, I/O comes before lane, lane before
//! join, join before sleep.

use crate::runtime::context;
use glasshouse_pal::{TextId, WakeSource};
use std::task::Waker;

/// This poll of the running task waits for a permit of the lane with this name in the log.
pub fn claim_lane(lane: TextId) {
    context::claim_lane(lane);
}

/// Wakes, and the record of the wake names `source` in the place of the running task.
pub fn wake_as(source: WakeSource, waker: Waker) {
    context::waking_as(source, || waker.wake());
}
