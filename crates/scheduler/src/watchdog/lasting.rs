//! Owns the looks that a shutdown takes at workers when its time is over: which of them are stuck.

use crate::runtime::Shared;
use crate::watchdog::find;
use crate::watchdog::watch::At;
use glasshouse_telemetry::Stalled;
use std::time::Duration;

/// Where the last look found the workers.
pub(crate) struct Lasting {
    /// By worker.
    places: Vec<Place>,
    /// Who stays in one place for so long is stuck, in clock ticks.
    limit: u64,
}

/// Where a worker is, in clock ticks since when it is surely there.
#[derive(Clone, Copy)]
struct Place {
    at: At,
    since: u64,
}

impl Place {
    fn new(at: At, now: u64) -> Place {
        let since = match at {
            At::Tick(tick) => tick.since,
            // The last boundary may lie before a sleep that has only just ended.
            At::Rest | At::Between(_) => now,
        };
        Place { at, since }
    }
}

impl Lasting {
    /// Takes the first look.
    pub(crate) fn new(shared: &Shared, limit: Duration) -> Lasting {
        let clock = shared.hub.clock();
        let now = clock.now_ordered();
        let place = |worker| Place::new(find(shared, worker), now);
        Lasting {
            places: (0..shared.remotes.len()).map(place).collect(),
            limit: clock.ticks_in(limit),
        }
    }

    /// Looks again. None unless a worker is stuck: for too long where it was at the look before. Then the
    /// ticks in which workers are; what lies between two ticks is no task's, and nothing can be told of it.
    pub(crate) fn look(&mut self, shared: &Shared) -> Option<Vec<Stalled>> {
        let clock = shared.hub.clock();
        let now = clock.now_ordered();
        let mut ticks = Vec::new();
        let mut between = 0;
        for worker in 0..self.places.len() {
            match self.stuck(worker, find(shared, worker), now) {
                None | Some(At::Rest) => {}
                Some(At::Between(_)) => between += 1,
                Some(At::Tick(tick)) => ticks.push(Stalled {
                    worker,
                    tick,
                    busy: clock.duration(now.saturating_sub(tick.since)),
                    queued: ready(shared),
                    others: 0,
                }),
            }
        }
        // Asked after the looks. Who has come to its end stands still as well, after its last tick.
        let ended = self.places.len() - shared.phase.alive();
        (!ticks.is_empty() || between > ended).then_some(ticks)
    }

    /// Where a worker is stuck that is found at `at`.
    fn stuck(&mut self, worker: usize, at: At, now: u64) -> Option<At> {
        let place = &mut self.places[worker];
        if place.at != at {
            *place = Place::new(at, now);
            return None;
        }
        (now.saturating_sub(place.since) >= self.limit).then_some(at)
    }
}

/// All ready tasks: nobody takes any more.
fn ready(shared: &Shared) -> usize {
    let own: usize = shared.remotes.iter().map(|own| own.ready()).sum();
    own + shared.injector.len_of_all()
}

#[cfg(all(test, not(glasshouse_loom)))]
mod tests {
    use super::*;
    use crate::Builder;
    use glasshouse_pal::{Pal, TaskId};
    use glasshouse_telemetry::{Busy, SpawnSite};
    use std::panic::Location;
    use std::sync::Arc;

    /// A scheduler without its threads, in which who is seen twice in one place is stuck.
    fn looks(workers: usize) -> (Arc<Shared>, Lasting) {
        let builder = Builder::new().workers(workers).pal(Pal::memory());
        let shared = builder.share(None).expect("nothing of it can be lacking");
        let lasting = Lasting::new(&shared, Duration::ZERO);
        (shared, lasting)
    }

    #[test]
    fn a_worker_that_stays_in_a_tick_is_stuck_and_told_of() {
        let (shared, mut lasting) = looks(2);
        let worker = shared.hub.worker(1);
        let location = Location::caller();
        let name = None;
        let task = worker.spawned(&SpawnSite { location, name }, None);
        shared.idle.fall_asleep(0, false);
        let _tick = worker.start_tick(&task);
        assert_eq!(lasting.look(&shared), None);
        let stuck = lasting.look(&shared).expect("a stuck worker");
        let told = stuck.iter().map(|stuck| (stuck.worker, stuck.tick.task));
        assert_eq!(told.collect::<Vec<_>>(), [(1, task.id())]);
    }

    #[test]
    fn a_worker_that_stays_between_two_ticks_is_stuck_and_nothing_is_told() {
        let (shared, mut lasting) = looks(2);
        let worker = shared.hub.worker(1);
        shared.idle.fall_asleep(0, false);
        assert_eq!(lasting.look(&shared), None);
        assert_eq!(lasting.look(&shared), Some(Vec::new()));
        worker.refresh();
        assert_eq!(lasting.look(&shared), None, "it gets on");
    }

    #[test]
    fn workers_that_have_come_to_their_end_are_not_stuck() {
        let (shared, mut lasting) = looks(2);
        shared.phase.worker_ended();
        assert_eq!(lasting.look(&shared), Some(Vec::new()), "the other is");
        shared.phase.worker_ended();
        assert_eq!(lasting.look(&shared), None);
    }

    #[test]
    fn a_worker_that_sleeps_is_not_stuck() {
        let (shared, mut lasting) = looks(1);
        shared.idle.fall_asleep(0, false);
        assert_eq!((lasting.look(&shared), lasting.look(&shared)), (None, None));
    }

    #[test]
    fn a_tick_lasts_from_its_start_and_what_lies_between_two_from_when_it_was_found() {
        let (_, mut lasting) = looks(1);
        lasting.limit = 50;
        let task = TaskId::new(1).expect("in range");
        let tick = At::Tick(Busy { task, since: 900 });
        // The worker slept since 100, and was woken before 1,000.
        let between = At::Between(100);
        let mut stuck = |at, now| lasting.stuck(0, at, now).is_some();
        assert_eq!((stuck(tick, 1_000), stuck(tick, 1_001)), (false, true));
        assert_eq!(
            (stuck(between, 1_010), stuck(between, 1_059)),
            (false, false)
        );
        assert!(stuck(between, 1_060));
    }
}
