//! Owns the page of lanes: how many are on each, how many may be, and how many wait.

use super::pane::{Column, Look, Pane, heading, row};
use super::quantity::{count, span};
use crate::inspect::top::app::App;
use crate::inspect::top::model::Lane;

/// Draws the page.
pub fn draw(app: &mut App<'_>, pane: &mut Pane<'_>) {
    pane.gap();
    let lanes = app.moment().lanes.clone();
    if lanes.is_empty() {
        return pane.line("no record speaks of a lane up to this moment", Look::Plain);
    }
    let columns = [
        Column::left("LANE", 16),
        Column::right("LIMIT", 6),
        Column::right("HELD", 6),
        Column::right("WAITING", 7),
        Column::right("TAKEN", 6),
        Column::right("LONGEST", 7),
        Column::left("", 8),
    ];
    pane.line(&heading(&columns), Look::Bold);
    app.scroll = app.scroll.min(lanes.len() - 1);
    for lane in lanes.iter().skip(app.scroll) {
        let name = app.log().text(lane.name).unwrap_or_default();
        pane.line(&row(&columns, cells(lane, name)), Look::Plain);
    }
    pane.gap();
    let text = "TAKEN: permits so far; LONGEST: what one of their takers waited";
    pane.line(text, Look::Plain);
    if lanes.iter().any(|lane| lane.is_at_least) {
        let text = "+: what was taken before the records that are left is not in it";
        pane.line(text, Look::Plain);
    }
}

fn cells(lane: &Lane, name: String) -> [String; 7] {
    let more = if lane.is_at_least { "+" } else { "" };
    let is_full = lane.limit.is_some_and(|limit| lane.held >= limit);
    [
        name,
        lane.limit.map_or("-".to_owned(), count),
        count(lane.held) + more,
        count(lane.waiting),
        count(lane.taken) + more,
        span(lane.waited_max_ns),
        if is_full { "full" } else { "" }.to_owned(),
    ]
}
