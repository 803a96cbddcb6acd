//! Owns what the watchdog remembers of the workers from one look to the next.

use glasshouse_telemetry::Busy;

/// What is known of every worker. Times are in clock ticks.
pub(super) struct Watch {
    workers: Box<[Memory]>,
    /// How long a tick may last.
    threshold: u64,
    /// A look so long after the one before says nothing of the workers.
    oversleep: u64,
    last_look: Option<u64>,
    /// Whether the last look came so late.
    was_late: bool,
}

/// Where a look finds a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum At {
    /// Asleep, or in nobody's hands.
    #[default]
    Rest,
    /// In a tick.
    Tick(Busy),
    /// Awake, and in no tick since then: at what comes between two. Foreign code may hold it there too, a
    /// waker or the drop of an output that nobody wants.
    Between(u64),
}

impl At {
    /// Since when, if it is awake.
    fn since(self) -> Option<u64> {
        match self {
            At::Rest => None,
            At::Tick(tick) => Some(tick.since),
            At::Between(since) => Some(since),
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Memory {
    at: At,
    /// Looks at which it was there, after the first.
    again: u32,
    /// The tick that was told of, and how long it must last to be told of again.
    told: Option<(Busy, u64)>,
}

/// A worker, as the last looks found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// At rest, or elsewhere than at the look before.
    Free,
    /// Where it was at the look before.
    Held {
        /// None between two ticks.
        tick: Option<Busy>,
        /// It was not yet at the look before.
        is_new: bool,
    },
}

impl Watch {
    pub(super) fn new(workers: usize, threshold: u64, oversleep: u64) -> Watch {
        Watch {
            workers: vec![Memory::default(); workers].into(),
            threshold,
            oversleep,
            last_look: None,
            was_late: false,
        }
    }

    /// A look begins. When the one before was too long ago, nobody ran for a while, not even the watchdog:
    /// the ticks are as long because the machine or the process stood still, and are all seen anew. Not twice
    /// in a row: on a machine where every look comes late, ticks that do not end are found all the same.
    pub(super) fn start(&mut self, now: u64) {
        let before = self.last_look.replace(now).unwrap_or(now);
        let is_late = now.saturating_sub(before) > self.oversleep;
        let was_late = std::mem::replace(&mut self.was_late, is_late);
        if is_late && !was_late {
            for worker in &mut self.workers {
                worker.at = At::Rest;
            }
        }
    }

    /// Where the look finds a worker.
    pub(super) fn see(&mut self, worker: usize, at: At) {
        let memory = &mut self.workers[worker];
        memory.again = match at != At::Rest && at == memory.at {
            true => memory.again.saturating_add(1),
            false => 0,
        };
        memory.at = at;
    }

    pub(super) fn seen(&self, worker: usize) -> Seen {
        let memory = &self.workers[worker];
        let tick = match memory.at {
            At::Tick(tick) => Some(tick),
            At::Rest | At::Between(_) => None,
        };
        match memory.again {
            0 => Seen::Free,
            again => Seen::Held {
                tick,
                is_new: again == 1,
            },
        }
    }

    /// The workers beside this one that have not been held for longer than the threshold.
    pub(super) fn others(&self, worker: usize, now: u64) -> usize {
        let is_free = |&other: &usize| match (self.seen(other), self.workers[other].at.since()) {
            (Seen::Held { .. }, Some(since)) => now.saturating_sub(since) < self.threshold,
            _ => true,
        };
        (0..self.workers.len())
            .filter(|&other| other != worker)
            .filter(is_free)
            .count()
    }

    /// Whether this tick is to be told of: once it has reached the threshold, and whenever it has doubled
    /// since it was told of last. Then it counts as told of.
    pub(super) fn is_due(&mut self, worker: usize, tick: Busy, now: u64) -> bool {
        let memory = &mut self.workers[worker];
        let due = match memory.told {
            Some((told, next)) if told == tick => next,
            _ => self.threshold,
        };
        let lasted = now.saturating_sub(tick.since);
        if lasted < due {
            return false;
        }
        memory.told = Some((tick, lasted.saturating_mul(2)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshouse_pal::TaskId;

    const THRESHOLD: u64 = 100;
    const OVERSLEEP: u64 = 40;

    fn watch(workers: usize) -> Watch {
        Watch::new(workers, THRESHOLD, OVERSLEEP)
    }

    fn tick(task: u64, since: u64) -> Busy {
        let task = TaskId::new(task).expect("in range");
        Busy { task, since }
    }

    /// One look at the only worker.
    fn look(watch: &mut Watch, now: u64, tick: Option<Busy>) -> Seen {
        watch.start(now);
        watch.see(0, tick.map_or(At::Rest, At::Tick));
        watch.seen(0)
    }

    #[test]
    fn a_worker_is_held_when_two_looks_find_it_in_the_same_tick() {
        let mut watch = watch(1);
        let held = |tick, is_new| Seen::Held {
            tick: Some(tick),
            is_new,
        };
        let (one, next) = (tick(1, 5), tick(1, 25));
        for (now, found, expected) in [
            (10, None, Seen::Free),
            (20, None, Seen::Free),
            (30, Some(one), Seen::Free),
            (40, Some(one), held(one, true)),
            (50, Some(one), held(one, false)),
            // Another tick of the same task.
            (60, Some(next), Seen::Free),
            (70, Some(next), held(next, true)),
            (80, None, Seen::Free),
        ] {
            assert_eq!(look(&mut watch, now, found), expected, "at {now}");
        }
    }

    #[test]
    fn a_worker_is_held_between_two_ticks_as_well_but_not_at_rest() {
        let mut watch = watch(1);
        let held = |is_new| Seen::Held { tick: None, is_new };
        for (at, expected) in [
            (At::Between(5), Seen::Free),
            (At::Between(5), held(true)),
            (At::Between(5), held(false)),
            (At::Between(6), Seen::Free),
            (At::Rest, Seen::Free),
            (At::Rest, Seen::Free),
        ] {
            watch.see(0, at);
            assert_eq!(watch.seen(0), expected, "{at:?}");
        }
    }

    #[test]
    fn a_tick_is_told_of_at_the_threshold_and_whenever_it_has_doubled() {
        let mut watch = watch(1);
        let long = tick(1, 0);
        let told: Vec<u64> = (0..2_000)
            .step_by(30)
            .filter(|&now| watch.is_due(0, long, now))
            .collect();
        assert_eq!(told, [120, 240, 480, 960, 1_920]);
        let next = tick(1, 2_000);
        assert!(!watch.is_due(0, next, 2_099));
        assert!(watch.is_due(0, next, 2_100));
    }

    #[test]
    fn a_look_that_comes_far_too_late_sees_every_tick_anew() {
        let mut watch = watch(1);
        let long = tick(1, 0);
        assert_eq!(look(&mut watch, 10, Some(long)), Seen::Free);
        assert_eq!(look(&mut watch, 10 + OVERSLEEP + 1, Some(long)), Seen::Free);
        assert!(matches!(
            look(&mut watch, 60, Some(long)),
            Seen::Held { is_new: true, .. }
        ));
    }

    #[test]
    fn looks_that_all_come_far_too_late_find_a_tick_that_does_not_end() {
        let mut watch = watch(1);
        let long = tick(1, 0);
        let late = OVERSLEEP + 1;
        let held = (1..5).filter(|&n| look(&mut watch, n * late, Some(long)) != Seen::Free);
        assert_eq!(held.collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn others_are_those_beside_a_worker_whose_ticks_are_not_past_the_threshold() {
        let mut watch = watch(3);
        for now in [10, 20] {
            watch.start(now);
            watch.see(0, At::Tick(tick(1, 0)));
            watch.see(1, At::Between(15));
            watch.see(2, At::Rest);
        }
        let others = |now| [0, 1, 2].map(|worker| watch.others(worker, now));
        assert_eq!(others(99), [2, 2, 2]);
        assert_eq!(others(100), [2, 1, 1]);
        assert_eq!(others(115), [1, 1, 0]);
    }

    #[test]
    fn a_lone_worker_has_no_others_however_short_its_tick() {
        let mut watch = watch(1);
        for now in [10, 20] {
            look(&mut watch, now, Some(tick(1, 5)));
        }
        assert_eq!(watch.others(0, 20), 0);
    }
}
