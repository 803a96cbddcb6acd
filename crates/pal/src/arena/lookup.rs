//! Owns the index by which the arena finds what it already holds.

use std::sync::atomic::{AtomicU64, Ordering};

/// A hash table of a fixed size, with open addressing, in which nothing is ever removed. Readers
/// take no lock; who inserts holds the arena's.
pub(crate) struct Lookup {
    /// hash:32 | number:32, or zero for a free place.
    places: Box<[AtomicU64]>,
}

impl Lookup {
    /// An index for at most `entries` entries, with at least half of its places left free.
    pub(crate) fn new(entries: usize) -> Lookup {
        let places = (entries * 2).next_power_of_two();
        Lookup {
            places: (0..places).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The number that was inserted with this hash and that `is_it` confirms.
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        // Ends: half of the places are free for ever.
        loop {
            // Pairs with the release store in `insert`: who finds a number finds what it names.
            let word = self.places[place].load(Ordering::Acquire);
            if word == 0 {
                return None;
            }
            if word >> 32 == hash >> 32 && is_it(word as u32) {
                return Some(word as u32);
            }
            place = (place + 1) & mask;
        }
    }

    /// Adds a number, which is not zero. The caller holds the arena's lock and keeps to the bound.
    pub(crate) fn insert(&self, hash: u64, number: u32) {
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        while self.places[place].load(Ordering::Relaxed) != 0 {
            place = (place + 1) & mask;
        }
        let word = hash >> 32 << 32 | u64::from(number);
        self.places[place].store(word, Ordering::Release);
    }
}

/// An odd multiplier with well-spread bits: 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes words into a hash whose upper and lower halves are both usable.
pub(crate) fn hash_words(words: impl Iterator<Item = u64>) -> u64 {
    let mut hash = SPREAD;
    for word in words {
        hash = (hash ^ word).wrapping_mul(SPREAD);
        hash ^= hash >> 32;
    }
    hash.wrapping_mul(SPREAD).rotate_left(23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_inserted_is_found_even_when_hashes_collide() {
        let lookup = Lookup::new(8);
        for number in 1..=8 {
            lookup.insert(15, number);
        }
        for number in 1..=8 {
            assert_eq!(lookup.find(15, |found| found == number), Some(number));
        }
        assert_eq!(lookup.find(15, |_| false), None);
        assert_eq!(lookup.find(1 << 32 | 3, |_| true), None);
    }

    #[test]
    fn hashes_of_near_words_differ() {
        let mut seen: Vec<u64> = (0..10_000)
            .map(|n| hash_words([n, 7].into_iter()))
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 10_000);
    }
}
