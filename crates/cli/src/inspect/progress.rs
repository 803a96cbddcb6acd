//! Owns the line that says how far a long reading has come: on a terminal only, and gone when the reading is over.

use crate::terminal;
use glasshouse_pal::reader::{Log, Progress};
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Who waits less does not ask.
const PATIENCE: Duration = Duration::from_secs(1);

/// The line of a log's readings, where what the command prints goes to a terminal too.
#[derive(Default)]
pub struct Shown(Option<Arc<Mutex<Line>>>);

/// Says how far a reading of the log has come, on standard error where that is a terminal that can draw a line over.
pub fn show(log: &mut Log) -> Shown {
    if terminal::can_redraw().is_err() || !std::io::stderr().is_terminal() {
        return Shown(None);
    }
    let line = Arc::new(Mutex::new(Line::begun(Instant::now())));
    let shown = Arc::clone(&line);
    log.watch(move |progress| {
        let mut line = lock(&line);
        send(line.after(progress, Instant::now()));
    });
    Shown(Some(shown).filter(|_| std::io::stdout().is_terminal()))
}

impl Shown {
    /// What the command prints comes from now on, before it has read everything: that is progress enough.
    pub fn give_way(&self) {
        if let Some(line) = &self.0 {
            send(lock(line).give_way());
        }
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    // What a panic left is as good a line as any.
    line.lock().unwrap_or_else(|left| left.into_inner())
}

fn send(text: Option<String>) {
    if let Some(text) = text {
        // Nobody is left to tell where standard error itself cannot be written.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// The line as it stands on the terminal.
struct Line {
    begun: Instant,
    /// What it says; `None` while there is none.
    percent: Option<u8>,
    /// Whether there is none any more.
    is_over: bool,
}

impl Line {
    fn begun(begun: Instant) -> Line {
        Line {
            begun,
            percent: None,
            is_over: false,
        }
    }

    /// What to send to the terminal at this moment, where the line is to change.
    fn after(&mut self, progress: Progress, now: Instant) -> Option<String> {
        match progress {
            Progress::Percent(percent) => {
                let is_due = now.saturating_duration_since(self.begun) >= PATIENCE;
                if !is_due || self.is_over || self.percent == Some(percent) {
                    return None;
                }
                self.percent = Some(percent);
                Some(format!("\rreading: {percent} %\x1b[K"))
            }
            Progress::Over => self.taken_away(),
        }
    }

    /// What to send to the terminal so that the line is gone.
    fn taken_away(&mut self) -> Option<String> {
        self.percent.take().map(|_| "\r\x1b[K".to_owned())
    }

    /// The same, for ever.
    fn give_way(&mut self) -> Option<String> {
        self.is_over = true;
        self.taken_away()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_that_lasts_is_one_line_that_goes_when_it_is_over() {
        let begun = Instant::now();
        let mut line = Line::begun(begun);
        let mut sent = String::new();
        let steps = [
            (0, Progress::Percent(0)),
            (999, Progress::Percent(8)),
            (1000, Progress::Percent(9)),
            (1001, Progress::Percent(9)),
            (1100, Progress::Percent(10)),
            (1200, Progress::Over),
            (1300, Progress::Over),
        ];
        for (ms, progress) in steps {
            let now = begun + Duration::from_millis(ms);
            sent.extend(line.after(progress, now));
        }
        assert_eq!(sent, "\rreading: 9 %\x1b[K\rreading: 10 %\x1b[K\r\x1b[K");
    }

    #[test]
    fn a_line_that_gave_way_does_not_come_back() {
        let begun = Instant::now();
        let later = begun + PATIENCE;
        let mut line = Line::begun(begun);
        assert!(line.after(Progress::Percent(9), later).is_some());
        assert_eq!(line.give_way(), Some("\r\x1b[K".to_owned()));
        assert_eq!(line.after(Progress::Percent(10), later), None);
        assert_eq!(line.after(Progress::Over, later), None);
    }

    #[test]
    fn a_short_reading_says_nothing() {
        let begun = Instant::now();
        let mut line = Line::begun(begun);
        let end = begun + PATIENCE - Duration::from_millis(1);
        assert_eq!(line.after(Progress::Percent(100), end), None);
        assert_eq!(line.after(Progress::Over, end), None);
    }
}
