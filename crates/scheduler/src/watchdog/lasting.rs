//! Owns the looks that a shutdown takes at workers when its time is over: which of them are stuck in a poll.

use crate::runtime::Shared;
use glasshouse_telemetry::{Busy, Stalled};
use std::time::Duration;

/// The ticks in which the last look found the workers.
pub(crate) struct Lasting {
    /// By worker.
    ticks: Vec<Option<Busy>>,
    /// A tick that is longer is stuck.
    limit: Duration,
}

impl Lasting {
    /// Takes the first look.
    pub(crate) fn new(shared: &Shared, limit: Duration) -> Lasting {
        let mut lasting = Lasting {
            ticks: vec![None; shared.remotes.len()],
            limit,
        };
        lasting.look(shared);
        lasting
    }

    /// The workers in a tick that is too long, and that they were in at the look before.
    pub(crate) fn look(&mut self, shared: &Shared) -> Vec<Stalled> {
        let clock = shared.hub.clock();
        let now = clock.now_ordered();
        let mut stuck = Vec::new();
        for (worker, before) in self.ticks.iter_mut().enumerate() {
            let found = shared.hub.busy(worker);
            let was = std::mem::replace(before, found);
            let Some(tick) = found.filter(|_| found == was) else {
                continue;
            };
            let busy = clock.duration(now.saturating_sub(tick.since));
            if busy >= self.limit {
                stuck.push(Stalled {
                    worker,
                    tick,
                    busy,
                    queued: ready(shared),
                    others: 0,
                });
            }
        }
        stuck
    }
}

/// All ready tasks: nobody takes any more.
fn ready(shared: &Shared) -> usize {
    let own: usize = shared.remotes.iter().map(|own| own.ready()).sum();
    own + shared.injector.len_of_all()
}
