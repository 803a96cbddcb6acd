//! Owns what `top` looks like: the frame around every page, and the pages.
//!
//! ```text
//! who and when                 head
//! what the log retains
//! the page                     overview, task, lanes, pseudo-terminals, help
//! what keys do                 foot
//! ```

pub mod choice;
mod help;
mod lanes;
mod overview;
mod pane;
mod ptys;
mod quantity;
mod task;

use super::app::App;
use super::keys::{Mode, Page};
use crate::human::{self, Span};
use pane::{Look, Pane};
use quantity::span;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The smallest screen that anything can be read on.
const COLUMNS_MIN: u16 = 40;
const ROWS_MIN: u16 = 8;

/// Draws the whole screen.
pub fn draw(app: &mut App<'_>, buffer: &mut Buffer, area: Rect) {
    let mut pane = Pane::new(buffer, area);
    if area.width < COLUMNS_MIN || area.height < ROWS_MIN {
        let text = format!("needs {COLUMNS_MIN} columns and {ROWS_MIN} rows; q quits");
        return pane.line(&text, Look::Plain);
    }
    pane.line(&head(app, pane.columns()), Look::Bold);
    pane.line(&retained(app), Look::Plain);
    pane.last_line(&foot(app), Look::Reversed);
    if app.history.is_some() {
        return task::draw(app, &mut pane);
    }
    match app.page {
        Page::Overview => overview::draw(app, &mut pane),
        Page::Lanes => lanes::draw(app, &mut pane),
        Page::Ptys => ptys::draw(app, &mut pane),
        Page::Help => help::draw(app, &mut pane),
    }
}

/// Whose log it is, how that process is, and which moment is shown.
fn head(app: &App<'_>, columns: usize) -> String {
    let log = app.log();
    let command = match log.command() {
        "" => "a process",
        command => command,
    };
    let who = format!(
        "{}, pid {}, {}",
        human::plain(command),
        log.process().pid,
        app.state
    );
    let moment = app.moment();
    let at = human::at(log.at_ns(moment.at));
    let when = match app.span() {
        None if app.state == "alive" => format!("at {} s", at.trim_start()),
        None => format!("its end, at {} s", at.trim_start()),
        Some([_, end]) => {
            let before_ns = log.rate().ns(end.saturating_sub(moment.at));
            let before = match before_ns {
                0 => "the end".to_owned(),
                ns => format!("{} before the end", span(ns)),
            };
            format!("PAUSED at {} s, {before}", at.trim_start())
        }
    };
    let gap = columns.saturating_sub(human::width(&who) + human::width(&when));
    format!("{who}{}{when}", " ".repeat(gap.max(2)))
}

fn retained(app: &App<'_>) -> String {
    match app.overrun() {
        0 => app.retained.clone(),
        lost => format!("{}; {lost} came too fast for top", app.retained),
    }
}

fn foot(app: &App<'_>) -> String {
    let log = app.log();
    match app.mode() {
        Mode::Typing => format!(
            "name: {}_   Enter keeps it, Esc drops it",
            app.filter.text()
        ),
        Mode::Paused => {
            let [small, large] = app.steps().map(|ticks| Span(log.rate().ns(ticks)));
            format!("Left/Right {small}  PgUp/PgDn {large}  [ ] record  p go on  ? help  q quit")
        }
        Mode::Live => {
            "q quit  ? help  p pause  s sort  r reverse  / name  Enter task  l lanes  t PTYs"
                .to_owned()
        }
    }
}

#[cfg(test)]
mod tests;
