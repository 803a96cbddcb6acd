//! Owns loads: of a worker that is looked at now and then, and of one whose records are read.

use super::moment::Load;
use glasshouse_pal::Rate;
use std::collections::VecDeque;

/// The stretches that loads are told over.
const NOW_NS: u64 = 1_000_000_000;
const LATELY_NS: u64 = 10_000_000_000;

/// What a worker had done by a moment.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub at: u64,
    /// How long it had run tasks, in clock ticks.
    pub run: u64,
    /// How many ticks it had begun.
    pub begun: u64,
}

/// A worker's load between looks.
#[derive(Debug, Default)]
pub struct Looks(VecDeque<Look>);

impl Looks {
    /// Takes in a look, and tells the load over the last second and the last ten. Between looks that lie closer
    /// than the stretch it is told over what there is.
    pub fn add(&mut self, look: Look, rate: Rate) -> [Load; 2] {
        let age_ns = |then: &Look| rate.ns(look.at.saturating_sub(then.at));
        // One is kept that is as old as the longer stretch.
        while self.0.get(1).is_some_and(|next| age_ns(next) >= LATELY_NS) {
            self.0.pop_front();
        }
        let load = |stretch_ns: u64| {
            let is_old = |then: &&Look| age_ns(then) >= stretch_ns;
            let base = self.0.iter().rev().find(is_old).or(self.0.front());
            base.map_or(Load::default(), |base| {
                let span = look.at.saturating_sub(base.at);
                let run = look.run.saturating_sub(base.run);
                over(span, run, look.begun.saturating_sub(base.begun), rate)
            })
        };
        let loads = [load(NOW_NS), load(LATELY_NS)];
        if self.0.back().is_none_or(|last| last.at < look.at) {
            self.0.push_back(look);
        }
        loads
    }
}

/// A stretch of `span` clock ticks in which a worker ran for `run` and began so many ticks.
fn over(span: u64, run: u64, begun: u64, rate: Rate) -> Load {
    if span == 0 {
        return Load::default();
    }
    Load {
        busy: Some((run as f64 / span as f64).min(1.0)),
        ticks_per_s: Some(begun as f64 * 1e9 / rate.ns(span).max(1) as f64),
    }
}

/// The parts of the longer stretch in which run time is summed up.
const PARTS: u64 = 100;

/// A worker's load as its records tell it, at any moment behind the last of them.
#[derive(Debug, Default)]
pub struct Parts {
    /// The number of the newest part, counted from the clock's zero.
    newest: u64,
    /// Run time and ticks begun, the newest part last; at most [`PARTS`] and the one that is under way.
    parts: VecDeque<(u64, u64)>,
}

impl Parts {
    /// A tick begun at a stamp.
    pub fn begin(&mut self, at: u64, rate: Rate) {
        if let Some(part) = self.part(at / part_ticks(rate)) {
            part.1 += 1;
        }
    }

    /// Time in which tasks ran.
    pub fn run(&mut self, from: u64, to: u64, rate: Rate) {
        let width = part_ticks(rate);
        // What lies further back is forgotten anyway.
        let mut from = from.max(to.saturating_sub(PARTS * width));
        while from < to {
            let number = from / width;
            let end = to.min((number + 1).saturating_mul(width));
            if let Some(part) = self.part(number) {
                part.0 = part.0.saturating_add(end - from);
            }
            from = end;
        }
    }

    /// The load over the last second and the last ten before `at`, of which nothing is known before `since`. A task
    /// may have been running since a stamp, and not be summed up yet.
    pub fn loads(&self, since: u64, at: u64, running: Option<u64>, rate: Rate) -> [Load; 2] {
        let width = part_ticks(rate);
        [NOW_NS, LATELY_NS].map(|stretch_ns| {
            let begin = at.saturating_sub(rate.ticks(stretch_ns)) / width;
            let known = since.max(begin.saturating_mul(width));
            let skipped = (self.newest + 1).saturating_sub(self.parts.len() as u64);
            let parts = self.parts.iter().zip(skipped..);
            let within = parts.filter(|(_, number)| *number >= begin);
            let (run, begun) = within.fold((0, 0), |sum: (u64, u64), (part, _)| {
                (sum.0.saturating_add(part.0), sum.1 + part.1)
            });
            let runs = running.map_or(0, |from| at.saturating_sub(from.max(known)));
            over(
                at.saturating_sub(known),
                run.saturating_add(runs),
                begun,
                rate,
            )
        })
    }

    /// The part of this number; `None` where it is forgotten.
    fn part(&mut self, number: u64) -> Option<&mut (u64, u64)> {
        if self.parts.is_empty() || number > self.newest + PARTS {
            self.parts.clear();
            self.parts.push_back((0, 0));
            self.newest = number;
        }
        while self.newest < number {
            self.parts.push_back((0, 0));
            self.newest += 1;
        }
        while self.parts.len() as u64 > PARTS + 1 {
            self.parts.pop_front();
        }
        let back = usize::try_from(self.newest - number).ok()?;
        let index = self.parts.len().checked_sub(back + 1)?;
        self.parts.get_mut(index)
    }
}

fn part_ticks(rate: Rate) -> u64 {
    rate.ticks(LATELY_NS / PARTS).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;
    const RATE: Rate = Rate::per_second(1_000_000_000);

    fn look(at: u64, run: u64, begun: u64) -> Look {
        Look { at, run, begun }
    }

    #[test]
    fn a_load_is_told_over_the_last_second_and_the_last_ten() {
        let mut looks = Looks::default();
        assert_eq!(looks.add(look(0, 0, 0), RATE), [Load::default(); 2]);
        let mut loads = [Load::default(); 2];
        for quarter in 1..=80 {
            let at = quarter * S / 4;
            // Idle for ten seconds, then busy for ten.
            let run = at.saturating_sub(10 * S);
            loads = looks.add(look(at, run, run / 1_000_000), RATE);
        }
        assert_eq!(loads[0].busy, Some(1.0));
        assert_eq!(loads[1].busy, Some(1.0));
        assert_eq!(loads[0].ticks_per_s, Some(1000.0));
        let idle = looks.add(look(25 * S, 10 * S, 10_000), RATE);
        assert_eq!(idle.map(|load| load.busy), [Some(0.0), Some(0.5)]);
    }

    #[test]
    fn two_looks_at_one_moment_divide_by_nothing() {
        let mut looks = Looks::default();
        looks.add(look(S, 5, 1), RATE);
        assert_eq!(looks.add(look(S, 5, 1), RATE), [Load::default(); 2]);
    }

    #[test]
    fn records_tell_the_same_load() {
        let mut parts = Parts::default();
        for tick in 0..200 {
            // Half of each hundredth of a second, for two seconds.
            let at = tick * S / 100;
            parts.begin(at, RATE);
            parts.run(at, at + S / 200, RATE);
        }
        let [now, lately] = parts.loads(0, 2 * S, None, RATE);
        assert_eq!(now.busy, Some(0.5));
        assert_eq!(now.ticks_per_s, Some(100.0));
        assert_eq!(lately.busy, Some(0.5));
        let [now, lately] = parts.loads(0, 4 * S, None, RATE);
        assert_eq!((now.busy, lately.busy), (Some(0.0), Some(0.25)));
        let [now, lately] = parts.loads(0, 4 * S, Some(3 * S), RATE);
        assert_eq!((now.busy, lately.busy), (Some(1.0), Some(0.5)));
    }

    #[test]
    fn a_long_tick_is_cut_to_what_is_told_and_an_early_stamp_is_left_out() {
        let mut parts = Parts::default();
        parts.run(0, 1000 * S, RATE);
        assert_eq!(parts.loads(0, 1000 * S, None, RATE)[1].busy, Some(1.0));
        parts.begin(5 * S, RATE);
        assert_eq!(
            parts.loads(0, 1000 * S, None, RATE)[1].ticks_per_s,
            Some(0.0)
        );
    }
}
