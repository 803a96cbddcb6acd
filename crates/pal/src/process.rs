//! Owns the process's one log: where it goes, and what happens when it cannot go there.
//!
//! ```text
//! $GLASSHOUSE_PAL = off ─────────────────────────────────► no log
//! $GLASSHOUSE_PAL = FILE ──► that file ──┐ cannot be made
//! not set ───────────────────────────────┴► /dev/shm/glasshouse-<uid>/… ──┐ cannot be made
//!                                            memory file, readable while ◄┘
//!                                            the process lives ──► private memory
//! ```

use crate::create::create_anonymous;
use crate::dir::LogDir;
use crate::fork::close_at_exit;
use crate::format::layout::Shape;
use crate::pal::Pal;
use std::ffi::OsString;
use std::path::Path;
use std::sync::OnceLock;

/// The variable that names the file of the process's log, or says `off`.
pub const PAL_VARIABLE: &str = "GLASSHOUSE_PAL";

static PROCESS: OnceLock<Pal> = OnceLock::new();

impl Pal {
    /// The process's log. The first call makes it, with a ring for each of `workers`; later calls
    /// return the same one. See [`PAL_VARIABLE`] for where it goes.
    ///
    /// Never fails: where a log cannot be made, the next best one is, with one `tracing` warning.
    /// The log says that the process ended in an orderly way when it calls `exit` or returns from
    /// `main`.
    pub fn process(workers: usize) -> Pal {
        PROCESS
            .get_or_init(|| {
                let pal = make(
                    std::env::var_os(PAL_VARIABLE),
                    &LogDir::default_place(),
                    workers,
                );
                close_at_exit();
                pal
            })
            .clone()
    }

    /// The process's log, if there is one already.
    pub fn existing() -> Option<Pal> {
        existing().cloned()
    }
}

pub(crate) fn existing() -> Option<&'static Pal> {
    PROCESS.get()
}

fn make(setting: Option<OsString>, dir: &LogDir, workers: usize) -> Pal {
    let mut reasons: Vec<String> = Vec::new();
    let pal = match setting {
        Some(setting) if setting == "off" => return Pal::off(),
        Some(setting) if !setting.is_empty() => {
            Pal::create(Path::new(&setting), workers).or_else(|error| {
                reasons.push(error.to_string());
                dir.create_log(workers)
            })
        }
        _ => dir.create_log(workers),
    };
    let pal = pal
        .or_else(|error| {
            reasons.push(error.to_string());
            create_anonymous(workers)
        })
        .unwrap_or_else(|error| {
            reasons.push(error.to_string());
            Pal::fallback(Shape::process(workers))
        });
    if !reasons.is_empty() {
        warn(&pal, &reasons.join("; "));
    }
    dir.prune();
    pal
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
