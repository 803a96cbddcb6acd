//! Owns the numbers of the scheduler's record kinds and their descriptions.

use crate::domain::{Field, FieldType};

pub(crate) const SPAWNED: u8 = 1;
pub(crate) const RUNNING: u8 = 2;
pub(crate) const YIELD: u8 = 3;
pub(crate) const THROTTLED: u8 = 4;
pub(crate) const SLEEP: u8 = 5;
pub(crate) const IO_WAIT: u8 = 6;
pub(crate) const JOIN_WAIT: u8 = 7;
pub(crate) const LANE_WAIT: u8 = 8;
pub(crate) const WAIT: u8 = 9;
pub(crate) const WAKE: u8 = 10;
pub(crate) const DONE: u8 = 11;
pub(crate) const FAILED: u8 = 12;
/// The last kind that is a transition: these alone count in `aux`.
pub(crate) const LAST_TRANSITION: u8 = 15;
pub(crate) const SPAWN_DENIED: u8 = 16;
pub(crate) const SHUTDOWN_BEGIN: u8 = 17;
pub(crate) const SHUTDOWN_COMPLETE: u8 = 18;
pub(crate) const STALLED: u8 = 19;
/// Words 1 to 3 belong to the record before.
pub(crate) const CONTINUED: u8 = 31;

/// A kind of the scheduler's, as the schema describes it. The fields are the words after the task:
/// word 3, then the words of the continuation.
pub(crate) struct BuiltIn {
    pub(crate) kind: u8,
    pub(crate) name: &'static str,
    pub(crate) fields: &'static [Field],
}

const fn plain(kind: u8, name: &'static str) -> BuiltIn {
    BuiltIn {
        kind,
        name,
        fields: &[],
    }
}

const fn one(kind: u8, name: &'static str, fields: &'static [Field]) -> BuiltIn {
    BuiltIn { kind, name, fields }
}

/// What the schema says of the scheduler's kinds. Packed words are described as one number: who
/// knows the kind unpacks it, who does not can still print it.
pub(crate) const BUILT_IN: [BuiltIn; 17] = [
    one(
        SPAWNED,
        "spawned",
        &[Field::new("site_parent", FieldType::U64)],
    ),
    plain(RUNNING, "running"),
    one(YIELD, "yield", &[Field::new("by", FieldType::U64)]),
    one(THROTTLED, "throttled", &[Field::new("by", FieldType::U64)]),
    one(SLEEP, "sleep", &[Field::new("dur_ns", FieldType::Ns)]),
    one(
        IO_WAIT,
        "io_wait",
        &[Field::new("interest_fd", FieldType::U64)],
    ),
    one(JOIN_WAIT, "join_wait", &[Field::new("on", FieldType::Task)]),
    one(
        LANE_WAIT,
        "lane_wait",
        &[Field::new("lane", FieldType::Text)],
    ),
    plain(WAIT, "wait"),
    one(WAKE, "wake", &[Field::new("by", FieldType::U64)]),
    plain(DONE, "done"),
    one(
        FAILED,
        "failed",
        &[Field::new("kind_error", FieldType::U64)],
    ),
    one(
        SPAWN_DENIED,
        "spawn_denied",
        &[Field::new("site_capacity", FieldType::U64)],
    ),
    one(
        SHUTDOWN_BEGIN,
        "shutdown_begin",
        &[Field::new("timeout_ns", FieldType::Ns)],
    ),
    one(
        SHUTDOWN_COMPLETE,
        "shutdown_complete",
        &[Field::new("clean", FieldType::Bool)],
    ),
    one(
        STALLED,
        "stalled",
        &[
            Field::new("busy_ns", FieldType::Ns),
            Field::new("on_worker", FieldType::U64),
            Field::new("others_queued", FieldType::U64),
        ],
    ),
    plain(CONTINUED, "continued"),
];
