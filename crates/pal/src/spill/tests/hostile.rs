//! Segments that no spiller wrote, with checksums that fit.

use super::program::{Dice, Program};
use super::{a_segment_a_step, place, sections, segments, small};
use crate::clock::ClockPair;
use crate::format::kind;
use crate::reader::{Cursor, Log, OpenError, RingId, SegmentLoss};
use crate::record::Tag;
use crate::segment::{
    BlockHead, Encoder, HEADER_BYTES, Packed, SECTION_HEAD_BYTES, SectionHead, SectionKind,
};
use crate::spill::Spiller;
use crate::verify::{Finding, verify};
use crate::{Pal, RingOwner, SiteId, TaskEvent, TaskId};
use std::path::{Path, PathBuf};

/// Makes a section's checksum fit again.
fn seal(bytes: &mut [u8], at: usize, payload: std::ops::Range<usize>) {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&bytes[at..at + 8]);
    crc.update(&bytes[payload]);
    bytes[at + 8..at + 12].copy_from_slice(&crc.finalize().to_le_bytes());
}

fn one_segment() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let (place, dir) = place();
    let pal = Pal::memory();
    let settings = crate::spill::Settings {
        segment_bytes: 1 << 20,
        ..small(&dir)
    };
    let mut spiller = Spiller::new(&pal, settings).expect("made");
    Program::new(&pal, 3, 4).run(250);
    let _ = spiller.finish();
    let path = segments(&spiller).remove(0);
    let bytes = std::fs::read(&path).expect("readable");
    (place, path, bytes)
}

/// Asks everything that can be asked; how many records there are.
fn ask_all(path: &Path) -> usize {
    let Ok(log) = Log::open(path) else { return 0 };
    let tid = TaskId::new(3).expect("in range");
    let _ = (
        log.loss(),
        log.horizon(),
        log.retained_ns(),
        log.rings(),
        log.lifecycle(),
    );
    let _ = (
        log.known_tasks(),
        log.tasks().count(),
        log.wall_ns(u64::MAX),
    );
    let mut lives = log.lives();
    for entry in log.records() {
        if let crate::Event::Task(event) = &entry.event {
            let _ = lives.feed(entry.stamp, entry.aux, event);
        }
    }
    let _ = crate::verify::verify(&log);
    assert!(log.records_about(tid).count() <= log.records().count());
    log.records().count()
}

#[test]
fn damage_under_a_checksum_that_fits_never_panics_the_reader() {
    let (_place, path, bytes) = one_segment();
    let sections = sections(&bytes);
    let mut dice = Dice(11);
    let (mut read, mut most) = (0, 0);
    for _ in 0..800 {
        let mut damaged = bytes.clone();
        for _ in 0..1 + dice.below(3) {
            let (at, payload) = &sections[dice.below(sections.len() as u64) as usize];
            if payload.is_empty() {
                continue;
            }
            // Mostly near the beginning, where the counts are.
            let reach = if dice.below(2) == 0 { 40 } else { u64::MAX };
            let place = payload.start + dice.below(reach.min(payload.len() as u64)) as usize;
            damaged[place] = match dice.below(4) {
                0 => 0xff,
                1 => 0,
                2 => damaged[place] ^ 1 << dice.below(8),
                _ => dice.below(256) as u8,
            };
            seal(&mut damaged, *at, payload.clone());
        }
        std::fs::write(&path, &damaged).expect("written");
        let records = ask_all(&path);
        read += usize::from(records > 0);
        most = most.max(records);
    }
    assert!(read > 150, "{read} could be read");
    // A byte stands for 64 events at most.
    assert!(most <= bytes.len() * 64, "{most}");
}

#[test]
fn a_kind_of_section_that_is_not_known_is_skipped() {
    let (_place, path, bytes) = one_segment();
    let whole = ask_all(&path);
    let (at, _) = sections(&bytes)[0];
    let mut more = bytes[..at].to_vec();
    let payload = b"from a later release";
    more.extend_from_slice(&99u32.to_le_bytes());
    more.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    more.extend_from_slice(&[0; 4]);
    more.extend_from_slice(payload);
    let end = more.len();
    seal(&mut more, at, at + SECTION_HEAD_BYTES..end);
    more.extend_from_slice(&bytes[at..]);
    std::fs::write(&path, &more).expect("written");
    assert_eq!(ask_all(&path), whole);
    assert!(Log::open(&path).expect("readable").loss().is_none());
}

#[test]
fn a_longer_header_of_a_later_minor_version_is_passed_over() {
    let (_place, path, bytes) = one_segment();
    let whole = ask_all(&path);
    let mut longer = bytes[..144].to_vec();
    longer[8..12].copy_from_slice(&1u32.to_le_bytes());
    longer[16..24].copy_from_slice(&152u64.to_le_bytes());
    let crc = u64::from(crc32fast::hash(&longer[..136]));
    longer[136..].copy_from_slice(&crc.to_le_bytes());
    longer.extend_from_slice(b"GLASSSEG");
    longer.extend_from_slice(&bytes[144..]);
    std::fs::write(&path, &longer).expect("written");
    assert_eq!(ask_all(&path), whole);
    assert!(Log::open(&path).expect("readable").loss().is_none());
}

#[test]
fn a_later_major_version_is_refused_by_name_also_among_others() {
    let (_place, path, mut bytes) = one_segment();
    bytes[12] = 2;
    let later = path.with_file_name("00000002.seg");
    std::fs::write(&later, &bytes).expect("written");
    for asked in [&later, path.parent().expect("a directory")] {
        let refused = Log::open(asked).expect_err("a later version");
        assert!(
            matches!(refused, OpenError::Version { major: 2, .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains("00000002.seg"), "{refused}");
    }
}

#[test]
fn another_log_s_segment_in_the_directory_is_told_and_left_out() {
    let (_place, path, bytes) = one_segment();
    let whole = ask_all(&path);
    let (_other, _, mut foreign) = one_segment();
    foreign[64..72].copy_from_slice(&77u64.to_le_bytes());
    let crc = u64::from(crc32fast::hash(&foreign[..136]));
    foreign[136..144].copy_from_slice(&crc.to_le_bytes());
    let dir = path.parent().expect("a directory");
    std::fs::write(dir.join("00000002.seg"), &foreign).expect("written");
    std::fs::write(dir.join("00000003.seg"), &bytes[..70]).expect("written");
    let log = Log::open(dir).expect("readable");
    assert_eq!(log.loss().damaged_segments, 2);
    assert_eq!(log.records().count(), whole);
}

/// Reads a log whose segments cannot all be read: what is lost is told, and it does not hold.
fn assert_unread(log: &Log, expected: &[SegmentLoss], held: usize) {
    assert!(log.loss().is_none(), "nobody has read it yet");
    let report = verify(log);
    let loss = log.loss();
    assert_eq!(loss.unread, expected);
    assert!(!loss.is_none() && !report.holds());
    let found = report.findings.iter().filter_map(|finding| match finding {
        Finding::Unread { segment, records } => Some((*segment, *records)),
        _ => None,
    });
    let told: Vec<(u64, u64)> = found.collect();
    let expected = expected.iter().map(|of| (of.segment, of.records));
    assert_eq!(told, expected.collect::<Vec<_>>());
    // Each event of these takes a record.
    assert_eq!(log.records().count() + loss.unread() as usize, held);
    assert_eq!(log.loss(), loss, "a second pass tells nothing anew");
}

/// Segments of events that take a record each, as many as steps, which are held open or not.
fn segments_of_small_events(count: u64) -> (tempfile::TempDir, Vec<PathBuf>, usize) {
    let (place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, a_segment_a_step(&dir)).expect("made");
    let ring = pal.lease(RingOwner::Worker(0));
    for tid in 1..=count {
        let tid = TaskId::new(tid).expect("in range");
        let (parent, site) = (None, SiteId::UNKNOWN);
        for (aux, event) in [
            TaskEvent::Spawned { tid, parent, site },
            TaskEvent::Running { tid },
            TaskEvent::Done { tid },
        ]
        .iter()
        .enumerate()
        {
            assert!(ring.write(pal.clock().now_ordered(), aux as u8, event));
        }
        let _ = spiller.step();
    }
    let _ = spiller.finish();
    (place, segments(&spiller), 3 * count as usize)
}

/// Where a segment's blocks are.
fn blocks(bytes: &[u8]) -> Vec<(usize, std::ops::Range<usize>)> {
    let mut sections = sections(bytes);
    let block = (SectionKind::Block as u32).to_le_bytes();
    sections.retain(|(at, _)| bytes[*at..*at + 4] == block);
    sections
}

#[test]
fn blocks_that_cannot_be_decoded_are_told_and_do_not_hold() {
    let (_place, paths, held) = segments_of_small_events(40);
    let mut expected = Vec::new();
    for path in [&paths[3], &paths[7]] {
        let mut bytes = std::fs::read(path).expect("readable");
        let (at, payload) = blocks(&bytes).remove(0);
        let records = BlockHead::of(&bytes[payload.clone()])
            .expect("whole")
            .records();
        bytes[payload.end - 6..payload.end].fill(0xff);
        seal(&mut bytes, at, payload);
        std::fs::write(path, &bytes).expect("written");
        let segment = expected.len() as u64 * 4 + 4;
        expected.push(SegmentLoss { segment, records });
    }
    let dir = paths[0].parent().expect("a directory");
    assert_unread(&Log::open(dir).expect("readable"), &expected, held);
    // Who asks for one task alone is told too, of what was looked at.
    let log = Log::open(dir).expect("readable");
    let tid = TaskId::new(1).expect("in range");
    assert_eq!(log.records_about(tid).count(), 3);
    // Who follows is told of as many as are not handed out.
    let log = Log::open(dir).expect("readable");
    let mut cursor = Cursor::default();
    let found = log.follow(&mut cursor).0.count();
    assert_eq!(found + cursor.lost() as usize, held);
}

#[test]
fn a_segment_that_is_cut_short_or_removed_while_the_log_is_read_is_told() {
    // More than are held open.
    let (_place, paths, held) = segments_of_small_events(270);
    let dir = paths[0].parent().expect("a directory");
    let log = Log::open(dir).expect("readable");
    let records = |path: &PathBuf| -> u64 {
        let bytes = std::fs::read(path).expect("readable");
        let blocks = blocks(&bytes).into_iter();
        blocks
            .map(|(_, payload)| BlockHead::of(&bytes[payload]).expect("whole").records())
            .sum()
    };
    let cut = &paths[4];
    let removed = &paths[paths.len() - 4];
    let number = |path: &Path| {
        let name = path.file_stem().expect("a name").to_str();
        name.expect("digits").parse().expect("a number")
    };
    let expected = [cut, removed].map(|path| SegmentLoss {
        segment: number(path),
        records: records(path),
    });
    let file = std::fs::File::options().write(true).open(cut);
    file.expect("opened")
        .set_len(HEADER_BYTES as u64)
        .expect("cut");
    std::fs::remove_file(removed).expect("removed");
    assert_unread(&log, &expected, held);
}

#[test]
fn records_that_no_event_makes_are_told_and_do_not_hold() {
    let (_place, path, bytes) = one_segment();
    let known = Log::open(&path).expect("readable").records().count();
    let kind = kind::FAILED;
    let event = |n: u64| Packed {
        raw: [
            Tag {
                seq: 100_000 + n,
                kind,
                aux: n as u8,
            }
            .to_word(),
            u64::MAX / 2,
            7,
            // There is no such kind of failure.
            99 << 32,
        ],
        ring: RingId::Worker(9),
        more: 0,
        words_at: 0,
    };
    let events: Vec<Packed> = (0..5).map(event).collect();
    let (payload, _) = Encoder::new().encode(&events, &[], 0, ClockPair::default());
    let mut more = bytes.clone();
    SectionHead::put(&mut more, SectionKind::Block, &payload);
    std::fs::write(&path, &more).expect("written");
    let log = Log::open(&path).expect("readable");
    let report = verify(&log);
    assert_eq!(log.records().count(), known);
    assert_eq!(log.loss().unreadable, 5);
    let told = Finding::Unreadable { records: 5 };
    assert!(report.findings.contains(&told), "{:?}", report.findings);
}
