//! Owns the rows: what is measured, in what unit, and what it must reach.

use crate::versus::work::Work;

/// A line, or several, of the table.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub what: &'static str,
    pub work: Work,
    /// What the work returns, in its order.
    pub figures: &'static [Figure],
}

/// One number that a row measures. Less is better in all of them.
#[derive(Debug)]
pub struct Figure {
    /// Set behind the row's name; empty where the row has one figure.
    pub name: &'static str,
    pub unit: &'static str,
    /// The speed that the interval must reach against the faster peer, where that is asked.
    pub must_reach: Option<f64>,
}

/// The row is not slower.
const NO_SLOWER: Option<f64> = Some(1.0);

const NS: &[Figure] = &[Figure {
    name: "",
    unit: "ns",
    must_reach: NO_SLOWER,
}];

/// Rows that system calls dominate may miss by three in a hundred.
const NO_SLOWER_BUT_FOR_SYSTEM_CALLS: Option<f64> = Some(0.97);

const DELAYS: &[Figure] = &[
    Figure {
        name: "median",
        unit: "ns",
        must_reach: NO_SLOWER_BUT_FOR_SYSTEM_CALLS,
    },
    Figure {
        name: "p99",
        unit: "ns",
        must_reach: NO_SLOWER_BUT_FOR_SYSTEM_CALLS,
    },
];

macro_rules! row {
    ($name:literal, $work:ident, $figures:expr, $what:literal) => {
        Row {
            name: $name,
            what: $what,
            work: Work::$work,
            figures: $figures,
        }
    };
}

/// In the order of the table.
#[rustfmt::skip]
pub const ROWS: &[Row] = &[
    row!("spawn-one", SpawnOne, NS, "spawn a task and await it"),
    row!("spawn-detached", SpawnDetached, NS, "spawn 200,000 detached tasks from a task"),
    row!("spawn-many", SpawnMany, NS, "spawn 1,000 tasks, then await all"),
    row!("yield-own", YieldOwn, NS, "1,000 tasks yield by the runtime's own yield_now"),
    row!("yield-plain", YieldPlain, NS, "1,000 tasks wake themselves by wake_by_ref"),
    row!("yield-alone", YieldAlone, NS, "one task yields by the runtime's own yield_now"),
    row!("ping-pong", PingPong, NS, "a round trip over two async-channel(1), 200 pairs of tasks"),
    row!("oneshots", SpawnOneshots, NS, "two spawns and two oneshot channels"),
    row!("chained", SpawnChained, NS, "each task spawns the next, 1,000 in a chain"),
    row!("sleepers", Sleepers, NS, "100,000 tasks sleep 1 to 400 ms: processor time per task"),
    row!("timer-dropped", TimerDropped, NS, "arm a timer and drop it"),
    row!("wake", Wake, DELAYS, "an idle runtime is woken from another thread"),
];

impl Row {
    pub fn by_name(name: &str) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.name == name)
    }
}
