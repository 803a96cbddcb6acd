//! The binary `glasshouse`: runs flows and looks into logs.
//!
//! Each command is a file: the inspector's below `inspect`, which reads logs and knows no runtime, and
//! `run`, which has one. A command writes to the [`Out`](out::Out) it is given and ends with a
//! [`Stop`](exit::Stop), from which the exit code follows.

#![forbid(unsafe_code)]

mod args;
mod exit;
mod human;
mod inspect;
mod logging;
mod out;
mod run;
mod table;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    match args::execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.report(),
    }
}
