//! Owns everything that a log can be asked. What comes back is checked against itself: nothing is known of a
//! hostile file but that it says the same twice, and no more than it has room for.

use crate::file::HostileFile;
use crate::memory::bounded;
use glasshouse_pal::lives::Lives;
use glasshouse_pal::reader::{Cursor, Log, OpenError};
use glasshouse_pal::verify::{Report, verify};
use glasshouse_pal::{Event, SiteId, TextId};
use std::cell::Cell;
use std::hint::black_box;

/// The fold of a record of 32 bytes may begin a life, and a finding.
const FOLD_TIMES: usize = 24;

/// Of so many logs one is read from a file, too: the kernel takes most of the time then.
const FILES_EACH: usize = 64;

/// Asks for everything.
///
/// # Panics
/// When the reader takes too much memory, or contradicts itself.
pub fn ask_everything(bytes: &[u8]) {
    thread_local! {
        static FILE: HostileFile = HostileFile::new();
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }
    let file_bytes = bytes.len();
    // Its copy of the bytes is the file's size.
    ask(
        bounded("open", file_bytes, 2, || Log::from_bytes(bytes)),
        file_bytes,
    );
    COUNT.set(COUNT.get() + 1);
    if COUNT.get().is_multiple_of(FILES_EACH) {
        FILE.with(|file| {
            let path = file.with(bytes);
            ask(
                bounded("open", file_bytes, 1, || Log::open(path)),
                file_bytes,
            );
        });
    }
}

/// Asks one log for everything; returns how it was judged, if it could be opened.
fn ask(log: Result<Log, OpenError>, file_bytes: usize) -> Option<Report> {
    let mut log = log.ok()?;
    bounded("records", file_bytes, 2, || ask_records(&log, file_bytes));
    bounded("task table", file_bytes, 1, || ask_tasks(&log, file_bytes));
    bounded("image", file_bytes, 2, || black_box(log.image()));
    ask_names(&log);
    bounded("follow", file_bytes, 2, || ask_to_follow(&log));
    let report = bounded("verify", file_bytes, FOLD_TIMES, || ask_to_verify(&log));
    bounded("lives", file_bytes, FOLD_TIMES, || ask_lives(&log));
    let before = log.records().count();
    log.refresh();
    assert_eq!(log.records().count(), before, "the file has not changed");
    Some(report)
}

fn ask_records(log: &Log, file_bytes: usize) {
    let mut count = 0;
    for entry in log.records() {
        count += 1;
        black_box((log.wall_ns(entry.stamp), log.at_ns(entry.stamp)));
    }
    assert!(
        count * 32 <= file_bytes,
        "{count} records in {file_bytes} bytes"
    );
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
}

fn ask_tasks(log: &Log, file_bytes: usize) {
    let count = log.tasks().count();
    assert!(
        count * 64 <= file_bytes,
        "{count} tasks in {file_bytes} bytes"
    );
}

fn ask_names(log: &Log) {
    for number in (0..24).chain([u32::MAX / 8, u32::MAX]) {
        black_box((log.text(TextId(number)), log.site(SiteId(number))));
    }
    for kind in 0..=255 {
        black_box(log.schema(kind));
    }
}

fn ask_to_follow(log: &Log) {
    let mut cursor = Cursor::default();
    let (records, _) = log.follow(&mut cursor);
    assert_eq!(records.count(), log.records().count());
    let (records, lost) = log.follow(&mut cursor);
    assert_eq!((records.count(), lost), (0, 0), "the file has not changed");
}

fn ask_to_verify(log: &Log) -> Report {
    let report = verify(log);
    for finding in &report.findings {
        black_box(finding.to_string());
    }
    report
}

fn ask_lives(log: &Log) {
    let mut lives = log.horizon().map_or_else(Lives::whole, Lives::from_horizon);
    for entry in log.records() {
        if let Event::Task(event) = &entry.event {
            black_box(lives.feed(entry.stamp, entry.aux, event));
        }
    }
    for (_, life) in lives.iter() {
        if life.faults == 0 {
            let whole = u128::from(life.run_ticks)
                + u128::from(life.ready_ticks)
                + u128::from(life.wait_total_ticks());
            assert_eq!(whole, u128::from(life.since - life.first), "{life:?}");
        }
    }
}
