//! Owns the proof of what a forked child begins with: without a log, and without its parent's panics.

use crate::child::{SEGMENTS, childs_log, exit_code, fork, install_beside};
use crate::{open, run, tid};
use glasshouse_pal::spill::{Settings, SpillError, Spiller};
use glasshouse_pal::{Emitted, Event, Lifecycle, PAL_VARIABLE, Pal, TaskEvent, catch, emit};
use std::panic::catch_unwind;
use std::path::Path;
use std::sync::mpsc::channel;

/// What this program does in a role; `false` for one that is not of this file.
pub fn play(role: &str) -> bool {
    match role {
        "forks on" => fork_and_log(),
        "forks after panics" => fork_after_panics(),
        "forks in a panic" => fork_in_a_panic(),
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
