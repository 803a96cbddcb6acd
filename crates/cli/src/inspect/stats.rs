//! Owns `glasshouse stats`: where the tasks' time went, by the place that spawned them.

mod gather;
mod longest;
mod print;
mod spread;

use super::lost::{self, Lost};
use super::names::Names;
use super::open::{Opened, open_watched};
use super::ring::Ring;
use crate::exit::Stop;
use crate::human::Span;
use crate::out::Out;
use foldhash::HashMap;
use gather::{OfSite, Stall, gather};
use glasshouse_pal::SiteId;
use glasshouse_pal::lives::WAITS;
use glasshouse_pal::reader::{Log, RingId};
use longest::Tick;
use serde::Serialize;
use spread::Spread;
use std::collections::BTreeMap;
use std::io::Write;

/// The version of this command's JSON.
const FORMAT: u32 = 1;

/// What `glasshouse stats` is asked.
#[derive(clap::Args)]
pub struct Options {
    /// A log file, a directory of segments, a process id, or `last`
    #[arg(value_name = "PAL")]
    pal: String,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Prints the figures.
///
/// # Errors
///
/// When there is no such log, or the output cannot be written.
pub fn run(options: &Options, out: &mut Out) -> Result<(), Stop> {
    let opened = open_watched(&options.pal)?;
    let stats = Stats::of(&opened);
    if options.json {
        return out.json(&stats);
    }
    writeln!(out, "{}", opened.name())?;
    writeln!(out, "{}", lost::line(&opened.log))?;
    writeln!(out)?;
    print::print(&stats, out)
}

/// A log's figures, as JSON has them.
#[derive(Serialize)]
struct Stats {
    format: u32,
    log: String,
    lost: Lost,
    retained_ns: u64,
    /// Those that the log names, whether they ran tasks or not.
    workers: u64,
    /// Of all tasks.
    throttles: u64,
    sites: Vec<SiteStats>,
    /// The ten longest.
    longest_ticks: Vec<LongTick>,
    /// The last ten; one tick may be told of several times while it lasts.
    stalls: Vec<Stalled>,
    stalls_total: u64,
    denials: Vec<Denied>,
    denials_total: u64,
}

/// The figures of the tasks that one place has spawned.
#[derive(Serialize)]
struct SiteStats {
    /// `file:line:column`; `None` for tasks whose spawn is not in the log any more.
    site: Option<String>,
    name: Option<String>,
    tasks: u64,
    ticks: u64,
    throttles: u64,
    /// The part of the time of all workers in which they ran these tasks, in percent. It is of the time that the
    /// records cover: the log's gaps are left out. What another thread polled by itself, as `block_on` does, took
    /// none of it.
    workers_percent: f64,
    /// One sample a tick. Here and below, what a task is in the midst of is a sample too, up to the present
    /// or to the end of the log.
    run_ns: Spread,
    /// One sample a wait.
    wait_ns: Spread,
    /// The same by cause; only causes that occurred.
    waits_ns: BTreeMap<&'static str, Spread>,
    /// One sample a tick.
    ready_ns: Spread,
}

/// One of the longest ticks.
#[derive(Serialize)]
struct LongTick {
    run_ns: u64,
    /// When it began, since the log began.
    at_ns: u64,
    #[serde(serialize_with = "ring")]
    worker: RingId,
    task: u64,
    name: Option<String>,
    site: Option<String>,
    is_going_on: bool,
}

/// A tick that was told of while it lasted.
#[derive(Serialize)]
struct Stalled {
    at_ns: u64,
    busy_ns: u64,
    worker: u16,
    task: u64,
    name: Option<String>,
    site: Option<String>,
}

/// Spawns that were refused.
#[derive(Serialize)]
struct Denied {
    site: Option<String>,
    name: Option<String>,
    count: u64,
    capacity: u32,
}

fn ring<S: serde::Serializer>(ring: &RingId, serializer: S) -> Result<S::Ok, S::Error> {
    Ring(*ring).serialize(serializer)
}

impl Stats {
    fn of(opened: &Opened) -> Stats {
        let log = &opened.log;
        let gathered = gather(log);
        let mut names = Names::of_sites(log);
        let longest_ticks = gathered.longest.sorted();
        Stats {
            format: FORMAT,
            log: opened.path.to_string_lossy().into_owned(),
            lost: Lost::from(&log.loss()),
            retained_ns: log.retained_ns(),
            workers: gathered.workers,
            throttles: gathered.sites.values().map(|of| of.throttles).sum(),
            denials_total: gathered.denials.values().map(|(count, _)| count).sum(),
            denials: denials(gathered.denials, &mut names),
            longest_ticks: longest_ticks
                .into_iter()
                .map(|tick| LongTick::of(&tick, log, &mut names))
                .collect(),
            stalls: gathered
                .stalls
                .into_iter()
                .map(|stall| Stalled::of(&stall, log, &mut names))
                .collect(),
            stalls_total: gathered.stalls_total,
            sites: sites(
                gathered.sites,
                u128::from(gathered.covered_ns) * u128::from(gathered.workers),
                &mut names,
            ),
        }
    }
}

/// By the time that they ran.
fn sites(
    gathered: HashMap<Option<SiteId>, OfSite>,
    workers_ns: u128,
    names: &mut Names<'_>,
) -> Vec<SiteStats> {
    let sites = gathered.into_iter();
    let mut sites: Vec<SiteStats> = sites
        .map(|(site, of)| SiteStats::of(of, place(site, names), workers_ns))
        .collect();
    sites.sort_by(|a, b| {
        let key = |site: &SiteStats| (site.run_ns.sum, site.tasks);
        key(b)
            .cmp(&key(a))
            .then_with(|| (&a.site, &a.name).cmp(&(&b.site, &b.name)))
    });
    sites
}

fn denials(denials: BTreeMap<SiteId, (u64, u32)>, names: &mut Names<'_>) -> Vec<Denied> {
    let denials = denials.into_iter().map(|(site, (count, capacity))| {
        let (name, site) = place(Some(site), names);
        Denied {
            name,
            site,
            count,
            capacity,
        }
    });
    denials.collect()
}

/// The name that a site gives its tasks, and the site.
fn place(site: Option<SiteId>, names: &mut Names<'_>) -> (Option<String>, Option<String>) {
    let site = site.and_then(|site| names.of_site(site));
    let name = site.as_ref().and_then(|site| site.name.clone());
    (name, site.map(|site| site.to_string()))
}

impl LongTick {
    fn of(tick: &Tick, log: &Log, names: &mut Names<'_>) -> LongTick {
        let (name, site) = place(tick.site, names);
        LongTick {
            run_ns: log.rate().ns(tick.run_ticks),
            at_ns: log.at_ns(tick.begun.0),
            worker: tick.ring,
            task: tick.task.number(),
            name,
            site,
            is_going_on: tick.is_going_on,
        }
    }
}

impl Stalled {
    fn of(stall: &Stall, log: &Log, names: &mut Names<'_>) -> Stalled {
        let (name, site) = place(stall.site, names);
        Stalled {
            at_ns: log.at_ns(stall.at),
            busy_ns: Span::from(stall.busy).0,
            worker: stall.worker,
            task: stall.task.number(),
            name,
            site,
        }
    }
}

impl SiteStats {
    fn of(
        of: OfSite,
        (name, site): (Option<String>, Option<String>),
        workers_ns: u128,
    ) -> SiteStats {
        let run_ns = of.run.spread();
        let waits = WAITS.iter().map(|wait| wait.name()).zip(of.waits);
        SiteStats {
            name,
            site,
            tasks: of.tasks,
            ticks: of.ticks,
            throttles: of.throttles,
            workers_percent: match workers_ns {
                0 => 0.0,
                all => of.on_workers_ns as f64 * 100.0 / all as f64,
            },
            run_ns,
            wait_ns: of.wait.spread(),
            waits_ns: waits
                .filter(|(_, samples)| !samples.is_empty())
                .map(|(cause, samples)| (cause, samples.spread()))
                .collect(),
            ready_ns: of.ready.spread(),
        }
    }
}
