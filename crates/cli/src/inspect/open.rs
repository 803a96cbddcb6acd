//! Owns the way from what a user calls a log to the log.

use crate::exit::Stop;
use crate::human;
use glasshouse_pal::dir::LogDir;
use glasshouse_pal::reader::Log;
use std::path::PathBuf;

/// A log that is open, and the file that it is in.
pub struct Opened {
    pub path: PathBuf,
    pub log: Log,
}

impl Opened {
    /// The file as it is printed.
    pub fn name(&self) -> String {
        human::plain(&self.path.to_string_lossy()).into_owned()
    }
}

/// Opens the log that `argument` names: a file, a process id, or `last`.
///
/// # Errors
///
/// When there is no such log, or it cannot be read.
pub fn open(argument: &str) -> Result<Opened, Stop> {
    let told = |error: &dyn std::fmt::Display| Stop::input(human::plain(&error.to_string()));
    let path = LogDir::default_place()
        .resolve(argument)
        .map_err(|error| told(&error))?;
    let log = Log::open(&path).map_err(|error| told(&error))?;
    Ok(Opened { path, log })
}
