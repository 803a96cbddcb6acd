//! Owns the command line: its commands, and how a mistake in it is told.

use crate::exit::Stop;
use crate::out::Out;
use crate::{inspect, logging, run};
use clap::Parser;
use clap::error::ErrorKind;
use std::io::Write;

/// Runs flows as green tasks and looks into the logs that processes leave.
///
/// PAL is a log file, a directory of segments as `run --spill` leaves, a process id, or `last` for the newest log.
#[derive(Parser)]
#[command(name = "glasshouse", version, arg_required_else_help = false)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

/// One command with its options.
#[derive(clap::Subcommand)]
enum Command {
    /// Run a flow: a graph of commands read from a TOML file
    Run(run::Options),
    /// List the processes with a live or left-over log
    Ps(inspect::ps::Options),
    /// Print a log's records in the order of time
    Log(inspect::log::Options),
    /// Say where the tasks' time went, by the place that spawned them
    Stats(inspect::stats::Options),
    /// Tell one task's life: its states, how long each lasted, who woke it, and what it spawned
    Task(inspect::task::Options),
    /// Say where one task's time went, back along who woke whom; or who waits for whom, and what hangs
    Why(inspect::why::Options),
    /// Watch a process live: its workers, tasks, lanes and pseudo-terminals
    Top(inspect::top::Options),
    /// Turn a log into what other programs read: Perfetto, scripts
    Export(inspect::export::Options),
    /// Check that every task's records obey the rules of a task's life, and that counts agree
    Verify(inspect::verify::Options),
}

impl Command {
    fn execute(self) -> Result<(), Stop> {
        logging::install()?;
        match self {
            Command::Run(options) => run::run(&options),
            Command::Ps(options) => print(|out| inspect::ps::run(&options, out)),
            Command::Log(options) => print(|out| inspect::log::run(&options, out)),
            Command::Stats(options) => print(|out| inspect::stats::run(&options, out)),
            Command::Export(options) => print(|out| inspect::export::run(&options, out)),
            Command::Task(options) => print(|out| inspect::task::run(&options, out)),
            Command::Top(options) => inspect::top::run(&options),
            Command::Verify(options) => print(|out| inspect::verify::run(&options, out)),
            Command::Why(options) => print(|out| inspect::why::run(&options, out)),
        }
    }
}

/// Gives standard output to a command. What it wrote is shown, however it ended.
fn print(command: impl FnOnce(&mut Out) -> Result<(), Stop>) -> Result<(), Stop> {
    let mut out = Out::take();
    let ended = command(&mut out);
    let flushed = out.finish();
    ended.and(flushed)
}

/// Reads the command line and does what it says; help and the version are printed here.
///
/// # Errors
///
/// A mistake in the command line, or how the command ended, where not well.
pub fn execute() -> Result<(), Stop> {
    let error = match Args::try_parse() {
        Ok(args) => return args.command.execute(),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let mut out = Out::take();
            write!(out, "{}", error.render())?;
            out.finish()
        }
        _ => Err(Stop::Input(mistake(&error.render().to_string()))),
    }
}

/// The parser's message without its usage, and where to look instead.
fn mistake(rendered: &str) -> String {
    let paragraphs = rendered.split("\n\n").map(str::trim);
    let told: Vec<String> = paragraphs
        .take_while(|paragraph| {
            !paragraph.starts_with("Usage:") && !paragraph.starts_with("For more")
        })
        .map(|paragraph| paragraph.trim_start_matches("error: ").to_owned())
        .filter(|paragraph| !paragraph.is_empty())
        .collect();
    format!("{}; see `glasshouse --help`", told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_without_the_parsers_usage() {
        let rendered = "error: unexpected argument '--jso' found\n\n  tip: a similar argument exists: '--json'\n\nUsage: glasshouse ps [OPTIONS]\n\nFor more information, try '--help'.\n";
        assert_eq!(
            mistake(rendered),
            "unexpected argument '--jso' found; tip: a similar argument exists: '--json'; see `glasshouse --help`"
        );
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
