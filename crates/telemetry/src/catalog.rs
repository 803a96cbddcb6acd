//! Owns the names, units and help texts of the scheduler's metrics. They are fixed: dashboards hang on them.

use glasshouse_pal::TaskState;
use metrics::{KeyName, Recorder, SharedString, Unit};

/// Gauge: tasks in ready queues.
pub const READY_QUEUE_DEPTH: &str = "scheduler_ready_queue_depth";
/// Counter, label `state` (`done` or `failed`): tasks that ended.
pub const TASKS_RUNNING_TOTAL: &str = "tasks_running_total";
/// Counter, label `state` (each [`TaskState`]'s name): states entered.
pub const TASKS_STATE_TOTAL: &str = "tasks_state_total";
/// Histogram: time from Running to leaving Running, one sample a tick.
pub const RUN_LATENCY_SECONDS: &str = "task_run_latency_seconds";
/// Histogram: time from leaving Running, not ready, to the wake, one sample a wake.
pub const WAIT_TIME_SECONDS: &str = "task_wait_time_seconds";
/// Histogram: time from becoming ready to Running, one sample a tick.
pub const READY_DELAY_SECONDS: &str = "task_ready_delay_seconds";
/// Counter: ticks after which a task was throttled.
pub const BUDGET_THROTTLE_TOTAL: &str = "task_budget_throttle_total";

/// The label of both counters by state.
pub const STATE_LABEL: &str = "state";

/// The default histogram bounds, in seconds.
pub const DEFAULT_BUCKETS: [f64; 9] = [0.001, 0.005, 0.010, 0.050, 0.100, 0.250, 0.5, 1.0, 2.0];

/// Histogram bounds, in seconds, for schedulers whose ticks take microseconds.
pub const MICROSECOND_BUCKETS: [f64; 13] = [
    0.000_001, 0.000_002, 0.000_005, 0.000_010, 0.000_020, 0.000_050, 0.000_100, 0.000_250,
    0.000_500, 0.001, 0.005, 0.050, 0.500,
];

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Gauge,
    Counter,
    Histogram,
}

/// One metric family: its name and what a scrape says about it.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) unit: Unit,
    pub(crate) help: &'static str,
}

pub(crate) static DEPTH: Family = Family {
    name: READY_QUEUE_DEPTH,
    kind: Kind::Gauge,
    unit: Unit::Count,
    help: "Tasks that are ready and wait in a queue for a worker.",
};
pub(crate) static ENDED: Family = Family {
    name: TASKS_RUNNING_TOTAL,
    kind: Kind::Counter,
    unit: Unit::Count,
    help: "Tasks that ran to their end, by how they ended.",
};
pub(crate) static STATES: Family = Family {
    name: TASKS_STATE_TOTAL,
    kind: Kind::Counter,
    unit: Unit::Count,
    help: "State changes of tasks, by the state entered.",
};
pub(crate) static RUN: Family = Family {
    name: RUN_LATENCY_SECONDS,
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    help: "Time a task held its worker in one tick.",
};
pub(crate) static WAIT: Family = Family {
    name: WAIT_TIME_SECONDS,
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    help: "Time a task waited before it was woken, by wake.",
};
pub(crate) static READY: Family = Family {
    name: READY_DELAY_SECONDS,
    kind: Kind::Histogram,
    unit: Unit::Seconds,
    help: "Time a task was ready before a worker ran it, by tick.",
};
pub(crate) static THROTTLED: Family = Family {
    name: BUDGET_THROTTLE_TOTAL,
    kind: Kind::Counter,
    unit: Unit::Count,
    help: "Ticks after which a task went behind its peers because its quantum was used up.",
};

/// Every family, in the order in which a scrape shows them.
pub(crate) static FAMILIES: [&Family; 7] =
    [&DEPTH, &ENDED, &STATES, &THROTTLED, &RUN, &WAIT, &READY];

/// How a task can end, in the order of the `tasks_running_total` counters.
pub(crate) const ENDS: [TaskState; 2] = [TaskState::Done, TaskState::Failed];

/// Tells `recorder` the unit and help of every family.
pub(crate) fn describe(recorder: &dyn Recorder) {
    for family in FAMILIES {
        let name = KeyName::from_const_str(family.name);
        let help = SharedString::const_str(family.help);
        match family.kind {
            Kind::Gauge => recorder.describe_gauge(name, Some(family.unit), help),
            Kind::Counter => recorder.describe_counter(name, Some(family.unit), help),
            Kind::Histogram => recorder.describe_histogram(name, Some(family.unit), help),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_described() {
        for (i, family) in FAMILIES.iter().enumerate() {
            assert!(!family.help.is_empty());
            assert!(!family.help.contains(['\n', '\\', '"']));
            assert!(FAMILIES[..i].iter().all(|other| other.name != family.name));
        }
    }

    #[test]
    fn every_metric_in_seconds_says_so_in_its_name() {
        for family in FAMILIES {
            assert_eq!(
                family.unit == Unit::Seconds,
                family.name.ends_with("_seconds")
            );
        }
    }
}
