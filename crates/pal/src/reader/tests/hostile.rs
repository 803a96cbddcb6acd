//! Logs that were cut, damaged, or made to do harm.

use crate::domain::{DomainEvent, Field, FieldType, KindSpec, Value};
use crate::event::TaskEvent;
use crate::format::header::{Header, RING_HEADER_BYTES, RingHeader};
use crate::format::layout::{Layout, PAGE_BYTES};
use crate::id::TaskId;
use crate::owner::{RingOwner, WorkerState};
use crate::reader::{Cursor, Log, OpenError};
use crate::state::TaskState;
use crate::testing::{SMALL, small_file};
use crate::text_id::{SiteId, TextId};
use proptest::prelude::*;
use std::fs::File;
use std::mem::offset_of;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

static POURED: KindSpec = KindSpec::new(210, "poured", &[Field::new("ml", FieldType::U64); 5]);

/// The bytes of a small log with something in every part.
fn full_log() -> Vec<u8> {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("small.pal");
    let pal = small_file(&path);
    let ring = pal.lease(RingOwner::Worker(0));
    let tid = TaskId::new(1).expect("in range");
    ring.current(pal.clock().now(), Some(tid), WorkerState::Running);
    for n in 0..200u8 {
        ring.write(pal.clock().now(), n, &TaskEvent::Running { tid });
    }
    let site = pal.site("src/main.rs", 3, 4, Some("pump"));
    ring.write(
        pal.clock().now(),
        0,
        &TaskEvent::Spawned {
            tid,
            parent: None,
            site,
        },
    );
    ring.write_domain(
        pal.clock().now(),
        &DomainEvent::new(&POURED, &[Value::U64(3); 5]),
    );
    let slot = pal.table().take_shared().expect("room");
    pal.table()
        .slot(slot)
        .publish(tid, site, None, TaskState::Running, 5);
    pal.close();
    std::fs::read(&path).expect("read back")
}

/// Asks a log everything that it can be asked.
fn read_everything(path: &Path) -> Result<(), OpenError> {
    let log = Log::open(path)?;
    let count = log.records().count();
    assert!(count <= Layout::new(SMALL).rings.length / 32);
    for entry in log.records() {
        log.wall_ns(entry.stamp);
        log.schema(entry.event.tid().map_or(7, |tid| tid.number() as u8));
    }
    log.loss();
    log.horizon();
    log.retained_ns();
    log.clock_pairs();
    assert!(log.rings().len() <= 1024);
    assert!(log.tasks().count() <= SMALL.slots);
    assert!(log.image().slots.len() <= SMALL.slots);
    for number in 0..5 {
        log.text(TextId(number));
        log.site(SiteId(number));
    }
    log.text(TextId(u32::MAX));
    log.site(SiteId(u32::MAX));
    for kind in 0..=255 {
        log.schema(kind);
    }
    log.follow(&mut Cursor::default());
    log.follow(&mut Cursor::default());
    Ok(())
}

fn put(bytes: &mut [u8], at: usize, word: u64) {
    bytes[at..at + 8].copy_from_slice(&word.to_ne_bytes());
}

fn open(bytes: &[u8]) -> Result<(), OpenError> {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("odd.pal");
    std::fs::write(&path, bytes).expect("written");
    read_everything(&path)
}

/// A log on disk that is damaged, read, and made whole again, over and over.
struct Patient {
    _place: TempDir,
    path: PathBuf,
    file: File,
    whole: Vec<u8>,
}

impl Patient {
    fn new() -> Patient {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = place.path().join("odd.pal");
        let whole = full_log();
        std::fs::write(&path, &whole).expect("written");
        Patient {
            file: File::options().write(true).open(&path).expect("opened"),
            _place: place,
            path,
            whole,
        }
    }

    /// Reads everything with other bytes in some places.
    fn read_with(&self, damage: &[(usize, &[u8])]) -> Result<(), OpenError> {
        for (at, bytes) in damage {
            self.file.write_all_at(bytes, *at as u64).expect("damaged");
        }
        let result = read_everything(&self.path);
        for (at, bytes) in damage {
            let whole = &self.whole[*at..*at + bytes.len()];
            self.file
                .write_all_at(whole, *at as u64)
                .expect("made whole");
        }
        result
    }

    fn read_with_word(&self, at: usize, word: u64) -> Result<(), OpenError> {
        self.read_with(&[(at, &word.to_ne_bytes())])
    }
}

#[test]
fn a_whole_log_can_be_read() {
    open(&full_log()).expect("nothing is wrong with it");
}

#[test]
fn a_log_cut_at_any_page_is_refused() {
    let bytes = full_log();
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("cut.pal");
    std::fs::write(&path, &bytes).expect("written");
    let file = File::options().write(true).open(&path).expect("opened");
    for length in (0..bytes.len())
        .rev()
        .filter(|length| length.is_multiple_of(PAGE_BYTES))
    {
        file.set_len(length as u64).expect("cut");
        let refused = read_everything(&path).expect_err("cut short");
        match length {
            0 => assert!(matches!(refused, OpenError::NotALog { .. }), "{refused}"),
            _ => assert!(matches!(refused, OpenError::CutShort { .. }), "{refused}"),
        }
    }
    for length in [1, 7, 8, 9, 100, 320, 4095] {
        std::fs::write(&path, &bytes[..length]).expect("written");
        let refused = read_everything(&path).expect_err("cut short");
        let is_clear = matches!(
            refused,
            OpenError::NotALog { .. }
                | OpenError::ByteOrder { .. }
                | OpenError::Version { .. }
                | OpenError::CutShort { .. }
        );
        assert!(is_clear, "{length}: {refused}");
    }
}

#[test]
fn a_file_that_shrinks_after_it_was_opened_is_no_harm() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("shrinks.pal");
    std::fs::write(&path, full_log()).expect("written");
    let log = Log::open(&path).expect("whole");
    File::options()
        .write(true)
        .open(&path)
        .expect("opened")
        .set_len(PAGE_BYTES as u64)
        .expect("cut");
    assert_eq!(log.records().count(), 0);
    assert!(log.loss().damaged_rings > 0);
    assert_eq!(log.tasks().count(), 0);
    assert_eq!(log.schema(1), None);
}

#[test]
fn what_is_no_log_is_refused_by_name() {
    let mut bytes = full_log();
    assert!(matches!(open(b""), Err(OpenError::NotALog { .. })));
    assert!(matches!(
        open(b"#!/bin/sh\n"),
        Err(OpenError::NotALog { .. })
    ));
    put(
        &mut bytes,
        offset_of!(Header, endianness),
        0x0807_0605_0403_0201,
    );
    assert!(matches!(open(&bytes), Err(OpenError::ByteOrder { .. })));
    let directory = tempfile::tempdir().expect("a temporary directory");
    assert!(matches!(
        Log::open(directory.path()),
        Err(OpenError::NoSegments { .. })
    ));
    let missing = Log::open("/no/such/file.pal".as_ref());
    assert!(matches!(missing, Err(OpenError::Io { .. })));
}

#[test]
fn a_later_major_version_is_refused_and_a_later_minor_one_read() {
    let mut bytes = full_log();
    put(&mut bytes, offset_of!(Header, version), 1 << 32 | 9);
    open(&bytes).expect("a minor version adds only");
    put(&mut bytes, offset_of!(Header, version), 2 << 32);
    let refused = open(&bytes).expect_err("a major version changes");
    assert!(matches!(
        refused,
        OpenError::Version {
            major: 2,
            minor: 0,
            ..
        }
    ));
    assert!(refused.to_string().contains("2.0"), "{refused}");
}

#[test]
fn hostile_words_in_the_first_page_are_refused_or_harmless() {
    let patient = Patient::new();
    let words = [
        0,
        1,
        7,
        1 << 20,
        1 << 32,
        1 << 47,
        u64::MAX / 2,
        u64::MAX - 7,
        u64::MAX,
    ];
    let end = offset_of!(Header, sections) + 7 * 32;
    for at in (0..end).step_by(8) {
        for word in words {
            // Either is right; what must not happen is a panic, a loop, or a huge allocation.
            let _ = patient.read_with_word(at, word);
        }
    }
    patient.read_with(&[]).expect("it was made whole again");
}

#[test]
fn a_section_that_reaches_outside_is_damage() {
    let patient = Patient::new();
    for section in 0..7 {
        let at = offset_of!(Header, sections) + section * 32;
        for (word, value) in [(8, u64::MAX), (16, u64::MAX), (8, 1 << 40), (24, 0)] {
            let refused = patient
                .read_with_word(at + word, value)
                .expect_err("outside");
            assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
        }
    }
}

#[test]
fn hostile_words_in_a_ring_s_header_lose_that_ring_at_most() {
    let patient = Patient::new();
    let ring = Layout::new(SMALL).ring_headers.offset + RING_HEADER_BYTES;
    let fields = [
        offset_of!(RingHeader, offset),
        offset_of!(RingHeader, length),
        offset_of!(RingHeader, class),
        offset_of!(RingHeader, index),
        offset_of!(RingHeader, head),
    ];
    for field in fields {
        for word in [0, 1, 31, 1 << 22, 1 << 40, u64::MAX] {
            let read = patient.read_with_word(ring + field, word);
            read.expect("the other rings can be read");
        }
    }
}

#[test]
fn a_stray_sequence_number_does_not_hide_the_others() {
    let mut bytes = full_log();
    // As of a dead process: its ring is scanned, and its head not believed.
    put(&mut bytes, offset_of!(Header, start_time), u64::MAX);
    let ring = Layout::new(SMALL).ring_headers.offset;
    put(&mut bytes, ring + offset_of!(RingHeader, head), 0);
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("dead.pal");
    std::fs::write(&path, &bytes).expect("written");
    let whole = Log::open(&path).expect("readable").records().count();
    assert!(whole > 100);
    let (first, _) = Layout::new(SMALL).ring(0);
    put(
        &mut bytes,
        first + 5 * 32,
        (6 + 128 * 1_000_000) << 16 | 2 << 8,
    );
    std::fs::write(&path, &bytes).expect("written");
    let log = Log::open(&path).expect("readable");
    assert_eq!(log.records().count(), whole - 1);
    assert_eq!(log.loss().rings[0].newest_seq, 204);
}

#[test]
fn rings_over_each_other_are_read_as_often_as_the_file_has_room_for() {
    let mut bytes = full_log();
    let layout = Layout::new(SMALL);
    let (first, _) = layout.ring(0);
    // Five rings, each from the beginning of the first to the end of the fourth.
    for ring in 0..layout.ring_count() {
        let header = layout.ring_headers.offset + ring * RING_HEADER_BYTES;
        put(
            &mut bytes,
            header + offset_of!(RingHeader, offset),
            first as u64,
        );
        put(
            &mut bytes,
            header + offset_of!(RingHeader, length),
            4 * 4096,
        );
    }
    // As of a dead process, so that every place is looked at.
    put(&mut bytes, offset_of!(Header, start_time), u64::MAX);
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("over.pal");
    std::fs::write(&path, &bytes).expect("written");
    let log = Log::open(&path).expect("readable");
    assert!(log.records().count() <= layout.rings.length / 32);
    assert_eq!(log.loss().damaged_rings, 4, "there is room for one of them");
}

#[test]
fn entries_that_would_be_copied_in_pieces_too_large_are_damage() {
    let mut bytes = full_log();
    // The last section, the task table, as one slot of all the file.
    let at = offset_of!(Header, sections) + 6 * 32;
    let whole = bytes.len() as u64;
    for (word, value) in [(8, 0), (16, whole), (24, whole)] {
        put(&mut bytes, at + word, value);
    }
    let refused = open(&bytes).expect_err("no slot is that large");
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    // What a later minor version may make of a slot is read.
    put(&mut bytes, at + 24, 4096);
    open(&bytes).expect("slots of a page");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn random_damage_never_panics(
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..24),
        is_early: bool,
    ) {
        thread_local! { static PATIENT: Patient = Patient::new(); }
        PATIENT.with(|patient| {
            // Half of the time in the first page, where it does most.
            let reach = if is_early { PAGE_BYTES } else { patient.whole.len() };
            let bytes: Vec<(usize, [u8; 1])> = damage
                .iter()
                .map(|(place, _)| place.index(reach))
                .zip(damage.iter().map(|(_, flip)| *flip))
                .map(|(at, flip)| (at, [patient.whole[at] ^ flip]))
                .collect();
            let damage: Vec<(usize, &[u8])> =
                bytes.iter().map(|(at, byte)| (*at, &byte[..])).collect();
            let _ = patient.read_with(&damage);
        });
    }
}
