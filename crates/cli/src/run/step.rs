//! Owns the words for a step of a run, one line each.

use crate::human::{self, Bytes, Span};
use glasshouse_flow::{Progress, Row};
use std::time::Duration;

/// The columns of a node's name, where names are that short.
pub const NAME_COLUMNS: usize = 16;

/// A step as a line.
pub fn line(step: &Progress) -> String {
    match step {
        Progress::Started {
            node, attempt: 1, ..
        } => phrase("started", node, ""),
        Progress::Started { node, attempt, .. } => {
            phrase("started", node, &format!("attempt {attempt}"))
        }
        Progress::Retrying {
            node,
            attempt,
            delay,
            outcome,
        } => {
            let delay = Span::from(*delay);
            phrase(
                "retrying",
                node,
                &format!("{outcome}; attempt {attempt} in {delay}"),
            )
        }
        Progress::Finished { row } => phrase("finished", &row.node, &ending(row)),
    }
}

fn ending(row: &Row) -> String {
    if row.attempts == 0 {
        return row.outcome.to_string();
    }
    let (ran, output) = (Span(row.ran_ns), Bytes(row.output_bytes));
    format!("{}; ran {ran}, wrote {output}", row.outcome)
}

fn phrase(what: &str, node: &str, rest: &str) -> String {
    let line = format!("{what:<9} {} {}", padded(node), human::plain(rest));
    line.trim_end().to_owned()
}

/// A node's name, filled up to its column.
pub fn padded(node: &str) -> String {
    let node = human::plain(node);
    let missing = NAME_COLUMNS.saturating_sub(human::width(&node));
    format!("{node}{}", " ".repeat(missing))
}

/// A line with the time since the run began before it.
pub fn dated(since: Duration, line: &str) -> String {
    format!("{:>9.3} s  {line}", since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use glasshouse_flow::Outcome;

    #[test]
    fn a_step_is_one_line_that_names_its_node() {
        let retrying = Progress::Retrying {
            node: "flaky".into(),
            attempt: 2,
            delay: Duration::from_millis(400),
            outcome: Outcome::ExitCode { exit_code: 75 },
        };
        assert_eq!(
            line(&retrying),
            "retrying  flaky            exit code 75; attempt 2 in 400 ms"
        );
        let outcome = Outcome::Skipped {
            need: "flaky".to_owned(),
        };
        let row = Row {
            node: "a name that is longer than the column".to_owned(),
            lane: "default".to_owned(),
            outcome,
            attempts: 0,
            waited_ns: 0,
            ran_ns: 0,
            output_bytes: 0,
            dropped_bytes: 0,
            tail: String::new(),
        };
        assert_eq!(
            dated(
                Duration::from_millis(1_500),
                &line(&Progress::Finished { row })
            ),
            "    1.500 s  finished  a name that is longer than the column skipped: needs flaky"
        );
    }
}
