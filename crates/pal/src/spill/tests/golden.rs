//! The segments that are kept for each version of their format, in `tests/golden` of the repository: this release
//! reads them, and its own say the same. Their bytes may differ where the compressor does better.

use super::program::Program;
use super::{place, segments};
use crate::clock::Clock;
use crate::reader::tests::golden::{BLESS, SHAPE, story};
use crate::reader::{Entry, GapCause, Log};
use crate::spill::{Settings, Spiller};
use crate::verify::verify;
use crate::{Pal, TaskId};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A segment is closed when a step comes after this time.
const AGE: Duration = Duration::from_secs(600);

/// Segments in virtual time, in which nothing depends on the process: everything that a log can hold, a segment of a busy
/// program, and one behind a gap.
fn write(dir: &Path) -> Spiller {
    let pal = Pal::memory_shaped(Clock::virtual_time(), SHAPE);
    let settings = Settings {
        segment_age: AGE,
        flush: Duration::from_nanos(1),
        ..Settings::new(dir)
    };
    let mut spiller = Spiller::over(&pal, settings).expect("made");
    let _ = spiller.step();
    story::ended(&pal);
    pass(&pal, &mut spiller);
    let mut program = Program::new(&pal, 3, 9).above(1 << 41);
    for events in [90, 600] {
        for _ in 0..events / 3 {
            pal.clock().advance_ns(1000);
            program.run(3);
        }
        pass(&pal, &mut spiller);
    }
    let _ = spiller.finish();
    spiller
}

/// So much time passes that all is written, and the segment closed.
fn pass(pal: &Pal, spiller: &mut Spiller) {
    for _ in 0..2 {
        let _ = spiller.step();
        pal.clock().advance_ns(AGE.as_nanos() as u64);
    }
}

fn kept() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/segments-1.0")
}

fn bless(written: &[PathBuf]) {
    if std::env::var_os(BLESS).is_none() {
        return;
    }
    let _ = std::fs::remove_dir_all(kept());
    std::fs::create_dir_all(kept()).expect("made anew");
    for path in written {
        let name = path.file_name().expect("it has one");
        std::fs::copy(path, kept().join(name)).expect("written anew");
    }
}

/// All that segments say beside their records.
fn notes(log: &Log) -> String {
    let mut rows = log.known_tasks();
    rows.sort_by_key(|row| row.id);
    let kinds: Vec<_> = (0..=255).filter_map(|kind| log.schema(kind)).collect();
    let live: Vec<TaskId> = log.tasks().map(|row| row.id).collect();
    let (loss, lifecycle) = (log.loss(), log.lifecycle());
    format!("{rows:?} {kinds:?} {live:?} {loss:?} {lifecycle:?}")
}

#[test]
fn segments_of_this_version_are_read_as_ever_and_this_release_writes_the_same() {
    let (_place, dir) = place();
    let spiller = write(&dir);
    bless(&segments(&spiller));
    let (kept, written) = (Log::open(&kept()), Log::open(&dir));
    let (kept, written) = (kept.expect("readable"), written.expect("readable"));
    let records = |log: &Log| log.records().collect::<Vec<Entry>>();
    assert_eq!(records(&kept), records(&written));
    assert_eq!(notes(&kept), notes(&written));
    assert_eq!(segments(&spiller).len(), 3);
    let loss = kept.loss();
    assert_eq!(loss.gaps.len(), 1, "{:?}", loss.gaps);
    assert_eq!(loss.gaps[0].causes, [GapCause::Overrun]);
    assert_eq!((loss.torn_bytes, loss.damaged_segments), (0, 0));
    let report = verify(&kept);
    assert_eq!(report.records, records(&kept).len() as u64);
}
