//! Owns `glasshouse task`: one task's life, state by state.

mod spent;
mod state;

use super::event::{Events, Field, Told};
use super::lost::{self, Lost};
use super::names::Names;
use super::open::{Opened, open_watched};
use super::part::shares;
use super::progress::Shown;
use super::unseen::{BEFORE_GAP, ENDED_UNSEEN, ended_unseen};
use super::until::until;
use crate::exit::Stop;
use crate::human::{self, Span};
use crate::out::Out;
use glasshouse_pal::lives::{Fault, Life, Lives};
use glasshouse_pal::reader::Log;
use glasshouse_pal::{Event, TaskEvent, TaskId, TaskRow, TaskState};
use serde::Serialize;
use spent::Spent;
use state::State;
use std::io::Write;

/// The children that are named; of further ones only the number is told.
const CHILDREN_NAMED: usize = 20;

/// What `glasshouse task` is asked.
#[derive(clap::Args)]
pub struct Options {
    /// A log file, a directory of segments, a process id, or `last`
    #[arg(value_name = "PAL")]
    pal: String,
    /// The task's number
    #[arg(value_name = "ID", value_parser = super::parse::task, allow_hyphen_values = true)]
    task: TaskId,
    /// One JSON object a line: its states, and last the whole
    #[arg(long)]
    json: bool,
}

/// Prints the life.
///
/// # Errors
///
/// When there is no such log or task, or the output cannot be written.
pub fn run(options: &Options, out: &mut Out) -> Result<(), Stop> {
    let opened = open_watched(&options.pal)?;
    let log = &opened.log;
    let mut teller = Teller {
        task: options.task,
        is_json: options.json,
        names: Names::in_passing(log),
        events: Events::new(log),
        children: Vec::new(),
        last: None,
        progress: &opened.progress,
        heading: (!options.json).then(|| format!("{}\n{}\n", opened.name(), lost::line(log))),
        out,
    };
    teller.names.keep(options.task);
    let mut lives = log.lives();
    let newest = teller.tell_states(&mut lives)?;
    let life = lives.of(options.task);
    let row = log.tasks().find(|row| row.id == options.task);
    if life.is_none() && row.is_none() {
        return Err(unknown(&opened, options.task));
    }
    let newest = lives.told_to(newest);
    let until = until(log, newest);
    let going_on = life.filter(|life| !life.state.is_end());
    // Segments note rows now and then: records may know more.
    let ends_at = life.map_or(0, |life| life.since);
    let row = row.filter(|row| row.since >= ends_at);
    let known = Known {
        life,
        ends_in_gap: going_on.is_some_and(|life| lives.has_gap_between(life.since, until)),
        is_end_unseen: going_on.is_some() && ended_unseen(log, options.task),
        row: row.as_ref(),
        is_row_old: !lives.has_rows_as_of(newest),
    };
    teller.end(&known, until)?;
    // In JSON the last line has it.
    if !options.json {
        lost::say_unread(&opened);
    }
    Ok(())
}

/// A task that the log does not know, and which it does.
pub fn unknown(opened: &Opened, task: TaskId) -> Stop {
    let seen = opened.log.records().filter_map(|entry| entry.event.tid());
    let remedy = match seen.fold(None, range) {
        None => "its records speak of none".to_owned(),
        Some((first, last)) => format!("its records speak of tasks from {first} to {last}"),
    };
    Stop::input(format_args!(
        "{}: nothing is known of task {task}; {remedy}, and `glasshouse log` shows them",
        opened.name()
    ))
}

fn range(seen: Option<(TaskId, TaskId)>, tid: TaskId) -> Option<(TaskId, TaskId)> {
    let (first, last) = seen.unwrap_or((tid, tid));
    Some((first.min(tid), last.max(tid)))
}

/// What is known of a task when all records have come.
struct Known<'a> {
    /// By its records.
    life: Option<&'a Life>,
    /// Whether a gap of the log lies behind its last record.
    ends_in_gap: bool,
    /// Whether it has ended by the task table, and no record says so.
    is_end_unseen: bool,
    row: Option<&'a TaskRow>,
    /// Whether a gap lies behind the row: it tells what was so before.
    is_row_old: bool,
}

/// Tells the life as the records come, so that it need not fit into memory.
struct Teller<'a, 'out> {
    task: TaskId,
    is_json: bool,
    names: Names<'a>,
    events: Events<'a>,
    children: Vec<TaskId>,
    progress: &'a Shown,
    /// Told before the first line, so that nothing is told of a task that there is not.
    heading: Option<String>,
    /// The state that it entered last: how long it lasts is not known before the next.
    last: Option<State>,
    out: &'out mut Out,
}

impl<'a> Teller<'a, '_> {
    fn log(&self) -> &'a Log {
        self.events.log()
    }

    /// Tells every state but the last. Returns the newest stamp of all records.
    fn tell_states(&mut self, lives: &mut Lives) -> Result<u64, Stop> {
        let rate = self.log().rate();
        let mut newest = self.log().start_stamp();
        for entry in self.log().records() {
            newest = newest.max(entry.stamp);
            self.names.learn(&entry.event);
            let Event::Task(event) = &entry.event else {
                continue;
            };
            if let TaskEvent::Spawned { tid, parent, .. } = event
                && *parent == Some(self.task)
            {
                if self.children.len() < CHILDREN_NAMED {
                    self.names.keep(*tid);
                }
                self.children.push(*tid);
            }
            if event.tid() != Some(self.task) {
                continue;
            }
            let Some(step) = lives.feed(entry.stamp, entry.aux, event) else {
                continue;
            };
            let Some(state) = event.state() else {
                continue;
            };
            let lasted = step.left.map(|(_, ticks)| rate.ns(ticks));
            let is_late = matches!(step.fault, Some(Fault::Disorder { .. }));
            if let TaskEvent::Spawned {
                parent: Some(parent),
                ..
            } = event
            {
                self.names.keep(*parent);
            }
            let fields = self
                .events
                .fields_beside(&entry.event, entry.ways_out, &mut self.names);
            let entered = State {
                at_ns: entry.at_ns,
                ring: entry.ring,
                state,
                peer: self.peer(&fields),
                fields,
                fault: step.fault.map(|fault| fault.to_string()),
            };
            if is_late {
                // What comes after it was believed before: the state it is in goes on.
                let going_on = self.last.replace(entered);
                self.tell_last(None, false)?;
                self.last = going_on;
            } else {
                self.tell_last(lasted, false)?;
                self.last = Some(entered);
            }
        }
        Ok(newest)
    }

    /// The state before has lasted so long; `None` where records of it are missing.
    fn tell_last(&mut self, lasted_ns: Option<u64>, is_going_on: bool) -> Result<(), Stop> {
        let Some(last) = self.last.take() else {
            return Ok(());
        };
        self.progress.give_way();
        if self.is_json {
            return self.out.json(&last.json(lasted_ns, is_going_on));
        }
        self.tell_heading()?;
        let lasted = match lasted_ns {
            _ if last.state.is_end() => String::new(),
            Some(ns) => Span(ns).to_string(),
            None => "?".to_owned(),
        };
        let so_far = if is_going_on { "+" } else { "" };
        let line = format!(
            "{} {:>5}  {:<10} {:>9}",
            human::at(last.at_ns),
            last.ring.to_string(),
            last.state.name(),
            lasted + so_far,
        );
        write!(self.out, "{}", line.trim_end())?;
        for (name, value) in &last.fields {
            let name = name.strip_suffix("_ns").unwrap_or(name);
            write!(self.out, "  {}={value}", human::plain(name))?;
            if let (Told::Task(_), Some(peer)) = (value, &last.peer) {
                write!(self.out, "{peer}")?;
            }
        }
        if let Some(fault) = &last.fault {
            write!(self.out, "  ({fault})")?;
        }
        Ok(writeln!(self.out)?)
    }

    fn tell_heading(&mut self) -> Result<(), Stop> {
        match self.heading.take() {
            Some(heading) => Ok(writeln!(self.out, "{heading}")?),
            None => Ok(()),
        }
    }

    /// The name in brackets of the task among the fields, where people are told and it has one.
    fn peer(&mut self, fields: &[Field]) -> Option<String> {
        let mut tasks = fields.iter().filter_map(|(_, value)| match value {
            Told::Task(task) => Some(*task),
            _ => None,
        });
        // No transition of a task speaks of more than one other.
        let peer = tasks.next().filter(|_| !self.is_json)?;
        Some(self.named(peer))
    }

    /// A task's name in brackets, where it has one.
    fn named(&mut self, task: TaskId) -> String {
        let site = self.names.of_task(task);
        let name = site.and_then(|site| site.name.clone());
        name.map_or(String::new(), |name| format!("({})", human::plain(&name)))
    }

    /// The last state, and the whole. Where a gap of the log lies behind that state, it may have ended unseen.
    fn end(&mut self, known: &Known<'_>, until: u64) -> Result<(), Stop> {
        let Known { life, row, .. } = *known;
        let is_lost = known.ends_in_gap || known.is_end_unseen;
        let current = row.filter(|_| !known.is_row_old);
        let rate = self.log().rate();
        let parent = life.and_then(|life| life.parent);
        // Of a task whose spawn is not there its row tells.
        let rowed = row.and_then(|row| row.parent).filter(|_| parent.is_none());
        self.names.find(rowed);
        if let Some(life) = life {
            let lasted = rate.ns(until.saturating_sub(life.since));
            let is_going_on = !life.state.is_end() && !is_lost;
            self.tell_last(Some(lasted).filter(|_| !is_lost), is_going_on)?;
        }
        let site = self.names.of_task(self.task);
        let state = match life {
            Some(life) if !is_lost => Some(life.state),
            _ => current.and_then(|row| row.state),
        };
        let whole = Whole {
            lost: Lost::from(&self.log().loss()),
            retained_ns: self.log().retained_ns(),
            task: self.task.number(),
            name: site.as_ref().and_then(|site| site.name.clone()),
            site: site.map(|site| site.to_string()),
            parent: parent.or(rowed).map(TaskId::number),
            state: state.map(|state| state.name()),
            only_table_ns: match (life, current) {
                (None, Some(row)) => Some(rate.ns(until.saturating_sub(row.since))),
                _ => None,
            },
            spent: match (life, row) {
                // The table knows what records have been overwritten.
                (Some(life), Some(row)) if life.site.is_none() => Spent::of_row(row, rate),
                (Some(life), _) if is_lost => Spent::of_life(life, life.since, rate),
                (Some(life), _) => Spent::of_life(life, until, rate),
                (None, Some(row)) => Spent::of_row(row, rate),
                (None, None) => return Ok(()),
            },
            is_end_unseen: known.is_end_unseen,
            noted: row
                .filter(|_| life.is_none() && known.is_row_old)
                .and_then(|row| row.state),
            children: self.children.iter().map(|child| child.number()).collect(),
        };
        if self.is_json {
            return self.out.json(&whole);
        }
        self.tell_whole(&whole)
    }

    fn tell_whole(&mut self, whole: &Whole) -> Result<(), Stop> {
        let or_dash = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or("-");
            human::plain(text).into_owned()
        };
        match self.heading {
            Some(_) => self.tell_heading()?,
            None => writeln!(self.out)?,
        }
        write!(
            self.out,
            "#{} {}, spawned at {}",
            whole.task,
            or_dash(&whole.name),
            or_dash(&whole.site)
        )?;
        if let Some(parent) = whole.parent.and_then(TaskId::new) {
            let named = self.named(parent);
            write!(self.out, " by #{parent}{named}")?;
        }
        writeln!(self.out)?;
        let spent = &whole.spent;
        if let (Some(state), Some(ns)) = (whole.state, whole.only_table_ns) {
            // No record of it is left that would be told above.
            writeln!(self.out, "{state}, for {} so far", Span(ns))?;
        }
        if let Some(state) = whole.noted {
            writeln!(self.out, "it was {}; {BEFORE_GAP}", state.name())?;
        }
        if whole.is_end_unseen {
            writeln!(self.out, "{ENDED_UNSEEN}")?;
        }
        writeln!(self.out, "{}", spent.since)?;
        let parts = spent.parts();
        let times: Vec<u64> = parts.iter().map(|(_, ns)| *ns).collect();
        for ((what, ns), share) in parts.iter().zip(shares(&times)) {
            writeln!(self.out, "  {what:<10} {:>9} {share:>7}", Span(*ns))?;
        }
        writeln!(self.out, "  {:<10} {:>9}", "ticks", spent.ticks)?;
        if !self.children.is_empty() {
            let children = std::mem::take(&mut self.children);
            write!(self.out, "spawned {}:", children.len())?;
            for child in children.iter().take(CHILDREN_NAMED) {
                let named = self.named(*child);
                write!(self.out, " #{child}{named}")?;
            }
            let more = if children.len() > CHILDREN_NAMED {
                " …"
            } else {
                ""
            };
            writeln!(self.out, "{more}")?;
        }
        Ok(())
    }
}

/// The whole of a task, as JSON has it.
#[derive(Serialize)]
struct Whole {
    lost: Lost,
    retained_ns: u64,
    task: u64,
    name: Option<String>,
    site: Option<String>,
    parent: Option<u64>,
    state: Option<&'static str>,
    /// For how long it is in that state, where only the task table tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    only_table_ns: Option<u64>,
    /// Whether it has ended by the task table, and no record says when.
    #[serde(rename = "has_ended_unseen")]
    is_end_unseen: bool,
    /// The state that only the table tells of, from before a gap.
    #[serde(skip)]
    noted: Option<TaskState>,
    #[serde(flatten)]
    spent: Spent,
    children: Vec<u64>,
}
