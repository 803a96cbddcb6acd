//! Flows: graphs of named commands with retries and timeouts, read from TOML and run as green tasks.
//!
//! ```toml
//! name = "nightly"              # optional
//! global_limit = 4              # optional: how many nodes may run at a time over all lanes
//!
//! [lanes.disk]
//! limit = 2                     # how many of its nodes may run at a time
//!
//! [[node]]
//! name = "pack"                 # unique; letters, digits and _ - . : /
//! run = "tar -cf out.tar src"   # a line for /bin/sh -c, or ["tar", "-cf", "out.tar", "src"]
//! lane = "disk"                 # else "default", which needs no declaration
//! needs = ["build"]             # starts when these have succeeded
//! timeout = "1.5s"              # for each attempt, from its start; none without it
//! retries = 2                   # after a failure; 0 without it
//! backoff = "250ms"             # before the first retry, doubled for each further one
//! env = { LC_ALL = "C" }        # added to what is inherited
//! cwd = "crates"                # from the current directory
//! output = "64KiB"              # how much of the output is kept: the newest; 256KiB without it
//! ```
//!
//! Durations are a number and one of `h m s ms us ns`, sizes one of `GiB MiB KiB B`. What cannot be used is
//! refused before anything starts, by a [`FlowError`] of one line. [`run()`] runs what was read.
#![forbid(unsafe_code)]

mod agenda;
mod attempt;
mod backoff;
mod board;
mod cancel;
mod draft;
mod error;
#[cfg(test)]
mod fake;
mod flow;
mod graph;
mod live;
#[cfg(test)]
mod log_tests;
mod node_task;
mod options;
mod outcome;
mod plain_text;
mod progress;
mod quantity;
mod read;
mod report;
mod resolve;
mod run;
#[cfg(test)]
mod run_model_tests;
#[cfg(test)]
mod run_tests;
mod runner;
mod section;
mod source;
#[cfg(test)]
mod stop_tests;
mod suggestion;
mod terminal;

pub use backoff::{BACKOFF_CAP, BACKOFF_DEFAULT, backoff};
pub use cancel::Cancel;
pub use draft::OUTPUT_BYTES;
pub use error::{FlowError, Place, Problem};
pub use flow::{Command, DEFAULT_LANE, Flow, LaneLimit, Node, OUTPUT_DEFAULT_BYTES};
pub use live::Live;
pub use options::{GRACE_DEFAULT, Options};
pub use outcome::Outcome;
pub use progress::Progress;
pub use quantity::{DURATION_MAX, QuantityError};
pub use read::{FILE_BYTES_MAX, LIMIT_MAX, NAME_BYTES_MAX};
pub use report::{Report, Row};
pub use run::{PROGRESS_MAX, run};
