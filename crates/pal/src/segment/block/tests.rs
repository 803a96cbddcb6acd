//! What goes into a block comes out of it, and nothing else does.

use super::*;
use crate::format::codec::encode;
use crate::record::Tag;
use crate::segment::Packed;
use crate::testing::any_task_event;
use proptest::prelude::*;

const PAIR: ClockPair = ClockPair {
    ticks: 5,
    monotonic_ns: 6,
    wall_ns: u64::MAX,
};

/// Events in the order of their stamps, of both classes of kinds, on a few rings whose numbers have holes.
fn any_events() -> impl Strategy<Value = (Vec<Packed>, Vec<u64>)> {
    let built_in = any_task_event().prop_map(|event| {
        let encoded = encode(&event);
        let more = encoded.more.map(|more| more.to_vec()).unwrap_or_default();
        (encoded.kind, encoded.task, encoded.arg, more)
    });
    let near = prop_oneof![0u64..50, any::<u64>()];
    let words = prop::collection::vec(near.clone(), 0..=2usize)
        .prop_map(|words| words.iter().flat_map(|word| [*word, word / 2, 1]).collect());
    let domain = (32u8..=255, 0u64..40, near, words);
    let event = prop_oneof![3 => built_in, 1 => domain];
    let place = (
        0u16..3,
        any::<bool>(),
        any::<u8>(),
        1u64..5,
        prop_oneof![0u64..3, 0u64..1 << 40],
    );
    prop::collection::vec((event, place), 1..300).prop_map(|all| {
        let (mut events, mut words) = (Vec::new(), Vec::new());
        let (mut stamp, mut seqs) = (7u64, std::collections::HashMap::new());
        for ((kind, task, arg, more), (number, is_worker, aux, hole, later)) in all {
            let ring = match is_worker {
                true => RingId::Worker(number),
                false => RingId::External(number),
            };
            stamp += later;
            let seq = seqs.entry(ring).or_insert(0);
            *seq += hole;
            let tag = Tag {
                seq: *seq,
                kind,
                aux,
            };
            let records = more.len() / 3;
            *seq += records as u64;
            events.push(Packed {
                raw: [tag.to_word(), stamp, task, arg],
                ring,
                more: records as u8,
                words_at: words.len() as u32,
            });
            words.extend(more);
        }
        (events, words)
    })
}

fn assert_same(block: &Block, events: &[Packed], words: &[u64]) {
    assert_eq!(block.events.len(), events.len());
    for (found, event) in block.events.iter().zip(events) {
        assert_eq!((found.raw, found.ring), (event.raw, event.ring));
        assert_eq!(found.words(&block.words), event.words(words));
    }
}

proptest! {
    #[test]
    fn a_block_comes_back_record_by_record((events, words) in any_events(), unreadable in any::<u64>()) {
        let (mut encoder, mut block) = (Encoder::new(), Block::new());
        // Twice with the same memory: nothing of the first may be left.
        for part in [&events[..events.len() / 2 + 1], &events[..]] {
            let (payload, head) = encoder.encode(part, &words, unreadable, PAIR);
            let decoded = block.decode(&payload);
            prop_assert_eq!(decoded.as_ref(), Some(&head));
            prop_assert_eq!(BlockHead::of(&payload), Some(head));
            assert_same(&block, part, &words);
        }
    }

    #[test]
    fn a_block_lists_the_tasks_that_it_speaks_of((events, words) in any_events(), other in any::<u64>()) {
        let (payload, _) = Encoder::new().encode(&events, &words, 0, PAIR);
        for event in &events {
            prop_assert_eq!(speaks_of(&payload, event.raw[2]), Some(true));
        }
        let is_there = events.iter().any(|event| event.raw[2] == other);
        prop_assert_eq!(speaks_of(&payload, other), Some(is_there));
    }

    #[test]
    fn a_damaged_block_is_none_or_some_other_block((events, words) in any_events(), flips in prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..4)) {
        let (mut payload, _) = Encoder::new().encode(&events, &words, 0, PAIR);
        for (at, bits) in flips {
            let at = at.index(payload.len());
            payload[at] ^= bits;
        }
        let mut block = Block::new();
        let _ = block.decode(&payload);
        prop_assert!(block.events.len() <= BLOCK_RECORDS_MAX);
        let _ = speaks_of(&payload, 1);
    }

    #[test]
    fn any_bytes_are_a_block_or_none(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Block::new().decode(&bytes);
    }
}

/// So many waits of one task, each as expected.
fn expected(count: u64) -> Vec<Packed> {
    let event = |n: u64| {
        let (kind, aux) = (crate::format::kind::WAIT, n as u8);
        let tag = Tag {
            seq: n + 1,
            kind,
            aux,
        };
        Packed {
            raw: [tag.to_word(), 5_000_000, 0, 0],
            ring: RingId::Worker(0),
            more: 0,
            words_at: 0,
        }
    };
    (0..count).map(event).collect()
}

#[test]
fn a_block_that_is_all_as_expected_is_filled_up_to_the_least_length() {
    let events = expected(BLOCK_RECORDS_MAX as u64);
    let (payload, _) = Encoder::new().encode(&events, &[], 0, PAIR);
    let least = events.len() / RECORDS_A_BYTE_MAX;
    assert_eq!(payload.len(), least);
    let mut block = Block::new();
    assert!(block.decode(&payload).is_some());
    assert_same(&block, &events, &[]);
    // Cut to less, it stands for too many.
    assert_eq!(BlockHead::of(&payload[..least - 1]), None);
}
