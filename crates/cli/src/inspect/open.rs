//! Owns the way from what a user calls a log to the log.

use super::progress::{self, Shown};
use crate::exit::Stop;
use crate::human;
use glasshouse_pal::dir::LogDir;
use glasshouse_pal::reader::Log;
use std::io::IsTerminal;
use std::path::PathBuf;

/// A log that is open, and the file that it is in.
pub struct Opened {
    pub path: PathBuf,
    pub log: Log,
    /// The line that says how far a reading has come.
    pub progress: Shown,
}

impl Opened {
    /// The file as it is printed.
    pub fn name(&self) -> String {
        human::plain(&self.path.to_string_lossy()).into_owned()
    }
}

/// Opens the log that `argument` names: a file, a directory of segments, a process id, or `last`.
///
/// # Errors
///
/// When there is no such log, or it cannot be read.
pub fn open(argument: &str) -> Result<Opened, Stop> {
    open_at(resolve(argument)?)
}

/// The place that `argument` names.
///
/// # Errors
///
/// When there is no such place.
pub fn resolve(argument: &str) -> Result<PathBuf, Stop> {
    let path = LogDir::default_place().resolve(argument);
    path.map_err(|error| told(&error))
}

/// Opens the log at this place.
///
/// # Errors
///
/// When it cannot be read.
pub fn open_at(path: PathBuf) -> Result<Opened, Stop> {
    let log = Log::open(&path).map_err(|error| told(&error))?;
    Ok(Opened {
        path,
        log,
        progress: Shown::default(),
    })
}

fn told(error: &dyn std::fmt::Display) -> Stop {
    Stop::input(human::plain(&error.to_string()))
}

/// The same as [`open`] for a command that prints when it has read everything: until then it says how far it is.
///
/// # Errors
///
/// As [`open`].
pub fn open_watched(argument: &str) -> Result<Opened, Stop> {
    let mut opened = open(argument)?;
    opened.progress = progress::show(&mut opened.log);
    Ok(opened)
}

/// The same for a command that prints as it reads: it says how far it is where what it prints goes elsewhere.
///
/// # Errors
///
/// As [`open`].
pub fn open_to_print(argument: &str) -> Result<Opened, Stop> {
    match std::io::stdout().is_terminal() {
        true => open(argument),
        false => open_watched(argument),
    }
}
