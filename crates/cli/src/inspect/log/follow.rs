//! Owns the following of a log: records as they come, what was lost meanwhile, and the end.

use super::{Printer, say};
use crate::exit::Stop;
use crate::human;
use glasshouse_pal::Lifecycle;
use glasshouse_pal::reader::{Cursor, Log};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a followed log is looked at. A guess: a person sees no delay, a processor no load.
const FOLLOW_PERIOD: Duration = Duration::from_millis(100);

/// Prints what there is and what comes, until no more can come.
///
/// # Errors
///
/// When the output cannot be written, the log was taken away, or somebody wants it to end.
pub fn follow(log: &Log, printer: &mut Printer<'_, '_>) -> Result<(), Stop> {
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&interrupted))?;
    let mut cursor = Cursor::default();
    // What was lost before is told already.
    let loss = log.loss();
    let told_before = loss.overwritten().saturating_add(loss.in_gaps());
    let mut known = told_before;
    let mut left = told_before;
    let ended = loop {
        // Asked first: what a process recorded before it ended is in the log once it has ended.
        let goes_on = log.is_growing();
        let (records, lost) = log.follow(&mut cursor);
        let lost = lost.saturating_sub(std::mem::take(&mut left));
        let before = std::mem::replace(&mut known, cursor.lost());
        if before < known {
            // Among what was lost may be spawns.
            printer.names.learn_the_living();
        }
        printer.print(records)?;
        printer.out.flush()?;
        if lost > 0 {
            say(format_args!("{lost} records were {}", why(log)));
        }
        if interrupted.load(Ordering::Relaxed) {
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
    match cursor.lost().saturating_sub(told_before) {
        0 => say(format_args!("followed without losing a record")),
        lost => say(format_args!("lost while it was followed: {lost} records")),
    }
    if ended.is_ok() && has_unspilled(log) {
        say(format_args!(
            "its process ended before it had spilled all: what came last is in its own log, if that is still there"
        ));
    }
    ended
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
