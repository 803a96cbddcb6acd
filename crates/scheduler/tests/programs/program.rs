//! What a random program is: trees of tasks that talk to their parents and children, as data.
//!
//! Programs are made so that what comes of them does not depend on the order in which ready tasks run. Each
//! channel has one sender and one receiver, and what a send returns is not looked at. All that a task does by
//! itself happens at whole units of time; aborts, deadlines and the end come between units, each at a fraction
//! of its own, so that they never race with what a task does.

use proptest::prelude::*;
use std::time::Duration;

/// The unit of time of a task's own doings.
pub const UNIT: Duration = Duration::from_micros(10);
/// When a doomed task is aborted, behind a whole unit.
pub const ABORT_OFFSET: Duration = Duration::from_micros(5);
/// When a timed wait ends, behind a whole unit.
pub const DEADLINE_OFFSET: Duration = Duration::from_micros(3);
/// When the scheduler is ended, with what still lives.
pub const HORIZON: Duration = Duration::from_micros(10 * 10_000 + 7);

/// One thing that a task does. Who is named is the parent, or a child by its number, modulo their count.
#[derive(Clone, Debug)]
pub enum Op {
    Yield,
    Sleep(u32),
    Blocking,
    Spawn(Child),
    Join(usize),
    TimedJoin(usize, u32),
    Send(Peer),
    Recv(Peer),
    TimedRecv(Peer, u32),
    HangUp(Peer),
    Panic,
}

#[derive(Clone, Copy, Debug)]
pub enum Peer {
    Parent,
    Child(usize),
}

#[derive(Clone, Debug)]
pub struct Child {
    pub body: Vec<Op>,
    pub fate: Fate,
    pub is_system: bool,
    /// Of its channels from and to its parent.
    pub capacity: usize,
}

/// What becomes of a child's handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Kept,
    Dropped,
    AbortedAtOnce,
    /// A task of its own aborts it after so many units, and gives its result.
    Doomed(u32),
}

/// Whether a program's results depend on when things happen: such run in virtual time only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    Matters,
    DoesNotMatter,
}

/// The body of a program's first task.
pub fn any_program(timing: Timing) -> impl Strategy<Value = Vec<Op>> {
    let leaf = proptest::collection::vec(any_simple_op(timing), 0..6);
    leaf.prop_recursive(3, 40, 6, move |inner| {
        proptest::collection::vec(
            prop_oneof![
                2 => any_simple_op(timing),
                1 => any_child(timing, inner).prop_map(Op::Spawn),
            ],
            0..8,
        )
    })
}

fn any_child(timing: Timing, body: impl Strategy<Value = Vec<Op>>) -> impl Strategy<Value = Child> {
    let fate = match timing {
        Timing::Matters => prop_oneof![
            4 => Just(Fate::Kept),
            1 => Just(Fate::Dropped),
            1 => Just(Fate::AbortedAtOnce),
            2 => (0..20u32).prop_map(Fate::Doomed),
        ]
        .boxed(),
        Timing::DoesNotMatter => {
            prop_oneof![3 => Just(Fate::Kept), 1 => Just(Fate::Dropped)].boxed()
        }
    };
    (body, fate, prop::bool::weighted(0.2), 1..4usize).prop_map(
        |(body, fate, is_system, capacity)| Child {
            body,
            fate,
            is_system,
            capacity,
        },
    )
}

fn any_simple_op(timing: Timing) -> BoxedStrategy<Op> {
    let peer = || prop_oneof![Just(Peer::Parent), (0..4usize).prop_map(Peer::Child)];
    let calm = prop_oneof![
        3 => Just(Op::Yield),
        3 => (0..20u32).prop_map(Op::Sleep),
        1 => Just(Op::Blocking),
        3 => (0..4usize).prop_map(Op::Join),
        4 => peer().prop_map(Op::Send),
        4 => peer().prop_map(Op::Recv),
        1 => peer().prop_map(Op::HangUp),
        1 => Just(Op::Panic),
    ];
    match timing {
        Timing::DoesNotMatter => calm.boxed(),
        Timing::Matters => prop_oneof![
            8 => calm,
            1 => (0..4usize, 0..10u32).prop_map(|(child, units)| Op::TimedJoin(child, units)),
            1 => (peer(), 0..10u32).prop_map(|(peer, units)| Op::TimedRecv(peer, units)),
        ]
        .boxed(),
    }
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    Done(u64),
    Panicked,
    Cancelled,
}

/// What a task's result adds to the one that joined it.
pub fn verdict(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Done(value) => value.wrapping_mul(2),
        Outcome::Panicked => 3,
        Outcome::Cancelled => 5,
    }
}

/// A task's sum of all that it has seen, in order.
pub fn mix(sum: u64, seen: u64) -> u64 {
    sum.wrapping_mul(31).wrapping_add(seen)
}

/// What is added where nothing came.
pub const ELAPSED: u64 = 7;
pub const CLOSED: u64 = 11;
