//! Owns the table: what is printed of a run, and in what words.

use crate::versus::bars;
use crate::versus::json;
use crate::versus::line::{Allocator, Comparison, Line};
use crate::versus::options::Options;
use crate::versus::statistics::{Interval, Verdict};
use crate::versus::subject::Subject;
use crate::versus::work::Clock;

/// The table while it grows.
pub struct Report {
    subjects: Vec<Subject>,
    is_json: bool,
    clock: Clock,
    lines: Vec<Line>,
}

impl Report {
    /// Prints the headings.
    pub fn begin(options: &Options) -> Report {
        let report = Report {
            subjects: options.subjects.clone(),
            is_json: options.is_json,
            clock: options.clock,
            lines: Vec::new(),
        };
        for row in &options.rows {
            report.print(&format!("{:14} {}", row.name, row.what));
        }
        report.print("\nwhat yield_now promises of a task:");
        for subject in &report.subjects {
            report.print(&format!("{:14} {}", subject.name(), subject.yield_now()));
        }
        report
    }

    fn print_heading(&self, allocator: Allocator) {
        let clock = match self.clock {
            Clock::Wall => "",
            Clock::Processor => ", processor time",
        };
        let mut heading = format!("\n{:19} {:>2} {:3}", allocator.name(), "w", "");
        for subject in &self.subjects {
            heading.push_str(&format!(" {:>9}", subject.name()));
        }
        heading.push_str("  speed [95 % interval] against the faster peer");
        heading.push_str(clock);
        self.print(&heading);
    }

    /// Prints a line and keeps it.
    pub fn line(&mut self, line: Line) {
        let last = self.lines.last().map(|last| last.allocator);
        if last != Some(line.allocator) {
            self.print_heading(line.allocator);
        }
        let mut text = format!(
            "{:19} {:>2} {:3}",
            line.title(),
            line.workers,
            line.figure.unit
        );
        for &subject in &self.subjects {
            let median = line.median_of(subject);
            let median = median.map_or("-".to_owned(), amount);
            text.push_str(&format!(" {median:>9}"));
        }
        if let Some(comparison) = line.against_faster_peer() {
            text.push_str(&comparison.text());
        }
        self.print(&text);
        self.lines.push(line);
    }

    /// Prints what the lines say together.
    pub fn end(self) {
        self.print("");
        for bar in bars::all(&self.lines, self.clock) {
            self.print(&bar.text());
        }
        if self.is_json {
            println!("{}", json::of(&self.lines, self.clock));
        }
    }

    fn print(&self, text: &str) {
        match self.is_json {
            true => eprintln!("{text}"),
            false => println!("{text}"),
        }
    }
}

impl Comparison {
    fn text(&self) -> String {
        let interval = match self.interval {
            Some(Interval { low, high }) => format!("[{low:.2}, {high:.2}]"),
            None => String::new(),
        };
        let verdict = match self.verdict {
            Some(Verdict::Faster) => "faster",
            Some(Verdict::NoSlower) => "no slower",
            Some(Verdict::Slower) => "SLOWER",
            Some(Verdict::Unknown) => "too few pairs",
            None => "",
        };
        format!(
            "  {:5.2} {interval:14} {:8} {verdict}",
            self.speed,
            self.peer.name()
        )
    }
}

/// Three digits, or all that are before the point.
pub fn amount(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}
