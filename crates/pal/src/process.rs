//! Owns the process's one log: where it goes, and what happens when it cannot go there.
//!
//! ```text
//! $GLASSHOUSE_PAL = off ─────────────────────────────────► no log
//! $GLASSHOUSE_PAL = FILE ──► that file ──┐ cannot be made
//! not set ───────────────────────────────┴► /dev/shm/glasshouse-<uid>/… ──┐ cannot be made
//!                                            memory file, readable while ◄┘
//!                                            the process lives ──► private memory
//! ```
//!
//! A child that is forked has none until it makes its own, wherever its parent's was. Where that was off, it is off in the
//! child.

use crate::contain::{Foreign, contain};
use crate::create::{CreateError, create_anonymous};
use crate::dir::LogDir;
use crate::fork::{close_at_exit, count_forks, generation};
use crate::format::layout::Shape;
use crate::pal::Pal;
use crate::pal_builder::InstallError;
use crate::panics::install_hook;
use once_cell::sync::OnceCell;
use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The variable that names the file of the process's log, or says `off`.
pub const PAL_VARIABLE: &str = "GLASSHOUSE_PAL";

/// The log of one process, and what its children, which begin with a copy of it, have after it.
struct Line {
    own: OnceCell<Pal>,
    of_child: OnceCell<Box<Line>>,
}

impl Line {
    const fn new() -> Line {
        Line {
            own: OnceCell::new(),
            of_child: OnceCell::new(),
        }
    }

    /// What a child begins with: no log yet, or the same wish to have none.
    fn of_child(&self) -> &Line {
        self.of_child.get_or_init(|| {
            let line = Line::new();
            if self.own.get().is_some_and(Pal::is_off) {
                // Not the parent's: that has a task table. Nobody else has this one yet.
                let _ = line.own.set(Pal::off());
            }
            Box::new(line)
        })
    }
}

static FIRST: Line = Line::new();

/// This process's place for its log.
fn place() -> &'static OnceCell<Pal> {
    let mut line = &FIRST;
    for _ in 0..generation() {
        line = line.of_child();
    }
    &line.own
}

impl Pal {
    /// The process's log. The first call makes it, with a ring for each of `workers`; later calls
    /// return the same one. See [`PAL_VARIABLE`] for where it goes. In a child that the process
    /// forked, the first call there makes the child's, wherever the process's is; where that is off,
    /// so is the child's.
    ///
    /// Never fails: where a log cannot be made, the next best one is, with one `tracing` warning.
    /// The log says that the process ended in an orderly way when it calls `exit` or returns from
    /// `main`, and, by a panic hook that goes before the one that is there, that a panic ended it.
    pub fn process(workers: usize) -> Pal {
        let mut reasons = Vec::new();
        let pal = place().get_or_init(|| {
            let setting = std::env::var_os(PAL_VARIABLE);
            let made = make(setting, &LogDir::default_place(), Shape::process(workers));
            watch(&made.pal);
            reasons = made.reasons;
            made.pal
        });
        told(pal, &reasons)
    }

    /// The process's log, if there is one already.
    pub fn existing() -> Option<Pal> {
        existing().cloned()
    }
}

/// Makes the process's log where the environment says, else as `make_own` does.
pub(crate) fn install(
    shape: Shape,
    make_own: impl Fn() -> Result<Pal, CreateError>,
) -> Result<Pal, InstallError> {
    let mut made = None;
    let pal = place().get_or_try_init(|| {
        let setting = std::env::var_os(PAL_VARIABLE);
        let mut reasons = Vec::new();
        let pal = as_set(setting, shape, &mut reasons).map_or_else(&make_own, Ok)?;
        watch(&pal);
        made = Some(reasons);
        Ok::<_, CreateError>(pal)
    })?;
    match made {
        Some(reasons) => Ok(told(pal, &reasons)),
        None => Err(InstallError::Exists),
    }
}

/// Has the process's log tell how the process ends, and a forked child know that it is not its own.
fn watch(pal: &Pal) {
    count_forks();
    // What has been installed a forked child has too.
    static IS_WATCHED: AtomicBool = AtomicBool::new(false);
    if !pal.is_off() && !IS_WATCHED.swap(true, Ordering::Relaxed) {
        close_at_exit();
        install_hook();
    }
}

/// The log as it is handed out by who has just made it. After that is done, since a subscriber may ask for
/// the process's log.
fn told(pal: &Pal, reasons: &[String]) -> Pal {
    if !reasons.is_empty() {
        contain(Foreign::Subscriber, || warn(pal, &reasons.join("; ")));
    }
    pal.clone()
}

pub(crate) fn existing() -> Option<&'static Pal> {
    place().get()
}

/// A log, and why it is not where it should be.
struct Made {
    pal: Pal,
    reasons: Vec<String>,
}

/// What the environment asks for; `None` where it asks for nothing, or for a file that cannot be made.
fn as_set(setting: Option<OsString>, shape: Shape, reasons: &mut Vec<String>) -> Option<Pal> {
    let setting = setting.filter(|setting| !setting.is_empty())?;
    if setting == "off" {
        return Some(Pal::off());
    }
    let made = Pal::create_shaped(Path::new(&setting), shape);
    made.map_err(|error| reasons.push(error.to_string())).ok()
}

fn make(setting: Option<OsString>, dir: &LogDir, shape: Shape) -> Made {
    let mut reasons: Vec<String> = Vec::new();
    let in_dir = || {
        dir.prune();
        dir.create_shaped(shape)
    };
    let made = as_set(setting, shape, &mut reasons).map_or_else(in_dir, Ok);
    let pal = made
        .or_else(|error| {
            reasons.push(error.to_string());
            create_anonymous(shape)
        })
        .unwrap_or_else(|error| {
            reasons.push(error.to_string());
            Pal::fallback(shape)
        });
    Made { pal, reasons }
}

fn warn(pal: &Pal, reasons: &str) {
    match pal.path() {
        Some(path) => tracing::warn!(
            log = %path.display(),
            crash_safe = pal.is_crash_safe(),
            "the log is not where it should be: {reasons}"
        ),
        None => tracing::warn!(
            crash_safe = false,
            "the log is in private memory, where no other process can read it: {reasons}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::RingOwner;
    use crate::reader::Log;
    use crate::{TaskEvent, TaskId};

    fn place() -> (tempfile::TempDir, LogDir) {
        let place = tempfile::tempdir().expect("a temporary directory");
        let dir = LogDir::at(place.path().join("logs"));
        (place, dir)
    }

    fn readable(pal: &Pal) -> Log {
        let event = TaskEvent::Running {
            tid: TaskId::new(1).expect("in range"),
        };
        pal.lease(RingOwner::Worker(0)).write(1, 0, &event);
        let log = Log::open(pal.path().expect("a path")).expect("readable");
        assert_eq!(log.records().count(), 1);
        log
    }

    #[test]
    fn a_log_goes_into_the_directory_when_nothing_else_is_said() {
        let (_place, dir) = place();
        for setting in [None, Some("".into())] {
            let Made { pal, reasons } = make(setting, &dir, Shape::process(1));
            assert!(pal.path().expect("a file").starts_with(dir.path()));
            assert!(readable(&pal).is_crash_safe());
            assert_eq!(reasons, [""; 0]);
        }
    }

    #[test]
    fn a_log_goes_into_the_file_that_is_named_and_the_directory_is_left_alone() {
        let (place, dir) = place();
        let path = place.path().join("mine.pal");
        let Made { pal, reasons } = make(Some(path.clone().into()), &dir, Shape::process(1));
        assert_eq!(pal.path(), Some(path.as_path()));
        assert_eq!(reasons, [""; 0]);
        assert!(!dir.path().exists());
    }

    #[test]
    fn off_makes_no_log() {
        let (_place, dir) = place();
        let Made { pal, reasons } = make(Some("off".into()), &dir, Shape::process(1));
        assert!(pal.is_off());
        assert_eq!(reasons, [""; 0]);
        assert!(!dir.path().exists());
    }

    #[test]
    fn a_file_that_cannot_be_made_sends_the_log_into_the_directory() {
        let (place, dir) = place();
        let notes = place.path().join("notes.txt");
        std::fs::write(&notes, "mine").expect("written");
        let Made { pal, reasons } = make(Some(notes.clone().into()), &dir, Shape::process(1));
        assert!(pal.path().expect("a file").starts_with(dir.path()));
        assert_eq!(reasons.len(), 1);
        assert!(reasons[0].contains("it is not a log"), "{reasons:?}");
        assert_eq!(std::fs::read_to_string(&notes).expect("there"), "mine");
    }

    #[test]
    fn without_any_place_the_log_is_readable_as_long_as_its_process_lives() {
        let (place, _) = place();
        let file = place.path().join("a-file");
        std::fs::write(&file, "").expect("written");
        let dir = LogDir::at(file.join("logs"));
        let Made { pal, reasons } = make(None, &dir, Shape::process(1));
        assert!(!readable(&pal).is_crash_safe());
        assert!(!pal.is_crash_safe());
        assert_eq!(reasons.len(), 1);
    }
}
