//! Owns `glasshouse run`: a flow from its file to its table, with a log of all that happened.

mod interrupt;
mod place;
mod screen;
mod step;
mod summary;
mod watch;

use crate::exit::Stop;
use crate::human;
use crate::out::Out;
use glasshouse_flow::{Cancel, Flow, Report};
use glasshouse_pal::spill;
use glasshouse_scheduler::{BuildError, Builder, Scheduler, Shutdown};
use glasshouse_telemetry::prometheus::{Exporter, Server};
use std::fmt::Display;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;
use summary::Summary;
use watch::Watch;

/// The most workers that may be asked for. A guess beyond any use: nodes are processes of their own.
const WORKERS_MAX: i64 = 512;

/// How long what still runs behind the flow's end may take: its collectors and pumps, which have
/// nothing left to do.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// What `glasshouse run` is asked.
#[derive(clap::Args)]
pub struct Options {
    /// The flow, a TOML file
    #[arg(value_name = "FLOW")]
    flow: PathBuf,
    /// Write the log to FILE instead of this user's place in /dev/shm
    #[arg(long, value_name = "FILE")]
    pal: Option<PathBuf>,
    /// Keep the log's records in segments below DIR, on disk
    #[arg(long, value_name = "DIR")]
    spill: Option<PathBuf>,
    /// Run on N workers instead of one a processor
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=WORKERS_MAX))]
    workers: Option<u16>,
    /// Serve metrics at ADDR, such as `127.0.0.1:9464`
    #[arg(long, value_name = "ADDR")]
    prometheus: Option<String>,
    /// One JSON object at the end, and no progress
    #[arg(long)]
    json: bool,
}

/// Runs the flow.
///
/// # Errors
///
/// When the flow, the log's place or the address cannot be used, a node failed, or Ctrl-C came.
pub fn run(options: &Options) -> Result<(), Stop> {
    let flow = Flow::from_path(&options.flow).map_err(Stop::input)?;
    let metrics = options.prometheus.as_deref().map(serve).transpose()?;
    let scheduler = build(options, metrics.as_ref())?;
    if let Some(metrics) = &metrics {
        announce(options, &metrics.server)?;
    }
    let watch = Watch::start(options.json);
    let report = execute(&flow, &scheduler, &watch);
    watch.end();
    let pal = scheduler.handle().pal().clone();
    if scheduler.shutdown(SHUTDOWN_TIMEOUT) == Shutdown::Timeout {
        tracing::warn!(
            "tasks behind the flow did not end within {SHUTDOWN_TIMEOUT:?} and were cancelled"
        );
    }
    // From here on nothing is recorded.
    pal.close();
    let report = report?;
    let ended = verdict(&report);
    let mut out = Out::take();
    let summary = Summary::new(&options.flow, report, &pal);
    let printed = match options.json {
        true => out.json(&summary),
        false => summary.print(&program(), &mut out).map_err(Stop::from),
    };
    // A reader that has gone changes nothing about how the flow went; a full disk does.
    match printed.and_then(|()| out.finish()) {
        Ok(()) | Err(Stop::ReaderGone) => ended,
        // The node's failure is the exit code, but what could not be printed is said all the same.
        Err(stop) => match ended {
            Ok(()) => Err(stop),
            Err(failed) => {
                stop.report();
                Err(failed)
            }
        },
    }
}

fn verdict(report: &Report) -> Result<(), Stop> {
    match report {
        report if report.is_cancelled => Err(Stop::Interrupted),
        report if report.is_success() => Ok(()),
        _ => Err(Stop::Failed),
    }
}

/// An exporter and what serves it; ends with it.
struct Metrics {
    exporter: Exporter,
    server: Server,
}

/// Serves what all of this process records as metrics.
fn serve(addr: &str) -> Result<Metrics, Stop> {
    let refused = |error: &dyn Display| {
        Stop::input(format_args!(
            "--prometheus {}: {error}; name an address that is free here, such as 127.0.0.1:9464",
            human::plain(addr)
        ))
    };
    let exporter = Exporter::install().map_err(|error| refused(&error))?;
    let server = exporter.serve(addr).map_err(|error| refused(&error))?;
    Ok(Metrics { exporter, server })
}

fn announce(options: &Options, server: &Server) -> Result<(), Stop> {
    let line = format!("metrics: http://{}/metrics", server.addr());
    // Standard output is the report's alone where a program reads it.
    match options.json {
        true => writeln!(io::stderr(), "{line}")?,
        false => writeln!(io::stdout(), "{line}")?,
    }
    Ok(())
}

fn build(options: &Options, metrics: Option<&Metrics>) -> Result<Scheduler, Stop> {
    let workers = match options.workers {
        Some(workers) => usize::from(workers),
        None => available_parallelism().map_or(1, NonZeroUsize::get),
    };
    let pal = place::make(options.pal.as_deref(), workers)?;
    let mut builder = Builder::new().workers(workers).name("flow").pal(pal);
    if let Some(metrics) = metrics {
        builder = builder.exporter(metrics.exporter.clone());
    }
    if let Some(dir) = &options.spill {
        builder = builder.spill(spill::Settings::new(dir));
    }
    builder.build().map_err(|error| match error {
        BuildError::Spill(error) => Stop::input(format_args!(
            "--spill: {}",
            human::plain(&error.to_string())
        )),
        error => Stop::input(error),
    })
}

/// Runs the flow to its end, or to that of its patience after Ctrl-C.
fn execute(flow: &Flow, scheduler: &Scheduler, watch: &Watch) -> Result<Report, Stop> {
    let handle = scheduler.handle();
    scheduler.block_on(async {
        let cancel = Cancel::new();
        let listening = interrupt::listen(&cancel, watch.teller());
        let listening = listening.map_err(|error| {
            Stop::input(format_args!(
                "Ctrl-C cannot be caught: {error}; raise the limit of open files (ulimit -n)"
            ))
        })?;
        let options = glasshouse_flow::Options {
            cancel,
            ..glasshouse_flow::Options::default()
        };
        let report = glasshouse_flow::run(flow, handle, options, |step| watch.tell(step)).await;
        drop(listening);
        Ok(report)
    })
}

/// How this binary was called.
fn program() -> String {
    let called = std::env::args_os()
        .next()
        .unwrap_or_else(|| "glasshouse".into());
    called.to_string_lossy().into_owned()
}
