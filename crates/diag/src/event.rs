//! Owns the events that nodes add to the log: kinds 96 to 98 of the range 96 to 127.
//!
//! | event | fields | emitted |
//! |---|---|---|
//! | `node_started` | `node`, `attempt` | before the command is started |
//! | `node_ended` | `node`, `attempt`, `outcome`, `run_ns` | after its end is known |
//! | `node_retry` | `node`, `attempt`, `backoff_ns` | before the wait; `attempt` is the one to come |
//!
//! Each is about the task that emits it, the node's own.

use crate::outcome::NodeOutcome;
use glasshouse_pal::{DomainEvent, Field, FieldType, KindSpec, Value, intern};

/// An execution begins.
pub static NODE_STARTED: KindSpec = KindSpec::new(
    96,
    "node_started",
    &[
        Field::new("node", FieldType::Text),
        Field::new("attempt", FieldType::U64),
    ],
);

/// An execution has ended.
pub static NODE_ENDED: KindSpec = KindSpec::new(
    97,
    "node_ended",
    &[
        Field::new("node", FieldType::Text),
        Field::new("attempt", FieldType::U64),
        Field::new("outcome", FieldType::Text),
        Field::new("run_ns", FieldType::Ns),
    ],
);

/// Another execution will follow.
pub static NODE_RETRY: KindSpec = KindSpec::new(
    98,
    "node_retry",
    &[
        Field::new("node", FieldType::Text),
        Field::new("attempt", FieldType::U64),
        Field::new("backoff_ns", FieldType::Ns),
    ],
);

pub(crate) fn started(node: &str, attempt: u32) -> DomainEvent {
    let values = [Value::Text(intern(node)), Value::U64(attempt.into())];
    DomainEvent::new(&NODE_STARTED, &values)
}

pub(crate) fn ended(node: &str, attempt: u32, outcome: NodeOutcome, run_ns: u64) -> DomainEvent {
    let values = [
        Value::Text(intern(node)),
        Value::U64(attempt.into()),
        Value::Text(intern(outcome.name())),
        Value::Ns(run_ns),
    ];
    DomainEvent::new(&NODE_ENDED, &values)
}

pub(crate) fn retry(node: &str, attempt: u32, backoff_ns: u64) -> DomainEvent {
    let values = [
        Value::Text(intern(node)),
        Value::U64(attempt.into()),
        Value::Ns(backoff_ns),
    ];
    DomainEvent::new(&NODE_RETRY, &values)
}
