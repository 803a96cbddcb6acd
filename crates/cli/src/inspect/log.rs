//! Owns `glasshouse log`: a log's records in the order of time, now and as they come.

mod begin;
mod filter;
mod follow;
mod interrupt;
mod line;

use super::event::Events;
use super::lost;
use super::names::Names;
use super::open::{Opened, open_to_print};
use crate::exit::Stop;
use crate::human;
use crate::out::Out;
use filter::Filter;
use glasshouse_pal::reader::{Entry, Log, Records, unbegun};
use interrupt::Interrupt;
use line::Line;
use std::io::Write;

/// What `glasshouse log` is asked.
#[derive(clap::Args)]
pub struct Options {
    /// A log file, a directory of segments, a process id, or `last`
    #[arg(value_name = "PAL")]
    pal: String,
    #[command(flatten)]
    wanted: filter::Wanted,
    /// Go on as records come, until the process has ended
    #[arg(long)]
    follow: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Prints the records.
///
/// # Errors
///
/// When there is no such log or kind, or the output cannot be written.
pub fn run(options: &Options, out: &mut Out) -> Result<(), Stop> {
    let interrupt = Interrupt::default();
    let opened = match options.follow {
        true => begin::open(&options.pal, &interrupt, out)?,
        false => open_to_print(&options.pal)?,
    };
    let log = &opened.log;
    options.wanted.check(&opened, &Events::new(log))?;
    if !options.follow
        && let Some(dir) = unbegun(&opened.path)
    {
        say(format_args!(
            "{}: its process spills and has no segment yet, `--follow` waits for it; what follows is of one before",
            begin::name(&dir)
        ));
    }
    say_what_is_lost(&opened);
    let newest = match options.wanted.counts_from_the_end() {
        true => newest(log.records()),
        false => 0,
    };
    let filter = options.wanted.filter(newest);
    let mut printer = Printer::new(log, filter, options.json, out);
    let ended = match options.follow {
        true => follow::follow(log, &mut printer, &interrupt),
        false => {
            let records = match options.wanted.task() {
                Some(task) => log.records_about(task),
                None => log.records(),
            };
            printer.print(records, &interrupt)
        }
    };
    let wanted = options.wanted.told();
    if printer.printed == 0 && !wanted.is_empty() && ended.is_ok() {
        say(format_args!("no record matches {}", human::plain(&wanted)));
    }
    if !options.follow && ended.is_ok() {
        lost::say_unread(&opened);
    }
    ended
}

/// Every record as a line of JSON.
///
/// # Errors
///
/// When the output cannot be written.
pub fn write_json(log: &Log, out: &mut Out) -> Result<(), Stop> {
    let all = filter::Wanted::default();
    Printer::new(log, all.filter(0), true, out).print(log.records(), &Interrupt::default())
}

/// Says what the log retains: beside the records, so that these alone go down a pipe.
pub fn say_what_is_lost(opened: &Opened) {
    let (name, line) = (opened.name(), lost::line(&opened.log));
    match opened.log.loss().unreadable {
        0 => say(format_args!("{name}: {line}")),
        _ => say(format_args!("{name}: {line}; {}", lost::REMEDY)),
    }
}

/// When the newest record was made.
fn newest(records: Records) -> u64 {
    records.last().map_or(0, |entry| entry.at_ns)
}

fn say(line: std::fmt::Arguments<'_>) {
    // Nobody is left to tell where standard error itself cannot be written.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints the records that were asked for.
struct Printer<'a, 'out> {
    names: Names<'a>,
    events: Events<'a>,
    filter: Filter<'a>,
    is_json: bool,
    printed: u64,
    out: &'out mut Out,
}

impl<'a, 'out> Printer<'a, 'out> {
    fn new(
        log: &'a Log,
        filter: Filter<'a>,
        is_json: bool,
        out: &'out mut Out,
    ) -> Printer<'a, 'out> {
        Printer {
            names: Names::in_passing(log),
            events: Events::new(log),
            filter,
            is_json,
            printed: 0,
            out,
        }
    }

    /// Prints these, up to where somebody wants it to end.
    fn print(&mut self, records: Records, interrupt: &Interrupt) -> Result<(), Stop> {
        for entry in records {
            if interrupt.has_come() {
                break;
            }
            self.names.learn(&entry.event);
            let (events, names) = (&mut self.events, &mut self.names);
            if self.filter.passes(&entry, events, names) {
                self.printed += 1;
                self.print_one(&entry)?;
            }
        }
        Ok(())
    }

    fn print_one(&mut self, entry: &Entry) -> Result<(), Stop> {
        let site = entry.event.tid().and_then(|tid| self.names.of_task(tid));
        let line = Line {
            entry,
            // Only JSON tells the date.
            wall_ns: self
                .is_json
                .then(|| self.events.log().wall_ns(entry.stamp))
                .flatten(),
            event: self.events.name(&entry.event),
            name: site.as_ref().and_then(|site| site.name.as_deref()),
            fields: self
                .events
                .fields_beside(&entry.event, entry.ways_out, &mut self.names),
        };
        if self.is_json {
            self.out.json(&line)
        } else {
            Ok(writeln!(self.out, "{line}")?)
        }
    }
}
