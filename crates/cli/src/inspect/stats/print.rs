//! Owns the figures as people read them.

use super::{SiteStats, Stats};
use crate::exit::Stop;
use crate::human::{self, Span};
use crate::out::Out;
use crate::table::{Align, Table};
use std::io::Write;

/// Prints all tables.
///
/// # Errors
///
/// When the output cannot be written.
pub fn print(stats: &Stats, out: &mut Out) -> Result<(), Stop> {
    sites(stats).print(out)?;
    if !stats.longest_ticks.is_empty() {
        writeln!(out, "\nlongest ticks")?;
        longest(stats).print(out)?;
    }
    writeln!(out)?;
    throttles(stats, out)?;
    stalls(stats, out)?;
    denials(stats, out)
}

fn or_dash(text: &Option<String>) -> String {
    text.clone().unwrap_or_else(|| "-".to_owned())
}

fn sites(stats: &Stats) -> Table {
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
        ("WORKERS", Right),
    ]);
    for site in &stats.sites {
        site_rows(site, &mut table);
    }
    table
}

fn site_rows(site: &SiteStats, table: &mut Table) {
    let mut about = [
        or_dash(&site.name),
        or_dash(&site.site),
        site.tasks.to_string(),
        site.ticks.to_string(),
    ];
    // Of the workers' time it takes what it runs.
    let mut share = format!("{:.1} %", site.workers_percent);
    let waits = site.waits_ns.iter().map(|(cause, spread)| (*cause, spread));
    let rows = [("run", &site.run_ns), ("ready", &site.ready_ns)];
    for (what, spread) in rows.into_iter().chain(waits) {
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
            std::mem::take(&mut share),
        ]);
    }
}

fn longest(stats: &Stats) -> Table {
    use Align::{Left, Right};
    let mut table = Table::new(&[
        ("RAN", Right),
        ("FROM", Right),
        ("WORKER", Right),
        ("TASK", Right),
        ("NAME", Left),
        ("SPAWNED AT", Left),
    ]);
    for tick in &stats.longest_ticks {
        let so_far = if tick.is_going_on { "+" } else { "" };
        table.row([
            format!("{}{so_far}", Span(tick.run_ns)),
            human::at(tick.at_ns),
            tick.worker.to_string(),
            format!("#{}", tick.task),
            or_dash(&tick.name),
            or_dash(&tick.site),
        ]);
    }
    table
}

fn throttles(stats: &Stats, out: &mut Out) -> Result<(), Stop> {
    if stats.throttles == 0 {
        return Ok(writeln!(out, "throttles: none")?);
    }
    let throttled = stats.sites.iter().filter(|site| site.throttles > 0);
    let told: Vec<String> = throttled
        .map(|site| {
            let name = site.name.as_ref().or(site.site.as_ref());
            let name = name.map_or("-", String::as_str);
            format!("{} {}", human::plain(name), site.throttles)
        })
        .collect();
    Ok(writeln!(
        out,
        "throttles: {}: {}",
        stats.throttles,
        told.join(", ")
    )?)
}

fn stalls(stats: &Stats, out: &mut Out) -> Result<(), Stop> {
    if stats.stalls_total == 0 {
        return Ok(writeln!(out, "stalls: none")?);
    }
    writeln!(out, "stalls: {}, the last:", stats.stalls_total)?;
    for stall in &stats.stalls {
        writeln!(
            out,
            "{}  #{} {} had held worker {} for {}",
            human::at(stall.at_ns),
            stall.task,
            human::plain(&or_dash(&stall.name)),
            stall.worker,
            Span(stall.busy_ns)
        )?;
    }
    Ok(())
}

fn denials(stats: &Stats, out: &mut Out) -> Result<(), Stop> {
    if stats.denials_total == 0 {
        return Ok(writeln!(out, "refused spawns: none")?);
    }
    writeln!(out, "refused spawns: {}", stats.denials_total)?;
    for denied in &stats.denials {
        writeln!(
            out,
            "  {} at {}: {}, at a capacity of {}",
            human::plain(&or_dash(&denied.name)),
            human::plain(&or_dash(&denied.site)),
            denied.count,
            denied.capacity
        )?;
    }
    Ok(())
}
