//! A side-by-side benchmark whose every measurement is a process of its own.
//!
//! The program runs itself again and again, once per measurement: `measure ROW SUBJECT WORKERS`. One *row* is
//! a piece of work that is written once (`work/`), over the trait in `runtime.rs`; a *subject* is a runtime
//! as its users set it up (`subject.rs`). The subjects of a row are measured in turn, A B C A B C, so that
//! a machine that drifts drifts for all; what is compared are the ratios of neighbours (`statistics.rs`).
//!
//! Each measurement warms up with a smaller round of the same work in the same process, and is then timed
//! inside a spawned task, not in the future that `block_on` was given, unless its row says otherwise.

mod bars;
mod child;
mod json;
mod line;
mod options;
mod report;
mod row;
mod run;
mod runtime;
mod statistics;
mod subject;
mod telemetry;
mod work;

use std::process::ExitCode;

/// Measures in this process where the hidden subcommand says so, else runs the rows that were asked for.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some(child::SUBCOMMAND) => child::measure_here(&arguments[1..]),
        Some(work::LOAD_SUBCOMMAND) => work::load_here(&arguments[1..]),
        _ => options::Options::parse(&arguments).and_then(|options| run::run(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("versus: {problem}");
            ExitCode::from(2)
        }
    }
}
