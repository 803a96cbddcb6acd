//! What who follows is told of what it is not given.

use super::{Follower, at_once, lock, numbered, sorted, written};
use crate::reader::{Entry, Log};
use crate::segment::{HEADER_BYTES, SectionKind};
use crate::spill::tests::program::Program;
use crate::spill::tests::{a_segment_a_step, entries, of_small_total, place, sections, segments};
use crate::spill::{Settings, Spiller};
use crate::testing::SMALL;
use crate::{Clock, Pal};

#[test]
fn what_is_removed_before_it_is_read_is_counted_and_all_else_is_given() {
    for seed in 1..6 {
        let (_place, dir) = place();
        let pal = Pal::memory();
        let mut spiller = Spiller::new(&pal, of_small_total(&dir)).expect("made");
        let mut program = Program::new(&pal, 3, seed);
        let mut follower: Option<Follower> = None;
        let mut losses = 0;
        for round in 0..120 {
            program.run(200);
            assert_eq!(spiller.step().left_out, 0);
            if round == 2 {
                follower = Some(Follower::of(&dir));
            }
            // It sleeps twice.
            if let Some(follower) = &mut follower
                && !(10..40).contains(&round)
                && !(60..90).contains(&round)
            {
                let before = follower.cursor.lost();
                assert!(follower.look());
                losses += u64::from(follower.cursor.lost() > before);
            }
        }
        let _ = spiller.finish();
        let mut follower = follower.expect("it followed");
        while follower.look() {}
        assert_eq!(follower.accounted(), written(&pal), "seed {seed}");
        assert_eq!(follower.cursor.lost(), follower.lost);
        assert!(follower.lost > 2000, "{}", follower.lost);
        assert_eq!(losses, 2, "each is known at once, seed {seed}");
        let mut seen = follower.sorted();
        seen.dedup_by_key(|entry| (entry.ring, entry.seq));
        assert_eq!(seen.len(), follower.given.len(), "none comes twice");
        // What a whole reading has, it was given too.
        let kept = sorted(entries(&dir));
        let is_seen = |entry: &Entry| {
            seen.binary_search_by_key(&(entry.ring, entry.seq), |it| (it.ring, it.seq))
                .is_ok()
        };
        assert!(kept.iter().all(is_seen), "seed {seed}");
    }
}

#[test]
fn who_follows_holds_no_segment_open_that_was_removed_long_ago() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, of_small_total(&dir)).expect("made");
    let mut program = Program::new(&pal, 3, 5);
    let mut follower = None;
    for round in 0..60 {
        program.run(200);
        let _ = spiller.step();
        if round == 8 {
            follower = Some(Follower::of(&dir));
        }
        if let Some(follower) = &mut follower {
            assert!(follower.look());
        }
    }
    let held = std::fs::read_dir("/proc/self/fd").expect("Linux tells");
    let held = held.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok());
    let gone = held.filter(|path| {
        let path = path.to_string_lossy();
        path.starts_with(&*dir.to_string_lossy()) && path.ends_with(" (deleted)")
    });
    // That which was the last one when the log was opened.
    assert!(gone.count() <= 1);
}

#[test]
fn what_the_spiller_left_out_is_counted_with_the_records_behind_it() {
    let (_place, dir) = place();
    // Rings of 128 records.
    let pal = Pal::memory_shaped(Clock::process(), SMALL);
    let mut spiller = Spiller::new(&pal, at_once(&dir)).expect("made");
    let mut program = Program::new(&pal, 3, 5);
    program.run(20);
    let _ = (spiller.step(), spiller.step());
    let mut follower = Follower::of(&dir);
    let mut left_out = 0;
    for part in [20, 30, 900, 40, 20, 700, 10, 20] {
        program.run(part);
        left_out += spiller.step().left_out;
        follower.look();
        let told = Log::open(&dir).expect("readable").loss().in_gaps();
        assert_eq!(follower.lost, told, "as soon as the segments tell");
    }
    left_out += spiller.finish().left_out;
    while follower.look() {}
    assert!(left_out > 1000);
    assert_eq!(follower.lost, left_out);
    assert_eq!(follower.sorted(), sorted(entries(&dir)));
    assert_eq!(follower.accounted(), written(&pal));
}

#[test]
fn a_gap_that_is_taken_back_with_its_block_and_told_anew_is_counted_once() {
    let (_place, dir) = place();
    // Rings of 128 records.
    let pal = Pal::memory_shaped(Clock::process(), SMALL);
    let settings = Settings {
        segment_bytes: 1 << 20,
        ..at_once(&dir)
    };
    let mut spiller = Spiller::new(&pal, settings).expect("made");
    let mut program = Program::new(&pal, 3, 5);
    let mut left_out = 0;
    for part in [30, 900, 30, 30] {
        program.run(part);
        left_out += spiller.step().left_out;
    }
    let path = segments(&spiller).remove(0);
    let all = entries(&dir);
    let bytes = std::fs::read(&path).expect("readable");
    drop(spiller);
    let _lock = lock(path.parent().expect("a directory"));
    let is_gap = |at: usize| bytes[at..at + 4] == (SectionKind::Gap as u32).to_le_bytes();
    let gap = sections(&bytes).into_iter().find(|(at, _)| is_gap(*at));
    let (at, payload) = gap.expect("a gap");
    std::fs::write(&path, &bytes[..at]).expect("written");
    let mut follower = Follower::of(&dir);
    assert!(follower.look());
    let before = follower.given.len();
    std::fs::write(&path, &bytes[..payload.end + 30]).expect("written");
    assert!(follower.look());
    assert_eq!((follower.given.len(), follower.lost), (before, 0));
    // What cannot be written whole is cut off, and comes in the next segment.
    std::fs::write(&path, &bytes[..at]).expect("written");
    let next = [&bytes[..HEADER_BYTES], &bytes[at..]].concat();
    std::fs::write(path.with_file_name("00000002.seg"), numbered(next, 2)).expect("written");
    assert!(follower.look());
    assert_eq!(follower.lost, left_out);
    assert_eq!(follower.sorted(), sorted(all));
    assert!(left_out > 500 && follower.given.len() > before);
}

#[test]
fn records_of_files_that_are_removed_before_they_could_be_opened_are_counted() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, a_segment_a_step(&dir)).expect("made");
    let mut program = Program::new(&pal, 2, 5);
    // More than a reader holds open.
    for _ in 0..300 {
        program.run(4);
        let _ = spiller.step();
    }
    let mut follower = Follower::of(&dir);
    let (records, before) = follower.log.follow(&mut follower.cursor);
    for path in segments(&spiller) {
        std::fs::remove_file(path).expect("removed");
    }
    follower.given.extend(records);
    let (records, lost) = follower.log.follow(&mut follower.cursor);
    assert_eq!((records.count(), before), (0, 0));
    follower.lost = lost;
    assert!(lost > 20);
    let held: u64 = Log::open(&dir).map_or(0, |log| log.records().count() as u64);
    assert_eq!(held, 0);
    let unspilled = written(&pal) - follower.accounted();
    assert!(unspilled <= 40, "what has not settled: {unspilled}");
}
