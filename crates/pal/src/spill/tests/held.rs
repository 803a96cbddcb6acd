//! Blocks that overlap: what a reader holds back for records that came late has an end.

use crate::clock::ClockPair;
use crate::format::kind;
use crate::reader::{Log, RingId};
use crate::record::Tag;
use crate::segment::{BLOCK_RECORDS_MAX, Encoder, Packed, SectionHead, SectionKind, SegmentHeader};

/// What a reader holds back, in blocks.
const HELD_BLOCKS: u64 = 16;

/// A segment of so many full blocks, of which each begins with a record from the beginning of the log. Few bytes a block:
/// all is as expected.
fn overlapping(blocks: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    SegmentHeader::of_nobody().put(&mut bytes);
    let mut encoder = Encoder::new();
    let count = BLOCK_RECORDS_MAX as u64;
    for block in 0..blocks {
        let event = |n: u64| {
            let tag = Tag {
                seq: block * count + n + 1,
                kind: kind::WAIT,
                aux: n as u8,
            };
            let stamp = if n == 0 { 1 } else { 100 + block };
            Packed {
                raw: [tag.to_word(), stamp, 7, 0],
                ring: RingId::Worker(0),
                more: 0,
                words_at: 0,
            }
        };
        let events: Vec<Packed> = (0..count).map(event).collect();
        let (payload, _) = encoder.encode(&events, &[], 0, ClockPair::default());
        SectionHead::put(&mut bytes, SectionKind::Block, &payload);
    }
    bytes
}

#[test]
fn records_that_overlap_for_ever_are_handed_out_all_the_same() {
    let (place, blocks) = (tempfile::tempdir().expect("a place"), HELD_BLOCKS + 4);
    let path = place.path().join("00000001.seg");
    let bytes = overlapping(blocks);
    std::fs::write(&path, &bytes).expect("written");
    let (mut count, mut last, mut out_of_order) = (0, 0, 0);
    for entry in Log::open(&path).expect("readable").records() {
        count += 1;
        out_of_order += u64::from(entry.stamp < last);
        last = entry.stamp;
    }
    assert_eq!(count, blocks * BLOCK_RECORDS_MAX as u64);
    // A byte of such a file stands for 3 KiB of records: these would not be held back without end.
    assert!(bytes.len() as u64 * 50 < count);
    // Those of the blocks behind came too late, of which the first was taken in before any was handed out.
    assert_eq!(out_of_order, blocks - HELD_BLOCKS - 1);
}
