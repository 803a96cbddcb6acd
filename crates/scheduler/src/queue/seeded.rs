//! Owns the ready tasks of a deterministic scheduler: the seed picks the next one within its class.

use crate::task::{Class, Task};
use std::collections::VecDeque;

/// Ready tasks, and the generator that picks among them.
pub(crate) struct Seeded {
    random: SplitMix64,
    default: Ready<Task>,
    system: Ready<Task>,
}

impl Seeded {
    /// Goes on with the generator's state: at first the seed.
    pub(crate) fn resume(random: u64) -> Seeded {
        Seeded {
            random: SplitMix64(random),
            default: Ready::new(),
            system: Ready::new(),
        }
    }

    fn of(&mut self, class: Class) -> &mut Ready<Task> {
        match class {
            Class::Default => &mut self.default,
            Class::System => &mut self.system,
        }
    }

    pub(crate) fn push(&mut self, task: Task) {
        self.of(task.class()).push(task);
    }

    /// A throttled task is picked after its peers that are ready now.
    pub(crate) fn push_throttled(&mut self, task: Task) {
        self.of(task.class()).push_behind(task);
    }

    pub(crate) fn pop(&mut self, class: Class) -> Option<Task> {
        match class {
            Class::Default => self.default.pick(&mut self.random),
            Class::System => self.system.pick(&mut self.random),
        }
    }

    /// The ready tasks.
    pub(crate) fn len(&self) -> usize {
        self.default.len() + self.system.len()
    }

    /// The generator's state and the ready tasks, for the next `resume`.
    pub(crate) fn suspend(&mut self) -> (u64, Vec<Task>) {
        let mut ready = self.system.take();
        ready.append(&mut self.default.take());
        (self.random.0, ready)
    }
}

/// What is ready, in groups of which each goes before the next. Within a group the generator picks.
struct Ready<T> {
    /// None but the last is empty.
    groups: VecDeque<Vec<T>>,
}

impl<T> Ready<T> {
    fn new() -> Ready<T> {
        Ready {
            groups: VecDeque::new(),
        }
    }

    fn push(&mut self, item: T) {
        match self.groups.back_mut() {
            Some(last) => last.push(item),
            None => self.groups.push_back(vec![item]),
        }
    }

    /// Behind all that are here; beside those to come, so that neither holds the other up for ever.
    fn push_behind(&mut self, item: T) {
        if self.groups.back().is_none_or(Vec::is_empty) {
            self.push(item);
        } else {
            self.groups.push_back(vec![item]);
        }
    }

    fn pick(&mut self, random: &mut SplitMix64) -> Option<T> {
        let first = self.groups.front_mut()?;
        if first.is_empty() {
            return None;
        }
        // The bias of the remainder is below one in 2^32 for any number of tasks that fits in memory.
        let index = (random.next() % first.len() as u64) as usize;
        let item = first.swap_remove(index);
        if first.is_empty() && self.groups.len() > 1 {
            self.groups.pop_front();
        }
        Some(item)
    }

    fn len(&self) -> usize {
        self.groups.iter().map(Vec::len).sum()
    }

    fn take(&mut self) -> Vec<T> {
        self.groups.drain(..).flatten().collect()
    }
}

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): one
/// word of state, and every seed is a good one.
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picks(ready: &mut Ready<u32>, seed: u64) -> Vec<u32> {
        let mut random = SplitMix64(seed);
        std::iter::from_fn(|| ready.pick(&mut random)).collect()
    }

    #[test]
    fn the_seed_picks_among_what_is_ready() {
        let mut orders: Vec<_> = (0..100)
            .map(|seed| {
                let mut ready = Ready::new();
                (1..=3).for_each(|item| ready.push(item));
                picks(&mut ready, seed)
            })
            .collect();
        orders.sort();
        orders.dedup();
        assert_eq!(orders.len(), 6, "each order of three is some seed's");
    }

    #[test]
    fn what_goes_behind_is_picked_after_what_was_ready_and_beside_what_comes_later() {
        let mut last = Vec::new();
        for seed in 0..100 {
            let mut ready = Ready::new();
            ready.push(1);
            ready.push(2);
            ready.push_behind(3);
            ready.push(4);
            assert_eq!(ready.len(), 4);
            let mut order = picks(&mut ready, seed);
            last.push(order[3]);
            order[..2].sort();
            assert_eq!(order[..2], [1, 2]);
        }
        assert!(last.contains(&3) && last.contains(&4));
    }

    #[test]
    fn one_that_always_goes_behind_gets_its_turn_beside_one_that_is_always_ready() {
        let mut random = SplitMix64(1);
        let mut ready = Ready::new();
        ready.push("eager");
        ready.push_behind("throttled");
        let mut turns = 0;
        for _ in 0..100 {
            match ready.pick(&mut random).expect("both are ready") {
                "throttled" => {
                    turns += 1;
                    ready.push_behind("throttled");
                }
                eager => ready.push(eager),
            }
        }
        assert!((25..=50).contains(&turns), "{turns} of 100");
        assert_eq!(ready.take().len(), 2);
        assert_eq!(ready.pick(&mut random), None);
    }
}
