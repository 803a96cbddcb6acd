//! Owns the page that tells what keys do and what columns mean.

use super::pane::{Look, Pane};
use crate::inspect::top::app::App;

const LINES: [&str; 19] = [
    "q          quit; so does Ctrl-C, with exit code 130",
    "arrows jk  choose a task, or scroll; PgUp PgDn g G by screens and to the ends",
    "Enter      the chosen task's page; Esc goes back, and lets the choice go",
    "s S r      sort by the next key, the one before, the other way round",
    "/          show the tasks with this in their names, or places; Esc shows all",
    "l t o ?    lanes, pseudo-terminals, overview, this page",
    "p          pause, and go on; while paused time is scrolled:",
    "             Left Right    a small step        PgUp PgDn   a large one",
    "             [ ]           record by record    Home End    to the ends",
    "           a moment is rebuilt from the records that the rings still hold",
    "",
    "1S 10S     the share of the last second, the last ten, that a worker ran tasks",
    "LOAD       the share of a processor that a task used in the last second or two",
    "RUN        time on a worker; WAIT not ready: a timer, a socket, a lane, a task;",
    "READY      ready and not on a worker: the ready delay. The three are its AGE",
    "POLLS      how often it was put on a worker",
    "LANE       the lane that it waits for, or works on",
    "idle       in the past: it ran nothing, searching or parked; now: it has ended",
    "+          at least: some of it lies before the records that are left",
];

/// Draws the page.
pub fn draw(app: &mut App<'_>, pane: &mut Pane<'_>) {
    pane.gap();
    app.scroll = app.scroll.min(LINES.len() - 1);
    for line in &LINES[app.scroll..] {
        pane.line(line, Look::Plain);
    }
}
