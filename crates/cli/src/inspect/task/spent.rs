//! Owns the sums of one task's time: by its records, or by its row of the task table.

use glasshouse_pal::lives::{Life, WAITS};
use glasshouse_pal::{Rate, TaskRow};
use serde::{Serialize, Serializer};

/// Where a task's time went.
#[derive(Serialize)]
pub struct Spent {
    /// Since when this is counted: `its spawn`, `the horizon`, or by whom.
    pub since: &'static str,
    pub ticks: u64,
    run_ns: u64,
    ready_ns: u64,
    /// All waits together.
    wait_ns: u64,
    /// By cause, where records tell it.
    #[serde(serialize_with = "as_map")]
    waits: Vec<(&'static str, u64)>,
    /// Of which records are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    unrecorded_ns: Option<u64>,
}

fn as_map<S: Serializer>(waits: &[(&'static str, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(waits.iter().copied())
}

impl Spent {
    /// By its records; what it is in the midst of counts, up to `until`.
    pub fn of_life(life: &Life, until: u64, rate: Rate) -> Spent {
        let life = life.as_of(until);
        let told = [life.run_ticks, life.ready_ticks, life.wait_total_ticks()];
        let told = told.into_iter().fold(0, u64::saturating_add);
        let unrecorded = life.since.saturating_sub(life.first).saturating_sub(told);
        let waits = WAITS.iter().zip(life.wait_ticks);
        Spent {
            since: match life.site {
                Some(_) => "since its spawn",
                None => "since the oldest record of it",
            },
            ticks: life.polls,
            run_ns: rate.ns(life.run_ticks),
            ready_ns: rate.ns(life.ready_ticks),
            wait_ns: rate.ns(life.wait_total_ticks()),
            waits: waits
                .filter(|(_, ticks)| *ticks > 0)
                .map(|(state, ticks)| (state.name(), rate.ns(ticks)))
                .collect(),
            unrecorded_ns: Some(rate.ns(unrecorded)).filter(|_| unrecorded > 0),
        }
    }

    /// By the task table, without what it is in the midst of.
    pub fn of_row(row: &TaskRow, rate: Rate) -> Spent {
        Spent {
            since: "since its spawn, by the task table, up to its last transition",
            ticks: row.polls.into(),
            run_ns: rate.ns(row.run_ticks),
            ready_ns: rate.ns(row.ready_ticks),
            wait_ns: rate.ns(row.wait_ticks),
            waits: Vec::new(),
            unrecorded_ns: None,
        }
    }

    /// Each kind of time, in nanoseconds.
    pub fn parts(&self) -> Vec<(&'static str, u64)> {
        let mut parts = vec![("run", self.run_ns), ("ready", self.ready_ns)];
        match self.waits.is_empty() {
            true => parts.push(("wait", self.wait_ns)),
            false => parts.extend(&self.waits),
        }
        parts.extend(self.unrecorded_ns.map(|ns| ("unrecorded", ns)));
        parts
    }
}
