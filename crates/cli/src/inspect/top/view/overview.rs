//! Owns the first page: the workers with their load and what they run, and the tasks in the order asked for.

use super::pane::{Column, Look, Pane, heading, row};
use super::quantity::{count, per_s, share, span, ticks};
use crate::human;
use crate::inspect::names::Names;
use crate::inspect::top::app::App;
use crate::inspect::top::filter::label;
use crate::inspect::top::model::{Moment, Task, Worker};
use crate::table::Align;
use glasshouse_pal::{Rate, TaskState, TextId};
use std::collections::HashMap;

/// The rows that tasks have at least, however many workers there are.
const TASK_ROWS_MIN: usize = 5;
/// The columns that a task's name has at least; others give way.
const NAME_COLUMNS_MIN: usize = 10;
/// The columns that a lane's name has at most.
const LANE_COLUMNS_MAX: usize = 8;

/// Draws the page.
pub fn draw(app: &mut App<'_>, pane: &mut Pane<'_>) {
    draw_workers(app, pane);
    pane.gap();
    draw_tasks(app, pane);
}

fn draw_workers(app: &mut App<'_>, pane: &mut Pane<'_>) {
    let rate = app.log().rate();
    let (moment, _, _, names) = app.parts();
    let fixed = [
        Column::right("WORKER", 6),
        Column::left("STATE", 9),
        Column::right("1S", 4),
        Column::right("10S", 4),
        Column::right("TICKS/S", 7),
    ];
    let taken: usize = fixed.iter().map(|column| column.columns + 1).sum();
    let task = Column::left("TASK", pane.columns().saturating_sub(taken));
    let columns: Vec<Column> = fixed.into_iter().chain([task]).collect();
    pane.line(&heading(&columns), Look::Bold);
    // Two headings and a gap are theirs, too.
    let room = pane.rows().saturating_sub(TASK_ROWS_MIN + 3).max(1);
    let all = moment.workers.len();
    let shown = if all > room { room - 1 } else { all };
    for worker in &moment.workers[..shown] {
        let told = row(&columns, worker_cells(worker, moment, rate, names));
        pane.line(&told, Look::Plain);
    }
    if shown < all {
        pane.line(&the_others(&moment.workers[shown..]), Look::Plain);
    }
    if all == 0 {
        pane.line("no thread runs tasks", Look::Plain);
    }
}

fn worker_cells(
    worker: &Worker,
    moment: &Moment,
    rate: Rate,
    names: &mut Names<'_>,
) -> [String; 6] {
    let task = match worker.task {
        Some((task, lasts)) => {
            let site = moment.tasks.iter().find(|other| other.id == task);
            let name = site.map_or(String::new(), |task| name_of(task, names));
            format!("#{task} {name} for {}", ticks(lasts, rate))
        }
        None => "-".to_owned(),
    };
    [
        worker.ring.to_string(),
        worker.state.map_or("idle", |state| state.name()).to_owned(),
        share(worker.now.busy),
        share(worker.lately.busy),
        per_s(worker.now.ticks_per_s),
        task,
    ]
}

fn the_others(workers: &[Worker]) -> String {
    let running = workers.iter().filter(|worker| worker.task.is_some());
    let known: Vec<f64> = workers
        .iter()
        .filter_map(|worker| worker.now.busy)
        .collect();
    let busy = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
    format!(
        "     … {} more: {} in a task, {} busy",
        workers.len(),
        running.count(),
        share(busy),
    )
}

/// What a task is called.
pub fn name_of(task: &Task, names: &mut Names<'_>) -> String {
    let site = task.site.and_then(|site| names.of_site(site));
    site.map_or("-".to_owned(), |site| label(&site))
}

fn draw_tasks(app: &mut App<'_>, pane: &mut Pane<'_>) {
    let (log, order) = (app.log(), app.order);
    let ranks = app.lane_ranks();
    let rank = |task: &Task| match task.lane {
        Some(lane) => ranks.get(&lane).copied().unwrap_or(ranks.len()),
        None => usize::MAX,
    };
    let lanes = lane_names(app);
    let (moment, listing, filter, names) = app.parts();
    let rows = pane.rows().saturating_sub(2);
    let passes = |task: &Task| filter.passes(task.site, names);
    listing.arrange(&moment.tasks, order, passes, rank, rows);
    let (passing, before) = listing.counts();
    let direction = match order.is_descending() {
        true => "largest first",
        false => "smallest first",
    };
    let mut title = match filter.is_empty() {
        true => summary(moment),
        false => {
            let all = count(moment.tasks.len() as u64);
            format!("{passing} of {all} tasks named \"{}\"", filter.text())
        }
    };
    title += &format!(", by {}, {direction}", order.key.name());
    if before > 0 {
        title += &format!(", {before} above");
    }
    pane.line(&title, Look::Bold);
    let columns = columns(pane.columns(), &lanes);
    let heads: Vec<Column> = columns.iter().map(|(column, _)| *column).collect();
    pane.line(&format!(" {}", heading(&heads)), Look::Bold);
    let mut words = Words {
        rate: log.rate(),
        lanes: &lanes,
        names,
    };
    for index in listing.shown() {
        let task = &moment.tasks[*index as usize];
        let cells = columns.iter().map(|(_, tell)| tell(task, &mut words));
        let (mark, look) = match listing.chosen() == Some(task.id) {
            true => ('>', Look::Reversed),
            false => (' ', Look::Plain),
        };
        pane.line(&format!("{mark}{}", row(&heads, cells)), look);
    }
    if passing == 0 {
        let text = match filter.is_empty() {
            true => "no task is alive",
            false => "no task that is alive has such a name; Esc drops the filter",
        };
        pane.line(text, Look::Plain);
    }
}

fn lane_names(app: &App<'_>) -> HashMap<TextId, String> {
    let lanes = app.moment().lanes.iter();
    let named = lanes.map(|lane| (lane.name, app.log().text(lane.name).unwrap_or_default()));
    named.collect()
}

/// How many tasks there are, by what they do.
fn summary(moment: &Moment) -> String {
    let [mut running, mut ready, mut waiting] = [0; 3];
    for state in moment.tasks.iter().filter_map(|task| task.state) {
        running += u64::from(state == TaskState::Running);
        ready += u64::from(state.is_ready());
        waiting += u64::from(state.is_waiting());
    }
    let all = count(moment.tasks.len() as u64);
    let [running, ready, waiting] = [running, ready, waiting].map(count);
    format!("{all} tasks: {running} running, {ready} ready, {waiting} waiting")
}

/// What the cells of a task are told with.
struct Words<'w, 'a> {
    rate: Rate,
    lanes: &'w HashMap<TextId, String>,
    names: &'w mut Names<'a>,
}

impl Words<'_, '_> {
    fn lane(&self, task: &Task) -> String {
        let lane = task.lane.and_then(|lane| self.lanes.get(&lane));
        lane.map_or("-", String::as_str).to_owned()
    }

    fn ticks(&self, ticks: u64) -> String {
        span(self.rate.ns(ticks))
    }
}

/// What a column says of a task.
type Tell = fn(&Task, &mut Words<'_, '_>) -> String;

/// The columns that find room, the name as wide as they leave it.
fn columns(width: usize, lanes: &HashMap<TextId, String>) -> Vec<(Column, Tell)> {
    let lane = lanes.values().map(|name| human::width(&human::plain(name)));
    let lane = lane.max().map(|widest| widest.clamp(4, LANE_COLUMNS_MAX));
    let state: Tell = |task, _| task.state.map_or("?", |state| state.name()).to_owned();
    // The most wanted first.
    let wanted: [Option<(Column, Tell)>; 9] = [
        Some((Column::right("ID", 6), |task, _| task.id.to_string())),
        Some((Column::left("STATE", 9), state)),
        Some((Column::right("LOAD", 4), |task, _| share(task.busy))),
        Some((Column::right("RUN", 6), |task, words| words.ticks(task.run))),
        Some((Column::right("WAIT", 6), |task, words| {
            words.ticks(task.wait)
        })),
        Some((Column::right("READY", 6), |task, words| {
            words.ticks(task.ready)
        })),
        lane.map(|columns| {
            let tell: Tell = |task, words| words.lane(task);
            (Column::left("LANE", columns), tell)
        }),
        Some((Column::right("POLLS", 5), |task, _| count(task.polls))),
        Some((Column::right("AGE", 6), |task, words| {
            words.ticks(task.age())
        })),
    ];
    // The mark, and the name with the space behind it.
    let mut room = width.saturating_sub(1 + NAME_COLUMNS_MIN);
    let mut found = Vec::new();
    for (column, tell) in wanted.into_iter().flatten() {
        if let Some(left) = room.checked_sub(column.columns + 1) {
            room = left;
            found.push((column, tell));
        }
    }
    let name: Tell = |task, words| name_of(task, words.names);
    let name = (Column::left("NAME", NAME_COLUMNS_MIN + room), name);
    found.insert(1.min(found.len()), name);
    // Words stand together, before the numbers.
    found.sort_by_key(|(column, _)| column.title != "ID" && column.align == Align::Right);
    found
}
