//! Owns the order of a lane's waiters: a list threaded through the waiters themselves, so that one
//! that gives up leaves from the middle without a search.
//!
//! Invariant: every key in the list is of a waiter in the slab, and no waiter is in two lists.

use crate::core::Waiter;
use slab::Slab;

/// A waiter's neighbours in its queue.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Links {
    previous: Option<usize>,
    next: Option<usize>,
}

/// One lane's waiters, the oldest in front.
#[derive(Debug, Default)]
pub(crate) struct WaitQueue {
    front: Option<usize>,
    back: Option<usize>,
    len: usize,
}

impl WaitQueue {
    /// The oldest waiter's key.
    pub(crate) fn front(&self) -> Option<usize> {
        self.front
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether none waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends the waiter with this key.
    pub(crate) fn push_back(&mut self, waiters: &mut Slab<Waiter>, key: usize) {
        waiters[key].links = Links {
            previous: self.back,
            next: None,
        };
        match self.back {
            Some(back) => waiters[back].links.next = Some(key),
            None => self.front = Some(key),
        }
        self.back = Some(key);
        self.len += 1;
    }

    /// Takes out the waiter with this key, which is in this queue.
    pub(crate) fn unlink(&mut self, waiters: &mut Slab<Waiter>, key: usize) {
        let Links { previous, next } = std::mem::take(&mut waiters[key].links);
        match previous {
            Some(previous) => waiters[previous].links.next = next,
            None => self.front = next,
        }
        match next {
            Some(next) => waiters[next].links.previous = previous,
            None => self.back = previous,
        }
        self.len -= 1;
    }
}
