//! A log under random writes, compared with vectors.

use crate::clock::Clock;
use crate::domain::{DomainEvent, Event, Field, FieldType, KindSpec, Value};
use crate::event::TaskEvent;
use crate::owner::RingOwner;
use crate::pal::Pal;
use crate::reader::{Cursor, Entry, RingId};
use crate::testing::{SMALL, SMALL_RING, any_task_event};
use crate::writer::RingWriter;
use proptest::collection::vec;
use proptest::prelude::*;

/// Kinds with 0, 1, 4 and 7 fields: one, one, two and three records.
static KINDS: [KindSpec; 4] = [
    KindSpec::new(200, "none", &[]),
    KindSpec::new(201, "one", &[NUMBER]),
    KindSpec::new(202, "four", &[NUMBER; 4]),
    KindSpec::new(203, "seven", &[NUMBER; 7]),
];
const NUMBER: Field = Field::new("number", FieldType::U64);

#[derive(Clone, Copy, Debug)]
struct Write {
    ring: usize,
    stamp: u64,
    aux: u8,
    event: Event,
}

fn any_event() -> impl Strategy<Value = Event> {
    let domain = (0..KINDS.len(), any::<[u64; 7]>()).prop_map(|(kind, words)| {
        let spec = &KINDS[kind];
        let values = words.map(Value::U64);
        Event::Domain(DomainEvent::new(spec, &values[..spec.fields.len()]))
    });
    prop_oneof![3 => any_task_event().prop_map(Event::Task), 1 => domain]
}

fn any_write() -> impl Strategy<Value = Write> {
    // Few stamps, so that many are equal; not sorted, as deferred records are not.
    (0..SMALL.worker_rings, 0u64..40, any::<u8>(), any_event()).prop_map(
        |(ring, stamp, aux, event)| Write {
            ring,
            stamp,
            aux,
            event,
        },
    )
}

fn apply(rings: &[RingWriter], write: &Write) {
    let ring = &rings[write.ring];
    let recorded = match &write.event {
        Event::Task(event) => ring.write(write.stamp, write.aux, event),
        Event::Domain(event) => ring.write_domain(write.stamp, event),
    };
    assert!(recorded);
}

/// How many records an event takes.
fn records_of(event: &Event) -> u64 {
    match event {
        Event::Task(event) => 1 + crate::format::codec::encode(event).more.iter().count() as u64,
        Event::Domain(event) => 1 + event.args().len().saturating_sub(1).div_ceil(3) as u64,
    }
}

/// What is left in one ring: events none of whose records was overwritten, with the sequence number
/// of the first; and the number of the newest record.
fn retained(writes: &[Write], ring: usize) -> (Vec<(u64, Write)>, u64) {
    let mut events = Vec::new();
    let mut newest = 0;
    for write in writes.iter().filter(|write| write.ring == ring) {
        events.push((newest + 1, *write));
        newest += records_of(&write.event);
    }
    let oldest = newest.saturating_sub(SMALL_RING as u64) + 1;
    events.retain(|(seq, _)| *seq >= oldest);
    (events, newest)
}

/// All that is left, by stamp, then ring, then sequence number: random counts do not tie a task's
/// records together, so that those are compared as sets of equal stamps.
fn expected(writes: &[Write]) -> Vec<(u64, usize, u64, Write)> {
    let mut all: Vec<_> = (0..SMALL.worker_rings)
        .flat_map(|ring| {
            let (events, _) = retained(writes, ring);
            let keyed = move |(seq, write): (u64, Write)| (write.stamp, ring, seq, write);
            events.into_iter().map(keyed).collect::<Vec<_>>()
        })
        .collect();
    all.sort_by_key(|(stamp, ring, seq, _)| (*stamp, *ring, *seq));
    all
}

fn ring_number(entry: &Entry) -> usize {
    match entry.ring {
        RingId::Worker(number) => usize::from(number),
        RingId::External(number) => panic!("nothing was written to ext{number}"),
    }
}

fn small_log() -> (Pal, Vec<RingWriter>) {
    let pal = Pal::memory_shaped(Clock::virtual_time(), SMALL);
    let rings = (0..SMALL.worker_rings as u16).map(|number| pal.lease(RingOwner::Worker(number)));
    let rings = rings.collect();
    (pal, rings)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_log_holds_the_last_of_what_was_written_in_order(writes in vec(any_write(), 0..900)) {
        let (pal, rings) = small_log();
        for write in &writes {
            apply(&rings, write);
        }
        let log = pal.log();
        let found: Vec<Entry> = log.records().collect();
        prop_assert!(found.is_sorted_by_key(|entry| entry.stamp));
        let mut by_place: Vec<_> = found
            .iter()
            .map(|entry| (entry.stamp, ring_number(entry), entry.seq, entry.aux, entry.event))
            .collect();
        by_place.sort_by_key(|(stamp, ring, seq, ..)| (*stamp, *ring, *seq));
        let expected = expected(&writes);
        prop_assert_eq!(by_place.len(), expected.len());
        for (found, (stamp, ring, seq, write)) in by_place.iter().zip(&expected) {
            let aux = match write.event {
                Event::Task(_) => write.aux,
                Event::Domain(_) => 0,
            };
            prop_assert_eq!(*found, (*stamp, *ring, *seq, aux, write.event));
        }
    }

    #[test]
    fn what_was_overwritten_is_what_is_not_there(writes in vec(any_write(), 0..900)) {
        let (pal, rings) = small_log();
        for write in &writes {
            apply(&rings, write);
        }
        let log = pal.log();
        let loss = log.loss();
        prop_assert_eq!(loss.unreadable, 0);
        let mut is_wrapped = false;
        for ring in 0..SMALL.worker_rings {
            let (_, newest) = retained(&writes, ring);
            let found = loss.rings.iter().find(|found| found.ring == RingId::Worker(ring as u16));
            let found = found.map_or((0, 0), |found| (found.newest_seq, found.overwritten));
            prop_assert_eq!(found, (newest, newest.saturating_sub(SMALL_RING as u64)));
            is_wrapped |= found.1 > 0;
        }
        prop_assert_eq!(log.horizon().is_some(), is_wrapped);
    }

    #[test]
    fn a_reader_that_follows_sees_each_event_once(
        batches in vec(vec(any_write(), 0..60), 1..12),
    ) {
        let (pal, rings) = small_log();
        let log = pal.log();
        let mut cursor = Cursor::default();
        for batch in &batches {
            for write in batch {
                apply(&rings, write);
            }
            let (records, _) = log.follow(&mut cursor);
            let mut found: Vec<_> = records
                .map(|entry| (ring_number(&entry), entry.seq, entry.event))
                .collect();
            found.sort_by_key(|(ring, seq, _)| (*ring, *seq));
            let all: usize = batch.iter().map(|write| records_of(&write.event) as usize).sum();
            if all <= SMALL_RING {
                let rings = 0..SMALL.worker_rings;
                let expected: Vec<Event> = rings
                    .flat_map(|ring| batch.iter().filter(move |write| write.ring == ring))
                    .map(|write| write.event)
                    .collect();
                let found: Vec<Event> = found.into_iter().map(|(_, _, event)| event).collect();
                prop_assert_eq!(found, expected);
            }
        }
        prop_assert_eq!(log.follow(&mut cursor).0.count(), 0);
    }
}

#[test]
fn times_since_the_beginning_add_up() {
    let pal = Pal::memory();
    let ring = pal.lease(RingOwner::Worker(0));
    let start = pal.log().start_stamp();
    for step in 0..1_000 {
        ring.write(
            start + step * 7,
            0,
            &TaskEvent::ShutdownComplete { clean: true },
        );
    }
    let at: Vec<u64> = pal.log().records().map(|entry| entry.at_ns).collect();
    let sum: u64 = at.windows(2).map(|two| two[1] - two[0]).sum();
    assert_eq!(sum, at[999] - at[0]);
    assert_eq!(at[0], 0);
    ring.write(start - 5, 0, &TaskEvent::ShutdownComplete { clean: true });
    assert_eq!(pal.log().records().next().map(|entry| entry.at_ns), Some(0));
}

#[test]
fn the_same_writes_under_virtual_time_leave_the_same_bytes() {
    let bytes = || {
        let clock = Clock::virtual_time();
        let pal = Pal::memory_shaped(clock.clone(), SMALL);
        let ring = pal.lease(RingOwner::Worker(1));
        clock.advance_ns(40);
        ring.write_domain(
            clock.now(),
            &DomainEvent::new(&KINDS[2], &[Value::U64(1); 4]),
        );
        pal.site("src/main.rs", 1, 2, Some("same"));
        clock.advance_ns(5_000_000_000);
        ring.clock_pair();
        pal.close();
        drop(ring);
        let log = pal.log();
        log.all_words()
    };
    assert_eq!(bytes(), bytes());
}

#[test]
fn a_record_lies_in_its_ring_as_format_1_says() {
    let (pal, rings) = small_log();
    let tid = crate::TaskId::new(0x77).expect("in range");
    rings[1].write(0x55, 0x33, &TaskEvent::Done { tid });
    let words = pal.log().all_words();
    let (at, _) = crate::format::layout::Layout::new(SMALL).ring(1);
    assert_eq!(words[at / 8..at / 8 + 4], [0x1_0b33, 0x55, 0x77, 0]);
}
