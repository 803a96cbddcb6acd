//! Owns the rows: what is measured, in what unit, and what it must reach.

use crate::versus::work::Work;

/// A line, or several, of the table.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub what: &'static str,
    pub work: Work,
    pub turns: Turns,
    /// What the work returns, in its order.
    pub figures: &'static [Figure],
}

/// How often a row is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turns {
    /// As many pairs as were asked for, with each number of workers.
    Pairs,
    /// The same; and these are the main rows, which are measured with another allocator too.
    PairsAndAllocators,
    /// Once, with the most workers: what takes seconds, and has a bar of its own or none.
    Once,
}

/// One number that a row measures. Less is better, unless it says nothing about speed.
#[derive(Debug)]
pub struct Figure {
    /// Set behind the row's name; empty where the row has one figure.
    pub name: &'static str,
    pub unit: &'static str,
    pub bar: Bar,
}

/// What a figure must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bar {
    /// Nothing: it is for information.
    None,
    /// The interval of the speed against the faster peer.
    Speed(f64),
    /// The same, and an amount of its own unit at most.
    SpeedAndAtMost(f64, f64),
    /// An amount of its own unit at most.
    AtMost(f64),
}

impl Bar {
    /// What the interval of the speed must reach.
    pub fn speed(self) -> Option<f64> {
        match self {
            Bar::Speed(speed) | Bar::SpeedAndAtMost(speed, _) => Some(speed),
            Bar::None | Bar::AtMost(_) => None,
        }
    }

    /// What the median may be at most.
    pub fn at_most(self) -> Option<f64> {
        match self {
            Bar::AtMost(amount) | Bar::SpeedAndAtMost(_, amount) => Some(amount),
            Bar::None | Bar::Speed(_) => None,
        }
    }
}

const NO_SLOWER: Bar = Bar::Speed(1.0);
/// Rows that system calls dominate may miss by three in a hundred.
const NO_SLOWER_BUT_FOR_SYSTEM_CALLS: Bar = Bar::Speed(0.97);
/// A ten-thousandth of a processor over ten seconds, in microseconds: to use nothing at all, and still to be
/// woken once in a while by the system.
const NO_PROCESSOR_US: Bar = Bar::AtMost(1000.0);

const fn figure(name: &'static str, unit: &'static str, bar: Bar) -> Figure {
    Figure { name, unit, bar }
}

const NS: &[Figure] = &[figure("", "ns", NO_SLOWER)];
const NS_OF_SYSTEM_CALLS: &[Figure] = &[figure("", "ns", NO_SLOWER_BUT_FOR_SYSTEM_CALLS)];
const TIMER: &[Figure] = &[figure("", "ns", Bar::SpeedAndAtMost(1.0, 60.0))];
const WAKE: &[Figure] = &[
    figure("median", "ns", NO_SLOWER_BUT_FOR_SYSTEM_CALLS),
    figure("p99", "ns", NO_SLOWER_BUT_FOR_SYSTEM_CALLS),
];
const HTTP: &[Figure] = &[
    figure("request", "ns", NO_SLOWER),
    figure("p99", "ns", NO_SLOWER),
];
const FAIRNESS: &[Figure] = &[
    figure("max/min", "x", Bar::None),
    figure("p99/p1", "x", Bar::None),
    figure("heavy", "%", Bar::None),
];
const IDLE_BYTES: &[Figure] = &[figure("", "B", Bar::AtMost(256.0))];
const WAITER: &[Figure] = &[figure("", "B", Bar::None)];
const MILLION: &[Figure] = &[
    figure("cpu", "ns", Bar::None),
    figure("memory", "B", Bar::None),
];
const START: &[Figure] = &[figure("", "ms", Bar::AtMost(20.0))];
const HELLO: &[Figure] = &[figure("", "KiB", Bar::AtMost(8.0 * 1024.0))];
const IDLE: &[Figure] = &[figure("", "µs", NO_PROCESSOR_US)];

macro_rules! row {
    ($name:literal, $work:ident, $turns:ident, $figures:expr, $what:literal) => {
        Row {
            name: $name,
            what: $what,
            work: Work::$work,
            turns: Turns::$turns,
            figures: $figures,
        }
    };
}

/// In the order of the table.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row!("spawn-one", SpawnOne, PairsAndAllocators, NS, "spawn a task and await it"),
    row!("spawn-detached", SpawnDetached, PairsAndAllocators, NS, "spawn 200,000 detached tasks from a task"),
    row!("spawn-many", SpawnMany, PairsAndAllocators, NS, "spawn 1,000 tasks, then await all"),
    row!("yield-own", YieldOwn, Pairs, NS, "1,000 tasks yield by the runtime's own yield_now"),
    row!("yield-plain", YieldPlain, PairsAndAllocators, NS, "1,000 tasks wake themselves by wake_by_ref"),
    row!("yield-alone", YieldAlone, Pairs, NS, "one task yields by the runtime's own yield_now"),
    row!("ping-pong", PingPong, PairsAndAllocators, NS, "a round trip over two async-channel(1), 200 pairs of tasks"),
    row!("oneshots", SpawnOneshots, PairsAndAllocators, NS, "two spawns and two oneshot channels"),
    row!("chained", SpawnChained, PairsAndAllocators, NS, "each task spawns the next, 1,000 in a chain"),
    row!("sleepers", Sleepers, Pairs, NS, "100,000 tasks sleep 1 to 400 ms: processor time per task, spawn included"),
    row!("timer-dropped", TimerDropped, Pairs, TIMER, "arm a timer and drop it, in one task"),
    row!("timers-dropped", TimerDroppedByAll, Pairs, NS, "the same in a task per worker: time per timer and worker"),
    row!("wake", Wake, Pairs, WAKE, "an idle runtime is woken from another thread"),
    row!("tcp-echo", TcpEcho, Pairs, NS_OF_SYSTEM_CALLS, "a round trip of 64 bytes over loopback, 64 connections, both ends in the runtime"),
    row!("http", Http, Pairs, HTTP, "hyper answers 64 connections of another process: time per request, and latency"),
    row!("fairness", Fairness, Pairs, FAIRNESS, "ticks of 1,000 tasks that yield beside one that computes 1 ms a tick; its part of a worker"),
    row!("idle-bytes", IdleBytes, Pairs, IDLE_BYTES, "resident bytes per parked task with a future of no size"),
    row!("idle-waiter", IdleBytesOfWaiters, Pairs, WAITER, "the same of a task that awaits a oneshot, with both and its join handle"),
    row!("start", Start, Pairs, START, "from nothing until a first task was awaited"),
    row!("hello", Hello, Pairs, HELLO, "private memory after a first task, beside the log"),
    row!("million", MillionSleepers, Once, MILLION, "1,000,000 tasks sleep at once: processor time and resident bytes per task"),
    row!("idle", IdleProcessor, Once, IDLE, "processor time of the runtime's threads in ten seconds without a task"),
];

/// The rows whose operation is one tick.
const TICK_ROWS: [&str; 3] = ["yield-plain", "yield-own", "yield-alone"];

impl Row {
    /// Whether an operation is one tick, so that telemetry's share of it shows.
    pub fn is_of_ticks(&self) -> bool {
        TICK_ROWS.contains(&self.name)
    }

    pub fn by_name(name: &str) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.name == name)
    }
}
