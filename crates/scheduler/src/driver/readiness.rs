//! Owns the word that says what is known of a descriptor's readiness, and how it changes.
//!
//! The kernel reports edges, so readiness is remembered until an operation finds that it is not there
//! (`WouldBlock`). Forgetting must not erase an edge that came in between: the word counts the edges, and a
//! direction is forgotten only if the count is the one that the operation saw. A close of the other end
//! outlives a short transfer, for no edge need follow it; only an operation that would block after all
//! forgets it, as on a terminal, which may be opened again after its last user went.

use crate::sync::{AtomicU64, Ordering};
use glasshouse_pal::Interest as Direction;
use mio::event::Event;

const READABLE: u64 = 1;
const WRITABLE: u64 = 1 << 1;
const READ_CLOSED: u64 = 1 << 2;
const WRITE_CLOSED: u64 = 1 << 3;
/// Never tried since the descriptor is watched: an operation is worth a try, though nothing is known.
const FRESH_READ: u64 = 1 << 4;
const FRESH_WRITE: u64 = 1 << 5;
/// One edge; the bits above count them.
const EDGE: u64 = 1 << 8;

/// Some of the bits that say why an operation is worth a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mask(u64);

impl Mask {
    pub(crate) const NONE: Mask = Mask(0);
    pub(crate) const READABLE: Mask = Mask(READABLE);
    pub(crate) const WRITABLE: Mask = Mask(WRITABLE);
    pub(crate) const READ_CLOSED: Mask = Mask(READ_CLOSED);
    pub(crate) const WRITE_CLOSED: Mask = Mask(WRITE_CLOSED);

    /// The bits by which the kernel said that this direction is ready.
    pub(crate) const fn known(direction: Direction) -> Mask {
        match direction {
            Direction::Read => Mask(READABLE | READ_CLOSED),
            Direction::Write => Mask(WRITABLE | WRITE_CLOSED),
        }
    }

    /// The same, and that nobody has tried yet.
    pub(crate) const fn worth_a_try(direction: Direction) -> Mask {
        match direction {
            Direction::Read => Mask(READABLE | READ_CLOSED | FRESH_READ),
            Direction::Write => Mask(WRITABLE | WRITE_CLOSED | FRESH_WRITE),
        }
    }

    pub(crate) const fn union(self, other: Mask) -> Mask {
        Mask(self.0 | other.0)
    }

    pub(crate) const fn intersection(self, other: Mask) -> Mask {
        Mask(self.0 & other.0)
    }

    pub(crate) const fn without(self, other: Mask) -> Mask {
        Mask(self.0 & !other.0)
    }

    pub(crate) const fn meets(self, other: Mask) -> bool {
        self.0 & other.0 != 0
    }

    /// What an event says. An error makes both directions ready: the operation is told it.
    pub(super) fn of(event: &Event) -> Mask {
        let mut mask = Mask::NONE;
        if event.is_error() {
            mask = mask.union(Mask(READABLE | WRITABLE));
        }
        if event.is_readable() {
            mask = mask.union(Mask::READABLE);
        }
        if event.is_writable() {
            mask = mask.union(Mask::WRITABLE);
        }
        if event.is_read_closed() {
            mask = mask.union(Mask::READ_CLOSED);
        }
        if event.is_write_closed() {
            mask = mask.union(Mask::WRITE_CLOSED);
        }
        mask
    }
}

/// The word as an operation saw it before it tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen(u64);

impl Seen {
    pub(crate) fn mask(self) -> Mask {
        Mask(self.0 & (EDGE - 1))
    }

    fn edges(self) -> u64 {
        self.0 / EDGE
    }

    #[must_use]
    fn with_edge(self, mask: Mask) -> Seen {
        Seen((self.0 | mask.0).wrapping_add(EDGE))
    }

    #[must_use]
    fn without(self, mask: Mask) -> Seen {
        Seen(self.0 & !mask.0)
    }
}

/// What is known of one descriptor.
pub(crate) struct Readiness(AtomicU64);

impl Readiness {
    /// Nothing is known. If `fresh`, operations try before they wait.
    pub(crate) fn new(fresh: bool) -> Readiness {
        let word = if fresh { FRESH_READ | FRESH_WRITE } else { 0 };
        Readiness(AtomicU64::new(word))
    }

    pub(crate) fn load(&self) -> Seen {
        // Acquire pairs with `edge`: the operation that sees a bit comes after the edge.
        Seen(self.0.load(Ordering::Acquire))
    }

    /// The driver saw an edge.
    pub(super) fn edge(&self, mask: Mask) {
        self.update(|word| Some(word.with_edge(mask)));
    }

    /// An operation said `WouldBlock`: all that it saw is gone. An edge since then keeps what is there.
    pub(crate) fn would_block(&self, direction: Direction, seen: Seen) {
        self.forget(Mask::worth_a_try(direction), seen);
    }

    /// An operation took or gave less than it could have: the bytes are gone, a close stays.
    pub(crate) fn was_partial(&self, direction: Direction, seen: Seen) {
        let closed = Mask::READ_CLOSED.union(Mask::WRITE_CLOSED);
        self.forget(Mask::worth_a_try(direction).without(closed), seen);
    }

    fn forget(&self, mask: Mask, seen: Seen) {
        self.update(|word| (word.edges() == seen.edges()).then(|| word.without(mask)));
    }

    fn update(&self, change: impl Fn(Seen) -> Option<Seen>) {
        let mut word = self.0.load(Ordering::Acquire);
        while let Some(next) = change(Seen(word)) {
            // AcqRel: see `load`; and what is cleared is cleared after the operation that found it gone.
            match self
                .0
                .compare_exchange_weak(word, next.0, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }
}

#[cfg(all(test, not(glasshouse_loom)))]
mod tests {
    use super::*;

    const BOTH: Mask = Mask(READABLE | WRITABLE);

    #[test]
    fn what_is_found_gone_is_forgotten_in_its_direction_only() {
        let word = Readiness::new(false);
        word.edge(BOTH);
        word.would_block(Direction::Read, word.load());
        assert_eq!(word.load().mask(), Mask::WRITABLE);
        word.would_block(Direction::Write, word.load());
        assert_eq!(word.load().mask(), Mask::NONE);
    }

    #[test]
    fn an_edge_between_a_try_and_its_forgetting_is_kept() {
        let word = Readiness::new(false);
        word.edge(Mask::READABLE);
        let seen = word.load();
        word.edge(Mask::READABLE);
        word.would_block(Direction::Read, seen);
        assert_eq!(word.load().mask(), Mask::READABLE);
    }

    #[test]
    fn the_other_direction_forgotten_in_between_does_not_keep_this_one() {
        let word = Readiness::new(false);
        word.edge(BOTH);
        let seen = word.load();
        word.would_block(Direction::Write, seen);
        word.would_block(Direction::Read, seen);
        assert_eq!(word.load().mask(), Mask::NONE);
    }

    #[test]
    fn a_short_transfer_does_not_forget_the_end_of_the_stream() {
        let word = Readiness::new(false);
        word.edge(Mask::READABLE.union(Mask::READ_CLOSED));
        word.was_partial(Direction::Read, word.load());
        assert_eq!(word.load().mask(), Mask::READ_CLOSED);
    }

    #[test]
    fn who_would_block_after_the_other_end_closed_waits_for_the_next_edge() {
        let word = Readiness::new(false);
        word.edge(Mask::READABLE.union(Mask::READ_CLOSED));
        word.would_block(Direction::Read, word.load());
        assert_eq!(word.load().mask(), Mask::NONE);
        word.edge(Mask::READ_CLOSED);
        assert!(word.load().mask().meets(Mask::known(Direction::Read)));
    }

    #[test]
    fn a_fresh_descriptor_is_worth_one_try_and_known_for_nothing() {
        let word = Readiness::new(true);
        for direction in [Direction::Read, Direction::Write] {
            let seen = word.load();
            assert!(seen.mask().meets(Mask::worth_a_try(direction)));
            assert!(!seen.mask().meets(Mask::known(direction)));
            word.would_block(direction, seen);
            assert!(!word.load().mask().meets(Mask::worth_a_try(direction)));
        }
    }
}
