//! Owns a measurement in a process of its own: how it is asked for, and how it answers.

use crate::versus::row::Row;
use crate::versus::subject::Subject;
use crate::versus::work::Setting;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The first argument of a process that measures.
pub const SUBCOMMAND: &str = "measure";

/// What one process measures.
#[derive(Clone, Debug)]
pub struct Measurement {
    pub row: &'static Row,
    pub subject: Subject,
    pub setting: Setting,
    /// When the first scrape comes. It differs from pair to pair, so that the share of measurements
    /// that are scraped is what it is in a process that runs for long.
    pub scrape_phase: Duration,
}

impl Measurement {
    /// Runs `program` to measure, and gives its figures in the order of the row's. What it prints beside them
    /// (on a machine that others use, warnings of stalls) is told only if it fails.
    pub fn ask(&self, program: &Path) -> Result<Vec<f64>, String> {
        let output = Command::new(program)
            .args([SUBCOMMAND, self.row.name, self.subject.name()])
            .args(self.setting.words())
            .arg(self.scrape_phase.as_millis().to_string())
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let figures: Option<Vec<f64>> = text.lines().map(|line| line.parse().ok()).collect();
        match figures {
            Some(figures) if output.status.success() && figures.len() == self.row.figures.len() => {
                Ok(figures)
            }
            _ => Err(format!(
                "{} on {} with {} workers: {}, and said: {text}{}",
                self.row.name,
                self.subject.name(),
                self.setting.workers,
                output.status,
                String::from_utf8_lossy(&output.stderr),
            )),
        }
    }

    fn parse(arguments: &[String]) -> Option<Measurement> {
        let [row, subject, setting @ .., scrape_phase_ms] = arguments else {
            return None;
        };
        Some(Measurement {
            row: Row::by_name(row)?,
            subject: Subject::by_name(subject)?,
            setting: Setting::from_words(setting)?,
            scrape_phase: Duration::from_millis(scrape_phase_ms.parse().ok()?),
        })
    }
}

/// The measuring process: prints one figure a line.
pub fn measure_here(arguments: &[String]) -> Result<(), String> {
    let asked = Measurement::parse(arguments)
        .ok_or_else(|| format!("{SUBCOMMAND} is for this program's own use"))?;
    let figures = asked
        .subject
        .measure(asked.row.work, asked.setting, asked.scrape_phase);
    for figure in figures {
        println!("{figure}");
    }
    Ok(())
}
