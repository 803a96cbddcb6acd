//! Owns what a person sees of a run while it is under way. It is drawn on a thread of its own, so
//! that a terminal that stands still holds up no worker.

use super::screen::{Screen, Size};
use super::step;
use crate::terminal;
use glasshouse_flow::{PROGRESS_MAX, Progress};
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often live lines are drawn anew. A guess: numbers move, and can still be read.
const FRAME: Duration = Duration::from_millis(100);

/// What is told to who draws.
enum News {
    Step(Progress),
    Said(String),
    Over,
}

/// Somebody who draws.
pub struct Watch {
    teller: Teller,
    /// `None` where no thread could be had: then nobody draws.
    thread: Option<thread::JoinHandle<()>>,
}

/// A way to tell who draws. Cheap to clone.
#[derive(Clone)]
pub struct Teller(SyncSender<News>);

impl Teller {
    /// Has a line of text shown, unless more is on its way than can be shown.
    pub fn say(&self, line: String) {
        let _ = self.0.try_send(News::Said(line));
    }
}

impl Watch {
    /// Shows progress as standard output can: live lines on a terminal, else plain ones; none if it
    /// is to be silent.
    pub fn start(is_silent: bool) -> Watch {
        let (sender, news) = sync_channel(PROGRESS_MAX);
        let draw = match (is_silent, can_redraw()) {
            (true, _) => draw_nothing,
            (false, true) => draw_live,
            (false, false) => draw_plain,
        };
        let builder = thread::Builder::new().name("progress".to_owned());
        Watch {
            teller: Teller(sender),
            thread: builder.spawn(move || draw(&news)).ok(),
        }
    }

    /// Tells a step; waits while as many as can be are on their way.
    pub fn tell(&self, step: Progress) {
        // Who draws has gone only if it could not be started.
        let _ = self.teller.0.send(News::Step(step));
    }

    /// For others who have something to say.
    pub fn teller(&self) -> &Teller {
        &self.teller
    }

    /// Ends when all that was told is shown.
    pub fn end(self) {
        let _ = self.teller.0.send(News::Over);
        if let Some(thread) = self.thread {
            // A panic there has been told by its hook; the run itself is not touched by it.
            let _ = thread.join();
        }
    }
}

/// Whether lines on standard output can be drawn over.
fn can_redraw() -> bool {
    io::stdout().is_terminal() && terminal::can_redraw().is_ok()
}

fn draw_nothing(news: &Receiver<News>) {
    while let Ok(News::Step(_) | News::Said(_)) = news.recv() {}
}

fn draw_plain(news: &Receiver<News>) {
    let started = Instant::now();
    loop {
        let line = match news.recv() {
            Ok(News::Step(told)) => step::line(&told),
            Ok(News::Said(line)) => line,
            Ok(News::Over) | Err(_) => return,
        };
        let dated = step::dated(started.elapsed(), &line);
        // A reader that has gone, or a full disk, is no reason to stop the work.
        let _ = writeln!(io::stdout(), "{dated}");
    }
}

fn draw_live(news: &Receiver<News>) {
    let mut screen = Screen::new(Instant::now());
    loop {
        let mut above = Vec::new();
        // Everything that has come by now goes into one frame.
        let mut next = news.recv_timeout(FRAME);
        loop {
            match next {
                Ok(News::Step(told)) => above.extend(screen.note(&told, Instant::now())),
                Ok(News::Said(line)) => above.push(line),
                Ok(News::Over) | Err(RecvTimeoutError::Disconnected) => {
                    show(&screen.last_frame(&above, Instant::now()));
                    return;
                }
                Err(RecvTimeoutError::Timeout) => break,
            }
            next = news.recv_timeout(Duration::ZERO);
        }
        show(&screen.frame(&above, Size::of_stdout(), Instant::now()));
    }
}

/// Writes a frame at once, so that none is ever seen by halves.
fn show(frame: &str) {
    let mut stdout = io::stdout().lock();
    // A terminal that has gone is no reason to stop the work.
    let _ = stdout.write_all(frame.as_bytes());
    let _ = stdout.flush();
}
