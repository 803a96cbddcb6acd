//! Owns which tasks have ended last: of these a fold may still be told something, of those that ended before no more.

use crate::TaskId;
use std::collections::VecDeque;

/// The tasks that have ended last, up to a number.
///
/// A fold of a long log holds what it knows of a task for some time beyond its end, for a record that speaks of it may
/// come late. Each that ends displaces the one that ended first.
///
/// ```
/// use glasshouse_pal::{TaskId, lives::LastEnded};
/// let [first, second] = [1, 2].map(|number| TaskId::new(number).expect("in range"));
/// let mut ended = LastEnded::of(1);
/// assert_eq!(ended.push(first), None);
/// assert_eq!(ended.push(second), Some(first));
/// ```
#[derive(Clone, Debug)]
pub struct LastEnded {
    /// The first one first.
    tasks: VecDeque<TaskId>,
    max: usize,
}

impl LastEnded {
    /// So many, unless another number is asked for. A guess: more than end while a record is on its way.
    pub const MAX: usize = 1 << 16;

    /// Up to so many.
    pub fn of(max: usize) -> LastEnded {
        LastEnded {
            tasks: VecDeque::new(),
            max,
        }
    }

    /// A task has ended; the one that has ended long before, where there are too many.
    #[must_use = "what is known of it is of no use any more"]
    pub fn push(&mut self, tid: TaskId) -> Option<TaskId> {
        self.tasks.push_back(tid);
        match self.tasks.len() > self.max {
            true => self.tasks.pop_front(),
            false => None,
        }
    }

    /// Forgets those of which this is not true: they live.
    pub fn retain(&mut self, mut has_ended: impl FnMut(TaskId) -> bool) {
        self.tasks.retain(|tid| has_ended(*tid));
    }

    /// The tasks, the one that ended first first.
    pub fn iter(&self) -> impl Iterator<Item = TaskId> {
        self.tasks.iter().copied()
    }
}

impl Default for LastEnded {
    /// Up to [`LastEnded::MAX`].
    fn default() -> LastEnded {
        LastEnded::of(LastEnded::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which each of these displaces.
    fn displaced(mut ended: LastEnded, numbers: &[u64]) -> Vec<Option<u64>> {
        let pushed = numbers.iter().map(|number| {
            let displaced = ended.push(TaskId::new(*number).expect("in range"));
            displaced.map(TaskId::number)
        });
        pushed.collect()
    }

    #[test]
    fn each_that_ends_displaces_the_first_once_there_are_as_many_as_may_be() {
        let of = |max| displaced(LastEnded::of(max), &[5, 3, 9, 1]);
        assert_eq!(of(2), [None, None, Some(5), Some(3)]);
        assert_eq!(of(0), [Some(5), Some(3), Some(9), Some(1)]);
        assert_eq!(of(4), [None; 4]);
    }

    #[test]
    fn who_is_found_to_live_makes_room() {
        let [first, second, third] = [1, 2, 3].map(|number| TaskId::new(number).expect("in range"));
        let mut ended = LastEnded::of(2);
        assert_eq!([first, second].map(|tid| ended.push(tid)), [None, None]);
        ended.retain(|tid| tid != first);
        assert_eq!(ended.push(third), None);
        assert_eq!(ended.iter().collect::<Vec<_>>(), [second, third]);
    }

    #[test]
    fn one_that_ends_twice_against_the_rule_is_there_twice() {
        assert_eq!(
            displaced(LastEnded::of(1), &[5, 5, 3]),
            [None, Some(5), Some(5)]
        );
    }
}
