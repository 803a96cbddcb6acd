//! Owns the proof that a child does not write into its parent's log, nor into its segments.

use crate::{open, run, tid};
use glasshouse_pal::reader::Log;
use glasshouse_pal::spill::{Settings, Spiller};
use glasshouse_pal::{Lifecycle, Pal, RingOwner, SiteId, TaskEvent, TaskState, emit};

pub fn forks() {
    let (_place, path, status) = run("forks", |_| {});
    assert!(status.success(), "{status}");
    assert_eq!(open(&path).records().count(), 2);
}

/// Records one event, forks, has the child record many, and ends without a word in the child.
pub fn fork_and_record() {
    let pal = Pal::process(1);
    let ring = pal.lease(RingOwner::Worker(0));
    let _installed = ring.install();
    let write = |n| ring.write(pal.clock().now(), 0, &TaskEvent::Running { tid: tid(n) });
    assert!(write(1));
    let slot = pal.table().take_shared().expect("room");
    let slot = pal.table().slot(slot);
    slot.publish(tid(1), SiteId::UNKNOWN, None, TaskState::Running, 5);
    let place = tempfile::tempdir().expect("a temporary directory");
    let segments = place.path().join("spill");
    let mut spiller = Spiller::new(&pal, Settings::new(&segments)).expect("made");
    // The record is in the spiller's memory now, and so in the child's.
    let _ = spiller.step();
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
        let _ = spiller.step();
        let _ = spiller.finish();
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
    assert_eq!(spiller.finish().kept, 2);
    let kept = Log::open(&segments).expect("segments");
    assert_eq!(kept.records().count(), 2);
    assert!(kept.loss().is_none());
}
