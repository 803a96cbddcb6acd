//! Owns what all handles of a set of lanes share: the book under its lock, the names, the clock, and
//! the seat of the host.
//!
//! Nobody is woken, and nothing is recorded, while the lock is held.

use crate::core::{Core, HandOver, LaneIndex, Returned};
use glasshouse_pal::{Clock, TextId, WakeSource};
use glasshouse_scheduler::wait;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

/// What all handles share.
#[derive(Debug)]
pub(crate) struct Shared {
    book: Mutex<Book>,
    pub(crate) names: Box<[LaneName]>,
    clock: Clock,
}

/// What is fixed of a lane: its name, here and in the log, and its limit.
#[derive(Debug)]
pub(crate) struct LaneName {
    pub(crate) name: Box<str>,
    pub(crate) text: TextId,
    pub(crate) limit: usize,
}

/// What the lock protects.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) core: Core,
    pub(crate) seat: Seat,
    /// No handle is left: nobody can begin to wait.
    pub(crate) is_closed: bool,
}

/// Where the host is.
#[derive(Debug)]
pub(crate) enum Seat {
    /// Spawned and not polled yet; its first poll looks at the book.
    Starting,
    /// Waiting for permits to hand over.
    Waiting(Waker),
    /// Ended: whoever gives a permit back hands it over.
    Empty,
}

impl Shared {
    pub(crate) fn new(core: Core, names: Box<[LaneName]>, clock: Clock) -> Shared {
        Shared {
            book: Mutex::new(Book {
                core,
                seat: Seat::Starting,
                is_closed: false,
            }),
            names,
            clock,
        }
    }

    /// The book. Nothing panics between two valid states of it, so that a poisoned lock is as good
    /// as any.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, in nanoseconds of the clock of the scheduler that hosts the lanes, on any thread.
    pub(crate) fn now_ns(&self) -> u64 {
        self.clock.ns(self.clock.now())
    }

    pub(crate) fn lane(&self, lane: LaneIndex) -> &LaneName {
        &self.names[lane.0]
    }

    /// Does what a returned permit asks for, and lets go of the book.
    pub(crate) fn follow_up(&self, mut book: MutexGuard<'_, Book>, returned: Returned) {
        match (returned, &book.seat) {
            (Returned::Free, _) | (Returned::Settle, Seat::Starting) => {}
            (Returned::Settle, Seat::Waiting(host)) => {
                let host = host.clone();
                drop(book);
                host.wake();
            }
            (Returned::Settle, Seat::Empty) => {
                let now_ns = self.now_ns();
                let batch: Vec<_> = std::iter::from_fn(|| book.core.settle(now_ns)).collect();
                drop(book);
                batch.into_iter().for_each(wake);
            }
        }
    }
}

/// Wakes a waiter on behalf of whoever gave it its permit.
pub(crate) fn wake(hand_over: HandOver) {
    wait::wake_as(WakeSource::Lane(hand_over.by), hand_over.waker);
}
