//! Owns everything that a log can be asked. What comes back is checked against itself: nothing is known of a
//! hostile file but that it says the same twice, and no more than it has room for.

use crate::file::HostileFile;
use crate::limits::Limits;
use crate::memory::bounded;
use glasshouse_pal::reader::{Cursor, Log, OpenError};
use glasshouse_pal::verify::{Report, verify};
use glasshouse_pal::why::{Inquiry, Prospect, Waits};
use glasshouse_pal::{Event, SiteId, TaskId, TextId};
use std::cell::Cell;
use std::hint::black_box;
use std::path::Path;

/// Of so many logs one is read from a file, too: the kernel takes most of the time then.
const FILES_EACH: usize = 64;

/// Asks for everything; returns how the log was judged, if it could be opened.
///
/// # Panics
/// When the reader takes too much memory, or contradicts itself.
pub fn ask_everything(bytes: &[u8]) -> Option<Report> {
    thread_local! {
        static FILE: HostileFile = HostileFile::new();
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }
    let limits = Limits::of_rings(bytes.len());
    let report = ask(
        bounded("open", bytes.len(), limits.open, || Log::from_bytes(bytes)),
        &limits,
    );
    COUNT.set(COUNT.get() + 1);
    if COUNT.get().is_multiple_of(FILES_EACH) {
        // A file may be a segment as well.
        let limits = match bytes.starts_with(b"GLASSSEG") {
            true => Limits::of_segments(bytes.len()),
            false => limits,
        };
        FILE.with(|file| ask_path(file.with(bytes), &limits));
    }
    report
}

/// Asks a file, or a directory of segments.
///
/// # Panics
/// As [`ask_everything`].
pub fn ask_path(path: &Path, limits: &Limits) -> Option<Report> {
    ask(
        bounded("open", limits.file_bytes, limits.open, || Log::open(path)),
        limits,
    )
}

/// Asks one log for everything; returns how it was judged, if it could be opened.
fn ask(log: Result<Log, OpenError>, limits: &Limits) -> Option<Report> {
    let mut log = log.ok()?;
    let bytes = limits.file_bytes;
    let (count, someone) = bounded("records", bytes, limits.records, || {
        ask_records(&log, limits)
    });
    bounded("task table", bytes, limits.tasks, || {
        ask_tasks(&log, limits)
    });
    bounded("known tasks", bytes, limits.known_tasks, || {
        let count = log.known_tasks().len();
        assert!(count <= limits.rows, "{count} tasks in {bytes} bytes");
    });
    bounded("image", bytes, limits.records, || black_box(log.image()));
    ask_names(&log);
    bounded("follow", bytes, limits.records, || {
        ask_to_follow(&log, count)
    });
    let report = bounded("verify", bytes, limits.fold, || ask_to_verify(&log));
    bounded("lives", bytes, limits.fold, || ask_lives(&log));
    bounded("why", bytes, limits.fold, || ask_why(&log, someone));
    log.refresh();
    assert_eq!(log.records().count(), count, "the file has not changed");
    Some(report)
}

/// Returns how many there are, and a task that one speaks of.
fn ask_records(log: &Log, limits: &Limits) -> (usize, Option<TaskId>) {
    let mut count = 0;
    let mut someone = None;
    for entry in log.records() {
        count += 1;
        someone = entry.event.tid().or(someone);
        black_box((log.wall_ns(entry.stamp), log.at_ns(entry.stamp)));
    }
    let most = limits.events;
    assert!(count <= most, "{count} events, at most {most} had room");
    if let Some(tid) = someone {
        let about = log.records_about(tid).count();
        assert!(about > 0 && about <= count, "{about} of {count} records");
    }
    let loss = log.loss();
    black_box((
        loss.overwritten(),
        loss.is_none(),
        log.horizon(),
        log.retained_ns(),
    ));
    black_box((
        log.clock_pairs().len(),
        log.rings(),
        log.lifecycle(),
        log.is_alive(),
    ));
    black_box((
        log.process(),
        log.command(),
        log.is_crash_safe(),
        log.start_stamp(),
    ));
    (count, someone)
}

fn ask_tasks(log: &Log, limits: &Limits) {
    let count = log.tasks().count();
    let most = limits.rows;
    assert!(count <= most, "{count} tasks, at most {most} had room");
}

fn ask_names(log: &Log) {
    for number in (0..24).chain([u32::MAX / 8, u32::MAX]) {
        black_box((log.text(TextId(number)), log.site(SiteId(number))));
    }
    for kind in 0..=255 {
        black_box(log.schema(kind));
    }
}

fn ask_to_follow(log: &Log, count: usize) {
    let mut cursor = Cursor::default();
    let (records, _) = log.follow(&mut cursor);
    assert_eq!(records.count(), count);
    // It may tell what the look before found no sense in.
    assert_eq!(log.follow(&mut cursor).0.count(), 0);
    let (records, lost) = log.follow(&mut cursor);
    assert_eq!((records.count(), lost), (0, 0), "the file has not changed");
    let (senseless, lost) = (cursor.senseless(), cursor.lost());
    assert!(senseless <= lost, "{senseless} of {lost}");
}

fn ask_to_verify(log: &Log) -> Report {
    let report = verify(log);
    for finding in &report.findings {
        black_box(finding.to_string());
    }
    report
}

fn ask_lives(log: &Log) {
    let mut lives = log.lives();
    for entry in log.records() {
        if let Event::Task(event) = &entry.event {
            black_box(lives.feed(entry.stamp, entry.aux, event));
        }
    }
    for (_, life) in lives.iter() {
        if life.faults == 0 && !life.has_gap {
            let whole = u128::from(life.run_ticks)
                + u128::from(life.ready_ticks)
                + u128::from(life.wait_total_ticks());
            assert_eq!(whole, u128::from(life.since - life.first), "{life:?}");
        }
    }
}

/// Asks why a task was late, and who waits for whom.
fn ask_why(log: &Log, task: Option<TaskId>) {
    let mut inquiry = task.map(|task| Inquiry::new(task, log.lives()));
    let kind = |name: &str| {
        let mut kinds = 0..=u8::MAX;
        kinds.find(|kind| log.schema(*kind).is_some_and(|schema| schema.name == name))
    };
    let waits = Waits::new(log.lives());
    let mut waits = waits.with_lanes(kind("lane_acquired"), kind("lane_released"));
    log.tasks().for_each(|row| waits.row(&row));
    let mut last = 0;
    for entry in log.records() {
        last = entry.stamp;
        waits.feed(&entry);
        if let Some(inquiry) = &mut inquiry {
            inquiry.feed(&entry);
        }
    }
    let picture = waits.picture();
    for task in picture.cycles.iter().flatten() {
        assert_eq!(picture.prospect(*task), Some(Prospect::Stuck), "{task}");
    }
    black_box((
        picture.can_any_act(),
        task.map(|task| picture.prospect(task)),
    ));
    black_box(inquiry.and_then(|inquiry| inquiry.finish(last)));
}
