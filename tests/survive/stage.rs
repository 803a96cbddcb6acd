//! Owns the stage: starts the program, waits for its end, or brings it about, and has the judge look.

use crate::ending::{AFTER_US, ENDING, Ending};
use crate::judge::{Seen, judge};
use crate::program::{RING_BYTES, WITNESS, WORKERS};
use crate::witness::Witness;
use glasshouse::pal::{Lifecycle, PAL_VARIABLE};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// The sizes of rings that take turns: the smallest wraps within a millisecond or so, the largest hardly.
const RINGS_BYTES: [usize; 3] = [64 << 10, 512 << 10, 4 << 20];
/// The latest moment of an ending, once the program is in full swing.
const AFTER_MAX: Duration = Duration::from_millis(60);
/// How long anything may take before the test gives up. Far beyond what it takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Endings of each sort but kills.
const ENDINGS: u64 = 4;

/// The moments of the endings: a linear congruential sequence (Knuth's constants), from a seed that is printed.
struct Moments(u64);

impl Moments {
    fn next(&mut self) -> Duration {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        Duration::from_micros((self.0 >> 33) % AFTER_MAX.as_micros() as u64)
    }
}

/// A number behind an option, if it is there.
fn option(name: &str) -> Option<u64> {
    let number = std::env::args().skip_while(|it| it != name).nth(1)?;
    Some(
        number
            .parse()
            .unwrap_or_else(|_| panic!("{name} takes a number, not {number}")),
    )
}

/// Runs every test.
pub fn tests() {
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |since| since.as_nanos() as u64)
    };
    let seed = option("--seed").unwrap_or_else(now);
    println!("moments from --seed {seed}");
    let mut moments = Moments(seed);
    let kills = option("--kills").unwrap_or(20);
    let skipped: Vec<String> = std::env::args().skip_while(|it| it != "--skip").collect();
    let tests = [
        (
            "a_killed_process_leaves_every_record_that_it_had_made",
            Ending::Killed,
            kills,
        ),
        (
            "a_process_that_aborts_leaves_every_record_that_it_had_made",
            Ending::Abort,
            ENDINGS,
        ),
        (
            "a_panic_that_aborts_leaves_every_record_and_says_so",
            Ending::Panic,
            ENDINGS,
        ),
        (
            "a_process_without_memory_leaves_every_record_that_it_had_made",
            Ending::Memory,
            ENDINGS,
        ),
    ];
    for (name, ending, times) in tests {
        if skipped.iter().any(|skipped| skipped == name) {
            continue;
        }
        let mut all = Seen::default();
        for time in 0..times {
            let ring_bytes = RINGS_BYTES[time as usize % RINGS_BYTES.len()];
            all = all.and(end_once(ending, moments.next(), ring_bytes));
        }
        println!(
            "test {name} ... ok\n  {times} endings ({}) of {WORKERS} workers: {} records and {} tasks read back, all of \
             {} stamped ones; rings that had wrapped {}, torn slots {}, half-done steps {}",
            ending.name(),
            all.records,
            all.tasks,
            all.stamped,
            all.wrapped,
            all.torn,
            all.half_done
        );
    }
}

/// A program that runs; ended with this value, if nothing else does it.
struct Running {
    child: Child,
    witness: Witness,
    log: PathBuf,
    _place: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn start(ending: Ending, after: Duration, ring_bytes: usize) -> Running {
        // On the file system that logs are on, where there is one.
        let place = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        let place = place.expect("a temporary directory");
        let (page, log) = (place.path().join("witness"), place.path().join("log.pal"));
        let witness = Witness::create(&page);
        let child = Command::new(std::env::current_exe().expect("this program"))
            .env(WITNESS, &page)
            .env(PAL_VARIABLE, &log)
            .env(RING_BYTES, ring_bytes.to_string())
            .env(ENDING, ending.name())
            .env(AFTER_US, after.as_micros().to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        Running {
            child,
            witness,
            log,
            _place: place,
        }
    }

    /// Waits until it is in full swing, then so long, then kills it.
    fn kill_after(&mut self, after: Duration) {
        let started = Instant::now();
        while !self.witness.is_ready() {
            assert!(started.elapsed() < PATIENCE, "it does not get under way");
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none(), "it ended before its time: {ended:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(after);
        self.child.kill().expect("it runs");
    }

    fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// One ending, judged.
fn end_once(ending: Ending, after: Duration, ring_bytes: usize) -> Seen {
    let mut running = Running::start(ending, after, ring_bytes);
    if ending == Ending::Killed {
        running.kill_after(after);
    }
    let status = running.wait();
    let (signal, lifecycle) = match ending {
        Ending::Killed => (rustix::process::Signal::KILL, Lifecycle::Running),
        Ending::Abort | Ending::Memory => (rustix::process::Signal::ABORT, Lifecycle::Running),
        Ending::Panic => (rustix::process::Signal::ABORT, Lifecycle::Panicking),
    };
    assert_eq!(
        status.signal(),
        Some(signal.as_raw()),
        "{ending:?}: {status}"
    );
    let seen = judge(&running.log, running.witness, lifecycle);
    assert!(seen.records > 0 && seen.stamped > 0, "{seen:?}");
    seen
}
