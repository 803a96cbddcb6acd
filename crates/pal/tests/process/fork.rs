//! Owns the proof that a child does not write into its parent's log, nor into its segments, and keeps neither in use.

use crate::child::{LEFT, SEGMENTS, close, exit_code, fork, leave};
use crate::{open, role, run, tid};
use glasshouse_pal::reader::Log;
use glasshouse_pal::spill::{Settings, Spiller};
use glasshouse_pal::{Lifecycle, PAL_VARIABLE, Pal, RingOwner, SiteId, TaskEvent, TaskState, emit};
use rustix::fs::{FlockOperation, flock};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Stdio};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

/// What this program does in a role; `false` for one that is not of this file.
pub fn play(role: &str) -> bool {
    match role {
        "forks" => fork_and_record(),
        "forks twice" => fork_twice(),
        "is outlived" => fork_and_end(),
        _ => return false,
    }
    true
}

pub fn forks() {
    let (_place, path, status) = run("forks", |_| {});
    assert!(status.success(), "{status}");
    assert_eq!(open(&path).records().count(), 3);
}

pub fn outlived() {
    let (_place, path, _stdin) = left_behind();
    until_free(&File::open(&path).expect("a log"));
}

pub fn outlived_by_its_segments() {
    let (place, _path, _stdin) = left_behind();
    let segments = std::fs::read_dir(place.path().join(SEGMENTS)).expect("there");
    let dirs: Vec<_> = segments.map(|dir| dir.expect("read").path()).collect();
    let [dir] = &dirs[..] else {
        panic!("one process has spilled: {dirs:?}");
    };
    until_free(&File::open(dir).expect("a directory"));
}

/// A process that has ended and left a child behind, which lives as long as its standard input is kept.
fn left_behind() -> (tempfile::TempDir, PathBuf, Option<ChildStdin>) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("role.pal");
    let mut parent = role("is outlived", &path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("started");
    let stdin = parent.stdin.take();
    assert!(parent.wait().expect("it ends").success());
    (place, path, stdin)
}

/// Waits until nobody holds a lock: a child lets go as it begins, which may be after its parent has ended.
fn until_free(file: &File) {
    let begun = Instant::now();
    while let Err(held) = flock(file, FlockOperation::NonBlockingLockExclusive) {
        assert!(begun.elapsed() < PATIENCE, "the child holds it: {held}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub fn forks_twice() {
    let (_place, _path, status) = run("forks twice", |_| {});
    assert!(status.success(), "{status}");
}

/// Forks a child that closes what its parent had open, as daemons do, and opens files of its own; they are its child's
/// as well.
fn fork_twice() {
    let path = std::env::var_os(PAL_VARIABLE).expect("a path");
    let place = Path::new(&path).parent().expect("a directory");
    let pal = Pal::process(1);
    let _spiller = Spiller::new(&pal, Settings::new(place.join(SEGMENTS))).expect("made");
    let opened = descriptors_below(place);
    assert_eq!(opened.len(), 2, "the log and the segments: {opened:?}");
    let child = fork();
    if child != 0 {
        assert_eq!(exit_code(child), Some(LEFT));
        return;
    }
    for descriptor in opened.keys() {
        close(*descriptor);
    }
    // The lowest numbers that are free are given first.
    let mut files = Vec::new();
    for number in 0..32 {
        let own = place.join(format!("own-{number}"));
        files.push(File::create(own).expect("made"));
    }
    let own = descriptors_below(place);
    assert!(opened.keys().all(|descriptor| own.contains_key(descriptor)));
    let grandchild = fork();
    if grandchild == 0 {
        assert_eq!(descriptors_below(place), own);
    } else {
        assert_eq!(exit_code(grandchild), Some(LEFT));
    }
    leave()
}

/// Leaves a child behind, which lives until nobody holds the other end of its standard input.
fn fork_and_end() {
    let pal = Pal::process(1);
    let path = std::env::var_os(PAL_VARIABLE).expect("a path");
    let segments = Path::new(&path).with_file_name(SEGMENTS);
    let _spiller = Spiller::new(&pal, Settings::new(segments)).expect("made");
    let child = fork();
    if child == 0 {
        let _ = std::io::stdin().read(&mut [0]);
    }
}

/// What this process has open below a directory.
fn descriptors_below(dir: &Path) -> BTreeMap<RawFd, PathBuf> {
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("there");
    let open = descriptors.filter_map(|entry| {
        let entry = entry.ok()?;
        let number = entry.file_name().to_str()?.parse().ok()?;
        Some((number, std::fs::read_link(entry.path()).ok()?))
    });
    open.filter(|(_, path)| path.starts_with(dir)).collect()
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
    let place = tempfile::tempdir().expect("a temporary directory");
    let segments = place.path().join("spill");
    let mut spiller = Spiller::new(
        &pal,
        Settings {
            flush: Duration::from_nanos(1),
            ..Settings::new(&segments)
        },
    )
    .expect("made");
    // The second writes what was recorded before the first: a segment is open.
    let kept = [spiller.step().kept, spiller.step().kept];
    assert_eq!(kept, [0, 1]);
    assert!(write(2));
    // The record is in the spiller's memory now, and so in the child's.
    let _ = spiller.step();
    let opened: Vec<_> = descriptors_below(place.path()).into_values().collect();
    assert!(opened.iter().any(|file| file == spiller.path()));
    assert!(
        opened
            .iter()
            .any(|file| file.extension() == Some("seg".as_ref()))
    );
    let child = fork();
    if child == 0 {
        assert_eq!(descriptors_below(place.path()), BTreeMap::new());
        for n in 3..500 {
            write(n);
            emit(TaskEvent::Running { tid: tid(n) });
            pal.text("a child's text");
        }
        slot.clear();
        let _ = spiller.step();
        let _ = spiller.finish();
        pal.close();
        leave()
    }
    assert_eq!(exit_code(child), Some(LEFT));
    let log = pal.log();
    assert_eq!(log.records().count(), 2);
    assert_eq!(log.tasks().count(), 1);
    assert_eq!(log.lifecycle(), Lifecycle::Running);
    let dir = File::open(spiller.path()).expect("there");
    let taken = flock(&dir, FlockOperation::NonBlockingLockExclusive);
    taken.expect_err("its spiller lives");
    assert!(write(3));
    assert_eq!(spiller.finish().kept, 2);
    let kept = Log::open(&segments).expect("segments");
    assert_eq!(kept.records().count(), 3);
    assert!(kept.loss().is_none());
}
