//! Owns the proof that the process's log goes where its settings, and those from outside, say.

use crate::{open, run, tid};
use glasshouse_pal::{Emitted, InstallError, PAL_VARIABLE, Pal, RingOwner, TaskEvent, emit};
use std::path::Path;

/// The variable by which a role is told where its settings put the log.
const SETTING: &str = "SETTING";

/// What this program does in a role; `false` for one that is not of this file.
pub fn play(role: &str) -> bool {
    let done = TaskEvent::ShutdownComplete { clean: true };
    match role {
        "off" => {
            let pal = Pal::process(1);
            assert!(pal.is_off());
            assert_eq!(emit(done), Emitted::Dropped);
        }
        "installed" => {
            let setting = std::env::var_os(SETTING).expect("the test sets it");
            let settings = Pal::builder().file(setting).workers(1).ring_bytes(64 << 10);
            let pal = settings.install().expect("the first");
            let expected = match pal.is_off() {
                true => Emitted::Dropped,
                false => Emitted::Recorded,
            };
            let emitted = std::thread::spawn(move || emit(done)).join();
            assert_eq!(emitted.expect("it ends"), expected);
            // A scheduler asks for the process's log so.
            let same = Pal::process(4);
            assert_eq!((same.path(), same.is_off()), (pal.path(), pal.is_off()));
            same.lease(RingOwner::Worker(0))
                .write(1, 0, &TaskEvent::Running { tid: tid(1) });
        }
        "second" => {
            let first = Pal::process(1);
            let refused = Pal::builder().off().install();
            let Err(refused @ InstallError::Exists) = refused else {
                panic!("there is one");
            };
            assert_eq!(
                refused.to_string(),
                "the process has its log already; install its settings before the first scheduler is built"
            );
            assert!(!first.is_off());
        }
        _ => return false,
    }
    true
}

pub fn off() {
    let (_place, _path, status) = run("off", |command| {
        command.env(PAL_VARIABLE, "off");
    });
    assert!(status.success(), "{status}");
}

/// The ring's records and sizes, as the role installed them.
fn assert_installed(path: &Path) {
    let log = open(path);
    assert_eq!(log.records().count(), 2);
    assert!(
        log.rings()
            .iter()
            .all(|ring| ring.capacity == (64 << 10) / 32)
    );
}

pub fn installed() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let own = place.path().join("own.pal");
    let (_place, _path, status) = run("installed", |command| {
        command.env_remove(PAL_VARIABLE).env(SETTING, &own);
    });
    assert!(status.success(), "{status}");
    assert_installed(&own);
}

pub fn file_from_outside() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let own = place.path().join("own.pal");
    let (_place, path, status) = run("installed", |command| {
        command.env(SETTING, &own);
    });
    assert!(status.success(), "{status}");
    assert_installed(&path);
    assert!(!own.exists());
}

pub fn off_from_outside() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let own = place.path().join("own.pal");
    let (_place, _path, status) = run("installed", |command| {
        command.env(PAL_VARIABLE, "off").env(SETTING, &own);
    });
    assert!(status.success(), "{status}");
    assert!(!own.exists());
}

pub fn second_refused() {
    let (_place, _path, status) = run("second", |_| {});
    assert!(status.success(), "{status}");
}
