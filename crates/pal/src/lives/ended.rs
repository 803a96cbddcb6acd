//! Owns what a fold keeps of tasks that have ended, where it gives up their lives: the last ones in full, for a record of
//! theirs may come late, and of the others that they have ended, and how.
//!
//! Of a task that was last seen before a gap nobody knows whether it has ended there. Now and then all of these are given
//! up; one that lives on is taken up as it is found, and where it was spawned is kept for that.
//!
//! Numbers of tasks are handed out in order, and few tasks live: the others are few runs of numbers, and of those that
//! were given up at once many come from one place.

use super::LastEnded;
use crate::{SiteId, TaskId, TaskState};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

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
    /// With where they were spawned, as far as that is known.
    unseen: Runs<SiteId>,
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
        self.count += u64::from(self.given_up.add(tid.number(), ()));
        if end == TaskState::Failed {
            self.failed.add(tid.number(), ());
        }
    }

    /// A life begins. Where its task was spawned, if it was given up because a gap lay behind its last record.
    pub(super) fn begin(&mut self, tid: TaskId) -> Option<SiteId> {
        self.begun += 1;
        let again = self.unseen.remove(tid.number());
        self.unseen_count -= u64::from(again.is_some());
        again
    }

    /// Whether it is time to give up what was last seen before a gap: what that takes is no more than what has begun.
    pub(super) fn is_due(&self) -> bool {
        self.begun > LastEnded::MAX.max(self.left)
    }

    /// These were last seen before a gap, and are given up, each with where it was spawned; so many lives are left.
    pub(super) fn give_up_unseen(&mut self, unseen: &[(TaskId, SiteId)], left: usize) {
        for (tid, site) in unseen {
            self.unseen_count += u64::from(self.unseen.add(tid.number(), *site));
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

/// Something of each of a set of numbers: the last of each run of which it is the same, with that, by the run's first.
#[derive(Debug, Default, PartialEq, Eq)]
struct Runs<T = ()>(BTreeMap<u64, (u64, T)>);

impl<T: Copy + PartialEq> Runs<T> {
    fn has(&self, number: u64) -> bool {
        let run = self.0.range(..=number).next_back();
        run.is_some_and(|(_, (last, _))| *last >= number)
    }

    /// Adds a number; whether it was not there.
    fn add(&mut self, number: u64, of: T) -> bool {
        if self.has(number) {
            return false;
        }
        let mut last = number;
        if let Entry::Occupied(behind) = self.0.entry(number + 1)
            && behind.get().1 == of
        {
            last = behind.remove().0;
        }
        let before = self.0.range_mut(..number).next_back();
        match before.filter(|(_, before)| **before == (number - 1, of)) {
            Some((_, before)) => before.0 = last,
            None => {
                self.0.insert(number, (last, of));
            }
        }
        true
    }

    /// Removes a number; what was of it, if it was there.
    fn remove(&mut self, number: u64) -> Option<T> {
        let run = self.0.range_mut(..=number).next_back();
        let (&first, (last, of)) = run.filter(|(_, (last, _))| *last >= number)?;
        let (behind, of) = (std::mem::replace(last, number - 1), *of);
        if first == number {
            self.0.remove(&first);
        }
        if behind > number {
            self.0.insert(number + 1, (behind, of));
        }
        Some(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_are_a_map_of_numbers(acts in prop::collection::vec((1u64..60, 0..6), 0..120)) {
            let mut runs = Runs::default();
            let mut map = BTreeMap::new();
            for (number, act) in acts {
                match act {
                    0 | 1 => prop_assert_eq!(runs.remove(number), map.remove(&number)),
                    of => {
                        prop_assert_eq!(runs.add(number, of), !map.contains_key(&number));
                        map.entry(number).or_insert(of);
                    }
                }
                let starts = map.iter().filter(|(number, of)| map.get(&(**number - 1)) != Some(of));
                prop_assert!(runs.0.keys().eq(starts.map(|(number, _)| number)));
                prop_assert!((0..62).all(|number| runs.has(number) == map.contains_key(&number)));
            }
        }
    }
}
