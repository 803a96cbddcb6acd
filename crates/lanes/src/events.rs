//! Owns the kinds of record that lanes add to the log: 32 and 33.

use glasshouse_pal::{DomainEvent, Field, FieldType, KindSpec, TextId, Value, emit};

/// A permit was taken up, of as many as `limit` that the lane has. Recorded by the taker, before it goes on.
pub static LANE_ACQUIRED: KindSpec = KindSpec::new(
    32,
    "lane_acquired",
    &[
        Field::new("lane", FieldType::Text),
        Field::new("waited_ns", FieldType::Ns),
        // Takes no room: a record's continuation has three words.
        Field::new("limit", FieldType::U64),
    ],
);

/// A permit was given back. Recorded before it is handed on.
pub static LANE_RELEASED: KindSpec = KindSpec::new(
    33,
    "lane_released",
    &[
        Field::new("lane", FieldType::Text),
        Field::new("held_ns", FieldType::Ns),
    ],
);

pub(crate) fn acquired(lane: TextId, limit: usize, waited_ns: u64) {
    emit(DomainEvent::new(
        &LANE_ACQUIRED,
        &[
            Value::Text(lane),
            Value::Ns(waited_ns),
            Value::U64(limit as u64),
        ],
    ));
}

pub(crate) fn released(lane: TextId, held_ns: u64) {
    emit(DomainEvent::new(
        &LANE_RELEASED,
        &[Value::Text(lane), Value::Ns(held_ns)],
    ));
}
