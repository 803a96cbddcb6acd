//! What is not kept is told, and what is kept is whole.

use super::program::Program;
use super::{a_segment_a_step, place, records_of, small};
use crate::clock::Clock;
use crate::format::header::Header;
use crate::reader::{GapCause, Log};
use crate::spill::{Settings, Spiller};
use crate::testing::{SMALL, SMALL_RING};
use crate::verify::verify;
use crate::{Event, Pal, RingOwner, SiteId, TaskEvent, TaskId, WakeSource};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

/// Feeds every record into lives: none may be at fault.
fn assert_holds(log: &Log) {
    let mut lives = log.lives();
    for entry in log.records() {
        if let Event::Task(event) = &entry.event
            && let Some(step) = lives.feed(entry.stamp, entry.aux, event)
        {
            assert_eq!(step.fault, None, "{entry:?}");
        }
    }
}

/// Every record is in the segments, in a gap, or from before them.
fn assert_adds_up(log: &Log, written: &Log) {
    let loss = log.loss();
    let held: u64 = log.records().map(|entry| records_of(&entry)).sum();
    let newest: u64 = written
        .loss()
        .rings
        .iter()
        .map(|ring| ring.newest_seq)
        .sum();
    assert_eq!(held + loss.in_gaps() + loss.overwritten(), newest);
    let counted: u64 = loss.rings.iter().map(|ring| ring.newest_seq).sum();
    assert_eq!(counted, newest);
}

#[test]
fn an_overrun_ring_leaves_a_gap_in_all_rings_and_what_is_kept_is_whole() {
    for seed in 1..8 {
        let (_place, dir) = place();
        // Rings of 128 records.
        let pal = Pal::memory_shaped(Clock::process(), SMALL);
        let mut spiller = Spiller::new(&pal, small(&dir)).expect("made");
        let mut program = Program::new(&pal, 3, seed);
        let mut left_out = 0;
        for part in [20, 30, 50, 900, 40, 20, 700, 10, 60] {
            program.run(part);
            left_out += spiller.step().left_out;
        }
        left_out += spiller.finish().left_out;
        let log = Log::open(&dir).expect("readable");
        let loss = log.loss();
        assert_eq!(loss.gaps.len(), 2, "{loss:?}");
        assert_eq!(loss.gaps[0].causes, [GapCause::Overrun]);
        assert_eq!(loss.in_gaps(), left_out);
        assert!(loss.in_gaps() > 1000);
        for gap in &loss.gaps {
            let is_out = |stamp| stamp <= gap.from || stamp >= gap.to;
            // Late ones carry a stamp of the past.
            let within = log.records().filter(|entry| !is_out(entry.stamp)).count();
            assert!(within <= 5, "{within}");
        }
        assert_adds_up(&log, &pal.log());
        assert_holds(&log);
    }
}

#[test]
fn a_small_budget_leaves_out_whole_windows_and_tells_them() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let settings = Settings {
        bytes_per_second: Some(2000),
        flush: Duration::from_nanos(1),
        ..Settings::new(&dir)
    };
    let mut spiller = Spiller::new(&pal, settings).expect("made");
    let mut program = Program::new(&pal, 3, 5);
    let (mut left_out, mut kept) = (0, 0);
    for _ in 0..60 {
        program.run(300);
        let step = spiller.step();
        left_out += step.left_out;
        kept += step.kept;
    }
    let step = spiller.finish();
    let log = Log::open(&dir).expect("readable");
    let loss = log.loss();
    assert_eq!(
        loss.gaps.iter().map(|gap| gap.causes.clone()).next(),
        Some(vec![GapCause::Budget])
    );
    assert_eq!(loss.in_gaps(), left_out + step.left_out);
    assert!(left_out > kept, "{left_out} of {}", left_out + kept);
    assert!(log.records().count() > 100);
    assert_adds_up(&log, &pal.log());
    assert_holds(&log);
}

#[test]
fn what_a_log_lost_before_its_spiller_began_is_no_gap() {
    let (_place, dir) = place();
    let pal = Pal::memory_shaped(Clock::process(), SMALL);
    let mut program = Program::new(&pal, 3, 5);
    program.run(1000);
    let mut spiller = Spiller::new(&pal, small(&dir)).expect("made");
    let step = spiller.step();
    assert_eq!(step.left_out, 0);
    program.run(50);
    let _ = spiller.finish();
    let log = Log::open(&dir).expect("readable");
    assert!(log.loss().gaps.is_empty());
    assert!(log.loss().overwritten() > 500);
    assert!(log.horizon().is_some());
    assert_holds(&log);
}

/// Has a log's first ring say that so many more records were written, which are not there.
fn skip(path: &Path, records: u64) {
    let file = File::options().read(true).write(true).open(path);
    let file = file.expect("opened");
    let word = |at: u64| {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, at).expect("there");
        u64::from_ne_bytes(bytes)
    };
    // The second section's offset is that of the ring headers, which begin with the head.
    let at = word(std::mem::offset_of!(Header, sections) as u64 + 32 + 8);
    let head = word(at) + records;
    file.write_all_at(&head.to_ne_bytes(), at).expect("written");
}

#[test]
fn a_ring_that_was_overwritten_while_it_was_copied_is_whole_again_from_then_on() {
    let (place, dir) = place();
    let path = place.path().join("a.pal");
    let pal = Pal::create(&path, 1).expect("made");
    let mut spiller = Spiller::new(&pal, small(&dir)).expect("made");
    let mut program = Program::new(&pal, 2, 5);
    program.run(50);
    let _ = spiller.step();
    skip(&path, 10 << 20);
    let _ = spiller.step();
    program.run(50);
    let _ = spiller.finish();
    let log = Log::open(&dir).expect("readable");
    let [gap] = &log.loss().gaps[..] else {
        panic!("one gap: {:?}", log.loss());
    };
    assert!(gap.to <= program.stamp(), "{gap:?}");
    let behind = log.records().filter(|entry| entry.stamp >= gap.to);
    assert!(behind.count() > 40);
    assert_holds(&log);
}

#[test]
fn a_directory_that_is_taken_away_is_a_gap_and_no_more() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, a_segment_a_step(&dir)).expect("made");
    let mut program = Program::new(&pal, 2, 5);
    program.run(100);
    let _ = spiller.step();
    program.run(100);
    let first = spiller.step();
    assert!(first.kept > 0);
    let away = dir.with_extension("away");
    std::fs::rename(spiller.path(), &away).expect("moved");
    std::fs::remove_dir_all(&away).expect("removed");
    program.run(100);
    let second = spiller.step();
    assert_eq!(second.kept, 0);
    assert!(second.left_out > 0);
    let last = spiller.finish();
    assert_eq!(last.kept, 0);
}

/// A subscriber that panics when it is told of anything.
struct Panics;

impl tracing::Subscriber for Panics {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        panic!("told of {event:?}");
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn a_subscriber_that_panics_at_the_warning_costs_the_spiller_no_count() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, a_segment_a_step(&dir)).expect("made");
    let mut program = Program::new(&pal, 2, 5);
    program.run(100);
    let first = spiller.step();
    std::fs::remove_dir_all(spiller.path()).expect("removed");
    program.run(100);
    let told = tracing::subscriber::with_default(Panics, || spiller.step());
    assert!(told.left_out > 0);
    let last = spiller.finish();
    let counted = [first, told, last].map(|step| step.kept + step.left_out);
    let written: u64 = pal.log().rings().iter().map(|ring| ring.head).sum();
    assert_eq!(counted.iter().sum::<u64>(), written);
}

#[test]
fn a_wake_from_outside_that_is_stamped_in_a_gap_and_recorded_behind_it_is_no_fault() {
    let (_place, dir) = place();
    let clock = Clock::virtual_time();
    let pal = Pal::memory_shaped(clock.clone(), SMALL);
    let mut spiller = Spiller::over(&pal, small(&dir)).expect("made");
    let ring = pal.lease(RingOwner::Worker(0));
    let write = |aux, event| {
        clock.advance_ns(10);
        assert!(ring.write(clock.now(), aux, &event));
        clock.now()
    };
    let [woken, busy] = [1, 2].map(|number| TaskId::new(number).expect("in range"));
    let by = WakeSource::External;
    let spawned = |tid| TaskEvent::Spawned {
        tid,
        parent: None,
        site: SiteId::UNKNOWN,
    };
    write(0, spawned(woken));
    write(1, TaskEvent::Running { tid: woken });
    write(2, TaskEvent::Yield { tid: woken, by });
    write(0, spawned(busy));
    for _ in 0..2 {
        let _ = spiller.step();
        clock.advance_ns(10);
    }
    write(3, TaskEvent::Running { tid: woken });
    let waited = write(4, TaskEvent::Wait { tid: woken });
    let mut aux = 0u8;
    let mut next = || {
        aux = aux.wrapping_add(1);
        aux
    };
    for _ in 0..SMALL_RING {
        write(next(), TaskEvent::Running { tid: busy });
        write(next(), TaskEvent::Yield { tid: busy, by });
    }
    assert!(spiller.step().left_out > 0);
    // The worker takes it in.
    assert!(ring.write(waited + 5, 5, &TaskEvent::Wake { tid: woken, by }));
    write(6, TaskEvent::Running { tid: woken });
    write(7, TaskEvent::Done { tid: woken });
    let _ = spiller.finish();
    let log = Log::open(&dir).expect("readable");
    let [gap] = &log.loss().gaps[..] else {
        panic!("one gap: {:?}", log.loss());
    };
    assert!(gap.from < waited && waited + 5 < gap.to, "{gap:?}");
    let within = log.records().filter(|entry| entry.stamp == waited + 5);
    assert_eq!(within.count(), 1, "it is kept");
    let report = verify(&log);
    assert!(report.holds(), "{:?}", report.findings);
    assert_holds(&log);
}
