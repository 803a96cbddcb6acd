//! Owns the page of pseudo-terminals: the programs in them, the newest first.

use super::pane::{Column, Look, Pane, heading, row};
use super::quantity::span;
use crate::human::Bytes;
use crate::inspect::top::app::App;
use crate::inspect::top::model::Pty;

/// Draws the page.
pub fn draw(app: &mut App<'_>, pane: &mut Pane<'_>) {
    pane.gap();
    let ptys = app.moment().ptys.clone();
    if ptys.is_empty() {
        let text = "no record speaks of a pseudo-terminal up to this moment";
        return pane.line(text, Look::Plain);
    }
    let fixed = [
        Column::right("PID", 8),
        Column::left("STATE", 12),
        Column::right("FOR", 6),
        Column::right("OUTPUT", 10),
        Column::right("DROPPED", 10),
    ];
    let taken: usize = fixed.iter().map(|column| column.columns + 1).sum();
    let name = Column::left("NAME", pane.columns().saturating_sub(taken));
    let columns: Vec<Column> = fixed.into_iter().chain([name]).collect();
    pane.line(&heading(&columns), Look::Bold);
    let of = |ended: bool, lost: bool| {
        let newest_first = ptys.iter().rev();
        newest_first.filter(move |pty| (pty.ended.is_some(), pty.is_lost) == (ended, lost))
    };
    let shown = of(false, false)
        .chain(of(false, true))
        .chain(of(true, false));
    app.scroll = app.scroll.min(ptys.len() - 1);
    let at = app.moment().at;
    for pty in shown.skip(app.scroll).take(pane.rows()) {
        let cells = cells(app, pty, at);
        pane.line(&row(&columns, cells), Look::Plain);
    }
}

fn cells(app: &App<'_>, pty: &Pty, at: u64) -> [String; 6] {
    let rate = app.log().rate();
    let until = pty.ended.map_or(at, |ended| ended.at);
    let lasted = |since: u64| span(rate.ns(until.saturating_sub(since)));
    let state = match pty.ended {
        None if pty.is_lost => "running?".to_owned(),
        None => "running".to_owned(),
        Some(ended) if ended.signal != 0 => format!("signal {}", ended.signal),
        Some(ended) if ended.code == -1 => "lost".to_owned(),
        Some(ended) => format!("exited {}", ended.code),
    };
    // What a program has written so far is not recorded before its end, but for this.
    let so_far = pty
        .outgrown
        .map_or("-".to_owned(), |ring| format!(">{}", Bytes(ring)));
    let (output, dropped) = match pty.ended {
        Some(ended) => (
            Bytes(ended.output_bytes).to_string(),
            Bytes(ended.dropped_bytes).to_string(),
        ),
        None => (so_far, "-".to_owned()),
    };
    [
        pty.pid.to_string(),
        state,
        pty.since
            .filter(|_| !pty.is_lost)
            .map_or("-".to_owned(), lasted),
        output,
        dropped,
        app.log().text(pty.name).unwrap_or_default(),
    ]
}
