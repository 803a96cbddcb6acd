//! Owns a run: every row with every number of workers, its subjects in turn.

use crate::versus::child::Measurement;
use crate::versus::options::Options;
use crate::versus::report::Report;
use crate::versus::row::{Figure, Row};
use crate::versus::subject::Subject;
use std::path::PathBuf;
use std::time::Duration;

/// The path of the build without telemetry; `scripts/versus` sets it.
const OFF_VAR: &str = "GLASSHOUSE_VERSUS_OFF";

/// The first scrapes of the measurements are spread over this time, which is the time between scrapes.
const SCRAPE_EVERY: Duration = Duration::from_secs(1);

/// A line of the table: one figure of one row with one number of workers.
#[derive(Debug)]
pub struct Line {
    pub row: &'static Row,
    pub figure: &'static Figure,
    pub workers: usize,
    /// For each subject that was there its samples, pair by pair.
    pub samples: Vec<(Subject, Vec<f64>)>,
}

impl Line {
    /// The samples of a subject, if it was measured.
    pub fn of(&self, subject: Subject) -> Option<&[f64]> {
        let found = self.samples.iter().find(|(other, _)| *other == subject);
        found.map(|(_, samples)| samples.as_slice())
    }
}

/// The builds of this program.
struct Programs {
    this: PathBuf,
    off: Option<PathBuf>,
}

impl Programs {
    fn find() -> Result<Programs, String> {
        Ok(Programs {
            this: std::env::current_exe().map_err(|error| error.to_string())?,
            off: std::env::var_os(OFF_VAR).map(PathBuf::from),
        })
    }

    /// The build to measure `subject` with; `None` where it was not made.
    fn of(&self, subject: Subject) -> Option<&PathBuf> {
        match subject {
            Subject::Off => self.off.as_ref(),
            _ => Some(&self.this),
        }
    }
}

/// Measures what the options ask for, and prints it line by line.
pub fn run(options: &Options) -> Result<(), String> {
    let programs = Programs::find()?;
    let mut report = Report::begin(options);
    for row in &options.rows {
        for &workers in &options.workers {
            for line in measure(row, workers, options, &programs)? {
                report.line(line);
            }
        }
    }
    report.end();
    Ok(())
}

fn measure(
    row: &'static Row,
    workers: usize,
    options: &Options,
    programs: &Programs,
) -> Result<Vec<Line>, String> {
    let subjects: Vec<(Subject, &PathBuf)> = options
        .subjects
        .iter()
        .filter(|subject| subject.has_workers(workers))
        .filter_map(|&subject| Some((subject, programs.of(subject)?)))
        .collect();
    let mut lines: Vec<Line> = row
        .figures
        .iter()
        .map(|figure| Line {
            row,
            figure,
            workers,
            samples: subjects.iter().map(|&(s, _)| (s, Vec::new())).collect(),
        })
        .collect();
    for pair in 0..options.pairs {
        for (column, &(subject, program)) in subjects.iter().enumerate() {
            let measurement = Measurement {
                row,
                subject,
                workers,
                is_quick: options.is_quick,
                scrape_phase: SCRAPE_EVERY * pair as u32 / options.pairs as u32,
            };
            let figures = measurement.ask(program)?;
            for (line, figure) in lines.iter_mut().zip(figures) {
                line.samples[column].1.push(figure);
            }
        }
    }
    Ok(lines)
}
