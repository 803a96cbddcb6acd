//! Owns the ready tasks of a deterministic scheduler: the seed picks the next one within its class.

use crate::task::{Class, Task};

/// Ready tasks in the order they came, and the generator that picks among them.
pub(crate) struct Seeded {
    random: SplitMix64,
    default: Vec<Task>,
    system: Vec<Task>,
    throttled: Vec<Task>,
}

impl Seeded {
    /// Goes on with the generator's state: at first the seed.
    pub(crate) fn resume(random: u64) -> Seeded {
        Seeded {
            random: SplitMix64(random),
            default: Vec::new(),
            system: Vec::new(),
            throttled: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, task: Task) {
        match task.class() {
            Class::Default => self.default.push(task),
            Class::System => self.system.push(task),
        }
    }

    /// A throttled task is picked only when none of its peers is ready.
    pub(crate) fn push_throttled(&mut self, task: Task) {
        self.throttled.push(task);
    }

    pub(crate) fn pop(&mut self, class: Class) -> Option<Task> {
        let tasks = match class {
            Class::Default => &mut self.default,
            Class::System => &mut self.system,
        };
        if !tasks.is_empty() {
            // The bias of the remainder is below one in 2^32 for any number of tasks that fits in memory.
            let index = (self.random.next() % tasks.len() as u64) as usize;
            return Some(tasks.swap_remove(index));
        }
        let first = self.throttled.iter().position(|t| t.class() == class)?;
        Some(self.throttled.remove(first))
    }

    /// The ready tasks.
    pub(crate) fn len(&self) -> usize {
        self.default.len() + self.system.len() + self.throttled.len()
    }

    /// The generator's state and the ready tasks, for the next `resume`.
    pub(crate) fn suspend(&mut self) -> (u64, Vec<Task>) {
        let mut ready = std::mem::take(&mut self.system);
        ready.append(&mut self.default);
        ready.append(&mut self.throttled);
        (self.random.0, ready)
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
