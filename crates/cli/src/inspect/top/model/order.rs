//! Owns the order in which tasks are listed, and which of them are on the screen. Of many tasks only those on
//! the screen are sorted.

use super::moment::Task;
use glasshouse_pal::{TaskId, TaskState};
use std::cmp::Ordering;

/// What tasks are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Load,
    Run,
    Wait,
    Ready,
    Polls,
    State,
    Lane,
    Age,
    Id,
}

impl Key {
    /// Every key, in the order in which they are gone through.
    pub const ALL: [Key; 9] = [
        Key::Load,
        Key::Run,
        Key::Wait,
        Key::Ready,
        Key::Polls,
        Key::State,
        Key::Lane,
        Key::Age,
        Key::Id,
    ];

    /// What it is called on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Key::Load => "load",
            Key::Run => "run",
            Key::Wait => "wait",
            Key::Ready => "ready",
            Key::Polls => "polls",
            Key::State => "state",
            Key::Lane => "lane",
            Key::Age => "age",
            Key::Id => "id",
        }
    }

    /// The key that comes so many after this one.
    pub fn after(self, by: usize) -> Key {
        let at = Key::ALL.iter().position(|key| *key == self).unwrap_or(0);
        Key::ALL[(at + by) % Key::ALL.len()]
    }

    /// Whether the largest comes first, unless it is turned round: so it is for quantities.
    const fn is_descending(self) -> bool {
        !matches!(self, Key::State | Key::Lane | Key::Id)
    }
}

/// In which order tasks are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub key: Key,
    /// Turned round.
    pub is_reversed: bool,
}

impl Order {
    /// Whether the largest comes first.
    pub fn is_descending(self) -> bool {
        self.key.is_descending() != self.is_reversed
    }

    /// Compares two tasks; `lane_rank` tells a lane's place in the alphabet. No two tasks are equal.
    fn compare(self, a: &Task, b: &Task, lane_rank: &impl Fn(&Task) -> usize) -> Ordering {
        let by_key = match self.key {
            Key::Load => share(a).total_cmp(&share(b)),
            Key::Run => a.run.cmp(&b.run),
            Key::Wait => a.wait.cmp(&b.wait),
            Key::Ready => a.ready.cmp(&b.ready),
            Key::Polls => a.polls.cmp(&b.polls),
            Key::State => state_rank(a.state).cmp(&state_rank(b.state)),
            Key::Lane => lane_rank(a).cmp(&lane_rank(b)),
            Key::Age => a.age().cmp(&b.age()),
            Key::Id => a.id.cmp(&b.id),
        };
        let by_key = match self.is_descending() {
            true => by_key.reverse(),
            false => by_key,
        };
        by_key.then(b.run.cmp(&a.run)).then(a.id.cmp(&b.id))
    }
}

fn share(task: &Task) -> f64 {
    task.busy.unwrap_or(0.0)
}

/// What runs or would run comes first.
fn state_rank(state: Option<TaskState>) -> u8 {
    match state {
        Some(TaskState::Running) => 0,
        Some(TaskState::Throttled) => 1,
        Some(TaskState::Yielded) => 2,
        Some(TaskState::Scheduled) => 3,
        Some(TaskState::LaneWait) => 4,
        Some(TaskState::JoinWait) => 5,
        Some(TaskState::IoWait) => 6,
        Some(TaskState::Sleeping) => 7,
        Some(TaskState::Waiting) => 8,
        Some(TaskState::Done) => 9,
        Some(TaskState::Failed) => 10,
        None => 11,
    }
}

/// The tasks on the screen, and which of them is chosen.
#[derive(Debug, Default)]
pub struct Listing {
    /// The task that is chosen, wherever it goes.
    chosen: Option<TaskId>,
    /// Its place in the whole list.
    rank: usize,
    /// So many places from there another one is to be chosen.
    move_by: Option<isize>,
    /// The place of the first one on the screen.
    top: usize,
    /// Indices of the tasks that pass the filter; those on the screen are in their order, at their places.
    places: Vec<u32>,
    rows: usize,
}

impl Listing {
    /// Chooses the task so many places further on; the first one on the screen where none is chosen.
    pub fn move_by(&mut self, by: isize) {
        self.move_by = Some(self.move_by.unwrap_or(0).saturating_add(by));
    }

    /// Chooses none, and shows the beginning.
    pub fn reset(&mut self) {
        (self.chosen, self.move_by, self.top) = (None, None, 0);
    }

    /// The task that is chosen.
    pub fn chosen(&self) -> Option<TaskId> {
        self.chosen
    }

    /// How many rows of the screen it filled last.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many tasks pass the filter, and how many of them stand before those on the screen.
    pub fn counts(&self) -> (usize, usize) {
        (self.places.len(), self.top)
    }

    /// The indices of the tasks on the screen, from the top.
    pub fn shown(&self) -> &[u32] {
        let end = self.places.len().min(self.top + self.rows);
        &self.places[self.top.min(end)..end]
    }

    /// Finds out which tasks are on a screen of so many rows.
    pub fn arrange(
        &mut self,
        tasks: &[Task],
        order: Order,
        mut passes: impl FnMut(&Task) -> bool,
        lane_rank: impl Fn(&Task) -> usize,
        rows: usize,
    ) {
        self.rows = rows;
        self.places.clear();
        let indices = 0..u32::try_from(tasks.len()).unwrap_or(u32::MAX);
        let passing = indices.filter(|index| passes(&tasks[*index as usize]));
        self.places.extend(passing);
        let compare = |a: &u32, b: &u32| {
            let [a, b] = [a, b].map(|index| &tasks[*index as usize]);
            order.compare(a, b, &lane_rank)
        };
        self.choose(tasks, compare);
        let last_top = self.places.len().saturating_sub(rows);
        if self.chosen.is_some() {
            let lowest = (self.rank + 1).saturating_sub(rows);
            self.top = self.top.clamp(lowest, self.rank.max(lowest));
        }
        self.top = self.top.min(last_top);
        // Only what is on the screen is sorted: what stands before and behind it is merely told apart.
        let mut window = &mut self.places[..];
        if self.top > 0 {
            window = window.select_nth_unstable_by(self.top - 1, compare).2;
        }
        if window.len() > rows && rows > 0 {
            window = window.select_nth_unstable_by(rows, compare).0;
        }
        window.sort_unstable_by(compare);
    }

    /// Settles which task is chosen, and its place.
    fn choose(&mut self, tasks: &[Task], compare: impl Fn(&u32, &u32) -> Ordering) {
        let Some(last) = self.places.len().checked_sub(1) else {
            (self.chosen, self.move_by) = (None, None);
            return;
        };
        let chosen = self.chosen;
        let is_chosen = |index: &&u32| Some(tasks[**index as usize].id) == chosen;
        let found = self.places.iter().find(is_chosen).copied();
        if let Some(found) = found {
            let before = |index: &&u32| compare(index, &found).is_lt();
            self.rank = self.places.iter().filter(before).count();
        }
        let rank = match (self.move_by.take(), self.chosen) {
            (None, None) => return,
            (None, Some(_)) if found.is_some() => return,
            // It has ended: its place is taken by the next.
            (None, Some(_)) => self.rank,
            (Some(by), None) => self
                .top
                .saturating_add_signed(by.saturating_sub(by.signum())),
            (Some(by), Some(_)) => self.rank.saturating_add_signed(by),
        };
        self.rank = rank.min(last);
        let (_, at_rank, _) = self.places.select_nth_unstable_by(self.rank, compare);
        self.chosen = Some(tasks[*at_rank as usize].id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BY_RUN: Order = Order {
        key: Key::Run,
        is_reversed: false,
    };

    fn task(id: u64, run: u64) -> Task {
        Task {
            id: TaskId::new(id).expect("in range"),
            state: Some(TaskState::Sleeping),
            stay: 0,
            site: None,
            parent: None,
            waker: None,
            polls: 0,
            run,
            wait: 0,
            ready: 0,
            busy: None,
            lane: None,
        }
    }

    fn arrange(listing: &mut Listing, tasks: &[Task], rows: usize) -> Vec<u64> {
        listing.arrange(tasks, BY_RUN, |_| true, |_| 0, rows);
        let shown = listing.shown().iter();
        shown
            .map(|index| tasks[*index as usize].id.number())
            .collect()
    }

    fn chosen(listing: &Listing) -> Option<u64> {
        listing.chosen().map(TaskId::number)
    }

    #[test]
    fn a_task_that_is_chosen_stays_chosen_wherever_it_goes() {
        let mut listing = Listing::default();
        let mut tasks: Vec<Task> = (1..=9).map(|id| task(id, 100 - id)).collect();
        assert_eq!(arrange(&mut listing, &tasks, 3), [1, 2, 3]);
        assert_eq!(chosen(&listing), None);
        listing.move_by(1);
        assert_eq!(arrange(&mut listing, &tasks, 3), [1, 2, 3]);
        assert_eq!(chosen(&listing), Some(1));
        listing.move_by(4);
        assert_eq!(arrange(&mut listing, &tasks, 3), [3, 4, 5]);
        assert_eq!(chosen(&listing), Some(5));
        tasks[4].run = 0;
        assert_eq!(arrange(&mut listing, &tasks, 3), [8, 9, 5]);
        assert_eq!(chosen(&listing), Some(5));
        // It ends: the last one is in its place then.
        tasks.remove(4);
        assert_eq!(arrange(&mut listing, &tasks, 3), [7, 8, 9]);
        assert_eq!(chosen(&listing), Some(9));
        listing.move_by(-100);
        assert_eq!(arrange(&mut listing, &tasks, 3), [1, 2, 3]);
        assert_eq!(chosen(&listing), Some(1));
    }

    #[test]
    fn nothing_is_chosen_of_nothing() {
        let mut listing = Listing::default();
        listing.move_by(1);
        assert_eq!(arrange(&mut listing, &[], 3), [0; 0]);
        assert_eq!((chosen(&listing), listing.counts()), (None, (0, 0)));
    }

    #[test]
    fn quantities_come_largest_first_and_states_by_who_would_run() {
        let by = |key, is_reversed| Order { key, is_reversed };
        let [mut small, large] = [task(1, 5), task(2, 9)];
        small.state = Some(TaskState::Running);
        let first = |order: Order| order.compare(&small, &large, &|_| 0);
        assert_eq!(first(by(Key::Run, false)), Ordering::Greater);
        assert_eq!(first(by(Key::Run, true)), Ordering::Less);
        assert_eq!(first(by(Key::State, false)), Ordering::Less);
        assert_eq!(first(by(Key::Id, false)), Ordering::Less);
        assert_eq!(first(by(Key::Id, true)), Ordering::Greater);
    }

    #[test]
    fn every_key_comes_after_another() {
        let round: Vec<Key> = (0..9).map(|by| Key::Load.after(by)).collect();
        assert_eq!(round, Key::ALL);
        assert_eq!(Key::Id.after(1), Key::Load);
    }

    proptest! {
        /// Beside a list that is sorted whole.
        #[test]
        fn the_window_is_the_one_of_the_sorted_list(
            runs in proptest::collection::vec(0u64..20, 0..60),
            moves in proptest::collection::vec(-9isize..12, 0..12),
            rows in 1usize..9,
        ) {
            let tasks: Vec<Task> = (1..).zip(&runs).map(|(id, run)| task(id, *run)).collect();
            let mut sorted: Vec<&Task> = tasks.iter().collect();
            sorted.sort_by(|a, b| BY_RUN.compare(a, b, &|_| 0));
            let sorted: Vec<u64> = sorted.iter().map(|task| task.id.number()).collect();
            let mut listing = Listing::default();
            for by in moves {
                listing.move_by(by);
                let shown = arrange(&mut listing, &tasks, rows);
                let (all, top) = listing.counts();
                prop_assert_eq!(all, tasks.len());
                prop_assert_eq!(&shown[..], &sorted[top..(top + rows).min(all)]);
                prop_assert_eq!(shown.len(), rows.min(all));
                let chosen = chosen(&listing);
                prop_assert!(chosen.is_none_or(|chosen| shown.contains(&chosen)));
                prop_assert_eq!(chosen.is_none(), all == 0);
            }
        }
    }
}
