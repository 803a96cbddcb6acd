//! Owns the proof of what a forked child begins with: without a log, and without its parent's panics.

use crate::child::{LEFT, SEGMENTS, childs_log, exit_code, fork, install_beside, leave};
use crate::{open, run, tid};
use glasshouse_pal::spill::{Settings, SpillError, Spiller};
use glasshouse_pal::{
    Emitted, Event, Lifecycle, PAL_VARIABLE, Pal, SiteId, TaskEvent, TaskState, catch, emit,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::mpsc::channel;

/// What this program does in a role; `false` for one that is not of this file.
pub fn play(role: &str) -> bool {
    match role {
        "forks on" => fork_and_log(),
        "forks after panics" => fork_after_panics(),
        "forks in a panic" => fork_in_a_panic(),
        "forks from memory" => fork_from_memory(),
        "forks without a log" => fork_without_a_log(),
        _ => return false,
    }
    true
}

pub fn forks_on() {
    let (place, path, status) = run("forks on", |_| {});
    assert!(status.success(), "{status}");
    let parents = open(&path);
    assert_eq!(parents.records().count(), 1);
    let childs = childs_log(&place);
    assert_ne!(childs.process().pid, parents.process().pid);
    let told: Vec<_> = childs.records().map(|entry| entry.event).collect();
    let running = |n| Event::Task(TaskEvent::Running { tid: tid(n) });
    assert_eq!(told, [3, 4].map(running));
    assert_eq!(childs.lifecycle(), Lifecycle::CleanExit);
}

/// Records one event, forks, and has the child make a log of its own.
fn fork_and_log() {
    let path = std::env::var_os(PAL_VARIABLE).expect("a path");
    let segments = Path::new(&path).with_file_name(SEGMENTS);
    let parents = Pal::process(1);
    let event = |n| TaskEvent::Running { tid: tid(n) };
    assert_eq!(emit(event(1)), Emitted::Recorded);
    let child = fork();
    if child != 0 {
        assert_eq!(exit_code(child), Some(0));
        return;
    }
    assert_eq!(emit(event(2)), Emitted::NoLog);
    assert!(Pal::existing().is_none());
    assert_eq!(parents.log().records().count(), 0);
    let refused = Spiller::new(&parents, Settings::new(segments));
    assert!(matches!(refused, Err(SpillError::OfParent)));
    let own = install_beside();
    assert_eq!(emit(event(3)), Emitted::Recorded);
    assert_eq!(own.log().lifecycle(), Lifecycle::Running);
    catch(|| panic!("and got over")).expect_err("a panic");
    assert_eq!(own.log().lifecycle(), Lifecycle::Running);
    assert_eq!(emit(event(4)), Emitted::Recorded);
}

pub fn forks_after_panics() {
    let (place, path, status) = run("forks after panics", |_| {});
    assert!(status.success(), "{status}");
    open(&path);
    assert_eq!(childs_log(&place).lifecycle(), Lifecycle::CleanExit);
}

/// Forks where panics were caught without a word to the log, on this thread and on one that lives.
fn fork_after_panics() {
    let parents = Pal::process(1);
    let panics = || catch_unwind(|| panic!("on purpose")).expect_err("it panics");
    let (say, hears) = channel();
    let (_end, ends) = channel::<()>();
    std::thread::spawn(move || {
        panics();
        say.send(()).expect("it listens");
        let _ = ends.recv();
    });
    hears.recv().expect("it panics");
    panics();
    assert_eq!(parents.log().lifecycle(), Lifecycle::Panicking);
    let child = fork();
    if child != 0 {
        assert_eq!(exit_code(child), Some(0));
        return;
    }
    let own = install_beside();
    let lifecycle = || own.log().lifecycle();
    let mut unwinding = None;
    catch(|| {
        let _looks = OnDrop(|| unwinding = Some(lifecycle()));
        panic!("and got over");
    })
    .expect_err("it panics");
    assert_eq!(unwinding, Some(Lifecycle::Panicking));
    assert_eq!(lifecycle(), Lifecycle::Running);
}

pub fn forks_in_a_panic() {
    let (place, path, status) = run("forks in a panic", |_| {});
    assert_eq!(status.code(), Some(101), "{status}");
    for log in [open(&path), childs_log(&place)] {
        assert_eq!(log.lifecycle(), Lifecycle::Panicking);
    }
}

/// Forks while a panic unwinds, which ends the child, too.
fn fork_in_a_panic() {
    let _parents = Pal::process(1);
    let _forks = OnDrop(|| {
        let child = fork();
        if child == 0 {
            let _own = install_beside();
        } else {
            assert_eq!(exit_code(child), Some(101));
        }
    });
    panic!("on purpose");
}

/// Does something when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

pub fn forks_from_memory() {
    let (_place, path, status) = run("forks from memory", |_| {});
    assert!(status.success(), "{status}");
    let told: Vec<_> = open(&path).records().map(|entry| entry.event).collect();
    assert_eq!(told, [Event::Task(TaskEvent::Running { tid: tid(3) })]);
}

/// Forks where no file can be made, and has the child make its log where one can.
fn fork_from_memory() {
    let limit = getrlimit(Resource::Fsize);
    let current = Some(0);
    setrlimit(Resource::Fsize, Rlimit { current, ..limit }).expect("a lower limit");
    let parents = Pal::process(1);
    assert_eq!(parents.path(), None);
    setrlimit(Resource::Fsize, limit).expect("the limit that was");
    let event = |n| TaskEvent::Running { tid: tid(n) };
    assert_eq!(emit(event(1)), Emitted::Recorded);
    let child = fork();
    if child != 0 {
        assert_eq!(exit_code(child), Some(0));
        assert_eq!(parents.log().records().count(), 1);
        return;
    }
    assert!(Pal::existing().is_none());
    assert_eq!(emit(event(2)), Emitted::NoLog);
    // Private memory is copied.
    assert_eq!(parents.log().records().count(), 1);
    assert!(Pal::process(1).path().is_some());
    assert_eq!(emit(event(3)), Emitted::Recorded);
}

pub fn forks_without_a_log() {
    let (_place, _path, status) = run("forks without a log", |command| {
        command.env_remove(PAL_VARIABLE);
    });
    assert!(status.success(), "{status}");
}

/// Forks where the process is to have no log, and one of its schedulers has.
fn fork_without_a_log() {
    let off = Pal::builder().off().install().expect("none yet");
    let slot = off.table().take_shared().expect("room");
    let slot = off.table().slot(slot);
    slot.publish(tid(1), SiteId::UNKNOWN, None, TaskState::Running, 5);
    let place = tempfile::tempdir().expect("a temporary directory");
    let _other = Pal::create(&place.path().join("other.pal"), 1).expect("made");
    let child = fork();
    if child != 0 {
        assert_eq!(exit_code(child), Some(LEFT));
        return;
    }
    let own = Pal::process(1);
    assert!(own.is_off());
    assert_eq!(own.log().tasks().count(), 0, "it has the parent's tasks");
    leave()
}
