//! Owns what a worker shows of the tick that it is in: which task runs, and since when.
//!
//! The worker alone writes, two plain stores at each end of a tick that it would have made anyway. A
//! watchdog reads beside it. The two words are not read as one: a pair that was torn is not seen twice,
//! so who acts on a pair must have seen it at two looks.

use glasshouse_pal::TaskId;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A tick that lasts, as [`Hub::busy`](crate::Hub::busy) saw it.
///
/// ```
/// use glasshouse_telemetry::{Hub, Settings, SpawnSite, pal::Pal};
/// use std::panic::Location;
/// let hub = Hub::new(Settings { pal: Some(Pal::memory()), workers: 1, ..Settings::default() });
/// let worker = hub.worker(0);
/// let task = worker.spawned(&SpawnSite { location: Location::caller(), name: None }, None);
/// assert_eq!(hub.busy(0), None);
/// let tick = worker.start_tick(&task);
/// let busy = hub.busy(0).expect("the tick lasts");
/// assert_eq!((busy.task, busy.since), (task.id(), tick.start()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// The task that runs.
    pub task: TaskId,
    /// When its tick began, in raw clock ticks.
    pub since: u64,
}

/// One worker's tick, on cache lines of its own: processors fetch them in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Pulse {
    /// The last boundary's stamp: during a tick, its start.
    boundary: AtomicU64,
    /// The number of the task whose tick lasts; zero between two ticks.
    task: AtomicU64,
}

impl Pulse {
    pub(crate) fn new() -> Pulse {
        Pulse {
            boundary: AtomicU64::new(0),
            task: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(crate) fn boundary(&self) -> u64 {
        self.boundary.load(Relaxed)
    }

    #[inline]
    pub(crate) fn set_boundary(&self, stamp: u64) {
        self.boundary.store(stamp, Relaxed);
    }

    #[inline]
    pub(crate) fn is_in_tick(&self) -> bool {
        self.task.load(Relaxed) != 0
    }

    /// A tick of `task` begins at `start`.
    #[inline]
    pub(crate) fn start(&self, task: TaskId, start: u64) {
        self.set_boundary(start);
        self.task.store(task.number(), Relaxed);
    }

    /// The tick ended at `end`.
    #[inline]
    pub(crate) fn end(&self, end: u64) {
        self.set_boundary(end);
        self.task.store(0, Relaxed);
    }

    pub(crate) fn busy(&self) -> Option<Busy> {
        let task = TaskId::new(self.task.load(Relaxed))?;
        let since = self.boundary();
        Some(Busy { task, since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_shown_from_its_start_to_its_end() {
        let pulse = Pulse::new();
        let task = TaskId::new(3).expect("in range");
        pulse.set_boundary(5);
        assert_eq!((pulse.busy(), pulse.is_in_tick()), (None, false));
        pulse.start(task, 7);
        assert_eq!(pulse.busy(), Some(Busy { task, since: 7 }));
        pulse.end(9);
        assert_eq!((pulse.busy(), pulse.boundary()), (None, 9));
    }
}
