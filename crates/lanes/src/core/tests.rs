//! The book compared with a plain one, under random operations. Properties:
//!
//! - No limit is ever exceeded, and nobody takes a permit that an earlier waiter could have had.
//! - Each lane's waiters are granted permits in the order of their arrival; over all lanes the
//!   oldest goes first whose lane has room.
//! - The waker that a hand-over names is the waiter's last one, and the releaser is the one whose
//!   permit it gets.
//! - Once all returns are settled, no permit is free that somebody waits for; in the end none is
//!   lost.

use super::*;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Wake;

#[derive(Clone, Debug)]
enum Op {
    /// Take a permit of this lane, or queue up for it.
    Acquire(usize),
    /// Poll a waiter, with a new waker.
    Poll(usize),
    /// Forget a waiter, queued or granted.
    Cancel(usize),
    /// Give a held permit back.
    GiveBack(usize),
    /// Hand one return over.
    Settle,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        5 => (0usize..3).prop_map(Op::Acquire),
        3 => any::<prop::sample::Index>().prop_map(|at| Op::Poll(at.index(64))),
        1 => any::<prop::sample::Index>().prop_map(|at| Op::Cancel(at.index(64))),
        4 => any::<prop::sample::Index>().prop_map(|at| Op::GiveBack(at.index(64))),
        4 => Just(Op::Settle),
    ];
    prop::collection::vec(op, 0..100)
}

/// Counts its wakes.
#[derive(Default)]
struct Bell(AtomicU32);

impl Wake for Bell {
    fn wake(self: Arc<Bell>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A waiter of the plain book. The waiters are kept in the order of their arrival.
struct Plain {
    key: WaiterKey,
    lane: usize,
    since_ns: u64,
    granted: Option<Grant>,
    bell: Arc<Bell>,
}

/// The plain book: lists, and counting.
struct Model {
    limit: usize,
    lane_limits: Vec<usize>,
    held: Vec<usize>,
    waiters: Vec<Plain>,
    returns: VecDeque<(usize, Option<TaskId>)>,
    granted: Vec<u64>,
    waited_ns: Vec<u64>,
}

impl Model {
    fn lane_in_use(&self, lane: usize) -> usize {
        let held = self.held.iter().filter(|&&held| held == lane).count();
        let granted = |waiter: &&Plain| waiter.lane == lane && waiter.granted.is_some();
        held + self.waiters.iter().filter(granted).count()
    }

    fn in_use(&self) -> usize {
        (0..self.lane_limits.len())
            .map(|lane| self.lane_in_use(lane))
            .sum()
    }

    /// With permits on their way back counted as in use.
    fn has_room(&self, lane: usize) -> bool {
        let returning = self.returns.iter().filter(|(of, _)| *of == lane).count();
        self.in_use() + self.returns.len() < self.limit
            && self.lane_in_use(lane) + returning < self.lane_limits[lane]
    }

    /// The first waiter in the order of arrival who is queued and whose lane has room.
    fn next(&self) -> Option<usize> {
        let fits = |waiter: &Plain| waiter.granted.is_none() && self.has_room(waiter.lane);
        self.waiters.iter().position(fits)
    }

    fn is_anybody_queued(&self) -> bool {
        self.waiters.iter().any(|waiter| waiter.granted.is_none())
    }

    /// What the book must say about a permit of `lane` that was just taken off the lists.
    fn give_back(&mut self, lane: usize, by: Option<TaskId>) -> Returned {
        if !self.is_anybody_queued() {
            self.returns.clear();
            return Returned::Free;
        }
        if self.returns.is_empty() && self.next().is_none() {
            return Returned::Free;
        }
        self.returns.push_back((lane, by));
        Returned::Settle
    }

    fn settle(&mut self, now_ns: u64) -> Option<(Arc<Bell>, Option<TaskId>)> {
        while let Some((_, by)) = self.returns.pop_front() {
            if let Some(next) = self.next() {
                let waiter = &mut self.waiters[next];
                waiter.granted = Some(Grant {
                    at_ns: now_ns,
                    waited_ns: now_ns - waiter.since_ns,
                });
                return Some((waiter.bell.clone(), by));
            }
        }
        None
    }
}

struct Pair {
    core: Core,
    model: Model,
    now_ns: u64,
}

impl Pair {
    fn new(limit: usize, lane_limits: Vec<usize>) -> Pair {
        Pair {
            core: Core::new(limit, lane_limits.iter().copied()),
            model: Model {
                limit,
                held: Vec::new(),
                waiters: Vec::new(),
                returns: VecDeque::new(),
                granted: vec![0; lane_limits.len()],
                waited_ns: vec![0; lane_limits.len()],
                lane_limits,
            },
            now_ns: 0,
        }
    }

    /// A releaser that differs from step to step.
    fn releaser(&self) -> Option<TaskId> {
        TaskId::new(self.now_ns)
    }

    fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        self.now_ns += 1;
        let by = self.releaser();
        let Pair {
            core,
            model,
            now_ns,
        } = self;
        match op {
            Op::Acquire(lane) => {
                let lane = lane % model.lane_limits.len();
                let room = model.has_room(lane);
                prop_assert_eq!(core.try_take(LaneIndex(lane)), room);
                if room {
                    model.held.push(lane);
                    model.granted[lane] += 1;
                } else {
                    let bell = Arc::new(Bell::default());
                    let key = core.enqueue(LaneIndex(lane), bell.clone().into(), *now_ns);
                    model.waiters.push(Plain {
                        key,
                        lane,
                        since_ns: *now_ns,
                        granted: None,
                        bell,
                    });
                }
            }
            Op::Poll(at) if !model.waiters.is_empty() => {
                let at = at % model.waiters.len();
                let mut waiter = model.waiters.remove(at);
                let bell = Arc::new(Bell::default());
                match core.take(waiter.key, &bell.clone().into()) {
                    Ok(grant) => {
                        prop_assert_eq!(Some(grant), waiter.granted);
                        model.held.push(waiter.lane);
                        model.granted[waiter.lane] += 1;
                        model.waited_ns[waiter.lane] += grant.waited_ns;
                    }
                    Err(key) => {
                        prop_assert_eq!(waiter.granted, None);
                        (waiter.key, waiter.bell) = (key, bell);
                        model.waiters.insert(at, waiter);
                    }
                }
            }
            Op::Cancel(at) if !model.waiters.is_empty() => {
                let waiter = model.waiters.remove(at % model.waiters.len());
                let expected = match waiter.granted {
                    Some(_) => model.give_back(waiter.lane, by),
                    None => Returned::Free,
                };
                prop_assert_eq!(core.cancel(waiter.key, by), expected);
            }
            Op::GiveBack(at) if !model.held.is_empty() => {
                let lane = model.held.remove(at % model.held.len());
                let expected = model.give_back(lane, by);
                prop_assert_eq!(core.give_back(LaneIndex(lane), by), expected);
            }
            Op::Settle => {
                let (got, expected) = (core.settle(*now_ns), model.settle(*now_ns));
                prop_assert_eq!(got.is_some(), expected.is_some());
                if let (Some(hand_over), Some((bell, by))) = (got, expected) {
                    prop_assert_eq!(hand_over.by, by);
                    hand_over.waker.wake();
                    prop_assert_eq!(bell.0.load(Ordering::Relaxed), 1);
                }
            }
            Op::Poll(_) | Op::Cancel(_) | Op::GiveBack(_) => {}
        }
        self.compare()
    }

    fn compare(&self) -> Result<(), TestCaseError> {
        let Pair { core, model, .. } = self;
        prop_assert_eq!(core.in_use(), model.in_use());
        prop_assert!(model.in_use() + model.returns.len() <= model.limit);
        prop_assert_eq!(core.has_returns(), !model.returns.is_empty());
        for (lane, limit) in model.lane_limits.iter().enumerate() {
            let index = LaneIndex(lane);
            let queued = |waiter: &&Plain| waiter.lane == lane && waiter.granted.is_none();
            prop_assert!(model.lane_in_use(lane) <= *limit);
            prop_assert_eq!(core.lane_in_use(index), model.lane_in_use(lane));
            prop_assert_eq!(
                core.lane_waiting(index),
                model.waiters.iter().filter(queued).count()
            );
            let totals = Totals {
                granted: model.granted[lane],
                waited_ns: model.waited_ns[lane],
            };
            prop_assert_eq!(core.lane_totals(index), totals);
        }
        // Whoever could be granted a permit without a return would have been passed over.
        prop_assert_eq!(model.next(), None);
        Ok(())
    }
}

proptest! {
    #[test]
    fn agrees_with_a_plain_book(
        limit in 1usize..5,
        lane_limits in prop::collection::vec(1usize..4, 1..4),
        ops in ops(),
    ) {
        let mut pair = Pair::new(limit, lane_limits);
        for op in ops {
            pair.apply(op)?;
        }
        // Run out: everybody takes up what they are granted and gives it back. A permit may be on
        // its way although its waiter has gone.
        while !(pair.model.waiters.is_empty() && pair.model.held.is_empty())
            || pair.core.has_returns()
        {
            pair.apply(Op::Settle)?;
            for at in (0..pair.model.waiters.len()).rev() {
                pair.apply(Op::Poll(at))?;
            }
            pair.apply(Op::GiveBack(0))?;
        }
        prop_assert_eq!(pair.core.in_use, 0);
        prop_assert_eq!(pair.core.queued_len, 0);
        prop_assert!(pair.core.waiters.is_empty() && pair.core.returns.is_empty());
        prop_assert!(pair.core.lanes.iter().all(|lane| lane.in_use == 0 && lane.queue.is_empty()));
    }
}
