//! Owns `glasshouse export`: a log in a form that other programs read.

mod chrome;
mod cut;
mod trace_event;

use super::log;
use super::lost;
use super::open::open_to_print;
use crate::exit::Stop;
use crate::out::Out;
use clap::ValueEnum;

/// What `glasshouse export` is asked.
#[derive(clap::Args)]
pub struct Options {
    /// A log file, a directory of segments, a process id, or `last`
    #[arg(value_name = "PAL")]
    pal: String,
    /// For Perfetto and chrome://tracing, or the lines of `log --json`
    #[arg(long, value_enum)]
    format: Format,
}

/// The forms there are.
#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Trace events: a track for each worker, a slice for each tick, an arrow for each wake out of a tick
    Chrome,
    /// One JSON object a record
    Json,
}

/// Prints the log in that form.
///
/// # Errors
///
/// When there is no such log, or the output cannot be written.
pub fn run(options: &Options, out: &mut Out) -> Result<(), Stop> {
    let opened = open_to_print(&options.pal)?;
    log::say_what_is_lost(&opened);
    match options.format {
        Format::Chrome => chrome::write(&opened.log, out),
        Format::Json => log::write_json(&opened.log, out),
    }?;
    lost::say_unread(&opened);
    Ok(())
}
