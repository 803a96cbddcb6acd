//! Prints what one record costs its writer: `cargo bench -p glasshouse-pal`.
//!
//! The log is a file on the memory file system, as a process has it. Figures are the least of several
//! rounds, of which the first is left out: it walks over memory for the first time.

use glasshouse_pal::dir::LogDir;
use glasshouse_pal::{
    Clock, Pal, RingOwner, RingWriter, SlotCache, TaskEvent, TaskId, TaskState, WakeSource,
    WorkerState,
};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 15;
const RECORDS: u64 = 1_000_000;

fn main() {
    let place = tempfile::tempdir_in("/dev/shm").expect("a memory file system");
    let dir = LogDir::at(place.path().join("logs"));
    let start = Instant::now();
    drop(Clock::process());
    println!("calibrating the clock: {:?}", start.elapsed());
    let start = Instant::now();
    let pal = dir.create_log(2).expect("a log");
    println!("making the log: {:?}", start.elapsed());
    let start = Instant::now();
    let ring = pal.lease(RingOwner::Worker(0));
    println!("leasing a ring: {:?}", start.elapsed());
    println!();
    records(&pal, &ring);
    slots(&pal);
    others(&pal, &ring);
}

fn records(pal: &Pal, ring: &RingWriter) {
    let clock = pal.clock();
    let tid = TaskId::new(7).expect("in range");
    let running = TaskEvent::Running { tid };
    let by = WakeSource::Task(tid);
    print("clock read alone", |_| {
        black_box(clock.now());
    });
    print("clock read, ordered", |_| {
        black_box(clock.now_ordered());
    });
    print("clock read and a record", |n| {
        black_box(ring.write(clock.now(), n as u8, &running));
    });
    print("record alone", |n| {
        black_box(ring.write(n, n as u8, &running));
    });
    print("clock read and two records (a tick)", |n| {
        let now = clock.now();
        black_box(ring.write(now, n as u8, &TaskEvent::Running { tid }));
        black_box(ring.write(now, n as u8, &TaskEvent::Yield { tid, by }));
    });
    print("the same and two updates of the current task", |n| {
        let now = clock.now();
        ring.current(now, Some(tid), WorkerState::Running);
        black_box(ring.write(now, n as u8, &TaskEvent::Running { tid }));
        black_box(ring.write(now, n as u8, &TaskEvent::Yield { tid, by }));
        ring.current(now, None, WorkerState::Searching);
    });
}

fn slots(pal: &Pal) {
    let mut cache = SlotCache::default();
    let tid = TaskId::new(7).expect("in range");
    let site = pal.site("src/main.rs", 1, 2, Some("bench"));
    print("take, publish, clear, give back a slot", |n| {
        let id = pal.table().take(&mut cache).expect("room");
        let slot = pal.table().slot(id);
        slot.publish(tid, site, Some(tid), TaskState::Scheduled, n);
        slot.clear();
        pal.table().give_back(&mut cache, id);
    });
    let id = pal.table().take(&mut cache).expect("room");
    let slot = pal.table().slot(id);
    slot.publish(tid, site, None, TaskState::Scheduled, 0);
    print("a tick's updates of a slot", |n| {
        slot.add_ready(n & 7);
        slot.enter(TaskState::Running, n);
        slot.count_poll();
        slot.add_run(n & 7);
        slot.enter(TaskState::Yielded, n);
    });
}

fn others(pal: &Pal, ring: &RingWriter) {
    let tid = TaskId::new(7).expect("in range");
    let _installed = ring.install();
    print("emit", |_| {
        black_box(glasshouse_pal::emit(TaskEvent::Running { tid }));
    });
    print("a text that is there", |_| {
        black_box(pal.text(black_box("connection reset by peer")));
    });
    print("a site that is there", |_| {
        black_box(pal.site(black_box("crates/pal/src/main.rs"), 3, 4, Some("pump")));
    });
    print("a clock pair", |_| ring.clock_pair());
}

/// Runs a step many times and prints the least of its costs.
fn print(what: &str, mut step: impl FnMut(u64)) {
    let mut costs: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for n in 0..RECORDS {
                step(n);
            }
            start.elapsed().as_nanos() as f64 / RECORDS as f64
        })
        .skip(1)
        .collect();
    costs.sort_by(f64::total_cmp);
    println!("{:>8.2} ns  {what}", costs[0]);
}
