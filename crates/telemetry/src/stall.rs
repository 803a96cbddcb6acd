//! Owns what is told of a stall: the record, and the warning with the task's name and where it was spawned.

use crate::ENABLED;
use crate::hub::Hub;
use crate::pulse::Busy;
use glasshouse_pal::reader::Site;
use glasshouse_pal::{Foreign, RingOwner, TaskEvent, contain};
use std::time::Duration;

/// The target of the warnings about stalls.
pub const STALL_TARGET: &str = "glasshouse::stall";

/// A tick that is longer than it should be, and still runs.
///
/// ```
/// use glasshouse_telemetry::{Hub, Settings, SpawnSite, Stalled, TaskEvent, pal::Pal};
/// use std::panic::Location;
/// use std::time::Duration;
/// let pal = Pal::memory();
/// let hub = Hub::new(Settings { pal: Some(pal.clone()), workers: 1, ..Settings::default() });
/// let worker = hub.worker(0);
/// let site = SpawnSite { location: Location::caller(), name: Some("pump") };
/// let task = worker.spawned(&site, None);
/// let _tick = worker.start_tick(&task);
/// let tick = hub.busy(0).expect("the tick lasts");
/// let busy = Duration::from_secs(1);
/// let site = hub.stalled(&Stalled { worker: 0, tick, busy, queued: 2, others: 0 });
/// # #[cfg(feature = "record")] {
/// assert_eq!(site.unwrap().name.as_deref(), Some("pump"));
/// assert!(pal.events().iter().any(|event| matches!(event, TaskEvent::Stalled { .. })));
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stalled {
    /// The worker's number.
    pub worker: usize,
    /// The tick.
    pub tick: Busy,
    /// How long it has lasted.
    pub busy: Duration,
    /// Ready tasks that it holds up.
    pub queued: usize,
    /// Workers that do not stall themselves.
    pub others: usize,
}

impl Hub {
    /// The tick that worker `index` is in. Taken beside the worker, so that a pair may be torn: who acts
    /// on it must have seen it at two looks.
    pub fn busy(&self, index: usize) -> Option<Busy> {
        self.pulses.get(index)?.busy()
    }

    /// The last boundary's stamp of worker `index`. Between two ticks it stays for as long as the worker neither
    /// looks at the clock nor wakes anybody.
    pub fn boundary(&self, index: usize) -> u64 {
        self.pulses.get(index).map_or(0, |pulse| pulse.boundary())
    }

    /// Records a stall and warns of it, from a thread that is not the stuck worker; for a virtual clock,
    /// from the worker itself. Returns where the task was spawned, and its name, as far as the log knows.
    pub fn stalled(&self, stall: &Stalled) -> Option<Site> {
        if !ENABLED {
            return None;
        }
        let &Stalled {
            worker,
            tick,
            busy,
            queued,
            others,
        } = stall;
        let event = TaskEvent::Stalled {
            tid: tick.task,
            worker: u16::try_from(worker).unwrap_or(u16::MAX),
            busy,
            queued: u32::try_from(queued).unwrap_or(u32::MAX),
            others: u16::try_from(others).unwrap_or(u16::MAX),
        };
        if self.clock().is_virtual() {
            self.event(event);
        } else {
            // Leased for this one record: rings are few, and a stall is rare.
            let ring = self.pal().lease(RingOwner::External);
            ring.write(self.clock().now_ordered(), 0, &event);
        }
        let log = self.pal().log();
        let row = log.tasks().find(|row| row.id == tick.task);
        let site = row.and_then(|row| log.site(row.site));
        contain(Foreign::Subscriber, || warn(stall, site.as_ref()));
        site
    }
}

fn warn(stall: &Stalled, site: Option<&Site>) {
    let consequence = match (stall.others, stall.queued) {
        (0, 0) => "no other worker is free",
        (0, _) => "nothing can serve the tasks behind it",
        (_, _) => "the others serve what it holds up",
    };
    tracing::warn!(
        target: STALL_TARGET,
        tid = stall.tick.task.number(),
        name = site.and_then(|site| site.name.as_deref()),
        location = site.map(tracing::field::display),
        worker = stall.worker,
        busy = ?stall.busy,
        queued = stall.queued,
        others = stall.others,
        "a task holds its worker in one poll; {consequence}",
    );
}
