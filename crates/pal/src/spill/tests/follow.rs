//! Segments that are followed while they grow: what is given is what a whole reading gives.

mod dates;
mod lost;

use super::program::{Dice, Program};
use super::{a_segment_a_step, entries, place, records_of, sections, segments, small};
use crate::reader::{Cursor, Entry, Log, OpenError};
use crate::segment::SectionKind;
use crate::spill::{Settings, Spiller};
use crate::{Event, Pal, TaskEvent};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::path::Path;
use std::time::Duration;

/// Who follows a log, and what it was given.
pub(super) struct Follower {
    pub(super) log: Log,
    pub(super) cursor: Cursor,
    given: Vec<Entry>,
    /// What it was told to be lost.
    lost: u64,
}

impl Follower {
    pub(super) fn of(path: &Path) -> Follower {
        Follower {
            log: Log::open(path).expect("readable"),
            cursor: Cursor::default(),
            given: Vec::new(),
            lost: 0,
        }
    }

    /// Follows to where the log is now; whether more may come.
    pub(super) fn look(&mut self) -> bool {
        let goes_on = self.log.is_growing();
        let (records, lost) = self.log.follow(&mut self.cursor);
        let new = self.given.len();
        self.given.extend(records);
        assert!(self.given[new..].is_sorted_by_key(|entry| entry.stamp));
        self.lost += lost;
        goes_on.expect("it is there")
    }

    /// Records that were given or told to be lost.
    fn accounted(&self) -> u64 {
        self.given.iter().map(records_of).sum::<u64>() + self.lost
    }

    /// Each record once, whatever came late.
    fn sorted(&self) -> Vec<Entry> {
        sorted(self.given.clone())
    }
}

fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by_key(|entry| (entry.ring, entry.seq));
    entries
}

pub(super) fn at_once(dir: &Path) -> Settings {
    Settings {
        flush: Duration::from_nanos(1),
        ..small(dir)
    }
}

/// Records that were ever written to the rings.
fn written(pal: &Pal) -> u64 {
    let loss = pal.log().loss();
    loss.rings.iter().map(|ring| ring.newest_seq).sum()
}

/// Has a program's segments followed as they grow, from the first one on and now and then.
fn followed(dir: &Path, pal: &Pal, program: &mut Program, settings: Settings) -> Follower {
    let mut spiller = Spiller::new(pal, settings).expect("made");
    let mut dice = Dice(7);
    program.run(100);
    let _ = (spiller.step(), spiller.step());
    let mut follower = Follower::of(dir);
    for _ in 0..60 {
        program.run(1 + dice.below(500));
        assert_eq!(spiller.step().left_out, 0);
        if dice.below(3) > 0 {
            assert!(follower.look());
        }
    }
    let _ = spiller.finish();
    assert!(segments(&spiller).len() > 3, "it goes from one to the next");
    // The end is noticed by what the spiller wrote, before it is gone.
    assert!(follower.look());
    assert!(!follower.look());
    follower
}

#[test]
fn who_follows_is_given_what_a_whole_reading_gives_in_its_order() {
    for seed in 1..4 {
        let (_place, dir) = place();
        let pal = Pal::memory();
        let mut program = Program::new(&pal, 4, seed).punctual();
        let follower = followed(&dir, &pal, &mut program, at_once(&dir));
        let whole = entries(&dir);
        assert_eq!(follower.given.len(), whole.len(), "seed {seed}");
        for (given, expected) in follower.given.iter().zip(&whole) {
            assert_eq!(given, expected, "seed {seed}");
        }
        assert_eq!((follower.lost, follower.cursor.lost()), (0, 0));
    }
}

#[test]
fn what_comes_late_is_given_when_it_comes_and_once() {
    for seed in 1..4 {
        let (_place, dir) = place();
        let pal = Pal::memory();
        let mut program = Program::new(&pal, 4, seed);
        let follower = followed(&dir, &pal, &mut program, at_once(&dir));
        assert_eq!(follower.sorted(), sorted(entries(&dir)), "seed {seed}");
        assert_eq!((follower.lost, follower.cursor.lost()), (0, 0));
    }
}

#[test]
fn names_that_come_later_are_known_to_who_follows() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut program = Program::new(&pal, 4, 5);
    let follower = followed(&dir, &pal, &mut program, at_once(&dir));
    let (log, mut named) = (pal.log(), 0);
    for entry in &follower.given {
        match entry.event {
            Event::Task(TaskEvent::Spawned { site, .. }) => {
                assert_eq!(follower.log.site(site), log.site(site));
                named += 1;
            }
            Event::Domain(event) => {
                let schema = follower.log.schema(event.kind());
                assert_eq!(schema, log.schema(event.kind()));
                let id = crate::TextId(event.args()[1] as u32);
                assert_eq!(follower.log.text(id), log.text(id));
            }
            Event::Task(_) => {}
        }
    }
    assert!(named > 100);
    let rows = |log: &Log| log.tasks().count();
    let whole = Log::open(&dir).expect("readable");
    assert_eq!(rows(&follower.log), rows(&whole));
    assert_eq!(follower.log.lifecycle(), whole.lifecycle());
}

/// Holds what a spiller holds as long as it lives.
pub(super) fn lock(dir: &Path) -> File {
    let dir = File::open(dir).expect("there");
    flock(&dir, FlockOperation::LockExclusive).expect("locked");
    dir
}

#[test]
fn of_a_segment_that_is_being_written_only_whole_sections_are_there() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let settings = Settings {
        segment_bytes: 1 << 20,
        ..at_once(&dir)
    };
    let mut spiller = Spiller::new(&pal, settings).expect("made");
    let mut program = Program::new(&pal, 3, 4).punctual();
    for _ in 0..4 {
        program.run(60);
        let _ = spiller.step();
    }
    let path = segments(&spiller).remove(0);
    let whole = entries(&dir);
    let bytes = std::fs::read(&path).expect("readable");
    drop(spiller);
    let _lock = lock(path.parent().expect("a directory"));
    let blocks = |length: usize| {
        let is_block = |at: usize| bytes[at..at + 4] == (SectionKind::Block as u32).to_le_bytes();
        let within = sections(&bytes).into_iter();
        let within = within.filter(|(at, payload)| payload.end <= length && is_block(*at));
        within.count()
    };
    let (begin, mut grown) = (144, Vec::new());
    std::fs::write(&path, &bytes[..begin]).expect("written");
    let mut follower = Follower::of(&dir);
    for length in (begin..bytes.len()).step_by(7).chain([bytes.len()]) {
        std::fs::write(&path, &bytes[..length]).expect("written");
        assert!(follower.look());
        grown.push((blocks(length), follower.given.len()));
        let log = Log::open(&dir).expect("readable");
        assert_eq!(
            log.loss().torn_bytes,
            0,
            "it is not torn, only not there yet"
        );
    }
    assert_eq!(follower.given, whole);
    grown.dedup();
    assert_eq!(
        grown.len(),
        blocks(bytes.len()) + 1,
        "block by block: {grown:?}"
    );
    assert!(grown.len() > 2);
}

#[test]
fn a_segment_that_is_empty_yet_is_waited_for_and_passed_by_where_there_is_a_next_one() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, a_segment_a_step(&dir)).expect("made");
    let mut program = Program::new(&pal, 3, 4).punctual();
    for _ in 0..5 {
        program.run(60);
        let _ = spiller.step();
    }
    let paths = segments(&spiller);
    let parts: Vec<Vec<Entry>> = paths.iter().map(|path| entries(path)).collect();
    let bytes = [1, 2].map(|at: usize| std::fs::read(&paths[at]).expect("there"));
    for path in &paths[1..] {
        std::fs::remove_file(path).expect("removed");
    }
    let mut follower = Follower::of(&dir);
    let mut put = |path: &Path, bytes: &[u8], all: &[&Vec<Entry>]| {
        std::fs::write(path, bytes).expect("written");
        assert!(follower.look());
        let all = all.iter().copied().flatten();
        assert!(follower.given.iter().eq(all), "{}", path.display());
    };
    put(&paths[1], b"", &[&parts[0]]);
    put(&paths[1], &bytes[0][..100], &[&parts[0]]);
    let loss = Log::open(&dir).expect("readable").loss();
    assert!(
        loss.is_none(),
        "it is not damaged, only not there yet: {loss:?}"
    );
    put(&paths[1], &bytes[0], &[&parts[0], &parts[1]]);
    put(&paths[2], b"", &[&parts[0], &parts[1]]);
    let fourth = numbered(bytes[1].clone(), 4);
    put(&paths[3], &fourth, &[&parts[0], &parts[1], &parts[2]]);
}

/// A segment's bytes as those of the one with this number.
fn numbered(mut bytes: Vec<u8>, number: u8) -> Vec<u8> {
    bytes[96] = number;
    let crc = u64::from(crc32fast::hash(&bytes[..136]));
    bytes[136..144].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[test]
fn following_ends_with_a_spiller_that_did_not_come_to_its_end() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, at_once(&dir)).expect("made");
    let mut program = Program::new(&pal, 3, 5).punctual();
    program.run(300);
    let _ = (spiller.step(), spiller.step());
    let mut follower = Follower::of(&dir);
    assert!(follower.look());
    program.run(300);
    let _ = (spiller.step(), spiller.step());
    let torn = segments(&spiller).pop().expect("a segment");
    // As a kill does.
    drop(spiller);
    let mut bytes = std::fs::read(&torn).expect("readable");
    bytes.extend_from_slice(b"half a section");
    std::fs::write(&torn, bytes).expect("written");
    assert!(!follower.look());
    assert_eq!(follower.given, entries(&dir));
    assert_eq!(follower.given.len(), program_events(&pal));
    assert_eq!(Log::open(&dir).expect("readable").loss().torn_bytes, 14);
}

fn program_events(pal: &Pal) -> usize {
    pal.log().records().count()
}

#[test]
fn a_directory_that_is_moved_or_removed_is_told_when_what_was_there_was_given() {
    for is_removed in [false, true] {
        let (place, dir) = place();
        let pal = Pal::memory();
        let mut spiller = Spiller::new(&pal, at_once(&dir)).expect("made");
        let mut program = Program::new(&pal, 3, 5).punctual();
        program.run(300);
        let _ = (spiller.step(), spiller.step());
        let mut follower = Follower::of(&dir);
        assert!(follower.look());
        program.run(10);
        let _ = (spiller.step(), spiller.step());
        let all = entries(&dir);
        let away = place.path().join("away");
        std::fs::rename(&dir, &away).expect("moved");
        if is_removed {
            std::fs::remove_dir_all(&away).expect("removed");
        }
        let told = follower.log.is_growing().expect_err("it is not there");
        assert!(matches!(told, OpenError::Moved { .. }), "{told}");
        assert!(told.to_string().contains("; "), "{told}");
        follower
            .given
            .extend(follower.log.follow(&mut follower.cursor).0);
        // Of the segment that was open all is there; others may have followed it.
        assert!(follower.given.len() > 300 && follower.given[..] == all[..follower.given.len()]);
    }
}

#[test]
fn one_segment_is_followed_until_there_is_a_next_one_and_a_copy_not_at_all() {
    let (place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, at_once(&dir)).expect("made");
    let mut program = Program::new(&pal, 3, 5).punctual();
    program.run(20);
    let _ = (spiller.step(), spiller.step());
    let one = segments(&spiller).remove(0);
    let mut follower = Follower::of(&one);
    assert!(follower.look());
    let copy = place.path().join("copy");
    std::fs::create_dir(&copy).expect("made");
    std::fs::copy(&one, copy.join("00000001.seg")).expect("copied");
    assert_eq!(
        Log::open(&copy).expect("readable").is_growing().ok(),
        Some(false)
    );
    while segments(&spiller).len() < 3 {
        program.run(20);
        let _ = spiller.step();
    }
    assert!(!follower.look());
    assert_eq!(follower.given, entries(&one));
    let _ = spiller.finish();
    assert!(!follower.look());
    assert_eq!(follower.given, entries(&one));
}

#[test]
fn an_older_segment_s_torn_end_is_told_while_its_spiller_lives() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, at_once(&dir)).expect("made");
    let mut program = Program::new(&pal, 3, 5).punctual();
    while segments(&spiller).len() < 3 {
        program.run(20);
        let _ = spiller.step();
    }
    let torn_bytes = |path: &Path| Log::open(path).expect("readable").loss().torn_bytes;
    for path in segments(&spiller) {
        let is_last = Some(&path) == segments(&spiller).last();
        let file = File::options().append(true).open(&path);
        let mut file = file.expect("opened");
        std::io::Write::write_all(&mut file, &[7; 5]).expect("written");
        // The last one is being written: what is there of a section may become whole.
        assert_eq!(torn_bytes(&path), if is_last { 0 } else { 5 });
    }
}
