//! Owns the line that says how far a long reading has come: on a terminal only, and gone when the reading is over.

use glasshouse_pal::reader::{Log, Progress};
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Who waits less does not ask.
const PATIENCE: Duration = Duration::from_secs(1);

/// Says how far a reading of the log has come, on standard error where that is a terminal that can draw a line over.
pub fn show(log: &mut Log) {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    if is_dumb || !std::io::stderr().is_terminal() {
        return;
    }
    let line = Mutex::new(Line::begun(Instant::now()));
    log.watch(move |progress| {
        // What a panic left is as good a line as any.
        let mut line = line.lock().unwrap_or_else(|left| left.into_inner());
        if let Some(text) = line.after(progress, Instant::now()) {
            // Nobody is left to tell where standard error itself cannot be written.
            let _ = std::io::stderr().write_all(text.as_bytes());
        }
    });
}

/// The line as it stands on the terminal.
struct Line {
    begun: Instant,
    /// What it says; `None` while there is none.
    percent: Option<u8>,
}

impl Line {
    fn begun(begun: Instant) -> Line {
        let percent = None;
        Line { begun, percent }
    }

    /// What to send to the terminal at this moment, where the line is to change.
    fn after(&mut self, progress: Progress, now: Instant) -> Option<String> {
        match progress {
            Progress::Percent(percent) => {
                let is_due = now.saturating_duration_since(self.begun) >= PATIENCE;
                if !is_due || self.percent == Some(percent) {
                    return None;
                }
                self.percent = Some(percent);
                Some(format!("\rreading: {percent} %\x1b[K"))
            }
            Progress::Over => self.percent.take().map(|_| "\r\x1b[K".to_owned()),
        }
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
    fn a_short_reading_says_nothing() {
        let begun = Instant::now();
        let mut line = Line::begun(begun);
        let end = begun + PATIENCE - Duration::from_millis(1);
        assert_eq!(line.after(Progress::Percent(100), end), None);
        assert_eq!(line.after(Progress::Over, end), None);
    }
}
