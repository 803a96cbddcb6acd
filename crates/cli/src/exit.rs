//! Owns how a command ends early, and the exit code that each way of ending has.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

/// Why a command ended before, or otherwise than, its normal end.
#[derive(Debug)]
pub enum Stop {
    /// A node failed or a check did not hold; what there is to say was said. Exit code 1.
    Failed,
    /// The input could not be used: one line that names the place and the remedy. Exit code 2.
    Input(String),
    /// Ctrl-C. Exit code 130.
    Interrupted,
    /// The reader of our output has gone, as `head` does. Nothing is wrong: exit code 0.
    ReaderGone,
}

impl Stop {
    /// The input could not be used; `line` says where and what to do.
    pub fn input(line: impl fmt::Display) -> Stop {
        Stop::Input(line.to_string())
    }

    /// The exit code; an input that could not be used is told on standard error first.
    pub fn report(self) -> ExitCode {
        match self {
            Stop::Failed => ExitCode::from(1),
            Stop::Input(line) => {
                complain(&line);
                ExitCode::from(2)
            }
            Stop::Interrupted => ExitCode::from(130),
            Stop::ReaderGone => ExitCode::SUCCESS,
        }
    }
}

/// Tells on standard error what is wrong, on one line.
pub fn complain(what: &dyn fmt::Display) {
    // Nobody is left to tell where standard error itself cannot be written.
    let _ = writeln!(io::stderr(), "glasshouse: {}", one_line(&what.to_string()));
}

/// An error of writing our output.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Stop::ReaderGone,
            _ => Stop::input(format_args!("standard output: {error}")),
        }
    }
}

/// `text` on one line: its own lines joined, so that an error is one line whatever it was made of.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is() {
        let gone = Stop::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(gone, Stop::ReaderGone));
        let full = Stop::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(matches!(full, Stop::Input(line) if line.starts_with("standard output: ")));
    }

    #[test]
    fn an_error_of_many_lines_is_told_on_one() {
        assert_eq!(one_line("a\n  b\n\nc\n"), "a b c");
    }
}
