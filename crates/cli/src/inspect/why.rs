//! Owns `glasshouse why`: where a task's time went and who decided when it went on; or who waits for whom.

mod held;
mod json;
mod lasting;
mod role;
mod told;
mod tree;
mod verdict;
mod waits;

use super::lost;
use super::names::Names;
use super::open::{Opened, open_watched};
use super::task::unknown;
use super::unseen::{ended_unseen, living};
use super::until::until;
use crate::exit::Stop;
use crate::out::Out;
use glasshouse_pal::reader::Log;
use glasshouse_pal::why::{Answer, Holding, Inquiry, Picture, Reason, Role, Waits};
use glasshouse_pal::{Event, TaskId, TaskRow, TaskState};
use std::io::Write;

/// What `glasshouse why` is asked.
#[derive(clap::Args)]
pub struct Options {
    /// A log file, a directory of segments, a process id, or `last`
    #[arg(value_name = "PAL")]
    pal: String,
    /// The task's number; without it, who waits for whom in the whole process
    #[arg(value_name = "ID", value_parser = super::parse::task, allow_hyphen_values = true)]
    task: Option<TaskId>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Prints the answer.
///
/// # Errors
///
/// When there is no such log or task, or the output cannot be written.
pub fn run(options: &Options, out: &mut Out) -> Result<(), Stop> {
    let opened = open_watched(&options.pal)?;
    let mut names = Names::in_passing(&opened.log);
    let Some(task) = options.task else {
        let (picture, until) = picture(&opened.log, &mut names);
        names.find(spoken_of(&picture));
        if options.json {
            return out.json(&json::hang(&opened, &picture, &mut names, until));
        }
        head(&opened, out)?;
        let mut teller = waits::Teller {
            log: &opened.log,
            picture: &picture,
            names: &mut names,
            until,
            out,
        };
        return teller.tell_all();
    };
    let found = find(&opened, task, &mut names)?;
    names.find(found.tasks());
    if options.json {
        return out.json(&json::task(&opened, &found, &mut names));
    }
    head(&opened, out)?;
    told::tell(&opened.log, &found, &mut names, out)
}

fn head(opened: &Opened, out: &mut Out) -> Result<(), Stop> {
    writeln!(out, "{}", opened.name())?;
    Ok(writeln!(out, "{}\n", lost::line(&opened.log))?)
}

/// What a log says of one task.
struct Found {
    task: TaskId,
    /// By its records; `None` where none is left.
    answer: Option<Answer>,
    /// Its row of the task table, where it has one.
    row: Option<TaskRow>,
    /// Whether a gap lies behind the row: it tells what was so before.
    is_row_old: bool,
    /// Whether it has ended by the task table, where no record says so.
    is_end_unseen: bool,
    /// The state that it is in, or ended in; `None` where that is not known.
    state: Option<TaskState>,
    /// Who waits for whom, where it waits.
    picture: Option<Picture>,
    /// Up to when the log speaks.
    until: u64,
}

impl Found {
    /// Every task that is told of.
    fn tasks(&self) -> impl Iterator<Item = TaskId> {
        let answer = self.answer.iter().flat_map(|answer| {
            let holders = answer.holders.iter().chain(&answer.pending);
            let holders = holders.filter_map(|holder| match holder.what {
                Holding::Task(task) => Some(task),
                Holding::Others | Holding::NoTask => None,
            });
            let ancestors = answer.ancestors.iter().map(|ancestor| ancestor.task);
            let path = answer.path.nodes.iter().map(|node| node.task);
            holders.chain(ancestors).chain(path)
        });
        let waits = self.picture.iter().flat_map(spoken_of);
        answer.chain(waits).chain([self.task])
    }
}

/// Every task that is told of by name where waits are told.
fn spoken_of(picture: &Picture) -> impl Iterator<Item = TaskId> {
    let waits = picture.waiting.iter().flat_map(|waiting| {
        let on = match waiting.reason {
            Reason::Join { on } => on,
            _ => None,
        };
        let wakers = waiting.wakers.tasks.iter().copied();
        wakers.chain(on).chain([waiting.task])
    });
    // Once each, however many wait for the lane.
    let holders = picture.lane_holders.values();
    let holders = holders.flat_map(|holders| holders.iter().rev().take(waits::NAMED_MAX));
    let told = waits.chain(holders.copied());
    let by_themselves = [
        picture.acting().collect(),
        Vec::from_iter(picture.upkeep.iter().copied()),
    ];
    let few = by_themselves
        .into_iter()
        .filter(|tasks: &Vec<TaskId>| tasks.len() <= waits::NAMED_MAX);
    told.chain(few.flatten())
}

fn find(opened: &Opened, task: TaskId, names: &mut Names<'_>) -> Result<Found, Stop> {
    let log = &opened.log;
    // Asked for before the row, which is then as new.
    let records = log.records();
    let row = log.tasks().find(|row| row.id == task);
    let mut inquiry = Inquiry::new(task, log.lives());
    let mut newest = log.start_stamp();
    let mut moved = 0;
    for entry in records {
        newest = newest.max(entry.stamp);
        if is_move(&entry.event, task) {
            moved = entry.stamp;
        }
        // Who is told of had not ended long before.
        if !inquiry.is_over() {
            names.learn(&entry.event);
        }
        inquiry.feed(&entry);
    }
    let lives = log.lives();
    let newest = lives.told_to(newest);
    let until = until(log, newest);
    let is_end_unseen = !inquiry.is_over() && ended_unseen(log, task);
    // Of who ended unseen the time up to its last record is known.
    let answer = inquiry.finish(if is_end_unseen { 0 } else { until });
    // Segments note rows now and then: records may know more.
    let row = row.filter(|row| row.since >= moved);
    let is_row_old = !lives.has_rows_as_of(newest);
    if answer.is_none() && row.is_none() {
        return Err(unknown(opened, task));
    }
    let current = row.as_ref().filter(|_| !is_row_old);
    let state = state(answer.as_ref(), current).filter(|_| !is_end_unseen);
    let waits = state.is_some_and(|state| state.is_waiting());
    Ok(Found {
        task,
        answer,
        row,
        is_row_old,
        is_end_unseen,
        state,
        picture: waits.then(|| picture(log, names).0),
        until,
    })
}

/// Whether it is a transition of the task.
fn is_move(event: &Event, task: TaskId) -> bool {
    matches!(event, Event::Task(event) if event.tid() == Some(task) && event.state().is_some())
}

/// The state that a task is in by its records, or, where these leave open how it went on, by its row.
fn state(answer: Option<&Answer>, row: Option<&TaskRow>) -> Option<TaskState> {
    match answer.filter(|answer| !answer.ends_in_gap) {
        Some(answer) => Some(answer.life.state),
        None => row.and_then(|row| row.state),
    }
}

/// Who waits for whom, and up to when the log speaks.
fn picture(log: &Log, names: &mut Names<'_>) -> (Picture, u64) {
    let kind = |name: &str| {
        let mut kinds = 0..=u8::MAX;
        kinds.find(|kind| log.schema(*kind).is_some_and(|schema| schema.name == name))
    };
    let waits = Waits::new(log.lives());
    let mut waits = waits.with_lanes(kind("lane_acquired"), kind("lane_released"));
    let mut newest = log.start_stamp();
    // Asked for before the table, so that who has a row had not ended by them.
    let records = log.records();
    log.tasks().for_each(|row| waits.row(&row));
    for entry in records {
        newest = newest.max(entry.stamp);
        names.learn(&entry.event);
        waits.feed(&entry);
    }
    let newest = log.lives().told_to(newest);
    if let Some(living) = living(log) {
        waits.retain(|tid| living.contains(&tid));
    }
    let mut role = |site| {
        let site = names.of_site(site);
        site.map_or(Role::Task, |site| role::role(&site))
    };
    (waits.picture_of(&mut role), until(log, newest))
}

/// A task as it is written: its number, and its name where it has one.
fn called(task: TaskId, names: &mut Names<'_>) -> String {
    let site = names.of_task(task);
    match site.as_ref().and_then(|site| site.name.as_deref()) {
        Some(name) => format!("#{task} {}", crate::human::plain(name)),
        None => format!("#{task}"),
    }
}
