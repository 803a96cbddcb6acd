//! Owns where a run's log goes, and what is said of it afterwards.

use crate::exit::Stop;
use crate::human;
use glasshouse_pal::Pal;
use std::path::Path;

/// The log in the file that was asked for, else the process's own.
///
/// # Errors
///
/// When the log cannot be made in that file. A log that was not asked for falls back instead.
pub fn make(asked: Option<&Path>, workers: usize) -> Result<Pal, Stop> {
    let Some(path) = asked else {
        return Ok(Pal::process(workers));
    };
    Pal::create(path, workers)
        .map_err(|error| Stop::input(format_args!("--pal: {}", human::plain(&error.to_string()))))
}

/// The file that the log can be read from when this process has ended; `None` where there is none.
pub fn left_behind(pal: &Pal) -> Option<&Path> {
    pal.path().filter(|_| pal.is_crash_safe())
}
