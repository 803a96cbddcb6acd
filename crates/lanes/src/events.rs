//! Owns the kinds of record that lanes add to the log: 32 and 33.

use glasshouse_pal::{DomainEvent, Field, FieldType, KindSpec, TextId, Value, emit};

/// A permit was taken up. Recorded by the taker, before it goes on.
pub static LANE_ACQUIRED: KindSpec = KindSpec::new(
    32,
    "lane_acquired",
    &[
        Field::new("lane", FieldType::Text),
        Field::new("waited_ns", FieldType::Ns),
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

pub(crate) fn acquired(lane: TextId, waited_ns: u64) {
    emit(DomainEvent::new(
        &LANE_ACQUIRED,
        &[Value::Text(lane), Value::Ns(waited_ns)],
    ));
}

pub(crate) fn released(lane: TextId, held_ns: u64) {
    emit(DomainEvent::new(
        &LANE_RELEASED,
        &[Value::Text(lane), Value::Ns(held_ns)],
    ));
}
