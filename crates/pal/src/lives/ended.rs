//! Owns what a fold keeps of tasks that have ended, where it gives up their lives: the last ones in full, for a record of
//! theirs may come late, and of the others that they have ended, and how.
//!
//! Of a task that was last seen before a gap nobody knows whether it has ended there. Now and then all of these are given
//! up; one that lives on is taken up as it is found.
//!
//! Numbers of tasks are handed out in order, and few tasks live: the others are few runs of numbers.

use super::LastEnded;
use crate::{TaskId, TaskState};
use std::collections::BTreeMap;

/// The tasks that have ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Those whose lives are kept.
    pub(super) kept: LastEnded,
    /// The others.
    given_up: Runs,
    /// Those of them that failed.
    failed: Runs,
    /// How many the others are.
    pub(super) count: u64,
    /// Those that were given up because a gap lay behind their last record, and were not seen again.
    unseen: Runs,
    /// How many these are.
    pub(super) unseen_count: u64,
    /// The lives that have begun since those were given up last.
    begun: usize,
    /// The lives that were left then.
    left: usize,
}

impl Ended {
    /// A task's life was given up, of which this was the end.
    pub(super) fn give_up(&mut self, tid: TaskId, end: TaskState) {
        self.count += u64::from(self.given_up.add(tid.number()));
        if end == TaskState::Failed {
            self.failed.add(tid.number());
        }
    }

    /// A life begins. Whether it was given up because a gap lay behind its last record.
    pub(super) fn begin(&mut self, tid: TaskId) -> bool {
        self.begun += 1;
        let is_again = self.unseen.remove(tid.number());
        self.unseen_count -= u64::from(is_again);
        is_again
    }

    /// Whether it is time to give up what was last seen before a gap: what that takes is no more than what has begun.
    pub(super) fn is_due(&self) -> bool {
        self.begun > LastEnded::MAX.max(self.left)
    }

    /// These were last seen before a gap, and are given up; so many lives are left.
    pub(super) fn give_up_unseen(&mut self, unseen: &[TaskId], left: usize) {
        for tid in unseen {
            self.unseen_count += u64::from(self.unseen.add(tid.number()));
        }
        (self.begun, self.left) = (0, left);
    }

    /// How a task has ended whose life was given up; `None` for any other.
    pub(super) fn end_of(&self, tid: TaskId) -> Option<TaskState> {
        if !self.given_up.has(tid.number()) {
            return None;
        }
        Some(match self.failed.has(tid.number()) {
            true => TaskState::Failed,
            false => TaskState::Done,
        })
    }
}

/// A set of numbers: the last of each run, by its first.
#[derive(Debug, Default, PartialEq, Eq)]
struct Runs(BTreeMap<u64, u64>);

impl Runs {
    fn has(&self, number: u64) -> bool {
        let run = self.0.range(..=number).next_back();
        run.is_some_and(|(_, last)| *last >= number)
    }

    /// Adds a number; whether it was not there.
    fn add(&mut self, number: u64) -> bool {
        if self.has(number) {
            return false;
        }
        let last = self.0.remove(&(number + 1)).unwrap_or(number);
        let before = self.0.range_mut(..number).next_back();
        match before.filter(|(_, before)| **before + 1 == number) {
            Some((_, before)) => *before = last,
            None => {
                self.0.insert(number, last);
            }
        }
        true
    }

    /// Removes a number; whether it was there.
    fn remove(&mut self, number: u64) -> bool {
        let run = self.0.range_mut(..=number).next_back();
        let Some((&first, last)) = run.filter(|(_, last)| **last >= number) else {
            return false;
        };
        let behind = std::mem::replace(last, number - 1);
        if first == number {
            self.0.remove(&first);
        }
        if behind > number {
            self.0.insert(number + 1, behind);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn runs_are_a_set_of_numbers(acts in prop::collection::vec((1u64..60, 0..4), 0..120)) {
            let mut runs = Runs::default();
            let mut set = BTreeSet::new();
            for (number, act) in acts {
                match act {
                    0 => prop_assert_eq!(runs.remove(number), set.remove(&number)),
                    _ => prop_assert_eq!(runs.add(number), set.insert(number)),
                }
                let starts = set.iter().filter(|number| !set.contains(&(**number - 1)));
                prop_assert!(runs.0.keys().eq(starts));
                prop_assert!((0..62).all(|number| runs.has(number) == set.contains(&number)));
            }
        }
    }
}
