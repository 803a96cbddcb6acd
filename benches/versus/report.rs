//! Owns the table: what is printed of a run, and in what words.

use crate::versus::options::Options;
use crate::versus::run::Line;
use crate::versus::statistics::{
    Interval, Verdict, geometric_mean, median, median_interval, speeds,
};
use crate::versus::subject::Subject;

/// How a line compares with the faster peer.
struct Comparison {
    peer: Subject,
    speed: f64,
    interval: Option<Interval>,
    verdict: Option<Verdict>,
}

/// The table while it grows.
pub struct Report {
    subjects: Vec<Subject>,
    is_json: bool,
    lines: Vec<Line>,
}

impl Report {
    /// Prints the headings.
    pub fn begin(options: &Options) -> Report {
        let report = Report {
            subjects: options.subjects.clone(),
            is_json: options.is_json,
            lines: Vec::new(),
        };
        report.print("what yield_now promises: a task that yields");
        for subject in &report.subjects {
            report.print(&format!("  {:9} {}", subject.name(), subject.yield_now()));
        }
        report.print("");
        for row in &options.rows {
            report.print(&format!("  {:14} {}", row.name, row.what));
        }
        report.print("");
        let mut heading = format!("{:22} {:>2} {:4}", "row", "w", "unit");
        for subject in &report.subjects {
            heading.push_str(&format!(" {:>9}", subject.name()));
        }
        heading.push_str("   speed against the faster peer [95 % interval]");
        report.print(&heading);
        report
    }

    /// Prints a line and keeps it.
    pub fn line(&mut self, line: Line) {
        let mut text = format!(
            "{:22} {:>2} {:4}",
            title(&line),
            line.workers,
            line.figure.unit
        );
        for &subject in &self.subjects {
            match line.of(subject).and_then(median) {
                Some(median) => text.push_str(&format!(" {:>9}", amount(median))),
                None => text.push_str(&format!(" {:>9}", "-")),
            }
        }
        if let Some(comparison) = compare(&line) {
            text.push_str(&comparison.text());
        }
        self.print(&text);
        self.lines.push(line);
    }

    /// Prints what the lines say together.
    pub fn end(self) {
        let judged: Vec<f64> = self
            .lines
            .iter()
            .filter_map(compare)
            .filter(|comparison| comparison.verdict.is_some())
            .map(|comparison| comparison.speed)
            .collect();
        if let Some(mean) = geometric_mean(&judged) {
            self.print(&format!(
                "\ngeometric mean of {} speeds against the faster peer: {mean:.2}",
                judged.len()
            ));
        }
    }

    fn print(&self, text: &str) {
        match self.is_json {
            true => eprintln!("{text}"),
            false => println!("{text}"),
        }
    }
}

fn title(line: &Line) -> String {
    match line.figure.name {
        "" => line.row.name.to_owned(),
        figure => format!("{} {figure}", line.row.name),
    }
}

/// Compares with the peer whose median is the least; `None` where Glasshouse or every peer is missing.
fn compare(line: &Line) -> Option<Comparison> {
    let ours = line.of(Subject::On)?;
    let (peer, theirs) = Subject::PEERS
        .into_iter()
        .filter_map(|peer| Some((peer, line.of(peer)?)))
        .min_by(|(_, one), (_, other)| f64::total_cmp(&middle(one), &middle(other)))?;
    let speeds = speeds(ours, theirs);
    let interval = median_interval(&speeds);
    Some(Comparison {
        peer,
        speed: median(&speeds)?,
        interval,
        verdict: line
            .figure
            .must_reach
            .map(|must_reach| Verdict::of(interval, must_reach)),
    })
}

fn middle(samples: &[f64]) -> f64 {
    median(samples).unwrap_or(f64::INFINITY)
}

impl Comparison {
    fn text(&self) -> String {
        let interval = match self.interval {
            Some(Interval { low, high }) => format!("[{low:.2}, {high:.2}]"),
            None => "[too few pairs]".to_owned(),
        };
        let verdict = match self.verdict {
            Some(Verdict::Faster) => "faster",
            Some(Verdict::NoSlower) => "no slower",
            Some(Verdict::Slower) => "SLOWER",
            Some(Verdict::Unknown) | None => "",
        };
        format!(
            "   {:5.2} {interval:15} {:8} {verdict}",
            self.speed,
            self.peer.name()
        )
    }
}

/// Three digits, or all that are before the point.
fn amount(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}
