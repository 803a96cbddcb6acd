//! Reading while a writer laps the ring.

use crate::clock::Clock;
use crate::domain::Event;
use crate::event::TaskEvent;
use crate::id::TaskId;
use crate::owner::RingOwner;
use crate::pal::Pal;
use crate::reader::{Cursor, Entry, Log};
use crate::slot::TaskRow;
use crate::state::TaskState;
use crate::testing::{SMALL, SMALL_RING, small_file};
use crate::text_id::SiteId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often the reader looks while the writer writes without a pause.
const LOOKS: usize = 150;

/// The event number `n`: all of its words tell `n`, and every third takes two records.
fn event(n: u64) -> TaskEvent {
    let tid = TaskId::new(n).expect("in range");
    match n % 3 {
        0 => TaskEvent::Stalled {
            tid,
            worker: n as u16,
            busy: Duration::from_nanos(n * 7),
            queued: n as u32,
            others: n as u16,
        },
        _ => TaskEvent::Sleep {
            tid,
            dur: Duration::from_nanos(n * 7),
        },
    }
}

fn assert_whole(entry: &Entry) -> u64 {
    let number = entry.event.tid().expect("a task's event").number();
    assert_eq!(entry.event, Event::Task(event(number)));
    assert_eq!((entry.stamp, entry.aux), (number * 3, number as u8));
    number
}

/// Ends the writer, also when the reader fails.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Looks with `check` while a writer on another thread laps its ring, and once more when it has
/// ended; returns the number of the last event.
fn beside_a_writer(pal: &Pal, mut check: impl FnMut()) -> u64 {
    let is_done = AtomicBool::new(false);
    let last = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let ring = pal.lease(RingOwner::Worker(0));
            let mut n = 0;
            while !is_done.load(Ordering::Acquire) || n < LAPS * SMALL_RING as u64 {
                n += 1;
                ring.write(n * 3, n as u8, &event(n));
            }
            n
        });
        let done = Done(&is_done);
        (0..LOOKS).for_each(|_| check());
        drop(done);
        writer.join().expect("the writer does not panic")
    });
    check();
    last
}

/// The least laps of the ring, should the reader be that much faster.
const LAPS: u64 = 100;

fn check_snapshots(pal: &Pal, open: impl Fn() -> Log) {
    let mut newest = 0;
    let mut read = 0;
    let last = beside_a_writer(pal, || {
        let log = open();
        let numbers: Vec<u64> = log.records().map(|entry| assert_whole(&entry)).collect();
        // What is lost lies before the first: a snapshot has no gap, however fast the writer is.
        assert!(
            numbers.windows(2).all(|two| two[0] + 1 == two[1]),
            "{numbers:?}"
        );
        let loss = log.loss();
        assert!(
            numbers
                .first()
                .is_none_or(|first| *first == 1 || loss.overwritten() > 0)
        );
        assert_eq!(loss.unreadable, 0);
        assert!(
            numbers.last().is_none_or(|last| *last >= newest),
            "time went back"
        );
        newest = numbers.last().copied().unwrap_or(newest);
        read += numbers.len();
    });
    assert_eq!(newest, last);
    assert!(read >= SMALL_RING / 2);
}

#[test]
fn a_snapshot_of_memory_holds_whole_events_only() {
    let pal = Pal::memory_shaped(Clock::process(), SMALL);
    check_snapshots(&pal, || pal.log());
}

#[test]
fn a_snapshot_of_a_file_holds_whole_events_only() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("small.pal");
    let pal = small_file(&path);
    check_snapshots(&pal, || Log::open(&path).expect("readable"));
}

#[test]
fn a_reader_that_follows_beside_a_writer_misses_nothing_that_it_does_not_count() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("small.pal");
    let pal = small_file(&path);
    let log = Log::open(&path).expect("readable");
    let (mut cursor, mut events, mut lost, mut seen) = (Cursor::default(), 0, 0, 0);
    let last = beside_a_writer(&pal, || {
        let (records, missing) = log.follow(&mut cursor);
        lost += missing;
        for entry in records {
            let number = assert_whole(&entry);
            assert!(number > seen, "{number} after {seen}");
            seen = number;
            events += if number.is_multiple_of(3) { 2 } else { 1 };
        }
    });
    assert_eq!(seen, last);
    // Of an event whose first record is gone, the second may be there and be of no use.
    let written = last + last / 3;
    assert!(
        events + lost <= written,
        "{events} read and {lost} lost of {written}"
    );
    let useless = written - events - lost;
    assert!(lost > 0 || useless == 0, "{useless} records vanished");
}

#[test]
fn a_row_of_the_task_table_is_never_of_two_tasks() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("small.pal");
    let pal = small_file(&path);
    let log = Log::open(&path).expect("readable");
    let is_done = AtomicBool::new(false);
    let id = pal.table().take_shared().expect("room");
    let slot = pal.table().slot(id);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !is_done.load(Ordering::Acquire) {
                n += 1;
                let tid = TaskId::new(n).expect("in range");
                slot.publish(tid, SiteId(n as u32), Some(tid), TaskState::Scheduled, n);
                slot.clear();
            }
        });
        let _done = Done(&is_done);
        for _ in 0..LOOKS * 20 {
            let check = |row: TaskRow| {
                assert_eq!(row.parent, Some(row.id));
                assert_eq!(row.site, SiteId(row.id.number() as u32));
            };
            log.tasks().for_each(check);
            slot.row(0).into_iter().for_each(check);
        }
    });
    assert_eq!(log.tasks().count(), 0);
}
