//! Owns `glasshouse stats`: where the tasks' time went, by the place that spawned them.

mod spread;

use super::lost::{self, Lost};
use super::names::Names;
use super::open::{Opened, open};
use super::until::until;
use crate::exit::Stop;
use crate::human::Span;
use crate::out::Out;
use crate::table::{Align, Table};
use glasshouse_pal::lives::{Lives, Step};
use glasshouse_pal::reader::Log;
use glasshouse_pal::{Event, Rate, SiteId, TaskState};
use serde::Serialize;
use spread::{Samples, Spread};
use std::collections::HashMap;
use std::io::Write;

/// The version of this command's JSON.
const FORMAT: u32 = 1;

/// What `glasshouse stats` is asked.
#[derive(clap::Args)]
pub struct Options {
    /// A log file, a process id, or `last`
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
    let opened = open(&options.pal)?;
    let stats = Stats::of(&opened);
    if options.json {
        return out.json(&stats);
    }
    writeln!(out, "{}", opened.name())?;
    writeln!(out, "{}", lost::line(&opened.log))?;
    writeln!(out)?;
    Ok(stats.table().print(out)?)
}

/// A log's figures, as JSON has them.
#[derive(Serialize)]
struct Stats {
    format: u32,
    log: String,
    lost: Lost,
    retained_ns: u64,
    sites: Vec<SiteStats>,
}

/// The figures of the tasks that one place has spawned.
#[derive(Serialize)]
struct SiteStats {
    /// `file:line:column`; `None` for tasks whose spawn is not in the log any more.
    site: Option<String>,
    name: Option<String>,
    tasks: u64,
    ticks: u64,
    /// One sample a tick. Here and below, what a task is in the midst of is a sample too, up to the present
    /// or to the end of the log.
    run_ns: Spread,
    /// One sample a wait.
    wait_ns: Spread,
    /// One sample a tick.
    ready_ns: Spread,
}

impl Stats {
    fn of(opened: &Opened) -> Stats {
        let log = &opened.log;
        let mut names = Names::new(log);
        let mut sites: Vec<SiteStats> = gather(log, &mut names)
            .into_iter()
            .map(|(site, gathered)| gathered.finish(site, &mut names))
            .collect();
        sites.sort_by(|a, b| {
            let key = |site: &SiteStats| (site.run_ns.sum, site.tasks);
            key(b)
                .cmp(&key(a))
                .then_with(|| (&a.site, &a.name).cmp(&(&b.site, &b.name)))
        });
        Stats {
            format: FORMAT,
            log: opened.path.to_string_lossy().into_owned(),
            lost: Lost::from(&log.loss()),
            retained_ns: log.retained_ns(),
            sites,
        }
    }

    fn table(&self) -> Table {
        use Align::{Left, Right};
        let mut table = Table::new(&[
            ("NAME", Left),
            ("SPAWNED AT", Left),
            ("TASKS", Right),
            ("TICKS", Right),
            ("TIME", Left),
            ("P50", Right),
            ("P90", Right),
            ("P99", Right),
            ("MAX", Right),
            ("SUM", Right),
        ]);
        for site in &self.sites {
            let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let mut about = [
                or_dash(&site.name),
                or_dash(&site.site),
                site.tasks.to_string(),
                site.ticks.to_string(),
            ];
            for (what, spread) in [
                ("run", &site.run_ns),
                ("wait", &site.wait_ns),
                ("ready", &site.ready_ns),
            ] {
                let [name, place, tasks, ticks] = std::mem::take(&mut about);
                let cell = |ns: Option<u64>| ns.map_or("-".to_owned(), |ns| Span(ns).to_string());
                table.row([
                    name,
                    place,
                    tasks,
                    ticks,
                    what.to_owned(),
                    cell(spread.p50),
                    cell(spread.p90),
                    cell(spread.p99),
                    cell(spread.max),
                    cell(Some(spread.sum)),
                ]);
            }
        }
        table
    }
}

/// What was gathered of one site's tasks.
#[derive(Default)]
struct Gathered {
    tasks: u64,
    ticks: u64,
    run: Samples,
    wait: Samples,
    ready: Samples,
}

impl Gathered {
    fn add(&mut self, step: &Step<'_>, rate: Rate) {
        self.ticks += u64::from(step.life.state == TaskState::Running);
        if let Some((left, ticks)) = step.left {
            self.spend(left, ticks, rate);
        }
    }

    /// A task has spent so long in this state.
    fn spend(&mut self, left: TaskState, ticks: u64, rate: Rate) {
        let samples = if left == TaskState::Running {
            &mut self.run
        } else if left.is_ready() {
            &mut self.ready
        } else if left.is_waiting() {
            &mut self.wait
        } else {
            return;
        };
        samples.add(rate.ns(ticks));
    }

    fn finish(self, site: Option<SiteId>, names: &mut Names<'_>) -> SiteStats {
        let site = site.and_then(|site| names.of_site(site));
        SiteStats {
            name: site.as_ref().and_then(|site| site.name.clone()),
            site: site.map(|site| site.to_string()),
            tasks: self.tasks,
            ticks: self.ticks,
            run_ns: self.run.spread(),
            wait_ns: self.wait.spread(),
            ready_ns: self.ready.spread(),
        }
    }
}

/// Folds a log's records, from the horizon on, into one [`Gathered`] a site.
fn gather(log: &Log, names: &mut Names<'_>) -> HashMap<Option<SiteId>, Gathered> {
    let mut lives = log.horizon().map_or_else(Lives::whole, Lives::from_horizon);
    let mut sites: HashMap<Option<SiteId>, Gathered> = HashMap::new();
    let rate = log.rate();
    let mut newest = log.start_stamp();
    for entry in log.records() {
        newest = newest.max(entry.stamp);
        names.learn(&entry.event);
        let Event::Task(event) = &entry.event else {
            continue;
        };
        if let Some(step) = lives.feed(entry.stamp, entry.aux, event) {
            let gathered = sites.entry(names.site_of(step.tid)).or_default();
            gathered.tasks += u64::from(step.before.is_none());
            gathered.add(&step, rate);
        }
    }
    // What a task is in the midst of counts too: a task that hangs is what one looks for.
    let end = until(log, newest);
    for (tid, life) in lives.iter().filter(|(_, life)| !life.state.is_end()) {
        let gathered = sites.entry(names.site_of(tid)).or_default();
        gathered.spend(life.state, end.saturating_sub(life.since), rate);
    }
    sites
}
