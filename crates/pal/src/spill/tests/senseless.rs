//! Records that no event makes, and blocks that make no sense: who is told of them, what they excuse, and what is kept of
//! them.

use super::follow::{Follower, at_once, lock};
use super::program::Program;
use super::{a_segment_a_step, place, segments};
use crate::Pal;
use crate::clock::ClockPair;
use crate::format::kind;
use crate::reader::{Cursor, Log, RingId};
use crate::record::Tag;
use crate::segment::{Encoder, HEADER_BYTES, Packed, SectionHead, SectionKind, SegmentHeader};
use crate::spill::Spiller;
use crate::verify::{Finding, verify};
use std::fs::File;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// So many records of a ring, of which no event is made: there is no such kind of failure.
fn senseless(ring: u16, seqs: RangeInclusive<u64>) -> Vec<Packed> {
    records(ring, seqs, kind::FAILED, 99 << 32)
}

fn records(ring: u16, seqs: RangeInclusive<u64>, kind: u8, arg: u64) -> Vec<Packed> {
    let record = |seq: u64| Packed {
        raw: [Tag { seq, kind, aux: 0 }.to_word(), u64::MAX / 2, 7, arg],
        ring: RingId::Worker(ring),
        more: 0,
        words_at: 0,
    };
    seqs.map(record).collect()
}

/// Appends a block of these records, with what their spiller could not make sense of before.
fn put_block(bytes: &mut Vec<u8>, events: &[Packed], unreadable: u64) {
    let (payload, _) = Encoder::new().encode(events, &[], unreadable, ClockPair::default());
    SectionHead::put(bytes, SectionKind::Block, &payload);
}

/// A log of one segment of these blocks.
fn segment(blocks: &[(Vec<Packed>, u64)]) -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("00000001.seg");
    let mut bytes = Vec::new();
    SegmentHeader::of_nobody().put(&mut bytes);
    for (events, unreadable) in blocks {
        put_block(&mut bytes, events, *unreadable);
    }
    std::fs::write(&path, bytes).expect("written");
    (place, path)
}

/// The holes that a log of these blocks is found to have.
fn holes(blocks: &[(Vec<Packed>, u64)]) -> Vec<(RingId, u64)> {
    let (_place, path) = segment(blocks);
    let report = verify(&Log::open(&path).expect("readable"));
    let hole = |finding: &Finding| match *finding {
        Finding::Hole { ring, records } => Some((ring, records)),
        _ => None,
    };
    report.findings.iter().filter_map(hole).collect()
}

#[test]
fn records_that_are_there_and_make_no_sense_excuse_no_hole() {
    let wait = |ring, seqs| records(ring, seqs, kind::WAIT, 0);
    let hole = [(RingId::Worker(1), 2)];
    assert_eq!(
        holes(&[(senseless(0, 1..=4), 0), (wait(1, 3..=5), 0)]),
        hole
    );
    let in_one = senseless(1, 3..=6);
    assert_eq!(holes(&[(in_one, 0)]), hole, "nor one of their own ring");
}

#[test]
fn what_made_no_sense_to_the_spiller_excuses_as_many_records_as_it_counted_in_all_rings_together() {
    let lacking = |unreadable| {
        let wait = |ring| records(ring, 3..=5, kind::WAIT, 0);
        holes(&[(wait(0), unreadable), (wait(1), 0)])
    };
    assert_eq!(lacking(4), []);
    assert_eq!(lacking(3), [(RingId::Worker(1), 2)]);
    assert_eq!(lacking(2), [(RingId::Worker(1), 2)]);
    assert_eq!(lacking(1), [(RingId::Worker(0), 2), (RingId::Worker(1), 2)]);
}

#[test]
fn who_goes_on_from_a_copied_cursor_is_not_told_what_the_other_loses() {
    let (_place, path) = segment(&[(senseless(0, 1..=5), 0)]);
    let log = Log::open(&path).expect("readable");
    let mut one = Cursor::default();
    let (records, _) = log.follow(&mut one);
    let mut other = one.clone();
    assert_eq!(records.count(), 0);
    assert_eq!((one.lost(), one.senseless()), (5, 5));
    assert_eq!((other.lost(), other.senseless()), (0, 0));
    assert_eq!(log.follow(&mut other).1, 0);
    assert_eq!(
        log.follow(&mut one.clone()).1,
        5,
        "what was lost before, each tells"
    );
    assert_eq!(log.follow(&mut one).1, 5);
}

#[test]
fn what_makes_no_sense_is_told_to_who_follows_look_by_look_and_the_log_keeps_nothing_of_it() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, at_once(&dir)).expect("made");
    Program::new(&pal, 2, 5).run(40);
    let _ = (spiller.step(), spiller.step());
    let path = segments(&spiller).pop().expect("a segment");
    drop(spiller);
    let _lock = lock(path.parent().expect("a directory"));
    let mut follower = Follower::of(&dir);
    assert!(follower.look());
    for (seq, count, in_all) in [(1, 5, 5), (9, 3, 8)] {
        let mut bytes = std::fs::read(&path).expect("readable");
        put_block(&mut bytes, &senseless(7, seq..=seq + count - 1), 0);
        std::fs::write(&path, bytes).expect("written");
        assert!(follower.look());
        let cursor = &follower.cursor;
        assert_eq!((cursor.senseless(), cursor.lost()), (in_all, in_all));
    }
    assert_eq!(follower.log.loss().senseless, 0, "it came later");
    let log = Log::open(&dir).expect("readable");
    let (_, known) = (log.records().count(), log.loss());
    assert_eq!((known.senseless, known.unreadable), (8, 8));
}

#[test]
fn the_log_keeps_nothing_of_what_who_follows_for_long_could_not_read() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, a_segment_a_step(&dir)).expect("made");
    let mut program = Program::new(&pal, 2, 5);
    program.run(20);
    let _ = (spiller.step(), spiller.step());
    let log = Log::open(&dir).expect("readable");
    let mut cursor = Cursor::default();
    log.follow(&mut cursor).0.for_each(drop);
    let mut losses = 0;
    for _ in 0..20 {
        program.run(20);
        let _ = (spiller.step(), spiller.step());
        let (records, _) = log.follow(&mut cursor);
        // What it was given is cut short while it is read.
        let path = segments(&spiller).pop().expect("a segment");
        let bytes = std::fs::read(&path).expect("readable");
        let file = File::options().write(true).open(path).expect("opened");
        file.set_len(HEADER_BYTES as u64).expect("cut");
        let before = cursor.lost();
        records.for_each(drop);
        file.write_all_at(&bytes, 0).expect("whole again");
        losses += u64::from(cursor.lost() > before);
    }
    assert!(losses >= 10, "{losses}");
    assert_eq!(log.loss().unread, []);
}
