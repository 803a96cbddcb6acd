//! The logs that are kept for each version of the format, in `tests/golden` of the repository: this release
//! writes them byte for byte, and reads them. What they say as `glasshouse log --json` is asserted beside the
//! binary.

pub(crate) mod story;
mod trim;

use crate::clock::Clock;
use crate::format::layout::Shape;
use crate::pal::Pal;
use crate::reader::Log;
use crate::verify::tests::scene::lines;
use crate::verify::{Rest, verify};
use std::path::PathBuf;

/// Set to have the files of this version written anew, which is right as long as no release has written it.
pub(crate) const BLESS: &str = "GLASSHOUSE_BLESS";

/// Rings of 128 records, which are soon overwritten: two of workers, one for other threads.
pub(crate) const SHAPE: Shape = Shape {
    worker_rings: 2,
    worker_ring_bytes: 4096,
    external_rings: 1,
    external_ring_bytes: 4096,
    slots: 16,
};

fn file(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    root.join(format!("format-1.0-{name}.pal"))
}

/// A log in virtual time, in which nothing depends on the process: what it holds after `tell`, and while what
/// `tell` returns is still there.
fn written<T>(tell: impl FnOnce(&Pal) -> T) -> Vec<u8> {
    let pal = Pal::memory_shaped(Clock::virtual_time(), SHAPE);
    let _kept = tell(&pal);
    let words = pal.log().all_words();
    trim::trim(&words)
}

/// Compares the file with what this release writes, and opens it.
fn open(name: &str, written: &[u8]) -> Log {
    let path = file(name);
    if std::env::var_os(BLESS).is_some() {
        std::fs::write(&path, written).expect("written anew");
    }
    let kept = std::fs::read(&path).expect("it is in the repository");
    let differs = kept
        .iter()
        .zip(written)
        .position(|(kept, written)| kept != written);
    assert!(
        kept.len() == written.len() && differs.is_none(),
        "{} is not what this release writes (byte {differs:?}): a change of the format wants a new version, and \
         files of it beside this one",
        path.display()
    );
    Log::open(&path).expect("a log")
}

#[test]
fn the_log_of_a_program_that_ended_is_written_and_read_as_ever() {
    let log = open("ended", &written(story::ended));
    let report = verify(&log);
    assert_eq!(lines(&report), [""; 0]);
    assert_eq!(report.rest, Rest::AtRest);
    assert_eq!(
        (report.records, report.tasks, report.ended, report.rows),
        (54, 8, 7, 1)
    );
    assert_eq!(log.loss().unwritten.len(), 6, "one of each cause");
    assert!(log.loss().overwritten() == 0 && log.horizon().is_none());
}

#[test]
fn the_log_of_a_program_that_was_killed_is_written_and_read_as_ever() {
    let log = open("killed", &written(story::killed));
    let report = verify(&log);
    assert_eq!(lines(&report), [""; 0]);
    assert_eq!((report.rest, report.half_done), (Rest::Stopped, 1));
    assert!(log.horizon().is_some(), "a ring has wrapped");
    assert_eq!(log.loss().overwritten(), 75);
}
