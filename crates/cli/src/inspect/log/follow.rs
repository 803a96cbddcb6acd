//! Owns the following of a log: records as they come, what was lost meanwhile, and the end.

use super::interrupt::Interrupt;
use super::{Printer, say};
use crate::exit::Stop;
use crate::human;
use crate::inspect::lost::REMEDY;
use glasshouse_pal::Lifecycle;
use glasshouse_pal::reader::{Cursor, Log};
use std::io::Write;
use std::time::Duration;

/// How often a followed log is looked at. A guess: a person sees no delay, a processor no load.
pub const FOLLOW_PERIOD: Duration = Duration::from_millis(100);

/// Prints what there is and what comes, until no more can come.
///
/// # Errors
///
/// When the output cannot be written, the log was taken away, or somebody wants it to end.
pub fn follow(log: &Log, printer: &mut Printer<'_, '_>, interrupt: &Interrupt) -> Result<(), Stop> {
    interrupt.listen()?;
    let mut cursor = Cursor::default();
    // What was lost before is told already.
    let (told_before, senseless_before) = lost_before(log);
    let mut known = told_before;
    let mut left = told_before;
    let mut senseless = senseless_before;
    let ended = loop {
        // Asked first: what a process recorded before it ended is in the log once it has ended.
        let goes_on = log.is_growing();
        let (records, lost) = log.follow(&mut cursor);
        let lost = lost.saturating_sub(std::mem::take(&mut left));
        // Of what is lost these have another cause.
        let nonsense = cursor.senseless().saturating_sub(senseless);
        senseless = senseless.max(cursor.senseless());
        let before = std::mem::replace(&mut known, cursor.lost());
        if before < known {
            // Among what was lost may be spawns.
            printer.names.learn_the_living();
        }
        printer.print(records, interrupt)?;
        printer.out.flush()?;
        if lost > nonsense {
            say(format_args!(
                "{} records were {}",
                lost - nonsense,
                why(log)
            ));
        }
        if nonsense > 0 {
            say(format_args!("{nonsense} records make no sense"));
        }
        if interrupt.has_come() {
            break Err(Stop::Interrupted);
        }
        match goes_on {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(gone) => break Err(Stop::input(human::plain(&gone.to_string()))),
        }
        if printer.out.has_lost_its_reader() {
            return Err(Stop::ReaderGone);
        }
        std::thread::sleep(FOLLOW_PERIOD);
    };
    let nonsense = cursor.senseless().saturating_sub(senseless_before);
    match cursor.lost().saturating_sub(told_before) {
        0 => say(format_args!("followed without losing a record")),
        lost if nonsense == 0 => say(format_args!("lost while it was followed: {lost} records")),
        lost => say(format_args!(
            "lost while it was followed: {lost} records, of which {nonsense} make no sense: {REMEDY}"
        )),
    }
    if ended.is_ok() && has_unspilled(log) {
        say(format_args!(
            "its process ended before it had spilled all: what came last is in its own log, if that is still there"
        ));
    }
    ended
}

/// What was lost before anybody followed, and what of it makes no sense. What made none to a spiller is not in its segments,
/// and so is among what they lack.
fn lost_before(log: &Log) -> (u64, u64) {
    let loss = log.loss();
    let lost = loss.overwritten().saturating_add(loss.in_gaps());
    match log.is_segments() {
        true => (lost, 0),
        false => (lost.saturating_add(loss.unreadable), loss.unreadable),
    }
}

/// How records come to be lost for who follows.
fn why(log: &Log) -> &'static str {
    match log.is_segments() {
        true => "left out by the spiller, or removed before they were read",
        false => "overwritten before they were read",
    }
}

/// Whether these are the segments of a process that was killed.
fn has_unspilled(log: &Log) -> bool {
    log.is_segments() && log.lifecycle() == Lifecycle::Running && !log.process().is_alive()
}
