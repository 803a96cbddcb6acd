//! Segments against the log itself.

use super::program::{Dice, Program};
use super::{entries, place, sections, segments, small};
use crate::clock::ClockPair;
use crate::lives::Fault;
use crate::reader::{Entry, Log, OpenError};
use crate::segment::HEADER_BYTES;
use crate::spill::{Settings, Spiller};
use crate::{Event, Pal, TaskEvent, TaskId};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A program's log and its segments, spilled now and then.
fn spilled(dir: &Path, seed: u64, events: u64, settings: Settings) -> (Pal, Spiller) {
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, settings).expect("made");
    assert!(spiller.path().starts_with(dir));
    let mut program = Program::new(&pal, 4, seed);
    let mut dice = Dice(seed ^ 77);
    let mut left = events;
    while left > 0 {
        let part = left.min(1 + dice.below(900));
        left -= part;
        program.run(part);
        let step = spiller.step();
        assert_eq!(step.left_out, 0);
    }
    drop(program);
    let _ = spiller.finish();
    (pal, spiller)
}

fn at_once(dir: &Path) -> Settings {
    Settings {
        flush: Duration::from_nanos(1),
        ..small(dir)
    }
}

#[test]
fn segments_hold_every_record_of_the_log_in_its_order() {
    for seed in 1..6 {
        let (_place, dir) = place();
        let (pal, spiller) = spilled(&dir, seed, 15_000, at_once(&dir));
        let log = pal.log();
        let expected: Vec<Entry> = log.records().collect();
        let found = entries(&dir);
        assert_eq!(found.len(), expected.len(), "seed {seed}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "seed {seed}");
        }
        assert!(segments(&spiller).len() > 3, "{:?}", segments(&spiller));
    }
}

#[test]
fn a_log_is_asked_the_same_of_its_segments_as_of_its_rings() {
    let (_place, dir) = place();
    let (pal, _spiller) = spilled(&dir, 5, 20_000, Settings::new(&dir));
    let (log, kept) = (pal.log(), Log::open(&dir).expect("readable"));
    assert_eq!(kept.process(), log.process());
    assert_eq!(kept.command(), log.command());
    assert_eq!(kept.rate(), log.rate());
    assert_eq!(kept.start_stamp(), log.start_stamp());
    assert_eq!(
        (kept.horizon(), kept.retained_ns()),
        (None, log.retained_ns())
    );
    assert_eq!(kept.loss().rings, log.loss().rings);
    assert!(kept.loss().is_none());
    assert!(!kept.is_alive() && kept.is_segments());
    let mut fields = 0;
    for entry in log.records() {
        match entry.event {
            Event::Task(TaskEvent::Spawned { site, .. }) => {
                assert_eq!(kept.site(site), log.site(site));
                assert!(kept.site(site).is_some());
            }
            Event::Task(TaskEvent::Failed { error, .. }) => {
                assert_eq!(kept.text(error.text), log.text(error.text));
                assert!(kept.text(error.text).is_some());
            }
            Event::Domain(event) => {
                let schema = kept.schema(event.kind()).expect("described");
                assert_eq!(Some(&schema), log.schema(event.kind()).as_ref());
                for place in [1, 4] {
                    let id = crate::TextId(event.args()[place] as u32);
                    assert_eq!(kept.text(id), log.text(id));
                    assert!(kept.text(id).is_some());
                    fields += 1;
                }
            }
            Event::Task(_) => {}
        }
    }
    assert!(fields > 100);
    let pairs: &[ClockPair] = kept.clock_pairs();
    assert_eq!(pairs[0], log.clock_pairs()[0]);
    let stamp = pairs[1].ticks;
    let apart = kept
        .wall_ns(stamp)
        .expect("dated")
        .abs_diff(log.wall_ns(stamp).expect("dated"));
    assert!(apart < 50_000_000, "{apart} ns");
}

#[test]
fn one_task_is_found_without_the_others() {
    let (_place, dir) = place();
    let (pal, _spiller) = spilled(&dir, 9, 30_000, small(&dir));
    let kept = Log::open(&dir).expect("readable");
    for number in [1, 40, 400, 1200] {
        let tid = (number..).find_map(TaskId::new).expect("in range");
        let of = |log: &Log| -> Vec<Entry> { log.records_about(tid).collect() };
        assert_eq!(of(&kept), of(&pal.log()), "task {tid}");
    }
}

#[test]
fn lives_are_the_same_by_segments_and_by_rings() {
    let (_place, dir) = place();
    let (pal, _spiller) = spilled(&dir, 3, 10_000, at_once(&dir));
    let fold = |log: &Log| -> Vec<Fault> {
        let mut lives = log.lives();
        let mut faults = Vec::new();
        for entry in log.records() {
            if let Event::Task(event) = &entry.event {
                faults.extend(
                    lives
                        .feed(entry.stamp, entry.aux, event)
                        .and_then(|step| step.fault),
                );
            }
        }
        faults
    };
    assert_eq!(fold(&Log::open(&dir).expect("readable")), fold(&pal.log()));
}

/// The only segment of a small log, and its bytes.
fn one_segment() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
    let (place, dir) = place();
    let settings = Settings {
        segment_bytes: 1 << 20,
        ..at_once(&dir)
    };
    let (_pal, spiller) = spilled(&dir, 2, 300, settings);
    let [path] = &segments(&spiller)[..] else {
        panic!("one segment");
    };
    let bytes = std::fs::read(path).expect("readable");
    (place, path.clone(), bytes)
}

#[test]
fn a_segment_that_ends_anywhere_is_read_up_to_its_last_whole_section() {
    let (_place, path, bytes) = one_segment();
    let whole = entries(&path);
    let ends: Vec<usize> = sections(&bytes)
        .into_iter()
        .map(|(_, payload)| payload.end)
        .collect();
    let mut read = 0;
    let mut lengths = std::collections::BTreeSet::new();
    for length in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..length]).expect("written");
        match Log::open(&path) {
            Err(OpenError::NotALog { .. }) => assert!(length < 8, "{length} bytes"),
            Err(OpenError::Damaged { .. }) => assert!(length < 144, "{length} bytes"),
            Err(error) => panic!("{length} bytes: {error}"),
            Ok(log) => {
                let found: Vec<Entry> = log.records().collect();
                assert!(found.len() >= read, "{length} bytes");
                assert_eq!(found[..], whole[..found.len()], "{length} bytes");
                read = found.len();
                lengths.insert(read);
                let end = ends.iter().rev().find(|end| **end <= length);
                let torn = length - end.unwrap_or(&HEADER_BYTES);
                assert_eq!(log.loss().torn_bytes, torn as u64, "{length} bytes");
            }
        }
    }
    assert_eq!(read, whole.len());
    assert!(lengths.len() > 2, "{lengths:?}");
}

#[test]
fn every_flipped_bit_is_found_and_what_comes_before_it_is_kept() {
    let (_place, path, bytes) = one_segment();
    let whole = entries(&path);
    let mut dice = Dice(3);
    for _ in 0..500 {
        let bit = dice.below(bytes.len() as u64 * 8) as usize;
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, &damaged).expect("written");
        let Ok(log) = Log::open(&path) else {
            assert!(bit / 8 < 144, "bit {bit}");
            continue;
        };
        assert!(log.loss().torn_bytes > 0, "bit {bit}");
        let found: Vec<Entry> = log.records().collect();
        assert_eq!(found[..], whole[..found.len()], "bit {bit}");
    }
}

#[test]
fn a_missing_segment_is_a_gap() {
    let (_place, dir) = place();
    let (_pal, spiller) = spilled(&dir, 8, 20_000, at_once(&dir));
    let paths = segments(&spiller);
    std::fs::remove_file(&paths[1]).expect("removed");
    let log = Log::open(&dir).expect("readable");
    let loss = log.loss();
    assert_eq!((loss.gaps.len(), log.horizon()), (1, None));
    let gap = &loss.gaps[0];
    assert!(
        log.records()
            .all(|entry| entry.stamp <= gap.from || entry.stamp >= gap.to - 100_000)
    );
    std::fs::remove_file(&paths[0]).expect("removed");
    let log = Log::open(&dir).expect("readable");
    assert!(log.loss().gaps.is_empty());
    assert!(log.horizon().is_some());
    assert!(log.loss().overwritten() > 0);
}
