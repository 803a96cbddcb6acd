//! Owns the proof that a log says how its process ended.

use crate::{open, record, role, run, tid};
use glasshouse_pal::reader::Log;
use glasshouse_pal::{Lifecycle, Pal, SiteId, TaskState, catch};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

/// What this program does in a role; `false` for one that is not of this file.
pub fn play(role: &str) -> bool {
    match role {
        "killed" => {
            let pal = Pal::process(2);
            record(&pal, 1_000);
            let slot = pal.table().take_shared().expect("room");
            let slot = pal.table().slot(slot);
            slot.publish(tid(1), SiteId::UNKNOWN, None, TaskState::Running, 5);
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                .expect("one's own process");
            unreachable!("SIGKILL cannot be held off");
        }
        "exits" => record(&Pal::process(1), 3),
        "panics" => {
            record(&Pal::process(1), 3);
            panic!("on purpose");
        }
        "got over" => {
            let pal = Pal::process(1);
            catch(|| {
                let inner = catch(|| panic!("on purpose"));
                assert!(inner.is_err());
                assert_eq!(pal.log().lifecycle(), Lifecycle::Running);
                panic!("again");
            })
            .expect_err("it panics");
            assert_eq!(pal.log().lifecycle(), Lifecycle::Running);
        }
        "thread panics" => {
            let pal = Pal::process(1);
            let thread = std::thread::spawn(|| panic!("on purpose"));
            assert!(thread.join().is_err());
            assert_eq!(pal.log().lifecycle(), Lifecycle::Running);
        }
        "panic aborts" => {
            std::panic::set_hook(Box::new(|_| std::process::abort()));
            record(&Pal::process(1), 3);
            let _ = std::thread::spawn(|| panic!("on purpose")).join();
        }
        "panic shows" => {
            let _pal = Pal::process(1);
            // While it unwinds: the test looks, then says that it has.
            let _waits = Waits;
            panic!("on purpose");
        }
        "hook stays" => {
            std::panic::set_hook(Box::new(|_| std::process::exit(HOOK_WAS_CALLED)));
            record(&Pal::process(1), 3);
            panic!("on purpose");
        }
        _ => return false,
    }
    true
}

/// What a role ends with from its own panic hook.
const HOOK_WAS_CALLED: i32 = 5;

/// Says when it is dropped, and waits for an answer.
struct Waits;

impl Drop for Waits {
    fn drop(&mut self) {
        std::io::stdout()
            .write_all(b"now\n")
            .expect("somebody listens");
        let mut answer = [0];
        std::io::stdin().read_exact(&mut answer).expect("an answer");
    }
}

pub fn killed() {
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

pub fn exits() {
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

pub fn panics() {
    let (_place, path, status) = run("panics", |_| {});
    assert_eq!(status.code(), Some(101));
    let log = open(&path);
    assert_eq!(log.lifecycle(), Lifecycle::Panicking);
    assert_eq!(log.records().count(), 3);
}

pub fn got_over() {
    let (_place, path, status) = run("got over", |_| {});
    assert!(status.success(), "{status}");
    assert_eq!(open(&path).lifecycle(), Lifecycle::CleanExit);
}

pub fn thread_panics() {
    let (_place, path, status) = run("thread panics", |_| {});
    assert!(status.success(), "{status}");
    assert_eq!(open(&path).lifecycle(), Lifecycle::CleanExit);
}

pub fn panic_aborts() {
    let (_place, path, status) = run("panic aborts", |_| {});
    assert_eq!(status.signal(), Some(libc::SIGABRT));
    assert_eq!(open(&path).lifecycle(), Lifecycle::Panicking);
}

pub fn panic_shows() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("role.pal");
    let mut child = role("panic shows", &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let mut word = [0; 4];
    let out = child.stdout.as_mut().expect("piped");
    out.read_exact(&mut word).expect("it says so");
    let log = Log::open(&path).expect("a log");
    assert!(log.is_alive());
    assert_eq!(log.lifecycle(), Lifecycle::Panicking);
    let answer = child.stdin.as_mut().expect("piped");
    answer.write_all(b".").expect("it listens");
    assert_eq!(child.wait().expect("a child").code(), Some(101));
    assert_eq!(open(&path).lifecycle(), Lifecycle::Panicking);
}

pub fn hook_stays() {
    let (_place, path, status) = run("hook stays", |_| {});
    assert_eq!(status.code(), Some(HOOK_WAS_CALLED));
    assert_eq!(open(&path).lifecycle(), Lifecycle::Panicking);
}
