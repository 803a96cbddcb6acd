//! Dates: when a worker writes down what the clocks show.
#![cfg(feature = "record")]

mod drive;

use drive::{Drive, here, workers};
use glasshouse_telemetry::{Leave, Woken};

const SECOND_NS: u64 = 1_000_000_000;

/// The stamp of the newest date in the log. One that is written within a second of the one before takes its
/// place.
fn newest(drive: &Drive) -> u64 {
    let log = drive.pal.log();
    let pairs = log.clock_pairs();
    pairs.last().expect("the log begins with one").ticks
}

const YIELD: Leave = Leave::Yield(Woken::ByItself);

#[test]
fn after_a_pause_the_first_tick_writes_one_date_and_the_next_none() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    let task = worker.spawned(&here(), None);
    for pause_ns in [10 * SECOND_NS, SECOND_NS / 2, 7] {
        worker.parked();
        let parked = drive.clock.now();
        assert_eq!(newest(&drive), parked);
        drive.pass(pause_ns);
        worker.unparked();
        assert_eq!(newest(&drive), parked, "the first tick may be waited for");
        drive.tick(&worker, &task, 5, YIELD);
        let end = drive.clock.now();
        assert_eq!(newest(&drive), end);
        for _ in 0..3 {
            drive.tick(&worker, &task, 5, YIELD);
            assert_eq!(newest(&drive), end);
        }
    }
    drive.assert_consistent();
}

#[test]
fn a_worker_that_never_parks_writes_a_date_each_second() {
    let drive = Drive::new(workers(1));
    let worker = drive.hub.worker(0);
    let task = worker.spawned(&here(), None);
    let mut dated = Vec::new();
    for tick in 1..=35_u64 {
        drive.tick(&worker, &task, SECOND_NS / 10, YIELD);
        if newest(&drive) == drive.clock.now() {
            dated.push(tick);
        }
    }
    assert_eq!(dated, [1, 11, 21, 31]);
}
