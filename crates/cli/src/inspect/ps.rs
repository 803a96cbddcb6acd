//! Owns `glasshouse ps`: the processes that have a log, alive or not.

use super::lost::{self, Lost};
use crate::exit::{Stop, complain};
use crate::human::{self, Bytes, Span};
use crate::out::Out;
use crate::table::{Align, Table};
use glasshouse_pal::Lifecycle;
use glasshouse_pal::dir::{LogDir, LogFile};
use glasshouse_pal::reader::{Log, Loss};
use jiff::Timestamp;
use serde::Serialize;
use std::io::Write;

/// What `glasshouse ps` is asked.
#[derive(clap::Args)]
pub struct Options {
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Prints a line for each log, the newest first.
///
/// # Errors
///
/// When others could have put logs where this user's are, or the output cannot be written.
pub fn run(options: &Options, out: &mut Out) -> Result<(), Stop> {
    let dir = LogDir::default_place();
    dir.check().map_err(Stop::input)?;
    for refused in dir.refused() {
        complain(&human::plain(&refused.to_string()));
    }
    let rows = dir.list().into_iter().filter_map(Row::of);
    if options.json {
        for row in rows {
            out.json(&row.told())?;
        }
        return Ok(());
    }
    use Align::{Left, Right};
    let mut table = Table::new(&[
        ("PID", Right),
        ("STATE", Left),
        ("AGE", Right),
        ("SIZE", Right),
        ("RETAINED", Right),
        ("COMMAND", Left),
        ("LOG", Left),
        ("LOST", Left),
    ]);
    let now_ns = now_ns();
    let (mut is_empty, mut has_others) = (true, false);
    for row in rows {
        is_empty = false;
        has_others |= row.is_elsewhere();
        let mark = if row.is_elsewhere() { "*" } else { "" };
        table.row([
            format!("{}{mark}", row.file.process.pid),
            row.state().to_owned(),
            Span(now_ns.saturating_sub(row.file.started_wall_ns)).to_string(),
            Bytes(row.file.used_bytes).to_string(),
            Span(row.retained_ns).to_string(),
            row.file.command.clone(),
            row.file.path.to_string_lossy().into_owned(),
            lost::summary(&row.loss),
        ]);
    }
    if is_empty {
        writeln!(out, "no process has a log in {}", dir.path().display())?;
        return Ok(());
    }
    table.print(out)?;
    if has_others {
        writeln!(
            out,
            "* counted in another PID namespace; to look into it, name its log"
        )?;
    }
    Ok(())
}

/// The time of day in nanoseconds since 1970 UTC.
fn now_ns() -> u64 {
    u64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(0)
}

/// How a process is that has a log.
pub fn state(is_alive: bool, lifecycle: Lifecycle) -> &'static str {
    match (is_alive, lifecycle) {
        (true, _) => "alive",
        (false, Lifecycle::CleanExit) => "exited",
        (false, Lifecycle::Panicking) => "panicked",
        (false, Lifecycle::Running) => "crashed",
    }
}

/// One log.
struct Row {
    file: LogFile,
    retained_ns: u64,
    loss: Loss,
}

impl Row {
    /// `None` for a log that was removed meanwhile.
    fn of(file: LogFile) -> Option<Row> {
        let log = Log::open(&file.path).ok()?;
        Some(Row {
            retained_ns: log.retained_ns(),
            loss: log.loss(),
            file,
        })
    }

    fn state(&self) -> &'static str {
        state(self.file.is_alive, self.file.lifecycle)
    }

    /// Whether the process's number means another one here, or none.
    fn is_elsewhere(&self) -> bool {
        self.file.process.is_elsewhere()
    }

    fn told(&self) -> Told {
        let started = Timestamp::from_nanosecond(i128::from(self.file.started_wall_ns));
        Told {
            pid: self.file.process.pid,
            is_elsewhere: self.is_elsewhere(),
            state: self.state(),
            started: started.ok().map(|at| at.to_string()),
            size_bytes: self.file.used_bytes,
            retained_ns: self.retained_ns,
            command: self.file.command.clone(),
            log: self.file.path.to_string_lossy().into_owned(),
            lost: Lost::from(&self.loss),
        }
    }
}

/// One log as JSON has it.
#[derive(Serialize)]
struct Told {
    pid: u32,
    /// The number belongs to another PID namespace.
    is_elsewhere: bool,
    state: &'static str,
    /// RFC 3339, UTC.
    started: Option<String>,
    size_bytes: u64,
    retained_ns: u64,
    command: String,
    log: String,
    lost: Lost,
}
