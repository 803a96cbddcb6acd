//! Owns the book of permits: who holds how many, who waits, and who is next. It knows no lock, no
//! clock and no scheduler; its callers bring the time and wake whom it names.
//!
//! A waiter's life:
//!
//! ```text
//! enqueue ──► Queued ──settle──► Granted ──take──► gone, and a permit is held
//!               └──────cancel───────┴────cancel──► gone; a permit it was granted comes back
//! ```
//!
//! A permit that comes back is free at once when nobody could use it. Otherwise it goes to the
//! queue of returns and stays in use until `settle` hands it over.
//!
//! Invariants, between calls:
//! - `in_use` of a lane never exceeds its limit, nor their sum the global limit; permits in the
//!   queue of returns count as in use.
//! - No waiter can be granted a permit without taking one from the queue of returns: where both a
//!   lane and the whole have room, the lane's queue is empty. Hence whoever finds room may take it
//!   without passing anybody.
//! - Each return makes room for at most one waiter, so that each grant has one releaser.

use crate::wait_queue::{Links, WaitQueue};
use glasshouse_pal::TaskId;
use slab::Slab;
use std::collections::VecDeque;
use std::task::Waker;

/// A lane's place in the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LaneIndex(pub(crate) usize);

/// A waiter's place in the book.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WaiterKey(usize);

/// The book of permits.
#[derive(Debug)]
pub(crate) struct Core {
    limit: usize,
    in_use: usize,
    lanes: Vec<LaneBook>,
    waiters: Slab<Waiter>,
    /// Waiters that are still queued.
    queued_len: usize,
    returns: VecDeque<Return>,
    next_ticket: u64,
}

#[derive(Debug)]
struct LaneBook {
    limit: usize,
    in_use: usize,
    queue: WaitQueue,
    totals: Totals,
}

/// What has happened on a lane so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Permits that were taken up.
    pub(crate) granted: u64,
    /// The time that their takers waited.
    pub(crate) waited_ns: u64,
}

#[derive(Debug)]
pub(crate) struct Waiter {
    pub(crate) links: Links,
    /// Its place in the order of arrival, over all lanes.
    ticket: u64,
    lane: LaneIndex,
    since_ns: u64,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Queued(Waker),
    Granted(Grant),
}

/// A permit that is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// When, on the book's clock.
    pub(crate) at_ns: u64,
    /// How long its taker waited until then.
    pub(crate) waited_ns: u64,
}

#[derive(Debug)]
struct Return {
    lane: LaneIndex,
    by: Option<TaskId>,
}

/// Whom to wake, and the task whose permit it gets.
#[derive(Debug)]
pub(crate) struct HandOver {
    pub(crate) waker: Waker,
    pub(crate) by: Option<TaskId>,
}

/// What a permit that came back leaves to do.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returned {
    /// Nothing: nobody could use it.
    Free,
    /// Somebody waits for it: call `settle`.
    Settle,
}

impl Core {
    /// A book of lanes with these limits, none of which may be zero, under a limit over all.
    pub(crate) fn new(limit: usize, lane_limits: impl IntoIterator<Item = usize>) -> Core {
        let lanes = lane_limits.into_iter().map(|limit| LaneBook {
            limit,
            in_use: 0,
            queue: WaitQueue::default(),
            totals: Totals::default(),
        });
        Core {
            limit,
            in_use: 0,
            lanes: lanes.collect(),
            waiters: Slab::new(),
            queued_len: 0,
            returns: VecDeque::new(),
            next_ticket: 0,
        }
    }

    /// Takes a permit if there is one that nobody else is waiting for.
    pub(crate) fn try_take(&mut self, lane: LaneIndex) -> bool {
        let has_room = self.has_room(lane);
        if has_room {
            debug_assert!(
                self.lanes[lane.0].queue.is_empty(),
                "somebody would be passed"
            );
            self.occupy(lane);
            self.lanes[lane.0].totals.granted += 1;
        }
        has_room
    }

    /// Queues up behind everybody who waits for the same lane.
    pub(crate) fn enqueue(&mut self, lane: LaneIndex, waker: Waker, now_ns: u64) -> WaiterKey {
        let key = self.waiters.insert(Waiter {
            links: Links::default(),
            ticket: self.next_ticket,
            lane,
            since_ns: now_ns,
            phase: Phase::Queued(waker),
        });
        self.next_ticket += 1;
        self.queued_len += 1;
        self.lanes[lane.0].queue.push_back(&mut self.waiters, key);
        WaiterKey(key)
    }

    /// Takes up the permit that the waiter was granted; else remembers this waker and gives the
    /// key back.
    pub(crate) fn take(&mut self, key: WaiterKey, waker: &Waker) -> Result<Grant, WaiterKey> {
        let waiter = &mut self.waiters[key.0];
        match &mut waiter.phase {
            Phase::Queued(known) => {
                known.clone_from(waker);
                Err(key)
            }
            Phase::Granted(grant) => {
                let (lane, grant) = (waiter.lane, *grant);
                self.waiters.remove(key.0);
                let totals = &mut self.lanes[lane.0].totals;
                totals.granted += 1;
                totals.waited_ns = totals.waited_ns.saturating_add(grant.waited_ns);
                Ok(grant)
            }
        }
    }

    /// Forgets a waiter. A permit that it was granted and did not take up comes back by `by`.
    pub(crate) fn cancel(&mut self, key: WaiterKey, by: Option<TaskId>) -> Returned {
        let lane = self.waiters[key.0].lane;
        match self.waiters[key.0].phase {
            Phase::Queued(_) => {
                self.lanes[lane.0].queue.unlink(&mut self.waiters, key.0);
                self.queued_len -= 1;
                self.waiters.remove(key.0);
                Returned::Free
            }
            Phase::Granted(_) => {
                self.waiters.remove(key.0);
                self.give_back(lane, by)
            }
        }
    }

    /// A permit comes back from the task `by`.
    pub(crate) fn give_back(&mut self, lane: LaneIndex, by: Option<TaskId>) -> Returned {
        self.vacate(lane);
        if self.queued_len == 0 {
            // Returns that were queued for waiters who have left since are of use to nobody.
            while let Some(return_) = self.returns.pop_front() {
                self.vacate(return_.lane);
            }
            return Returned::Free;
        }
        if self.returns.is_empty() && self.next().is_none() {
            return Returned::Free;
        }
        self.occupy(lane);
        self.returns.push_back(Return { lane, by });
        Returned::Settle
    }

    /// Hands the oldest return over to the oldest waiter that it makes room for. `None` when no
    /// return is left; a return that is of use to nobody any more is skipped.
    pub(crate) fn settle(&mut self, now_ns: u64) -> Option<HandOver> {
        loop {
            let Return { lane, by } = self.returns.pop_front()?;
            self.vacate(lane);
            let Some(key) = self.next() else { continue };
            let waiter = &mut self.waiters[key];
            let grant = Grant {
                at_ns: now_ns,
                waited_ns: now_ns.saturating_sub(waiter.since_ns),
            };
            let phase = std::mem::replace(&mut waiter.phase, Phase::Granted(grant));
            let Phase::Queued(waker) = phase else {
                unreachable!("only queued waiters are in a queue")
            };
            let lane = waiter.lane;
            self.lanes[lane.0].queue.unlink(&mut self.waiters, key);
            self.queued_len -= 1;
            self.occupy(lane);
            return Some(HandOver { waker, by });
        }
    }

    /// Whether returns wait to be handed over.
    pub(crate) fn has_returns(&self) -> bool {
        !self.returns.is_empty()
    }

    /// The permits of a lane that are held or handed over. Those that came back are not counted.
    pub(crate) fn lane_in_use(&self, lane: LaneIndex) -> usize {
        let returned = self.returns.iter().filter(|return_| return_.lane == lane);
        self.lanes[lane.0].in_use - returned.count()
    }

    /// The same over all lanes.
    pub(crate) fn in_use(&self) -> usize {
        self.in_use - self.returns.len()
    }

    /// The waiters of a lane.
    pub(crate) fn lane_waiting(&self, lane: LaneIndex) -> usize {
        self.lanes[lane.0].queue.len()
    }

    /// What has happened on a lane so far.
    pub(crate) fn lane_totals(&self, lane: LaneIndex) -> Totals {
        self.lanes[lane.0].totals
    }

    /// The permits of a lane.
    pub(crate) fn lane_limit(&self, lane: LaneIndex) -> usize {
        self.lanes[lane.0].limit
    }

    /// The permits of all lanes together.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// The oldest waiter whose lane has room, if there is room at all. Linear in the lanes, which
    /// are few, and not in the waiters.
    fn next(&self) -> Option<usize> {
        if self.in_use == self.limit {
            return None;
        }
        let with_room = self.lanes.iter().filter(|lane| lane.in_use < lane.limit);
        let heads = with_room.filter_map(|lane| lane.queue.front());
        heads.min_by_key(|&key| self.waiters[key].ticket)
    }

    fn has_room(&self, lane: LaneIndex) -> bool {
        self.in_use < self.limit && self.lanes[lane.0].in_use < self.lanes[lane.0].limit
    }

    fn occupy(&mut self, lane: LaneIndex) {
        self.in_use += 1;
        self.lanes[lane.0].in_use += 1;
        debug_assert!(self.lanes[lane.0].in_use <= self.lanes[lane.0].limit);
        debug_assert!(self.in_use <= self.limit);
    }

    fn vacate(&mut self, lane: LaneIndex) {
        self.in_use -= 1;
        self.lanes[lane.0].in_use -= 1;
    }
}

#[cfg(test)]
mod tests;
