//! What a spiller may take, and what it may not touch.

use super::program::Program;
use super::{
    a_segment_a_step, bytes_in, entries, of_small_total, place, sections, segments, small,
};
use crate::reader::Log;
use crate::spill::{Settings, SpillError, Spiller};
use crate::{Clock, Pal};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

#[test]
fn the_total_is_never_exceeded_and_the_newest_are_kept() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, of_small_total(&dir)).expect("made");
    let mut program = Program::new(&pal, 3, 7);
    let mut written = 0;
    for _ in 0..150 {
        program.run(200);
        let step = spiller.step();
        written += step.bytes;
        assert!(bytes_in(&dir) <= 20_000, "{}", bytes_in(&dir));
        assert_eq!(step.left_out, 0);
    }
    let _ = spiller.finish();
    assert!(bytes_in(&dir) <= 20_000);
    assert!(written > 60_000, "{written}");
    let (kept, all) = (entries(&dir), pal.log().records().count());
    assert!(
        kept.len() * 2 < all && kept.len() * 20 > all,
        "{} of {all}",
        kept.len()
    );
    let log = Log::open(&dir).expect("readable");
    let horizon = log.horizon().expect("older segments are gone");
    let expected: Vec<_> = pal
        .log()
        .records()
        .filter(|entry| entry.stamp >= horizon)
        .collect();
    let found: Vec<_> = kept
        .into_iter()
        .filter(|entry| entry.stamp >= horizon)
        .collect();
    assert_eq!(found, expected);
    // Who lived when the oldest of them began is known.
    assert!(log.loss().overwritten() > 0);
}

#[test]
fn a_segment_is_closed_at_its_age() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, a_segment_a_step(&dir)).expect("made");
    let mut program = Program::new(&pal, 2, 7);
    for _ in 0..5 {
        program.run(50);
        let _ = spiller.step();
    }
    let _ = spiller.finish();
    assert!(segments(&spiller).len() >= 4);
    assert_eq!(entries(&dir).len(), pal.log().records().count());
}

#[test]
fn segments_are_readable_by_their_owner_only() {
    let (_place, dir) = place();
    let mut spiller = Spiller::new(&Pal::memory(), small(&dir)).expect("made");
    let _ = spiller.finish();
    let mode = |path: &Path| {
        let metadata = std::fs::metadata(path).expect("there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!((mode(&dir), mode(spiller.path())), (0o700, 0o700));
    assert_eq!(mode(&segments(&spiller)[0]), 0o600);
}

#[test]
fn a_directory_that_others_may_enter_or_a_link_is_refused() {
    let (place, dir) = place();
    std::fs::create_dir(&dir).expect("made");
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o755)).expect("opened");
    let refused = Spiller::new(&Pal::memory(), small(&dir)).expect_err("open to others");
    assert!(matches!(refused, SpillError::Untrusted(_)), "{refused}");
    let link = place.path().join("link");
    symlink(&dir, &link).expect("linked");
    assert!(matches!(
        Spiller::new(&Pal::memory(), small(&link)),
        Err(SpillError::Untrusted(_))
    ));
    assert_eq!(bytes_in(&dir), 0);
}

#[test]
fn what_cannot_work_is_refused_with_the_remedy() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let zero = Duration::ZERO;
    for settings in [
        Settings {
            segment_bytes: 10,
            ..Settings::new(&dir)
        },
        Settings {
            total_bytes: 6000,
            ..small(&dir)
        },
        Settings {
            flush: zero,
            ..Settings::new(&dir)
        },
        Settings {
            segment_age: zero,
            ..Settings::new(&dir)
        },
        Settings {
            bytes_per_second: Some(0),
            ..Settings::new(&dir)
        },
    ] {
        let refused = Spiller::new(&pal, settings).expect_err("refused");
        assert!(refused.to_string().contains("; "), "{refused}");
    }
    let virtual_time = Pal::memory_with(Clock::virtual_time());
    let refused = Spiller::new(&virtual_time, small(&dir));
    assert!(matches!(refused, Err(SpillError::VirtualClock)));
    assert!(!dir.exists());
}

#[test]
fn a_segment_of_more_than_one_block_is_no_longer_than_it_may_be() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let settings = Settings {
        flush: Duration::from_nanos(1),
        ..small(&dir)
    };
    let mut spiller = Spiller::new(&pal, settings).expect("made");
    let mut program = Program::new(&pal, 3, 7);
    for _ in 0..60 {
        program.run(60);
        let _ = spiller.step();
    }
    let mut several = 0;
    for path in segments(&spiller) {
        let bytes = std::fs::read(path).expect("readable");
        let is_block = |at: usize| bytes[at..at + 4] == 1u32.to_le_bytes();
        let blocks = sections(&bytes)
            .iter()
            .filter(|(at, _)| is_block(*at))
            .count();
        several += usize::from(blocks > 1);
        assert!(
            blocks == 1 || bytes.len() <= 4096,
            "{blocks} in {}",
            bytes.len()
        );
    }
    assert!(several > 3, "{several}");
}

#[test]
fn a_directory_that_is_moved_keeps_to_its_total() {
    let (place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, of_small_total(&dir)).expect("made");
    let mut program = Program::new(&pal, 3, 7);
    let moved = place.path().join("moved");
    let mut written = 0;
    for round in 0..60 {
        program.run(200);
        let step = spiller.step();
        written += step.bytes;
        assert_eq!(step.left_out, 0);
        if round == 2 {
            std::fs::rename(&dir, &moved).expect("moved");
        }
    }
    assert!(written > 30_000, "{written}");
    assert!(bytes_in(&moved) <= 20_000, "{}", bytes_in(&moved));
}

#[test]
fn the_next_step_comes_when_the_flush_is_due() {
    let (_place, dir) = place();
    let hour = Duration::from_secs(3600);
    let settings = Settings {
        flush: hour,
        ..Settings::new(&dir)
    };
    let mut spiller = Spiller::new(&Pal::memory(), settings).expect("made");
    let _ = spiller.step();
    // The last flush was when it was made, not now.
    let next = spiller.step().next;
    assert!(next < hour, "{next:?}");
}

/// Makes what a spiller wrote that of a process that has ended.
fn bury(spiller: &Spiller) {
    let path = segments(spiller).remove(0);
    let mut bytes = std::fs::read(&path).expect("readable");
    // The process's start time, and the header's checksum.
    bytes[32..40].copy_from_slice(&u64::MAX.to_le_bytes());
    let crc = u64::from(crc32fast::hash(&bytes[..136]));
    bytes[136..144].copy_from_slice(&crc.to_le_bytes());
    std::fs::write(&path, &bytes).expect("written");
}

#[test]
fn segments_of_processes_that_ended_go_first_and_those_of_living_ones_never() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut program = Program::new(&pal, 2, 7);
    program.run(1500);
    let leave = || {
        let mut spiller = Spiller::new(&pal, Settings::new(&dir)).expect("made");
        let _ = spiller.finish();
        spiller
    };
    let (dead, living, locked) = (leave(), leave(), leave());
    let dead_path = dead.path().to_owned();
    bury(&dead);
    drop(dead);
    // Of another namespace, where its number means nothing: its lock alone keeps it.
    bury(&locked);
    // Of this process, and its spiller has ended: its number keeps it.
    let living_path = living.path().to_owned();
    drop(living);
    let mut crowd = || {
        let settings = Settings {
            total_bytes: 12_000,
            flush: Duration::from_nanos(1),
            ..small(&dir)
        };
        let mut spiller = Spiller::new(&pal, settings).expect("made");
        for _ in 0..20 {
            program.run(200);
            let _ = spiller.step();
        }
        let _ = spiller.finish();
        assert!(bytes_in(spiller.path()) <= 12_000);
    };
    crowd();
    assert!(!dead_path.exists());
    assert!(living_path.exists());
    assert_eq!(segments(&locked).len(), 1);
    let locked_path = locked.path().to_owned();
    drop(locked);
    crowd();
    assert!(living_path.exists());
    assert!(!locked_path.exists());
}

#[test]
fn what_a_spiller_left_that_wrote_nothing_is_removed() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let new = || Spiller::new(&pal, small(&dir)).expect("made");
    let (left, torn, running) = (new(), new(), new());
    std::fs::write(torn.path().join("00000001.seg"), "").expect("written");
    let paths = [left.path().to_owned(), torn.path().to_owned()];
    drop((left, torn));
    std::fs::create_dir(dir.join("mine")).expect("made");
    let last = new();
    assert_eq!(paths.map(|path| path.exists()), [false, false]);
    assert!(running.path().exists() && last.path().exists());
    assert!(dir.join("mine").exists());
}

#[test]
fn spillers_that_begin_at_once_take_no_other_s_directory_away() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let mut spiller = Spiller::new(&pal, small(&dir)).expect("made");
                    assert!(spiller.path().exists());
                    let _ = spiller.step();
                }
            });
        }
    });
    assert_eq!(bytes_in(&dir), 0);
}

#[test]
fn of_a_directory_of_several_processes_the_last_one_is_read() {
    let (_place, dir) = place();
    assert!(Log::open(dir.parent().expect("a parent")).is_err());
    let pal = Pal::memory();
    Program::new(&pal, 2, 7).run(10);
    let _ = Spiller::new(&pal, small(&dir)).expect("made").finish();
    // Later by its name: the clock's milliseconds may be the same, the number behind it is not.
    let mut second = Spiller::new(&pal, small(&dir)).expect("made");
    Program::new(&pal, 2, 8).run(10);
    let _ = second.finish();
    assert_eq!(entries(&dir), entries(second.path()));
    assert!(entries(&dir).len() > 15);
}
