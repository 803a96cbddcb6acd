//! Owns what a run leaves on standard output: the table, why nodes failed, and where the log is.

use super::place;
use crate::human::{self, Bytes, Span};
use crate::table::{Align, Table};
use glasshouse_flow::{Outcome, Report, Row};
use glasshouse_pal::Pal;
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// The version of this command's JSON.
const FORMAT: u32 = 1;

/// A run in retrospect, as JSON has it.
#[derive(Serialize)]
pub struct Summary {
    format: u32,
    flow: String,
    name: Option<String>,
    success: bool,
    cancelled: bool,
    took_ns: u64,
    /// The log's file; `None` where none is left.
    log: Option<String>,
    nodes: Vec<Row>,
}

impl Summary {
    pub fn new(flow: &Path, report: Report, pal: &Pal) -> Summary {
        let log = place::left_behind(pal);
        Summary {
            format: FORMAT,
            flow: flow.to_string_lossy().into_owned(),
            success: report.is_success(),
            cancelled: report.is_cancelled,
            took_ns: report.took_ns,
            log: log.map(|path| path.to_string_lossy().into_owned()),
            name: report.name,
            nodes: report.rows,
        }
    }

    /// Prints it for people. `program` is how this binary was called, so that the commands it names can be
    /// called as they stand.
    ///
    /// # Errors
    ///
    /// What writing gives.
    pub fn print(&self, program: &str, out: &mut impl Write) -> io::Result<()> {
        writeln!(out)?;
        self.table().print(out)?;
        for row in &self.nodes {
            print_reason(row, out)?;
        }
        writeln!(out)?;
        writeln!(out, "{}", self.verdict())?;
        self.print_log(program, out)
    }

    fn table(&self) -> Table {
        use Align::{Left, Right};
        let mut table = Table::new(&[
            ("NODE", Left),
            ("LANE", Left),
            ("OUTCOME", Left),
            ("ATTEMPTS", Right),
            ("WAITED", Right),
            ("RAN", Right),
            ("OUTPUT", Right),
            ("DROPPED", Right),
        ]);
        for row in &self.nodes {
            table.row([
                row.node.clone(),
                row.lane.clone(),
                brief(&row.outcome),
                row.attempts.to_string(),
                Span(row.waited_ns).to_string(),
                Span(row.ran_ns).to_string(),
                Bytes(row.output_bytes).to_string(),
                Bytes(row.dropped_bytes).to_string(),
            ]);
        }
        table
    }

    fn verdict(&self) -> String {
        let count = |of: &dyn Fn(&Row) -> bool| self.nodes.iter().filter(|row| of(row)).count();
        let succeeded = count(&|row| row.outcome.is_success());
        let failed = count(&|row| row.outcome.is_failure());
        let rest = self.nodes.len() - succeeded - failed;
        let mut verdict = format!("{succeeded} of {} nodes succeeded", self.nodes.len());
        if failed > 0 {
            verdict += &format!(", {failed} failed");
        }
        if rest > 0 {
            verdict += &format!(", {rest} did not run to their end");
        }
        format!("{verdict}; took {}", Span(self.took_ns))
    }

    fn print_log(&self, program: &str, out: &mut impl Write) -> io::Result<()> {
        let Some(log) = &self.log else {
            return writeln!(out, "log: none is left of this run");
        };
        let log = human::plain(log);
        writeln!(out, "log: {log}")?;
        let program = quoted(&human::plain(program));
        let quoted = quoted(&log);
        for (command, what) in [
            ("stats", "where the time went, by spawn site"),
            ("log", "every record, in the order of time"),
            (
                "why",
                "who waits for whom; with a task's number, where its time went",
            ),
            ("verify", "whether the records tell one story"),
        ] {
            writeln!(out, "  {program} {command:<6} {quoted}   {what}")?;
        }
        Ok(())
    }
}

/// The outcome as a cell of the table; what is long stands below it.
fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::SpawnError { .. } => "not started".to_owned(),
        Outcome::Panic { .. } => "panic".to_owned(),
        told_whole => told_whole.to_string(),
    }
}

/// Why a node failed, where the table does not say it all.
fn print_reason(row: &Row, out: &mut impl Write) -> io::Result<()> {
    let outcome = row.outcome.to_string();
    if row.tail.is_empty() && brief(&row.outcome) == outcome {
        return Ok(());
    }
    let (node, outcome) = (human::plain(&row.node), human::plain(&outcome));
    writeln!(out)?;
    if row.tail.is_empty() {
        return writeln!(out, "{node}: {outcome}");
    }
    writeln!(out, "{node}: {outcome}; the end of its output:")?;
    for line in row.tail.lines() {
        writeln!(out, "    {}", human::plain(line))?;
    }
    Ok(())
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@".contains(c);
    match path.chars().all(is_plain) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(node: &str, outcome: Outcome, tail: &str) -> Row {
        Row {
            node: node.to_owned(),
            lane: "disk".to_owned(),
            outcome,
            attempts: 1,
            waited_ns: 1_200,
            ran_ns: 2_500_000,
            output_bytes: 2_048,
            dropped_bytes: 0,
            tail: tail.to_owned(),
        }
    }

    #[test]
    fn the_table_comes_first_then_failures_then_the_log() {
        let failure = Outcome::ExitCode { exit_code: 3 };
        let summary = Summary {
            format: FORMAT,
            flow: "a.toml".to_owned(),
            name: None,
            success: false,
            cancelled: false,
            took_ns: 3_000_000,
            log: Some("/tmp/a b.pal".to_owned()),
            nodes: vec![
                row("list", Outcome::Success, ""),
                row("pack", failure, "no\nspace\u{7}"),
            ],
        };
        let mut out = Vec::new();
        summary
            .print("bin/glasshouse", &mut out)
            .expect("a vector takes all");
        let text = String::from_utf8(out).expect("text");
        let expected = "
NODE  LANE  OUTCOME      ATTEMPTS   WAITED      RAN    OUTPUT  DROPPED
list  disk  success             1  1.20 µs  2.50 ms  2.00 KiB      0 B
pack  disk  exit code 3         1  1.20 µs  2.50 ms  2.00 KiB      0 B

pack: exit code 3; the end of its output:
    no
    space\\u{7}

1 of 2 nodes succeeded, 1 failed; took 3.00 ms
log: /tmp/a b.pal
  bin/glasshouse stats  '/tmp/a b.pal'   where the time went, by spawn site
  bin/glasshouse log    '/tmp/a b.pal'   every record, in the order of time
  bin/glasshouse why    '/tmp/a b.pal'   who waits for whom; with a task's number, where its time went
  bin/glasshouse verify '/tmp/a b.pal'   whether the records tell one story
";
        assert_eq!(text, expected);
    }
}
