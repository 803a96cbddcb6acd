//! Owns the page of one task: where its time went, who woke it, what it spawned, and every state of its life, the
//! newest first.

use super::overview::name_of;
use super::pane::{Column, Look, Pane, heading, row};
use super::quantity::span;
use crate::human::{self, Span};
use crate::inspect::event::Told;
use crate::inspect::top::app::App;
use crate::inspect::top::model::{History, Stay, Task};
use glasshouse_pal::lives::WAITS;
use glasshouse_pal::{Event, Rate, TaskId, WakeSource};
use std::fmt::Write;

/// Draws the page of the task whose history is open.
pub fn draw(app: &mut App<'_>, pane: &mut Pane<'_>) {
    // It comes back at the end: what is drawn needs the rest of the app, too.
    let Some(history) = app.history.take() else {
        return;
    };
    let id = history.task();
    let task = app.moment().tasks.iter().find(|task| task.id == id);
    let task = task.copied();
    pane.gap();
    for line in about(app, &history, task) {
        pane.line(&line, Look::Plain);
    }
    pane.gap();
    draw_stays(app, &history, task, pane);
    app.history = Some(history);
}

fn about(app: &mut App<'_>, history: &History, task: Option<Task>) -> Vec<String> {
    let rate = app.log().rate();
    let mut lines = vec![identity(app, history, task)];
    let at = app.moment().at;
    let is_followed = history.is_followed(at, task.as_ref());
    let life = history.life().map(|life| match is_followed {
        true => life.as_of(at),
        false => life.clone(),
    });
    if let Some(task) = task {
        // The table was read behind the records: what is told of its state is what the rows below tell.
        let by_records = history.life().filter(|_| is_followed);
        let by_records = by_records.map(|life| (Some(life.state), at.saturating_sub(life.since)));
        let (state, stay) = by_records.unwrap_or((task.state, task.stay));
        let state = state.map_or("?", |state| state.name());
        let all = task.age().max(1) as f64;
        let part = |name: &str, ticks: u64| {
            let share = ticks as f64 * 100.0 / all;
            format!("{name} {} ({share:.1} %)", Span(rate.ns(ticks)))
        };
        lines.push(format!(
            "{state} for {}; age {}, polls {}",
            Span(rate.ns(stay)),
            Span(rate.ns(task.age())),
            task.polls,
        ));
        lines.push(format!(
            "{}, {}, {}",
            part("run", task.run),
            part("ready", task.ready),
            part("wait", task.wait)
        ));
    } else if let Some(life) = &life {
        lines.push(format!(
            "{}{}; polls {}, run {}, ready {}, wait {}",
            if is_followed { "" } else { "last seen " },
            life.state.name(),
            life.polls,
            Span(rate.ns(life.run_ticks)),
            Span(rate.ns(life.ready_ticks)),
            Span(rate.ns(life.wait_total_ticks())),
        ));
    } else {
        lines.push("no record speaks of it at this moment".to_owned());
    }
    if let Some(life) = &life {
        let waits = WAITS.iter().zip(life.wait_ticks);
        let told: Vec<String> = waits
            .filter(|(_, ticks)| *ticks > 0)
            .map(|(wait, ticks)| format!("{} {}", wait.name(), Span(rate.ns(ticks))))
            .collect();
        let is_whole = life.site.is_some() && life.faults == 0 && !life.has_gap && is_followed;
        let more = match is_whole {
            true => "",
            false => " (as far as records tell)",
        };
        lines.push(format!("waits: {}{more}", or_none(told)));
    }
    lines.push(wakers(app, history));
    lines.push(children(app, history));
    lines
}

fn identity(app: &mut App<'_>, history: &History, task: Option<Task>) -> String {
    let id = history.task();
    let life = history.life();
    let site = task.and_then(|task| task.site);
    let site = site.or(life.and_then(|life| life.site));
    let site = site.and_then(|site| app.names.of_site(site));
    let parent = task.and_then(|task| task.parent);
    let parent = parent.or(life.and_then(|life| life.parent));
    let mut line = format!("task #{id}");
    if let Some(site) = site {
        if let Some(name) = &site.name {
            line += &format!(" {name}");
        }
        line += &format!(", spawned at {site}");
    }
    if let Some(parent) = parent {
        line += &format!(" by {}", named(app, parent));
    }
    line
}

fn wakers(app: &mut App<'_>, history: &History) -> String {
    let told = history.wakers().into_iter().map(|(by, count)| {
        let who = match by {
            WakeSource::Task(task) => named(app, task),
            by => match by.task() {
                Some(task) => format!("{} {}", by.name(), named(app, task)),
                None => by.name().to_owned(),
            },
        };
        format!("{who} {count}x")
    });
    format!("woken by: {}", or_none(told.collect()))
}

fn children(app: &mut App<'_>, history: &History) -> String {
    /// The children that are named; a line holds no more.
    const NAMED: usize = 8;
    let (children, count) = history.children();
    let told = children.iter().take(NAMED).map(|child| named(app, *child));
    match count {
        0 => "spawned: none".to_owned(),
        count => format!("spawned {count}: {}", or_none(told.collect())),
    }
}

fn or_none(parts: Vec<String>) -> String {
    match parts.is_empty() {
        true => "none".to_owned(),
        false => parts.join(", "),
    }
}

/// A task's number, with its name where it is alive.
fn named(app: &mut App<'_>, id: TaskId) -> String {
    let (moment, _, _, names) = app.parts();
    let task = moment.tasks.iter().find(|task| task.id == id);
    match task {
        Some(task) => format!("#{id}({})", name_of(task, names)),
        None => format!("#{id}"),
    }
}

fn draw_stays(app: &mut App<'_>, history: &History, task: Option<Task>, pane: &mut Pane<'_>) {
    let fixed = [
        Column::right("AT", 15),
        Column::right("WORKER", 6),
        Column::left("STATE", 9),
        Column::right("LASTED", 8),
    ];
    let taken: usize = fixed.iter().map(|column| column.columns + 1).sum();
    let why = Column::left("WHY", pane.columns().saturating_sub(taken));
    let columns: Vec<Column> = fixed.into_iter().chain([why]).collect();
    pane.line(&heading(&columns), Look::Bold);
    let last = history.stays().len().saturating_sub(1);
    app.scroll = app.scroll.min(last);
    let at = app.moment().at;
    let is_followed = history.is_followed(at, task.as_ref());
    let newest_first = history.stays().iter().rev().enumerate();
    for (index, stay) in newest_first.skip(app.scroll).take(pane.rows()) {
        let lasts = (index == 0 && is_followed).then(|| at.saturating_sub(stay.at));
        let cells = stay_cells(app, stay, lasts);
        pane.line(&row(&columns, cells), Look::Plain);
    }
}

fn stay_cells(app: &mut App<'_>, stay: &Stay, lasts: Option<u64>) -> [String; 5] {
    let log = app.log();
    let rate = log.rate();
    let state = stay.event.state();
    let is_end = state.is_some_and(|state| state.is_end());
    let lasted = match (stay.lasted, lasts) {
        _ if is_end => String::new(),
        (Some(ticks), _) => span(rate.ns(ticks)),
        (None, Some(ticks)) => so_far(ticks, rate),
        (None, None) => "?".to_owned(),
    };
    let fields = app
        .events
        .fields_beside(&Event::Task(stay.event), stay.ways_out, &mut app.names);
    let mut why = String::new();
    for (name, value) in fields {
        let name = name.strip_suffix("_ns").unwrap_or(&name);
        let gap = if why.is_empty() { "" } else { " " };
        // Writing into a text cannot fail.
        let _ = match value {
            Told::Task(task) => write!(why, "{gap}{name}={}", named(app, task)),
            value => write!(why, "{gap}{name}={value}"),
        };
    }
    [
        human::at(log.at_ns(stay.at)),
        stay.ring.to_string(),
        state.map_or("?", |state| state.name()).to_owned(),
        lasted,
        why,
    ]
}

fn so_far(ticks: u64, rate: Rate) -> String {
    format!("{}+", span(rate.ns(ticks)))
}
