//! What happens to a log when its process is killed, exits, panics, forks, or is short of room.
//!
//! Each test runs this same program again in a role, as what it does ends or spoils a process. `--skip NAME` leaves
//! one out.

use glasshouse_pal::reader::Log;
use glasshouse_pal::{
    CreateError, Emitted, Event, Lifecycle, LossCause, PAL_VARIABLE, Pal, RingOwner, SiteId,
    TaskEvent, TaskId, TaskState, emit,
};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn main() {
    if let Ok(role) = std::env::var("ROLE") {
        return play(&role);
    }
    let tests: [(&str, fn()); 8] = [
        ("a_killed_process_leaves_what_it_recorded", killed),
        ("a_process_that_exits_says_so", exits),
        ("a_process_that_panics_says_so", panics),
        ("a_forked_child_does_not_write_into_its_parent_s_log", forks),
        ("a_log_keeps_to_the_limit_on_file_sizes", file_size_limited),
        (
            "a_log_in_memory_needs_little_address_space",
            address_space_limited,
        ),
        (
            "a_signal_handler_never_spoils_the_record_that_it_interrupts",
            signals,
        ),
        ("off_is_off", off),
    ];
    let skipped: Vec<String> = std::env::args().skip_while(|it| it != "--skip").collect();
    for (name, test) in tests {
        if skipped.iter().any(|skipped| skipped == name) {
            continue;
        }
        test();
        println!("test {name} ... ok");
    }
}

fn tid(number: u64) -> TaskId {
    TaskId::new(number).expect("in range")
}

/// Records `count` events into a ring of the process's log.
fn record(pal: &Pal, count: u64) {
    let ring = pal.lease(RingOwner::Worker(0));
    for n in 1..=count {
        let event = TaskEvent::Running { tid: tid(n) };
        assert!(ring.write(pal.clock().now(), n as u8, &event));
    }
}

/// What this program does when a test starts it.
fn play(role: &str) {
    match role {
        "killed" => {
            let pal = Pal::process(2);
            record(&pal, 1_000);
            let slot = pal.table().take_shared().expect("room");
            let slot = pal.table().slot(slot);
            slot.publish(tid(1), SiteId::UNKNOWN, None, TaskState::Running, 5);
            kill_self();
        }
        "exits" => record(&Pal::process(1), 3),
        "panics" => {
            let pal = Pal::process(1);
            record(&pal, 3);
            pal.panicking();
            panic!("on purpose");
        }
        "forks" => fork_and_record(),
        "signals" => record_among_signals(),
        "limited file" => {
            let path = PathBuf::from(std::env::var_os(PAL_VARIABLE).expect("set"));
            match Pal::create(&path, 1) {
                Ok(pal) => record(&pal, 100),
                Err(CreateError::NoRoom { .. }) => std::process::exit(NO_ROOM),
                Err(other) => panic!("{other}"),
            }
        }
        "limited memory" => {
            let pal = Pal::memory();
            record(&pal, 100);
            assert_eq!(pal.log().records().count(), 100);
            assert!(pal.table().take_shared().is_some());
        }
        "off" => {
            let pal = Pal::process(1);
            assert!(pal.is_off());
            assert_eq!(
                emit(TaskEvent::ShutdownComplete { clean: true }),
                Emitted::Dropped
            );
        }
        other => panic!("no such role: {other}"),
    }
}

fn kill_self() -> ! {
    // SAFETY: raise has no preconditions.
    unsafe { libc::raise(libc::SIGKILL) };
    unreachable!("SIGKILL cannot be held off")
}

/// Records one event, forks, has the child record many, and ends without a word in the child.
fn fork_and_record() {
    let pal = Pal::process(1);
    let ring = pal.lease(RingOwner::Worker(0));
    let _installed = ring.install();
    let write = |n| ring.write(pal.clock().now(), 0, &TaskEvent::Running { tid: tid(n) });
    assert!(write(1));
    let slot = pal.table().take_shared().expect("room");
    let slot = pal.table().slot(slot);
    slot.publish(tid(1), SiteId::UNKNOWN, None, TaskState::Running, 5);
    // SAFETY: the child only touches memory and ends by `_exit`; this process has one thread.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork");
    if child == 0 {
        for n in 2..500 {
            write(n);
            emit(TaskEvent::Running { tid: tid(n) });
            pal.text("a child's text");
        }
        slot.clear();
        pal.close();
        // SAFETY: ends the process at once; nothing needs to be cleaned up.
        unsafe { libc::_exit(7) };
    }
    let mut status = 0;
    // SAFETY: waits for the child just made; `status` is a valid place for its status.
    let waited = unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(waited, child);
    assert!(
        libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 7,
        "{status}"
    );
    let log = pal.log();
    assert_eq!(log.records().count(), 1);
    assert_eq!(log.tasks().count(), 1);
    assert_eq!(log.lifecycle(), Lifecycle::Running);
    assert!(write(2));
}

/// What the signal handler did.
static RECORDED: AtomicU64 = AtomicU64::new(0);
static DROPPED: AtomicU64 = AtomicU64::new(0);

extern "C" fn on_alarm(_: libc::c_int) {
    let count = match emit(TaskEvent::ShutdownComplete { clean: true }) {
        Emitted::Recorded => &RECORDED,
        Emitted::Dropped => &DROPPED,
        // While the thread looks for its ring: the event has no log yet.
        Emitted::NoLog => return,
    };
    count.fetch_add(1, Ordering::Relaxed);
}

/// Records in a loop on a thread that a signal interrupts, again and again, to record, too.
fn record_among_signals() {
    /// Fewer than a ring holds, so that all can be counted afterwards.
    const AT_A_TIME: u64 = 50_000;
    /// Interruptions that met a record half-way, before the test has seen enough.
    const ENOUGH: u64 = 3;
    /// A bound on the work, should the machine be such that none ever does.
    const ROUNDS: u64 = 400;
    let interval = libc::timeval {
        tv_sec: 0,
        tv_usec: 50,
    };
    let timer = libc::itimerval {
        it_interval: interval,
        it_value: interval,
    };
    // SAFETY: the handler is a function of this program, and does what a handler may do: `emit`
    // touches this thread's memory and atomics.
    let handled =
        unsafe { libc::signal(libc::SIGALRM, on_alarm as *const () as libc::sighandler_t) };
    assert_ne!(handled, libc::SIG_ERR);
    for round in 0..ROUNDS {
        let pal = Pal::memory();
        let ring = pal.lease(RingOwner::Worker(0));
        let installed = ring.install();
        let before = (
            RECORDED.load(Ordering::Relaxed),
            DROPPED.load(Ordering::Relaxed),
        );
        // SAFETY: `timer` is a valid value, and no old one is asked for.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()) };
        let event = |n| TaskEvent::Stalled {
            tid: tid(n),
            worker: 1,
            busy: Duration::from_nanos(n),
            queued: 0,
            others: 1,
        };
        for n in 1..=AT_A_TIME {
            assert!(ring.write(n, 0, &event(n)));
        }
        // SAFETY: a timer of zeros stops.
        let stop: libc::itimerval = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &stop, std::ptr::null_mut()) };
        drop(installed);
        let recorded = RECORDED.load(Ordering::Relaxed) - before.0;
        let dropped = DROPPED.load(Ordering::Relaxed) - before.1;
        let log = pal.log();
        let (own, others): (Vec<_>, Vec<_>) =
            log.records().partition(|entry| entry.event.tid().is_some());
        assert_eq!(others.len() as u64, recorded);
        let own: Vec<_> = own.into_iter().map(|entry| entry.event).collect();
        let expected: Vec<_> = (1..=AT_A_TIME).map(|n| Event::Task(event(n))).collect();
        assert!(own == expected, "a record was spoilt");
        assert_eq!(log.loss().unreadable, 0);
        assert_eq!(log.loss().unwritten(LossCause::Reentrant), dropped);
        if DROPPED.load(Ordering::Relaxed) >= ENOUGH && round > 2 {
            break;
        }
    }
    assert!(RECORDED.load(Ordering::Relaxed) > 0, "no signal came");
}

fn signals() {
    let (_place, _path, status) = run("signals", |_| {});
    assert!(status.success(), "{status}");
}

/// Runs a role with its log in a directory of its own; returns the log's path, too.
fn run(role: &str, prepare: impl FnOnce(&mut Command)) -> (tempfile::TempDir, PathBuf, ExitStatus) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("role.pal");
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .env("ROLE", role)
        .env(PAL_VARIABLE, &path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    prepare(&mut command);
    let status = command.status().expect("started");
    (place, path, status)
}

fn open(path: &Path) -> Log {
    let log = Log::open(path).expect("a log");
    assert!(!log.is_alive());
    log
}

fn killed() {
    let (_place, path, status) = run("killed", |_| {});
    assert_eq!(status.signal(), Some(libc::SIGKILL));
    let log = open(&path);
    assert_eq!(log.lifecycle(), Lifecycle::Running);
    assert!(log.is_crash_safe());
    let found: Vec<u64> = log
        .records()
        .filter_map(|entry| Some(entry.event.tid()?.number()))
        .collect();
    assert_eq!(found, (1..=1_000).collect::<Vec<u64>>());
    assert_eq!(log.tasks().map(|row| row.id).collect::<Vec<_>>(), [tid(1)]);
    assert!(log.loss().is_none());
    // A second process takes the place of the dead one.
    let again = Pal::create(&path, 1).expect("replaced");
    assert_eq!(again.events(), []);
}

fn exits() {
    let (_place, path, status) = run("exits", |_| {});
    assert!(status.success());
    let log = open(&path);
    assert_eq!(log.lifecycle(), Lifecycle::CleanExit);
    assert_eq!(log.records().count(), 3);
    assert!(
        log.clock_pairs().len() >= 2,
        "one at the start, one at the end"
    );
}

fn panics() {
    let (_place, path, status) = run("panics", |_| {});
    assert_eq!(status.code(), Some(101));
    assert_eq!(open(&path).lifecycle(), Lifecycle::Panicking);
}

fn forks() {
    let (_place, path, status) = run("forks", |_| {});
    assert!(status.success(), "{status}");
    assert_eq!(open(&path).records().count(), 2);
}

fn limit(command: &mut Command, resource: libc::__rlimit_resource_t, bytes: u64) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: bytes,
    };
    let set = move || {
        // SAFETY: `limit` is a valid value for the call, which is safe in a child before exec.
        match unsafe { libc::setrlimit(resource, &limit) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: the closure makes one system call and takes no lock and no memory.
    unsafe { command.pre_exec(set) };
}

/// What a role ends with when it found no room.
const NO_ROOM: i32 = 3;

fn file_size_limited() {
    // Room for the rings and some of the task table.
    let (_place, path, status) = run("limited file", |command| {
        limit(command, libc::RLIMIT_FSIZE, 64 << 20);
    });
    assert!(status.success(), "{status}");
    assert_eq!(open(&path).records().count(), 100);
    let length = std::fs::metadata(&path).expect("there").len();
    assert!(length <= 64 << 20, "{length}");
    // Room for nothing: an error, and not the signal that kills.
    let (_place, path, status) = run("limited file", |command| {
        limit(command, libc::RLIMIT_FSIZE, 100_000);
    });
    assert_eq!(status.code(), Some(NO_ROOM), "{status}");
    assert!(!path.exists(), "half a log is no help");
}

fn address_space_limited() {
    let (_place, _path, status) = run("limited memory", |command| {
        limit(command, libc::RLIMIT_AS, 300 << 20);
    });
    assert!(status.success(), "{status}");
}

fn off() {
    let (_place, _path, status) = run("off", |command| {
        command.env(PAL_VARIABLE, "off");
    });
    assert!(status.success(), "{status}");
}
