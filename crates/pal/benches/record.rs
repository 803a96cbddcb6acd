//! Prints what one record costs its writer: `cargo bench -p glasshouse-pal`.
//!
//! The log is a file on the memory file system, as a process has it. Figures are the least of several
//! rounds, of which the first is left out: it walks over memory for the first time.
//!
//! Last, what a reader costs that follows the log a thousand times a second: it is this program again, and rounds
//! with it and without take turns.

use glasshouse_pal::dir::LogDir;
use glasshouse_pal::reader::{Cursor, Log};
use glasshouse_pal::{
    Clock, Pal, RingOwner, RingWriter, SlotCache, TaskEvent, TaskId, TaskState, WakeSource,
    WorkerState,
};
use std::hint::black_box;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;
const RECORDS: u64 = 1_000_000;

/// The variable by which this program is told to follow a log.
const FOLLOW: &str = "RECORD_BENCH_FOLLOW";
/// Pairs of rounds, with a reader and without.
const PAIRS: usize = 21;

fn main() {
    if let Some(log) = std::env::var_os(FOLLOW) {
        return follow(log.as_ref());
    }
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
    beside_a_reader(&pal, &ring);
}

/// Reads what is new, a thousand times a second, until it is killed.
fn follow(log: &Path) {
    let log = Log::open(log).expect("the log that is written");
    let mut cursor = Cursor::default();
    let mut next = Instant::now();
    println!("ready");
    loop {
        black_box(log.follow(&mut cursor).0.count());
        next += Duration::from_millis(1);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

/// Prints the ratio of a record's cost beside a reader to that without one: the median of all pairs, and between
/// which bounds half of them lie.
fn beside_a_reader(pal: &Pal, ring: &RingWriter) {
    let clock = pal.clock();
    let tid = TaskId::new(7).expect("in range");
    let mut step = |n: u64| {
        black_box(ring.write(clock.now(), n as u8, &TaskEvent::Running { tid }));
    };
    let log = pal.path().expect("a file");
    let mut ratios: Vec<f64> = (0..PAIRS)
        .map(|_| {
            let without = cost(&mut step);
            let mut reader = Command::new(std::env::current_exe().expect("this program"))
                .env(FOLLOW, log)
                .stdout(Stdio::piped())
                .spawn()
                .expect("started");
            let mut ready = [0; 6];
            let out = reader.stdout.as_mut().expect("piped");
            out.read_exact(&mut ready).expect("it follows");
            let with = cost(&mut step);
            reader.kill().expect("it runs");
            reader.wait().expect("a child");
            with / without
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    let [low, median, high] = [PAIRS / 4, PAIRS / 2, PAIRS * 3 / 4].map(|at| ratios[at]);
    println!(
        "{median:>8.3}     beside a reader at 1 kHz, times the cost without (half: {low:.3} to {high:.3})"
    );
}

/// What a step costs, in nanoseconds.
fn cost(step: &mut impl FnMut(u64)) -> f64 {
    let start = Instant::now();
    for n in 0..RECORDS {
        step(n);
    }
    start.elapsed().as_nanos() as f64 / RECORDS as f64
}

fn records(pal: &Pal, ring: &RingWriter) {
    let clock = pal.clock();
    let tid = TaskId::new(7).expect("in range");
    let by = WakeSource::Task(tid);
    let alone = print("clock read alone", |_| {
        black_box(clock.now());
    });
    print("clock read, ordered", |_| {
        black_box(clock.now_ordered());
    });
    // The variant is known at the call, as in the scheduler: what is told of a variable is looked up first.
    let recorded = print("clock read and a record", |n| {
        black_box(ring.write(clock.now(), n as u8, &TaskEvent::Running { tid }));
    });
    println!("{:>8.2}     times the clock read alone", recorded / alone);
    print("record alone", |n| {
        black_box(ring.write(n, n as u8, &TaskEvent::Running { tid }));
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

/// Runs a step many times, prints the least of its costs, and returns it.
fn print(what: &str, mut step: impl FnMut(u64)) -> f64 {
    let mut costs: Vec<f64> = (0..ROUNDS).map(|_| cost(&mut step)).skip(1).collect();
    costs.sort_by(f64::total_cmp);
    println!("{:>8.2} ns  {what}", costs[0]);
    costs[0]
}
