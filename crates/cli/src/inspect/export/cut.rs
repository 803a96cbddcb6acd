//! Owns the ticks that began before the records of a trace do: in rings that have wrapped, or before a gap of segments.
//!
//! Behind the cut every record is there: who leaves a tick of which no beginning is, began it before. On one ring that is
//! the first tick at most.

use glasshouse_pal::reader::{Entry, Log, RingId};
use glasshouse_pal::{LossCause, TaskEvent, TaskId, TaskState, WorkerState};
use std::collections::HashSet;

/// A tick under way.
#[derive(Clone, Copy)]
pub struct Running {
    pub ring: RingId,
    pub since_ns: u64,
    /// It began earlier: what went before is not in the trace.
    pub began_before: bool,
}

/// Where the records that are taken begin.
pub struct Cut {
    /// Its stamp, and that in nanoseconds since the log began; `None` where every record is there since then.
    place: Option<(u64, u64)>,
    /// Rings that have had a tick since.
    served: HashSet<RingId>,
    /// Whether the beginning of a tick may have found no ring, so that it is missing for that reason.
    is_short: bool,
}

impl Cut {
    pub fn at_horizon(log: &Log) -> Cut {
        Cut {
            place: log.horizon().map(|stamp| (stamp, log.at_ns(stamp))),
            served: HashSet::new(),
            is_short: log.loss().unwritten(LossCause::NoRing) > 0,
        }
    }

    /// The next record is the first one behind a gap that ends then.
    pub fn move_to(&mut self, stamp: u64, log: &Log) {
        self.place = Some((stamp, log.at_ns(stamp)));
        self.served.clear();
    }

    /// The tick that this event ends, where it lasts since before the cut. To be shown every transition of a task that does
    /// not run by the records that were taken.
    pub fn tick_of(&mut self, entry: &Entry, event: &TaskEvent) -> Option<Running> {
        if matches!(event, TaskEvent::Spawned { .. } | TaskEvent::Wake { .. }) {
            return None;
        }
        let is_first = self.served.insert(entry.ring);
        if !is_first || matches!(event, TaskEvent::Running { .. }) {
            return None;
        }
        let tick = self.tick_on(entry.ring)?;
        (entry.at_ns > tick.since_ns).then_some(tick)
    }

    /// A tick on this ring that lasts since before the cut, if any can be told.
    fn tick_on(&self, ring: RingId) -> Option<Running> {
        let (_, since_ns) = self.place?;
        let is_sure = !self.is_short || matches!(ring, RingId::Worker(_));
        is_sure.then_some(Running {
            ring,
            since_ns,
            began_before: true,
        })
    }

    /// The ticks that last since before the cut, by the task table and the headers of rings, which segments do not have.
    pub fn lasting(&self, log: &Log) -> Vec<(TaskId, Running)> {
        let Some((stamp, _)) = self.place else {
            return Vec::new();
        };
        let lasts = |tid: &TaskId| {
            let row = log.tasks().find(|row| row.id == *tid);
            row.is_some_and(|row| row.state == Some(TaskState::Running) && row.since < stamp)
        };
        let rings = log.rings().into_iter().filter(|ring| {
            let runs = ring.is_leased && ring.state == Some(WorkerState::Running);
            runs && !self.served.contains(&ring.id)
        });
        let ticks = rings.filter_map(|ring| {
            let tid = ring.task.filter(lasts)?;
            Some((tid, self.tick_on(ring.id)?))
        });
        ticks.collect()
    }
}
