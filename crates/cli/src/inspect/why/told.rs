//! Owns what is told to people of one task's time.

use super::held::{self, Holds};
use super::lasting::lasted;
use super::tree::{self, Tree};
use super::{Found, called, waits};
use crate::exit::Stop;
use crate::human::{self, Span};
use crate::inspect::names::Names;
use crate::inspect::part::{Nanos, Tenths, shares};
use crate::inspect::unseen::{BEFORE_GAP, ENDED_UNSEEN};
use crate::out::Out;
use glasshouse_pal::lives::WAITS;
use glasshouse_pal::reader::{Log, RingId};
use glasshouse_pal::why::{Answer, Holder, Holding};
use glasshouse_pal::{SiteId, TaskRow};
use std::collections::{HashMap, HashSet};
use std::io::Write;

/// The tasks that are named which held a worker; of further ones the sum is told.
const HOLDERS_NAMED: usize = 6;
/// The columns of a failure's text that are told.
const FAILURE_COLUMNS: usize = 60;
/// The ancestors that are named.
const ANCESTORS_NAMED: usize = 8;

/// Prints where the task's time went.
///
/// # Errors
///
/// When the output cannot be written.
pub fn tell(log: &Log, found: &Found, names: &mut Names<'_>, out: &mut Out) -> Result<(), Stop> {
    let task = found.task;
    write!(out, "{}", called(task, names))?;
    match names.of_task(task) {
        Some(site) => writeln!(out, ", spawned at {}", human::plain(&site.to_string()))?,
        None => writeln!(out, ", spawned where the log does not say")?,
    }
    match (&found.answer, &found.row) {
        (Some(answer), _) => tell_answer(log, found, answer, names, out)?,
        (None, Some(row)) => tell_row(log, found, row, out)?,
        (None, None) => {}
    }
    let holds = Holds::of(log, found.until);
    if let Some(held) = holds.held.iter().find(|held| held.task == task) {
        let line = held::told(log, held, found.until, names);
        writeln!(out, "\na tick that has not come to its end\n  {line}")?;
    }
    if let Some(picture) = &found.picture {
        let mut teller = waits::Teller {
            log,
            picture,
            names,
            until: found.until,
            out,
        };
        teller.tell_chain(task)?;
    }
    Ok(())
}

fn tell_answer(
    log: &Log,
    found: &Found,
    answer: &Answer,
    names: &mut Names<'_>,
    out: &mut Out,
) -> Result<(), Stop> {
    tell_ancestors(log, answer, names, out)?;
    let (from, to) = (log.at_ns(answer.from()), log.at_ns(answer.to()));
    let state = answer.life.state;
    let end = match (state.is_end(), answer.life.failure) {
        (false, _) if answer.ends_in_gap || found.is_end_unseen => {
            format!("last seen {}", state.name())
        }
        (false, _) => format!("still {}", state.name()),
        (true, None) => format!("ended as {}", state.name()),
        (true, Some(failure)) => {
            let text = log.text(failure.text).unwrap_or_default();
            let text = human::cut(&text, FAILURE_COLUMNS);
            format!(
                "ended as {}: {} {}",
                state.name(),
                failure.kind.name(),
                human::plain(&text)
            )
        }
    };
    let end = end.trim_end();
    let (from_s, to_s) = (human::at(from), human::at(to));
    let (from_s, to_s) = (from_s.trim_start(), to_s.trim_start());
    let whole = Span(to.saturating_sub(from));
    writeln!(out, "{whole}, from {from_s} to {to_s}; {end}")?;
    if answer.life.site.is_none() {
        writeln!(
            out,
            "its spawn is not in the log any more: judged from the oldest record of it"
        )?;
    }
    if answer.ends_in_gap {
        writeln!(
            out,
            "how it went on is not in the log: a gap lies behind its last record"
        )?;
    }
    if found.is_end_unseen {
        writeln!(out, "{ENDED_UNSEEN}")?;
    }
    if let Some(row) = &found.row
        && (answer.life.site.is_none() || answer.ends_in_gap)
    {
        writeln!(out, "its whole life, by the task table: {}", sums(log, row))?;
    }
    writeln!(out, "\nwhere its time went")?;
    print_parts(log, answer.from(), &parts(answer), out)?;
    if !answer.holders.is_empty() {
        writeln!(out, "\nin its ready delay, the worker that then took it up")?;
        print_holders(log, answer.from(), &answer.holders, names, out)?;
    }
    if !answer.pending.is_empty() {
        writeln!(out, "\nno worker has taken it up yet; since it is ready")?;
        print_pending(log, &answer.pending, names, out)?;
    }
    writeln!(
        out,
        "\nthe critical path: who decided when {} went on",
        called(found.task, names)
    )?;
    if answer.is_cut {
        writeln!(
            out,
            "  only its later part: there are more steps than are kept"
        )?;
    }
    Ok(Tree::of(&answer.path, log.rate()).print(names, out)?)
}

fn tell_ancestors(
    log: &Log,
    answer: &Answer,
    names: &mut Names<'_>,
    out: &mut Out,
) -> Result<(), Stop> {
    let Some((first, rest)) = answer.ancestors.split_first() else {
        if answer.life.site.is_some() {
            writeln!(out, "no task spawned it: it is a root")?;
        }
        return Ok(());
    };
    write!(out, "by {}", called(first.task, names))?;
    for ancestor in rest.iter().take(ANCESTORS_NAMED) {
        write!(out, ", which {} spawned", called(ancestor.task, names))?;
    }
    let last = answer.ancestors.last().unwrap_or(first);
    match last.spawned {
        _ if rest.len() > ANCESTORS_NAMED => writeln!(out, ", and so on")?,
        Some(stamp) => {
            let at = human::at(log.at_ns(stamp));
            writeln!(out, ", a root since {}", at.trim_start())?;
        }
        None => writeln!(out)?,
    }
    Ok(())
}

/// Each kind of time, in clock ticks; run and ready delay always, others where there is any.
pub fn parts(answer: &Answer) -> Vec<(&'static str, u64)> {
    let life = &answer.life;
    let mut parts = vec![("run", life.run_ticks), ("ready delay", life.ready_ticks)];
    let waits = WAITS
        .iter()
        .map(|state| tree::wait(*state))
        .zip(life.wait_ticks);
    let unknown = ("not in the log", answer.unknown_ticks);
    parts.extend(waits.chain([unknown]).filter(|(_, ticks)| *ticks > 0));
    parts
}

fn print_parts(
    log: &Log,
    from: u64,
    parts: &[(&'static str, u64)],
    out: &mut Out,
) -> Result<(), Stop> {
    let ticks: Vec<u64> = parts.iter().map(|(_, ticks)| *ticks).collect();
    let mut nanos = Nanos::from(log.rate(), from);
    for ((what, ticks), share) in parts.iter().zip(shares(&ticks)) {
        print_part(nanos.part(*ticks), share, what, out)?;
    }
    Ok(())
}

fn print_part(ns: u64, share: Tenths, what: &str, out: &mut Out) -> Result<(), Stop> {
    Ok(writeln!(out, "{:>9} {share:>7}  {what}", Span(ns))?)
}

/// What held the workers; tasks of one place are told together, the longest first.
fn groups(holders: &[Holder], names: &Names<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<(Option<SiteId>, Option<Holding>), usize> = HashMap::new();
    for holder in holders {
        let site = match holder.what {
            Holding::Task(task) => names.site_of(task),
            Holding::Others | Holding::NoTask => None,
        };
        let site = site.filter(|site| *site != SiteId::UNKNOWN);
        let other = site.is_none().then_some(holder.what);
        let at = *places.entry((site, other)).or_insert(groups.len());
        if at == groups.len() {
            groups.push(Group {
                what: holder.what,
                tasks: HashSet::new(),
                ticks: 0,
            });
        }
        groups[at].ticks = groups[at].ticks.saturating_add(holder.ticks);
        groups[at].tasks.insert(holder.what);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.ticks));
    groups
}

fn print_holders(
    log: &Log,
    from: u64,
    holders: &[Holder],
    names: &mut Names<'_>,
    out: &mut Out,
) -> Result<(), Stop> {
    let groups = groups(holders, names);
    let ticks: Vec<u64> = groups.iter().map(|group| group.ticks).collect();
    let shares = shares(&ticks);
    let mut nanos = Nanos::from(log.rate(), from);
    let named = match groups.len() > HOLDERS_NAMED + 1 {
        true => HOLDERS_NAMED,
        false => groups.len(),
    };
    for (group, share) in groups.iter().zip(&shares).take(named) {
        let mut what = held(group.what, names);
        if group.tasks.len() > 1 {
            what += &format!(" and {} more of that place", group.tasks.len() - 1);
        }
        print_part(nanos.part(group.ticks), *share, &what, out)?;
    }
    let rest = &ticks[named..];
    if !rest.is_empty() {
        let ticks = rest.iter().fold(0, |sum: u64, t| sum.saturating_add(*t));
        let share = Tenths(shares[named..].iter().map(|share| share.0).sum());
        let what = format!("ran tasks of {} more places", rest.len());
        print_part(nanos.part(ticks), share, &what, out)?;
    }
    Ok(())
}

/// What held workers, of one kind.
struct Group {
    /// The one that did so longest.
    what: Holding,
    tasks: HashSet<Holding>,
    ticks: u64,
}

fn print_pending(
    log: &Log,
    pending: &[Holder],
    names: &mut Names<'_>,
    out: &mut Out,
) -> Result<(), Stop> {
    for holder in pending.iter().take(HOLDERS_NAMED) {
        let span = Span(log.rate().ns(holder.ticks));
        let (on, held) = (on(holder.ring), held(holder.what, names));
        writeln!(out, "{span:>9}  {on} {held}")?;
    }
    if pending.len() > HOLDERS_NAMED {
        writeln!(out, "           and {} more", pending.len() - HOLDERS_NAMED)?;
    }
    Ok(())
}

/// A ring's owner, as people are told of it.
pub fn on(ring: RingId) -> String {
    match ring {
        RingId::Worker(number) => format!("worker {number}"),
        ring @ RingId::External(_) => format!("thread {ring}"),
    }
}

fn held(what: Holding, names: &mut Names<'_>) -> String {
    match what {
        Holding::Task(task) => format!("ran {}", called(task, names)),
        Holding::Others => "ran other tasks".to_owned(),
        Holding::NoTask => "ran no task: it slept, woke up, or looked for work".to_owned(),
    }
}

/// Of a task of which no record is left.
fn tell_row(log: &Log, found: &Found, row: &TaskRow, out: &mut Out) -> Result<(), Stop> {
    writeln!(out, "no record of it is left; by the task table:")?;
    writeln!(out, "up to its last transition: {}", sums(log, row))?;
    let state = row.state.map_or("in no known state", |state| state.name());
    if found.is_row_old {
        return Ok(writeln!(out, "then it was {state}; {BEFORE_GAP}")?);
    }
    let since = lasted(log, row.since, found.until);
    Ok(writeln!(out, "since then it is {state}, for {since}")?)
}

fn sums(log: &Log, row: &TaskRow) -> String {
    let span = |ticks: u64| Span(log.rate().ns(ticks));
    format!(
        "run {}, ready delay {}, wait {}",
        span(row.run_ticks),
        span(row.ready_ticks),
        span(row.wait_ticks)
    )
}
