//! Owns `glasshouse log`: a log's records in the order of time, now and as they come.

mod line;

use super::event::Events;
use super::lost;
use super::names::Names;
use super::open::{Opened, open};
use super::parse::{duration, task};
use crate::exit::Stop;
use crate::human::{self, Span};
use crate::out::Out;
use glasshouse_pal::TaskId;
use glasshouse_pal::reader::{Cursor, Entry, Log, Records};
use line::Line;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a followed log is looked at. A guess: a person sees no delay, a processor no load.
const FOLLOW_PERIOD: Duration = Duration::from_millis(100);

/// What `glasshouse log` is asked.
#[derive(clap::Args, Default)]
pub struct Options {
    /// A log file, a process id, or `last`
    #[arg(value_name = "PAL")]
    pal: String,
    /// Only records about task N
    #[arg(long, value_name = "N", value_parser = task, allow_hyphen_values = true)]
    task: Option<TaskId>,
    /// Only events of kind K, such as `wake`
    #[arg(long, value_name = "K")]
    kind: Option<String>,
    /// Only the last D of the log, such as `5s` or `1m30s`
    #[arg(long, value_name = "D", value_parser = duration, allow_hyphen_values = true)]
    since: Option<Duration>,
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
    let opened = open(&options.pal)?;
    let mut printer = Printer::new(&opened.log, options, out);
    printer.check_kind(&opened)?;
    say_what_is_lost(&opened);
    if options.follow {
        return follow(&opened.log, &mut printer);
    }
    printer.begin_at(newest(opened.log.records()));
    printer.print(opened.log.records())
}

/// Every record as a line of JSON.
///
/// # Errors
///
/// When the output cannot be written.
pub fn write_json(log: &Log, out: &mut Out) -> Result<(), Stop> {
    let options = Options {
        json: true,
        ..Options::default()
    };
    Printer::new(log, &options, out).print(log.records())
}

/// Says what the log retains: beside the records, so that these alone go down a pipe.
pub fn say_what_is_lost(opened: &Opened) {
    say(format_args!(
        "{}: {}",
        opened.name(),
        lost::line(&opened.log)
    ));
}

/// When the newest record was made.
fn newest(records: Records) -> u64 {
    records.last().map_or(0, |entry| entry.at_ns)
}

fn say(line: std::fmt::Arguments<'_>) {
    // Nobody is left to tell where standard error itself cannot be written.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn follow(log: &Log, printer: &mut Printer<'_, '_>) -> Result<(), Stop> {
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&interrupted))?;
    printer.begin_at(newest(log.records()));
    let mut cursor = Cursor::default();
    // What was lost before is told already.
    let mut is_first = true;
    loop {
        // Asked first: what a process recorded before it ended is in the log once it has ended.
        let is_over = !log.is_alive();
        let (records, lost) = log.follow(&mut cursor);
        if lost > 0 && !is_first {
            say(format_args!(
                "{lost} records were overwritten before they were read"
            ));
        }
        is_first = false;
        printer.print(records)?;
        printer.out.flush()?;
        if interrupted.load(Ordering::Relaxed) {
            return Err(Stop::Interrupted);
        }
        if is_over {
            return Ok(());
        }
        if printer.out.has_lost_its_reader() {
            return Err(Stop::ReaderGone);
        }
        std::thread::sleep(FOLLOW_PERIOD);
    }
}

/// Prints the records that were asked for.
struct Printer<'a, 'out> {
    names: Names<'a>,
    events: Events<'a>,
    options: &'a Options,
    /// Earlier records are left out.
    from_ns: u64,
    out: &'out mut Out,
}

impl<'a, 'out> Printer<'a, 'out> {
    fn new(log: &'a Log, options: &'a Options, out: &'out mut Out) -> Printer<'a, 'out> {
        Printer {
            names: Names::new(log),
            events: Events::new(log),
            options,
            from_ns: 0,
            out,
        }
    }

    /// A kind that the log does not know is a mistake, not an empty answer.
    fn check_kind(&self, opened: &Opened) -> Result<(), Stop> {
        let Some(kind) = &self.options.kind else {
            return Ok(());
        };
        let mut known = self.events.names();
        if known.contains(kind) {
            return Ok(());
        }
        known.sort();
        Err(Stop::input(format_args!(
            "{}: no event is of kind `{}`; the log knows {}",
            opened.name(),
            human::plain(kind),
            human::plain(&known.join(", ")),
        )))
    }

    fn begin_at(&mut self, newest_ns: u64) {
        if let Some(since) = self.options.since {
            self.from_ns = newest_ns.saturating_sub(Span::from(since).0);
        }
    }

    fn print(&mut self, records: Records) -> Result<(), Stop> {
        for entry in records {
            self.names.learn(&entry.event);
            if self.is_asked_for(&entry) {
                self.print_one(&entry)?;
            }
        }
        Ok(())
    }

    fn is_asked_for(&mut self, entry: &Entry) -> bool {
        let task = self.options.task;
        if entry.at_ns < self.from_ns || task.is_some() && task != entry.event.tid() {
            return false;
        }
        let kind = self.options.kind.as_deref();
        kind.is_none_or(|kind| self.events.name(&entry.event) == kind)
    }

    fn print_one(&mut self, entry: &Entry) -> Result<(), Stop> {
        let site = entry.event.tid().and_then(|tid| self.names.of_task(tid));
        let line = Line {
            entry,
            wall_ns: self.events.log().wall_ns(entry.stamp),
            event: self.events.name(&entry.event),
            name: site.and_then(|site| site.name.clone()),
            fields: self.events.fields(&entry.event, &mut self.names),
        };
        if self.options.json {
            self.out.json(&line)
        } else {
            Ok(writeln!(self.out, "{line}")?)
        }
    }
}
