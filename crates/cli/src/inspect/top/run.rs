//! Owns the loop: look at the log, draw, wait for keys or the time of the next look.

use super::app::{App, End, Source};
use super::input::{Heard, Input};
use super::keys::{Action, action};
use super::screen::Screen;
use super::view;
use crate::exit::Stop;
use crate::human;
use crate::inspect::open::Opened;
use crate::inspect::until::until;
use glasshouse_pal::reader::{Log, OpenError};
use std::time::{Duration, Instant};

/// How often the log is looked at. A guess: numbers move, and can still be read.
const LOOK_PERIOD: Duration = Duration::from_millis(250);
/// How often it is found out what the log retains, for which all records are read.
const MEASURE_PERIOD: Duration = Duration::from_secs(1);
/// A look that takes long is taken so seldom that it takes one part of so many of the time.
const LOOK_PARTS: u32 = 5;
/// The same of a measurement, which a key has to wait for.
const MEASURE_PARTS: u32 = 50;

/// Something that is done once in a while.
struct Chore {
    period: Duration,
    parts: u32,
    due: Instant,
}

impl Chore {
    /// Does it if it is due.
    fn run<R>(&mut self, chore: impl FnOnce() -> R) -> Option<R> {
        let started = Instant::now();
        if started < self.due {
            return None;
        }
        let result = chore();
        let took = started.elapsed();
        self.due = started + self.period.max(took * self.parts);
        Some(result)
    }
}

/// Shows a log until somebody wants it to end.
///
/// # Errors
///
/// An end by a signal or by the terminal's going, and a log that cannot be read.
pub fn show(opened: &Opened, screen: &mut Screen, input: &mut Input) -> Result<(), Stop> {
    let reopen = || Log::open(&opened.path);
    let source = Source {
        log: &opened.log,
        reopen: &reopen,
        until: &until,
    };
    let told = |error: OpenError| Stop::input(human::plain(&error.to_string()));
    let mut app = App::new(source).map_err(told)?;
    let now = Instant::now();
    let mut look = Chore {
        period: LOOK_PERIOD,
        parts: LOOK_PARTS,
        due: now,
    };
    let mut measure = Chore {
        period: MEASURE_PERIOD,
        parts: MEASURE_PARTS,
        due: now + MEASURE_PERIOD,
    };
    loop {
        look.run(|| app.look());
        measure.run(|| app.measure());
        if !draw(screen, &mut app) {
            return Err(Stop::Interrupted);
        }
        let keys = match input.wait(look.due.saturating_duration_since(Instant::now())) {
            Ok(Heard::Keys(keys)) => keys,
            Ok(Heard::End) | Err(_) => return Err(Stop::Interrupted),
        };
        for key in keys {
            let asked = action(key, app.mode());
            if asked == Some(Action::Open) && !draw(screen, &mut app) {
                return Err(Stop::Interrupted);
            }
            match asked.and_then(|asked| app.act(asked)) {
                Some(End::Quit) => return Ok(()),
                Some(End::Interrupted) => return Err(Stop::Interrupted),
                None => {}
            }
        }
        if app.is_stale() {
            look.due = Instant::now();
        }
    }
}

/// Draws a frame, by which it is settled, too, which task is chosen; whether the terminal is still there.
fn draw(screen: &mut Screen, app: &mut App<'_>) -> bool {
    let drawn = screen.draw(|buffer, area| view::draw(app, buffer, area));
    drawn.is_ok()
}
