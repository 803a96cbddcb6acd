//! Owns the proof that behind a gap in segments only what may still be so is told.

use super::super::*;
use glasshouse_pal::reader::Log;
use glasshouse_pal::spill::{Settings, Spiller};
use glasshouse_pal::{
    DomainEvent, Pal, RingOwner, SiteId, TaskEvent, TaskId, TaskState, Value, WakeSource,
};
use glasshouse_pty::PTY_SPAWNED;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The first task waits for good, the second ends in the gap, the third runs on and on, and waits behind it.
const TASKS: [u64; 3] = [1, 2, 3];

fn tasks() -> [TaskId; 3] {
    TASKS.map(|number| TaskId::new(number).expect("in range"))
}

/// What there is at one step is written by the next, whose segment is closed by the one after.
fn spill(spiller: &mut Spiller) {
    let _ = (spiller.step(), spiller.step(), spiller.step());
}

fn segments(spiller: &Spiller) -> HashSet<PathBuf> {
    let entries = std::fs::read_dir(spiller.path()).expect("there");
    let paths = entries.map(|entry| entry.expect("listed").path());
    paths.collect()
}

/// Segments of which those in the midst were removed. A program in a pseudo-terminal was spawned before.
pub fn write(dir: &Path) {
    let nano = Duration::from_nanos(1);
    let settings = Settings {
        segment_age: nano,
        flush: nano,
        ..Settings::new(dir)
    };
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, settings).expect("made");
    let ring = pal.lease(RingOwner::Worker(0));
    let write = |aux: u8, event: TaskEvent| {
        assert!(ring.write(pal.clock().now(), aux, &event));
    };
    let [quiet, gone, busy] = tasks();
    let (site, parent, by) = (SiteId::UNKNOWN, None, WakeSource::External);
    let slot = pal.table().take_shared().expect("room");
    let since = pal.clock().now();
    let row = pal.table().slot(slot);
    row.publish(quiet, site, parent, TaskState::Waiting, since);
    for tid in [quiet, gone, busy] {
        write(0, TaskEvent::Spawned { tid, parent, site });
        write(1, TaskEvent::Running { tid });
        if tid != busy {
            write(2, TaskEvent::Wait { tid });
        }
    }
    let name = Value::Text(pal.text("make"));
    let program = DomainEvent::new(&PTY_SPAWNED, &[Value::U64(70), name]);
    assert!(ring.write_domain(pal.clock().now(), &program.about(quiet)));
    spill(&mut spiller);
    let kept = segments(&spiller);
    let tid = gone;
    write(3, TaskEvent::Wake { tid, by });
    write(4, TaskEvent::Running { tid });
    write(5, TaskEvent::Done { tid });
    // So many that the number of the next one looks like that of one in the past.
    let tid = busy;
    for tick in 1..=92 {
        write(2 * tick, TaskEvent::Yield { tid, by });
        write(2 * tick + 1, TaskEvent::Running { tid });
    }
    spill(&mut spiller);
    for lost in segments(&spiller).difference(&kept) {
        std::fs::remove_file(lost).expect("removed");
    }
    write(186, TaskEvent::Wait { tid });
    let _ = spiller.finish();
}

#[test]
fn behind_a_gap_is_told_what_may_still_be_so() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let dir = place.path().join("spill");
    write(&dir);
    let log = Log::open(&dir).expect("readable");
    assert_eq!(log.loss().gaps.len(), 1, "{:?}", log.loss());
    let mut replay = Replay::new(log, |_, newest| newest);
    let told = |replay: &Replay| {
        let moment = replay.moment();
        let tasks = moment.tasks.iter().map(|task| (task.id, task.state));
        let mut tasks: Vec<_> = tasks.collect();
        tasks.sort_by_key(|(id, _)| *id);
        (tasks, moment.workers[0].task.map(|(id, _)| id))
    };
    let [waiting, running] = [TaskState::Waiting, TaskState::Running].map(Some);
    let [quiet, gone, busy] = tasks();
    assert_eq!(
        told(&replay),
        (vec![(quiet, waiting), (busy, waiting)], None)
    );
    let history = replay.history(busy);
    let stays = history.stays().iter();
    let stays: Vec<_> = stays.map(|stay| (stay.event, stay.lasted)).collect();
    let tid = busy;
    assert_eq!(
        stays[1..],
        [
            (TaskEvent::Running { tid }, None),
            (TaskEvent::Wait { tid }, None),
        ],
        "how long it ran is in the gap"
    );
    replay.step_back();
    let before = vec![(quiet, waiting), (gone, waiting), (busy, running)];
    assert_eq!(told(&replay), (before, Some(busy)));
}

#[test]
fn who_lived_by_rows_that_were_noted_before_a_gap_is_not_told_behind_it() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let log = Pal::builder().file(place.path().join("run.pal"));
    // The smallest rings there are: they hold 2048 records.
    let pal = log.ring_bytes(64 << 10).workers(1).build().expect("room");
    let dir = place.path().join("spill");
    let settings = Settings {
        flush: Duration::from_nanos(1),
        ..Settings::new(&dir)
    };
    let mut spiller = Spiller::new(&pal, settings).expect("made");
    let ring = pal.lease(RingOwner::Worker(0));
    let write = |aux: u8, event: TaskEvent| {
        let now = pal.clock().now();
        assert!(ring.write(now, aux, &event));
        now
    };
    let [heard, unheard, busy] = tasks();
    let (site, parent) = (SiteId::UNKNOWN, None);
    let tid = heard;
    write(0, TaskEvent::Spawned { tid, parent, site });
    write(1, TaskEvent::Running { tid });
    let since = write(2, TaskEvent::Wait { tid });
    for tid in [heard, unheard] {
        let slot = pal.table().take_shared().expect("room");
        let row = pal.table().slot(slot);
        row.publish(tid, site, parent, TaskState::Waiting, since);
    }
    let _ = (spiller.step(), spiller.step());
    let tid = busy;
    for aux in 0..4096 {
        write(aux as u8, TaskEvent::Running { tid });
    }
    let _ = (spiller.step(), spiller.step());
    // It is killed, and so has noted no rows since.
    drop(spiller);
    let log = Log::open(&dir).expect("readable");
    let gap = match &log.loss().gaps[..] {
        [gap] => gap.clone(),
        gaps => panic!("one gap: {gaps:?}"),
    };
    let mut replay = Replay::new(log, |_, newest| newest);
    let told = |replay: &Replay| {
        let tasks = replay.moment().tasks.iter();
        let mut tasks: Vec<TaskId> = tasks.map(|task| task.id).collect();
        tasks.sort();
        tasks
    };
    assert_eq!(told(&replay), [busy]);
    replay.seek(gap.from);
    assert_eq!(told(&replay), [heard, unheard]);
}
