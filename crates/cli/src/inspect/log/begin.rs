//! Owns the way to the log that is to be followed: that of the process that began last, also where that has not spilled
//! anything yet.

use super::follow::FOLLOW_PERIOD;
use super::interrupt::Interrupt;
use super::say;
use crate::exit::Stop;
use crate::human;
use crate::inspect::open::{Opened, open_at, open_to_print, resolve};
use crate::out::Out;
use glasshouse_pal::reader::unbegun;
use std::path::{Path, PathBuf};

/// A directory as it is printed.
pub fn name(dir: &Path) -> String {
    human::plain(&dir.to_string_lossy()).into_owned()
}

/// Opens the log that `argument` names. Where that is the place of a process that has just begun to spill, it waits for
/// the first segment.
///
/// # Errors
///
/// When there is no such log, or it cannot be read; when that process ends without a segment, or somebody wants the
/// waiting to end.
pub fn open(argument: &str, interrupt: &Interrupt, out: &Out) -> Result<Opened, Stop> {
    let path = resolve(argument)?;
    let mut awaited: Option<PathBuf> = None;
    let mut is_told = false;
    while let Some(found) = unbegun(&path) {
        interrupt.listen()?;
        if awaited.as_ref() != Some(&found) {
            is_told = false;
            awaited = Some(found);
        } else if !is_told {
            // Seen twice, for who looks what is left of others locks that for a moment.
            is_told = true;
            say(format_args!(
                "{}: its process has spilled nothing yet; waiting for its first segment",
                awaited.as_deref().map(name).unwrap_or_default()
            ));
        }
        std::thread::sleep(FOLLOW_PERIOD);
        if interrupt.has_come() {
            return Err(Stop::Interrupted);
        }
        if out.has_lost_its_reader() {
            return Err(Stop::ReaderGone);
        }
    }
    match awaited.filter(|_| is_told) {
        None => open_to_print(argument),
        Some(dir) => open_awaited(dir),
    }
}

fn open_awaited(dir: PathBuf) -> Result<Opened, Stop> {
    let name = name(&dir);
    open_at(dir).map_err(|_| {
        Stop::input(format_args!(
            "{name}: its process ended before it had spilled anything; \
             what it recorded is in its own log, if `glasshouse ps` still lists that"
        ))
    })
}
