//! Owns what is known of one descriptor: its readiness, and the wakers that wait for it.
//!
//! The kernel reports edges, so readiness is remembered until an operation finds that it is not there
//! (`WouldBlock`). Forgetting must not erase an edge that came in between: the word counts the edges, and
//! is cleared only if the count is the one that the operation saw.

use glasshouse_pal::Interest;
use mio::event::Event;
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
    read: Vec<Waker>,
    write: Vec<Waker>,
}

impl Waiting {
    fn side(&mut self, interest: Interest) -> &mut Vec<Waker> {
        match interest {
            Interest::Read => &mut self.read,
            Interest::Write => &mut self.write,
        }
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
            woken.append(&mut waiting.read);
        }
        if writable {
            woken.append(&mut waiting.write);
        }
    }

    /// Ready with what was seen, or pending with `waker` on the list.
    pub(crate) fn poll_ready(&self, interest: Interest, waker: &Waker) -> Poll<Seen> {
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
        if !side.iter().any(|held| held.will_wake(waker)) {
            side.push(waker.clone());
        }
        Poll::Pending
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
