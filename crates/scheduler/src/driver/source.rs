//! Owns what is known of one descriptor: its readiness, and the wakers that wait for it.
//!
//! The kernel reports edges, so readiness is remembered until an operation finds that it is not there
//! (`WouldBlock`). Forgetting must not erase an edge that came in between: the word counts the edges, and
//! is cleared only if the count is the one that the operation saw.

use glasshouse_pal::Interest;
use mio::event::Event;
use slab::Slab;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, Waker};

const READABLE: u64 = 1;
const WRITABLE: u64 = 2;
const EDGE: u64 = 4;

/// One watched descriptor.
pub(crate) struct Source {
    token: usize,
    fd: RawFd,
    /// The number of edges, above one bit for each direction.
    readiness: AtomicU64,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    read: Side,
    write: Side,
}

/// Who waits in one direction.
#[derive(Default)]
struct Side {
    wakers: Slab<Waker>,
    /// Edges so far: an edge empties the slab, and places from before it mean nothing any more.
    edges: u64,
}

/// A waiter's place on the list of its side, until the next edge.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    edges: u64,
    key: usize,
}

impl Waiting {
    fn side(&mut self, interest: Interest) -> &mut Side {
        match interest {
            Interest::Read => &mut self.read,
            Interest::Write => &mut self.write,
        }
    }
}

impl Side {
    fn held(&mut self, place: Place) -> Option<&mut Waker> {
        if place.edges == self.edges {
            self.wakers.get_mut(place.key)
        } else {
            None
        }
    }

    fn edge(&mut self, woken: &mut Vec<Waker>) {
        self.edges += 1;
        woken.extend(self.wakers.drain());
    }
}

/// The readiness that an operation saw before it tried.
#[derive(Clone, Copy)]
pub(crate) struct Seen(u64);

fn bit(interest: Interest) -> u64 {
    match interest {
        Interest::Read => READABLE,
        Interest::Write => WRITABLE,
    }
}

impl Source {
    pub(crate) fn new(token: usize, fd: RawFd) -> Source {
        Source {
            token,
            fd,
            readiness: AtomicU64::new(0),
            waiting: Mutex::new(Waiting::default()),
        }
    }

    pub(crate) fn token(&self) -> usize {
        self.token
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.fd
    }

    /// The driver saw an edge.
    pub(crate) fn became_ready(&self, event: &Event, woken: &mut Vec<Waker>) {
        let readable = event.is_readable() || event.is_read_closed() || event.is_error();
        let writable = event.is_writable() || event.is_write_closed() || event.is_error();
        let bits = u64::from(readable) * READABLE + u64::from(writable) * WRITABLE;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that who finds no readiness is on the list before the next edge. AcqRel: the
        // operation that sees the bit comes after the edge.
        let _ = self
            .readiness
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                Some((word | bits).wrapping_add(EDGE))
            });
        if readable {
            waiting.read.edge(woken);
        }
        if writable {
            waiting.write.edge(woken);
        }
    }

    /// Ready with what was seen, or pending with `waker` on the list, at `place`.
    pub(crate) fn poll_ready(
        &self,
        interest: Interest,
        waker: &Waker,
        place: &mut Option<Place>,
    ) -> Poll<Seen> {
        let word = self.readiness.load(Ordering::Acquire);
        if word & bit(interest) != 0 {
            return Poll::Ready(Seen(word));
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let word = self.readiness.load(Ordering::Acquire);
        if word & bit(interest) != 0 {
            return Poll::Ready(Seen(word));
        }
        let side = waiting.side(interest);
        match place.and_then(|place| side.held(place)) {
            Some(held) => held.clone_from(waker),
            None => {
                let key = side.wakers.insert(waker.clone());
                let edges = side.edges;
                *place = Some(Place { edges, key });
            }
        }
        Poll::Pending
    }

    /// A waiter goes away.
    pub(crate) fn forget(&self, interest: Interest, place: Place) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let side = waiting.side(interest);
        let waker = match side.held(place) {
            Some(_) => side.wakers.try_remove(place.key),
            None => None,
        };
        drop(waiting);
        // Dropping a waker may free a task: not under the lock.
        drop(waker);
    }

    /// An operation found that the readiness it saw is gone.
    pub(crate) fn clear(&self, interest: Interest, seen: Seen) {
        let word = self.readiness.load(Ordering::Acquire);
        // An edge since then changes the word: its readiness stays.
        if word / EDGE == seen.0 / EDGE {
            let _ = self.readiness.compare_exchange(
                word,
                word & !bit(interest),
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
        }
    }
}
