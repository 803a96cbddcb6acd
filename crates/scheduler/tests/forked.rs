//! A scheduler that a forked child makes: it runs, notices stalls, is looked at and spilled as any other, and none of
//! it is in the parent's log.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

use glasshouse_pal::reader::Log;
use glasshouse_pal::spill::Settings;
use glasshouse_pal::verify::verify;
use glasshouse_pal::{Event, Pal, TaskEvent};
use glasshouse_scheduler::{Builder, Handle, Shutdown, spawn, time};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A task's tick is held until the stall was told of.
fn stall(builder: Builder) {
    let (tell, told) = mpsc::channel();
    let builder = builder.stall_threshold(Duration::from_millis(5));
    let scheduler = builder
        .on_stall(move |_| tell.send(()).unwrap())
        .build()
        .unwrap();
    scheduler.block_on(async {
        let sleeper = spawn(time::sleep(PATIENCE));
        let held = spawn(async move { told.recv_timeout(PATIENCE).is_ok() });
        assert!(held.await.unwrap(), "nobody told of the stall");
        let dump = Handle::current().dump();
        assert!(dump.tasks().iter().any(|task| task.id == sleeper.id()));
        sleeper.abort();
        assert!(sleeper.await.unwrap_err().is_cancelled());
    });
    assert_eq!(scheduler.shutdown(PATIENCE), Shutdown::Clean);
}

fn stalls_in(log: &Log) -> usize {
    let is_stall = |event| matches!(event, Event::Task(TaskEvent::Stalled { .. }));
    log.records().filter(|entry| is_stall(entry.event)).count()
}

/// What the child does. It finds no log, and makes one.
fn live(place: &Path) {
    let log = Pal::builder().directory(place.join("child"));
    let log = log.install().unwrap();
    let segments = place.join("segments");
    stall(Builder::new().workers(2).spill(Settings::new(&segments)));
    assert_eq!(stalls_in(&log.log()), 1);
    let kept = Log::open(&segments).unwrap();
    assert_eq!(stalls_in(&kept), 1);
    assert!(verify(&kept).holds());
}

#[test]
fn a_scheduler_that_a_forked_child_makes_is_whole_and_its_log_the_child_s() {
    let place = tempfile::tempdir().unwrap();
    let log = Pal::builder().directory(place.path().join("parent"));
    let log = log.install().unwrap();
    stall(Builder::new().workers(2));
    let before = log.log().records().count();
    // SAFETY: the one other thread of this process, the test harness's, waits for this one and holds no lock.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "fork");
    if child == 0 {
        let lived = catch_unwind(AssertUnwindSafe(|| live(place.path())));
        // SAFETY: ends the process at once, as the harness's own end would go wrong without its thread.
        unsafe { libc::_exit(if lived.is_ok() { 7 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: `status` is a valid place for the status.
    let waited = unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(waited, child);
    assert!(
        libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 7,
        "{status}"
    );
    assert_eq!(log.log().records().count(), before);
}
