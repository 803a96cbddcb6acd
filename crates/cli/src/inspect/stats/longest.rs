//! Owns the longest ticks of a log.

use glasshouse_pal::reader::RingId;
use glasshouse_pal::{SiteId, TaskId};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How many are kept.
const LONGEST: usize = 10;

/// A tick: how long it ran comes first, by which they are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick {
    pub run_ticks: u64,
    /// Of two that are as long the earlier one counts.
    pub begun: Reverse<u64>,
    pub task: TaskId,
    pub site: Option<SiteId>,
    pub ring: RingId,
    /// It has not ended.
    pub is_going_on: bool,
}

/// The longest ticks so far.
#[derive(Default)]
pub struct Longest(BinaryHeap<Reverse<Tick>>);

impl Longest {
    pub fn add(&mut self, tick: Tick) {
        let is_full = self.0.len() == LONGEST;
        if is_full && self.0.peek().is_some_and(|Reverse(least)| *least >= tick) {
            return;
        }
        if is_full {
            self.0.pop();
        }
        self.0.push(Reverse(tick));
    }

    /// The longest first.
    pub fn sorted(self) -> Vec<Tick> {
        let sorted = self.0.into_sorted_vec();
        sorted.into_iter().map(|Reverse(tick)| tick).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_are_kept_and_come_first() {
        let mut longest = Longest::default();
        for n in 0..100_u64 {
            longest.add(Tick {
                run_ticks: n * 7 % 100,
                begun: Reverse(n),
                task: TaskId::MAX,
                site: None,
                ring: RingId::Worker(0),
                is_going_on: false,
            });
        }
        let runs: Vec<u64> = longest.sorted().iter().map(|tick| tick.run_ticks).collect();
        assert_eq!(runs, [99, 98, 97, 96, 95, 94, 93, 92, 91, 90]);
    }
}
