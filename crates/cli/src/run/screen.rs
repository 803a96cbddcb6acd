//! Owns the live lines: one for each node that runs, drawn over in place at the bottom of a terminal,
//! while what has ended stays above them.
//!
//! A frame is one text: up over the last frame's lines, what is new above, the lines that are live
//! now, each cleared to its end behind what it says, and what is left of the last frame cleared. Nothing
//! is cleared before it is drawn anew, so that nothing flickers.

use super::step;
use crate::human::{self, Bytes, Span};
use glasshouse_flow::Progress;
use rustix::termios::tcgetwinsize;
use std::sync::Arc;
use std::time::Instant;

/// A terminal's size in characters.
#[derive(Clone, Copy)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

impl Size {
    /// The size of the terminal on standard output, or the usual one where it does not tell.
    pub fn of_stdout() -> Size {
        let told = tcgetwinsize(rustix::stdio::stdout()).ok();
        let told = told.filter(|size| size.ws_col > 0 && size.ws_row > 0);
        told.map_or(
            Size {
                columns: 80,
                rows: 24,
            },
            |size| Size {
                columns: size.ws_col.into(),
                rows: size.ws_row.into(),
            },
        )
    }
}

/// How much a node has written, and its last line.
type Look = Box<dyn Fn() -> (u64, String) + Send>;

/// A node that runs.
struct Running {
    node: Arc<str>,
    attempt: u32,
    since: Instant,
    look: Look,
}

/// The live lines and what they need.
pub struct Screen {
    started: Instant,
    running: Vec<Running>,
    /// The lines of the last frame that the next one draws over.
    drawn: usize,
}

impl Screen {
    /// A screen with nothing on it.
    pub fn new(started: Instant) -> Screen {
        Screen {
            started,
            running: Vec::new(),
            drawn: 0,
        }
    }

    /// Takes in a step; the line that stays of it, if one does.
    pub fn note(&mut self, told: &Progress, now: Instant) -> Option<String> {
        match told {
            Progress::Started {
                node,
                attempt,
                live,
            } => {
                let live = live.clone();
                let look = Box::new(move || (live.output_bytes(), live.last_line()));
                self.begin(Arc::clone(node), *attempt, look, now);
                return None;
            }
            Progress::Retrying { node, .. } => self.end(node),
            Progress::Finished { row } => self.end(&row.node),
        }
        Some(step::line(told))
    }

    fn begin(&mut self, node: Arc<str>, attempt: u32, look: Look, since: Instant) {
        self.running.push(Running {
            node,
            attempt,
            since,
            look,
        });
    }

    fn end(&mut self, node: &str) {
        self.running.retain(|running| &*running.node != node);
    }

    /// The text that draws the lines that stay and then the live ones.
    pub fn frame(&mut self, above: &[String], size: Size, now: Instant) -> String {
        // The last row is the cursor's.
        let room = size.rows.saturating_sub(1).max(1);
        let mut live: Vec<String> = self.running.iter().map(|r| r.line(now)).collect();
        if live.len() > room {
            let hidden = live.len() - (room - 1);
            live.truncate(room - 1);
            live.push(format!("           … and {hidden} more"));
        }
        // A line as wide as the terminal would make some of them begin another.
        let width = size.columns.saturating_sub(1);
        let live = live.iter().map(|line| human::cut(line, width).into_owned());
        self.draw(above, live.collect(), now)
    }

    /// The text that draws the lines that stay, and takes the live ones away.
    pub fn last_frame(&mut self, above: &[String], now: Instant) -> String {
        self.draw(above, Vec::new(), now)
    }

    fn draw(&mut self, above: &[String], live: Vec<String>, now: Instant) -> String {
        let mut frame = String::new();
        if self.drawn > 0 {
            frame += &format!("\x1b[{}A", self.drawn);
        }
        let since = now.duration_since(self.started);
        let dated = above.iter().map(|line| step::dated(since, line));
        self.drawn = live.len();
        for line in dated.chain(live) {
            frame += &line;
            frame += "\x1b[K\n";
        }
        frame + "\x1b[J"
    }
}

impl Running {
    fn line(&self, now: Instant) -> String {
        let (bytes, last) = (self.look)();
        let attempt = match self.attempt {
            1 => String::new(),
            attempt => format!("attempt {attempt}  "),
        };
        format!(
            "{:>11}  running   {} {:>8}  {attempt}{}",
            Span::from(now.duration_since(self.since)),
            step::padded(&self.node),
            Bytes(bytes).to_string(),
            human::plain(&last)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn with_nodes(names: &[&str], now: Instant) -> Screen {
        let mut screen = Screen::new(now);
        for name in names {
            let look = Box::new(|| (2048, "compiling a rather long thing".to_owned()));
            screen.begin(Arc::from(*name), 1, look, now);
        }
        screen
    }

    /// The text of a frame without its controls, line by line.
    fn shown(frame: &str) -> Vec<&str> {
        let text = frame.trim_end_matches("\x1b[J");
        let text = text
            .find('A')
            .map_or(text, |up| match text.starts_with("\x1b[") {
                true => &text[up + 1..],
                false => text,
            });
        text.split_terminator("\x1b[K\n").collect()
    }

    #[test]
    fn a_frame_draws_over_the_one_before() {
        let now = Instant::now();
        let mut screen = with_nodes(&["pack", "hash"], now);
        let size = Size {
            columns: 80,
            rows: 24,
        };
        let first = screen.frame(&[], size, now);
        assert!(!first.contains("\x1b[2A"));
        let later = now + Duration::from_millis(1_500);
        let second = screen.frame(&["finished  list".to_owned()], size, later);
        assert!(second.starts_with("\x1b[2A"), "{second:?}");
        assert_eq!(
            shown(&second),
            [
                "    1.500 s  finished  list",
                "     1.50 s  running   pack             2.00 KiB  compiling a rather long thing",
                "     1.50 s  running   hash             2.00 KiB  compiling a rather long thing",
            ]
        );
        let last = screen.last_frame(&[], later);
        assert_eq!(last, "\x1b[2A\x1b[J");
    }

    #[test]
    fn no_live_line_is_wider_than_the_terminal() {
        let now = Instant::now();
        let mut screen = with_nodes(&["pack", "日本語の長い名前です"], now);
        let size = Size {
            columns: 40,
            rows: 24,
        };
        for line in shown(&screen.frame(&[], size, now)) {
            assert!(human::width(line) < 40, "{line}");
        }
    }

    #[test]
    fn more_nodes_than_rows_are_counted() {
        let now = Instant::now();
        let names = ["a", "b", "c", "d", "e"];
        let mut screen = with_nodes(&names, now);
        let size = Size {
            columns: 80,
            rows: 4,
        };
        let frame = screen.frame(&[], size, now);
        let lines = shown(&frame);
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[2].trim(), "… and 3 more");
    }

    #[test]
    fn a_node_that_ends_leaves_its_line() {
        let now = Instant::now();
        let mut screen = with_nodes(&["pack", "hash"], now);
        screen.end("pack");
        let frame = screen.frame(
            &[],
            Size {
                columns: 80,
                rows: 24,
            },
            now,
        );
        assert_eq!(shown(&frame).len(), 1);
    }
}
