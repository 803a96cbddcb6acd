//! Owns `glasshouse verify`: whether a log's records, its task table and its counts agree.

use super::lost::{self, Lost};
use super::open::{Opened, open_watched};
use crate::exit::Stop;
use crate::human;
use crate::out::Out;
use glasshouse_pal::verify::{Finding, Report, Rest, verify};
use serde::Serialize;
use std::io::Write;

/// The findings that people are told; of further ones only the number.
const FINDINGS_TOLD: usize = 20;
/// The version of this command's JSON.
const FORMAT: u32 = 1;

/// What `glasshouse verify` is asked.
#[derive(clap::Args)]
pub struct Options {
    /// A log file, a directory of segments, a process id, or `last`
    #[arg(value_name = "PAL")]
    pal: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Prints the verdict.
///
/// # Errors
///
/// When the log does not hold, there is none, or the output cannot be written.
pub fn run(options: &Options, out: &mut Out) -> Result<(), Stop> {
    let opened = open_watched(&options.pal)?;
    let report = verify(&opened.log);
    let told = match options.json {
        true => out.json(&Verdict::of(&opened, &report)),
        false => print(&opened, &report, out),
    };
    match told {
        // The verdict is in the exit code, whoever reads the rest.
        Ok(()) | Err(Stop::ReaderGone) if !report.holds() => Err(Stop::Failed),
        told => told,
    }
}

fn print(opened: &Opened, report: &Report, out: &mut Out) -> Result<(), Stop> {
    let verdict = match report.findings_total {
        0 => "holds".to_owned(),
        1 => "1 thing does not hold".to_owned(),
        more => format!("{more} things do not hold"),
    };
    writeln!(out, "{}: {verdict}", opened.name())?;
    writeln!(
        out,
        "checked: {} records of {} tasks ({} ended){}",
        report.records,
        report.tasks,
        report.ended,
        compared(report)
    )?;
    writeln!(out, "strictness: {}", strictness(report))?;
    writeln!(out, "{}", lost::line(&opened.log))?;
    let told = report.findings.iter().take(FINDINGS_TOLD);
    let unsaid = report.findings_total - told.len() as u64;
    for finding in told {
        writeln!(out, "  {}", human::plain(&finding.to_string()))?;
    }
    if unsaid > 0 {
        let kept = report.findings.len() as u64;
        let listed = match kept == report.findings_total {
            true => "all".to_owned(),
            false => format!("the first {kept}"),
        };
        writeln!(out, "  and {unsaid} more; --json lists {listed}")?;
    }
    Ok(())
}

/// What the records were compared with.
fn compared(report: &Report) -> String {
    match report.rest {
        Rest::Live | Rest::Spilled => String::new(),
        Rest::AtRest | Rest::Stopped => format!(
            ", {} rows of the task table, {} rings",
            report.rows, report.rings
        ),
    }
}

fn strictness(report: &Report) -> String {
    let whole = match report.rest {
        Rest::AtRest => "nobody was writing, so everything must agree".to_owned(),
        Rest::Stopped => format!(
            "the process ended while it ran; {} steps were half done",
            report.half_done
        ),
        Rest::Spilled => "segments hold records, and only these are judged".to_owned(),
        Rest::Live => "the process runs, so only the records are judged".to_owned(),
    };
    let horizon = match report.horizon {
        None => "",
        Some(_) => "; tasks are judged from the horizon on",
    };
    let unwritten = match report.unwritten {
        0 => String::new(),
        count => format!("; {count} missing records were counted as unwritten"),
    };
    format!("{whole}{horizon}{unwritten}")
}

/// The report as JSON has it.
#[derive(Serialize)]
struct Verdict {
    format: u32,
    log: String,
    holds: bool,
    rest: &'static str,
    records: u64,
    tasks: u64,
    ended: u64,
    rows: u64,
    rings: u64,
    half_done: u64,
    unwritten: u64,
    /// The stamp from which on tasks were judged, in nanoseconds since the log began.
    horizon_ns: Option<u64>,
    retained_ns: u64,
    lost: Lost,
    findings: Vec<Found>,
    findings_total: u64,
}

/// One finding as JSON has it.
#[derive(Serialize)]
struct Found {
    kind: &'static str,
    task: Option<u64>,
    message: String,
}

impl From<&Finding> for Found {
    fn from(finding: &Finding) -> Found {
        Found {
            kind: finding.name(),
            task: finding.task().map(|task| task.number()),
            message: finding.to_string(),
        }
    }
}

impl Verdict {
    fn of(opened: &Opened, report: &Report) -> Verdict {
        let log = &opened.log;
        Verdict {
            format: FORMAT,
            log: opened.path.to_string_lossy().into_owned(),
            holds: report.holds(),
            rest: report.rest.name(),
            records: report.records,
            tasks: report.tasks,
            ended: report.ended,
            rows: report.rows,
            rings: report.rings,
            half_done: report.half_done,
            unwritten: report.unwritten,
            horizon_ns: report.horizon.map(|stamp| log.at_ns(stamp)),
            retained_ns: log.retained_ns(),
            lost: Lost::from(&log.loss()),
            findings: report.findings.iter().map(Found::from).collect(),
            findings_total: report.findings_total,
        }
    }
}
