//! Makes a directory of segments of so many records, and prints how long the inspector takes over it, and the most memory
//! that it had: `scripts/read-cost`.
//!
//! The tasks are made up and their records are written as fast as can be, which takes a minute for 100 million of them:
//! each of 32 pairs sleeps, wakes its other half and runs on, and spawns a task now and then that waits and ends: in
//! every eighth tick, or as told. All stamps are read from the clock.

use glasshouse_pal::spill::{Settings, Spiller};
use glasshouse_pal::{Clock, Pal, RingOwner, RingWriter, SiteId, TaskEvent, TaskId, WakeSource};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Tasks that live as long as the log.
const PAIRS: usize = 32;
/// The ticks of a pair from one spawn to the next, unless told.
const SPAWN_EVERY: u64 = 8;
/// The records between two steps of the spiller: a ring holds more.
const STEP_RECORDS: u64 = 50_000;
/// How often the memory of what runs is looked at.
const LOOK: Duration = Duration::from_millis(2);

fn main() {
    let args: Vec<String> = std::env::args().filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    match args[..] {
        [program, records] => measure(program, number(records), SPAWN_EVERY),
        [program, records, every] => measure(program, number(records), number(every)),
        // `cargo bench` runs every bench.
        _ => println!("left out: scripts/read-cost runs it"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

fn measure(program: &str, records: u64, spawn_every: u64) {
    let place = tempfile::tempdir_in("/dev/shm").expect("a memory file system");
    let dir = place.path().join("spill");
    let begun = Instant::now();
    let (written, bytes) = fill(place.path(), &dir, records, spawn_every);
    println!(
        "{written} records in {bytes} bytes, made in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    // A task of a tick, one of the longest lives, and one that is not there.
    let tasks = [PAIRS as u64 * 2 + 1, 1, TaskId::MAX.number()].map(|tid| tid.to_string());
    for _ in 0..3 {
        time(program, &["stats"], &dir, &[]);
        for tid in &tasks {
            time(program, &["log", "--task", tid], &dir, &[]);
        }
        time(program, &["verify"], &dir, &[]);
    }
    for tid in &tasks[..2] {
        time(program, &["task"], &dir, &[tid]);
        time(program, &["why"], &dir, &[tid]);
    }
    time(program, &["why"], &dir, &[]);
    time(program, &["export", "--format", "chrome"], &dir, &[]);
}

/// Runs the program over the directory, with arguments before it and behind.
fn time(program: &str, args: &[&str], dir: &Path, more: &[&str]) {
    let begun = Instant::now();
    let mut run = Command::new(program)
        .args(args)
        .arg(dir)
        .args(more)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let status = format!("/proc/{}/status", run.id());
    let mut peak_kib = 0;
    let ended = loop {
        // Of a program that has ended nothing can be read any more.
        let told = std::fs::read_to_string(&status).unwrap_or_default();
        let told = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let told = told.and_then(|text| text.trim().strip_suffix(" kB")?.parse().ok());
        peak_kib = peak_kib.max(told.unwrap_or(0u64));
        if let Some(ended) = run.try_wait().expect("a child") {
            break ended;
        }
        std::thread::sleep(LOOK);
    };
    let ms = begun.elapsed().as_millis();
    println!(
        "{ms:>8} ms {:>6} MiB  {} ({ended})",
        peak_kib >> 10,
        [args, more].concat().join(" ")
    );
}

/// Writes at least so many records; how many they are, and how many bytes they took.
fn fill(place: &Path, dir: &Path, records: u64, spawn_every: u64) -> (u64, u64) {
    let built = Pal::builder()
        .file(place.join("log.pal"))
        .workers(2)
        .build();
    let pal = built.expect("a log");
    let settings = Settings {
        total_bytes: 8 << 30,
        ..Settings::new(dir)
    };
    let mut spiller = Spiller::new(&pal, settings).expect("a spiller");
    let mut world = World::begin(&pal, spawn_every);
    let (mut stepped, mut bytes) = (0, 0);
    let mut round = 0;
    while world.written < records {
        world.round(round);
        round += 1;
        if world.written - stepped >= STEP_RECORDS {
            stepped = world.written;
            let step = spiller.step();
            assert_eq!(step.left_out, 0, "the ring was overrun");
            bytes += step.bytes;
        }
    }
    bytes += spiller.finish().bytes;
    (world.written, bytes)
}

/// A task that is made up.
struct Made {
    tid: TaskId,
    transitions: u8,
}

struct World {
    clock: Clock,
    rings: [RingWriter; 2],
    tasks: Vec<[Made; 2]>,
    site: SiteId,
    spawn_every: u64,
    last_tid: u64,
    written: u64,
}

impl World {
    fn begin(pal: &Pal, spawn_every: u64) -> World {
        let mut world = World {
            clock: pal.clock().clone(),
            rings: [0, 1].map(|number| pal.lease(RingOwner::Worker(number))),
            tasks: Vec::new(),
            site: pal.site("benches/read.rs", 1, 1, Some("brief")),
            spawn_every,
            last_tid: 0,
            written: 0,
        };
        let site = pal.site("benches/read.rs", 2, 1, Some("lasting"));
        for _ in 0..PAIRS {
            let pair = [(); 2].map(|()| world.spawn(0, None, site));
            world.tasks.push(pair);
        }
        for number in 0..PAIRS {
            for half in 0..2 {
                world.of_pair(0, number, half, |tid| TaskEvent::Running { tid });
                world.of_pair(0, number, half, |tid| TaskEvent::Wait { tid });
            }
        }
        world
    }

    /// Every pair once: the one half is woken by a timer and wakes the other.
    fn round(&mut self, round: u64) {
        for number in 0..PAIRS {
            let ring = number % 2;
            let by = WakeSource::Timer;
            self.of_pair(ring, number, 0, |tid| TaskEvent::Wake { tid, by });
            self.of_pair(ring, number, 0, |tid| TaskEvent::Running { tid });
            let waker = self.tasks[number][0].tid;
            if (round + number as u64).is_multiple_of(self.spawn_every) {
                self.brief_life(ring, waker);
            }
            let by = WakeSource::Task(waker);
            self.of_pair(ring, number, 1, |tid| TaskEvent::Wake { tid, by });
            let dur = Duration::from_micros(50 + 37 * number as u64);
            self.of_pair(ring, number, 0, |tid| TaskEvent::Sleep { tid, dur });
            self.of_pair(ring, number, 1, |tid| TaskEvent::Running { tid });
            self.of_pair(ring, number, 1, |tid| TaskEvent::Wait { tid });
        }
    }

    /// A task that yields once, and ends.
    fn brief_life(&mut self, ring: usize, parent: TaskId) {
        let mut made = self.spawn(ring, Some(parent), self.site);
        let tid = made.tid;
        let by = WakeSource::Task(tid);
        for event in [
            TaskEvent::Running { tid },
            TaskEvent::Yield { tid, by },
            TaskEvent::Running { tid },
            TaskEvent::Done { tid },
        ] {
            made.transitions += 1;
            // The other worker runs it.
            self.write(1 - ring, made.transitions, &event);
        }
    }

    fn spawn(&mut self, ring: usize, parent: Option<TaskId>, site: SiteId) -> Made {
        self.last_tid += 1;
        let tid = TaskId::new(self.last_tid).expect("in range");
        self.write(ring, 0, &TaskEvent::Spawned { tid, parent, site });
        Made {
            tid,
            transitions: 0,
        }
    }

    fn of_pair(
        &mut self,
        ring: usize,
        number: usize,
        half: usize,
        event: impl FnOnce(TaskId) -> TaskEvent,
    ) {
        let made = &mut self.tasks[number][half];
        made.transitions = made.transitions.wrapping_add(1);
        let (tid, transitions) = (made.tid, made.transitions);
        self.write(ring, transitions, &event(tid));
    }

    fn write(&mut self, ring: usize, transitions: u8, event: &TaskEvent) {
        self.rings[ring].write(self.clock.now(), transitions, event);
        self.written += 1;
    }
}
