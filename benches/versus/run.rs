//! Owns a run: every row with every number of workers, its subjects in turn.

use crate::versus::child::Measurement;
use crate::versus::line::{Allocator, Line};
use crate::versus::options::Options;
use crate::versus::report::Report;
use crate::versus::row::{Row, Turns};
use crate::versus::subject::Subject;
use crate::versus::work::Setting;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The paths of the other builds; `scripts/versus` sets them.
const OFF_VAR: &str = "GLASSHOUSE_VERSUS_OFF";
const MIMALLOC_VAR: &str = "GLASSHOUSE_VERSUS_MIMALLOC";

/// The first scrapes of the measurements are spread over this time, which is the time between scrapes.
const SCRAPE_EVERY: Duration = Duration::from_secs(1);
/// Pairs for each sample of a subject that is there for information in its row.
const PAIRS_PER_INFORMATION: usize = 3;

/// The builds of this program.
struct Programs {
    this: PathBuf,
    off: Option<PathBuf>,
    mimalloc: Option<PathBuf>,
}

impl Programs {
    fn find() -> Result<Programs, String> {
        let from_var = |var| std::env::var_os(var).map(PathBuf::from);
        Ok(Programs {
            this: std::env::current_exe().map_err(|error| error.to_string())?,
            off: from_var(OFF_VAR),
            mimalloc: from_var(MIMALLOC_VAR),
        })
    }

    /// The build to measure `subject` with; `None` where it was not made.
    fn of(&self, subject: Subject, allocator: Allocator) -> Option<&Path> {
        let program = match (subject, allocator) {
            (Subject::Off, Allocator::Glibc) => self.off.as_ref(),
            (_, Allocator::Glibc) => Some(&self.this),
            (Subject::On | Subject::Tokio | Subject::Smol, Allocator::Mimalloc) => {
                self.mimalloc.as_ref()
            }
            (_, Allocator::Mimalloc) => None,
        };
        program.map(PathBuf::as_path)
    }
}

/// The columns of a row and how often it is measured.
struct Plan<'p> {
    row: &'static Row,
    workers: usize,
    allocator: Allocator,
    subjects: Vec<(Subject, &'p Path)>,
    pairs: usize,
}

/// Measures what the options ask for, and prints it line by line.
pub fn run(options: &Options) -> Result<(), String> {
    let programs = Programs::find()?;
    let mut report = Report::begin(options);
    for plan in plans(options, &programs) {
        for line in measure(&plan, options) {
            report.line(line);
        }
    }
    report.end();
    Ok(())
}

fn plans<'p>(options: &Options, programs: &'p Programs) -> Vec<Plan<'p>> {
    let mut plans = Vec::new();
    let most = options.workers.iter().max();
    for &allocator in &options.allocators {
        for &row in &options.rows {
            for &workers in &options.workers {
                let is_left_out = match (row.turns, allocator) {
                    (Turns::Once, Allocator::Glibc) => Some(&workers) != most,
                    (_, Allocator::Glibc) => false,
                    (turns, Allocator::Mimalloc) => turns != Turns::PairsAndAllocators,
                };
                let subjects: Vec<_> = options
                    .subjects
                    .iter()
                    .filter(|subject| subject.has_workers(workers))
                    .filter(|s| row.turns != Turns::Once || !s.is_for_information())
                    .filter_map(|&s| Some((s, programs.of(s, allocator)?)))
                    .collect();
                if is_left_out || subjects.is_empty() {
                    continue;
                }
                plans.push(Plan {
                    row,
                    workers,
                    allocator,
                    subjects,
                    pairs: match row.turns {
                        Turns::Once => 1,
                        _ => options.pairs,
                    },
                });
            }
        }
    }
    plans
}

/// Measures a row. A subject that fails is told on standard error and measured no more.
fn measure(plan: &Plan<'_>, options: &Options) -> Vec<Line> {
    let mut lines: Vec<Line> = plan
        .row
        .figures
        .iter()
        .map(|figure| Line {
            row: plan.row,
            figure,
            workers: plan.workers,
            allocator: plan.allocator,
            samples: plan
                .subjects
                .iter()
                .map(|&(s, _)| (s, Vec::new()))
                .collect(),
        })
        .collect();
    let mut has_failed = vec![false; plan.subjects.len()];
    for pair in 0..plan.pairs {
        for (column, &(subject, program)) in plan.subjects.iter().enumerate() {
            // Without telemetry a row is judged where one operation is one tick.
            let is_judged = match subject {
                Subject::Off => plan.row.is_of_ticks(),
                subject => !subject.is_for_information(),
            };
            let is_its_turn = is_judged || pair % PAIRS_PER_INFORMATION == 0;
            if has_failed[column] || !is_its_turn {
                continue;
            }
            let measurement = Measurement {
                row: plan.row,
                subject,
                setting: Setting {
                    workers: plan.workers,
                    size: options.size,
                    clock: options.clock,
                },
                scrape_phase: SCRAPE_EVERY * pair as u32 / plan.pairs as u32,
            };
            match measurement.ask(program) {
                Ok(figures) => {
                    for (line, figure) in lines.iter_mut().zip(figures) {
                        line.samples[column].1.push(figure);
                    }
                }
                Err(problem) => {
                    eprintln!("versus: {problem}");
                    has_failed[column] = true;
                    for line in &mut lines {
                        line.samples[column].1.clear();
                    }
                }
            }
        }
    }
    lines
}
