//! Owns the answers of `glasshouse why` as JSON has them.

use super::Found;
use super::held::{Held, Holds};
use super::lasting::is_left_open;
use super::tree::Tree;
use super::verdict::CAVEAT;
use crate::inspect::lost::Lost;
use crate::inspect::names::Names;
use crate::inspect::open::Opened;
use crate::inspect::part::{Nanos, Tenths, shares};
use crate::inspect::ring::Ring;
use glasshouse_pal::lives::WAITS;
use glasshouse_pal::why::{Activity, Answer, Holder, Holding, Picture, Prospect, Reason, Waiting};
use glasshouse_pal::{Rate, TaskId, TaskRow, TextId};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The version of this command's JSON.
const FORMAT: u32 = 1;

/// Of one task.
#[derive(Serialize)]
pub struct Task {
    format: u32,
    log: String,
    lost: Lost,
    retained_ns: u64,
    task: u64,
    name: Option<String>,
    site: Option<String>,
    state: Option<&'static str>,
    /// In nanoseconds since the log began, as are all that end in `at_ns`.
    from_at_ns: Option<u64>,
    to_at_ns: Option<u64>,
    /// Whether it is judged from its spawn on.
    is_whole: bool,
    /// Each kind of time; together they are the time from `from_at_ns` to `to_at_ns`.
    parts: Vec<Value>,
    holders: Vec<Value>,
    pending: Vec<Value>,
    path: Vec<Value>,
    /// Whether older steps of the path were not kept.
    is_cut: bool,
    /// Whether it is judged only up to its last record, because a gap lies behind that.
    ends_in_gap: bool,
    /// Whether it has ended by the task table, and no record says when.
    has_ended_unseen: bool,
    /// The parent first.
    ancestors: Vec<u64>,
    /// By the task table; `None` where it has no row.
    table: Option<Value>,
    waits: Option<Hang>,
}

/// Who waits for whom.
#[derive(Serialize)]
pub struct Hang {
    format: u32,
    log: String,
    lost: Lost,
    retained_ns: u64,
    /// Whether a task, but for the spiller, runs, is ready, sleeps, or waits for a descriptor, a blocking function or a
    /// deadline beside what it waits for; or became what nothing tells.
    can_any_act: bool,
    /// Whether the process may have lived on after the last that the log tells: each `for_ns` may be longer.
    is_left_open: bool,
    /// Ticks that last, the longest first.
    held: Vec<Value>,
    is_no_worker_free: bool,
    /// What must be known before a wait is believed to be stuck.
    caveat: String,
    /// How many tasks had not ended before a gap, of which nothing tells how they went on.
    unseen: usize,
    cycles: Vec<Vec<u64>>,
    waiting: Vec<Value>,
    /// Those that tasks wait for of which all permits are known to be held, and by whom.
    lanes: Vec<Value>,
}

/// The answer about one task.
pub fn task(opened: &Opened, found: &Found, names: &mut Names<'_>) -> Task {
    let log = &opened.log;
    let site = names.of_task(found.task);
    let answer = found.answer.as_ref();
    let holders = |of: fn(&Answer) -> &[Holder], names: &mut Names<'_>| {
        answer.map_or(Vec::new(), |answer| {
            told_holders(of(answer), answer.from(), log.rate(), names)
        })
    };
    Task {
        format: FORMAT,
        log: opened.path.to_string_lossy().into_owned(),
        lost: Lost::from(&log.loss()),
        retained_ns: log.retained_ns(),
        task: found.task.number(),
        name: site.as_ref().and_then(|site| site.name.clone()),
        site: site.map(|site| site.to_string()),
        state: found.state.map(|state| state.name()),
        from_at_ns: answer.map(|answer| log.at_ns(answer.from())),
        to_at_ns: answer.map(|answer| log.at_ns(answer.to())),
        is_whole: answer.is_some_and(|answer| answer.life.site.is_some()),
        parts: answer.map_or(Vec::new(), |answer| parts(answer, log.rate())),
        holders: holders(|answer| &answer.holders, names),
        pending: holders(|answer| &answer.pending, names),
        path: answer.map_or(Vec::new(), |answer| path(answer, log.rate(), names)),
        is_cut: answer.is_some_and(|answer| answer.is_cut),
        ends_in_gap: answer.is_some_and(|answer| answer.ends_in_gap),
        has_ended_unseen: found.is_end_unseen,
        ancestors: answer.map_or(Vec::new(), |answer| {
            let ancestors = answer.ancestors.iter();
            ancestors.map(|ancestor| ancestor.task.number()).collect()
        }),
        table: found.row.as_ref().map(|row| table(found, row, log.rate())),
        waits: found
            .picture
            .as_ref()
            .map(|picture| hang(opened, picture, names, found.until)),
    }
}

fn parts(answer: &Answer, rate: Rate) -> Vec<Value> {
    let life = &answer.life;
    let mut parts = vec![("run", life.run_ticks), ("ready", life.ready_ticks)];
    parts.extend(WAITS.iter().map(|wait| wait.name()).zip(life.wait_ticks));
    parts.push(("unrecorded", answer.unknown_ticks));
    let ticks: Vec<u64> = parts.iter().map(|(_, ticks)| *ticks).collect();
    let mut nanos = Nanos::from(rate, answer.from());
    let shares = shares(&ticks);
    let told = parts
        .iter()
        .zip(shares)
        .map(|((what, ticks), share)| part(what, nanos.part(*ticks), share));
    told.collect()
}

fn part(what: &str, ns: u64, share: Tenths) -> Value {
    json!({ "what": what, "ns": ns, "percent": share.percent() })
}

fn told_holders(holders: &[Holder], from: u64, rate: Rate, names: &mut Names<'_>) -> Vec<Value> {
    let mut nanos = Nanos::from(rate, from);
    let told = holders.iter().map(|holder| {
        let (what, task) = match holder.what {
            Holding::Task(task) => ("task", Some(task)),
            Holding::Others => ("other_tasks", None),
            Holding::NoTask => ("no_task", None),
        };
        json!({
            "worker": Ring(holder.ring),
            "what": what,
            "task": task.map(TaskId::number),
            "name": task.and_then(|task| name(task, names)),
            "ns": nanos.part(holder.ticks),
        })
    });
    told.collect()
}

fn path(answer: &Answer, rate: Rate, names: &mut Names<'_>) -> Vec<Value> {
    let tree = Tree::of(&answer.path, rate);
    let nodes = tree.nodes.iter().enumerate().map(|(at, node)| {
        let shares = node.shares.iter().zip(&tree.parts[at]);
        let shares = shares.map(|(share, part)| {
            let (what, ended_by) = activity(share.activity);
            json!({
                "what": what,
                "ended_by": ended_by,
                "stretches": share.stretches,
                "ns": part.ns,
                "percent": part.share.percent(),
            })
        });
        json!({
            "task": node.task.number(),
            "name": name(node.task, names),
            "hop": node.hop.name(),
            "above": node.above,
            "visits": node.visits,
            "ns": tree.totals[at].ns,
            "percent": tree.totals[at].share.percent(),
            "own": shares.collect::<Vec<_>>(),
        })
    });
    nodes.collect()
}

fn activity(activity: Activity) -> (&'static str, Option<&'static str>) {
    match activity {
        Activity::Run => ("run", None),
        Activity::Ready => ("ready", None),
        Activity::Wait { state, ended_by } => (state.name(), ended_by),
        Activity::Unborn => ("unborn", None),
        Activity::Unrecorded => ("unrecorded", None),
    }
}

fn table(found: &Found, row: &TaskRow, rate: Rate) -> Value {
    json!({
        "state": row.state.map(|state| state.name()),
        "is_before_gap": found.is_row_old,
        "run_ns": rate.ns(row.run_ticks),
        "ready_ns": rate.ns(row.ready_ticks),
        "wait_ns": rate.ns(row.wait_ticks),
        "ticks": row.polls,
    })
}

fn name(task: TaskId, names: &mut Names<'_>) -> Option<String> {
    names.of_task(task)?.name.clone()
}

/// Who waits for whom.
pub fn hang(opened: &Opened, picture: &Picture, names: &mut Names<'_>, until: u64) -> Hang {
    let cycles = picture.cycles.iter();
    let cycles = cycles.map(|cycle| cycle.iter().map(|task| task.number()).collect());
    let holds = Holds::of(&opened.log, until);
    let held = holds.held.iter();
    let held = held.map(|held| told_held(opened, held, names, until));
    let held = held.collect();
    let waiting = picture.waiting.iter();
    Hang {
        format: FORMAT,
        log: opened.path.to_string_lossy().into_owned(),
        lost: Lost::from(&opened.log.loss()),
        retained_ns: opened.log.retained_ns(),
        can_any_act: picture.can_any_act(),
        is_left_open: is_left_open(&opened.log),
        held,
        is_no_worker_free: holds.is_no_worker_free,
        caveat: CAVEAT.replace('\n', " "),
        unseen: picture.unseen.len(),
        cycles: cycles.collect(),
        waiting: waiting
            .map(|waiting| told_wait(opened, picture, waiting, names, until))
            .collect(),
        lanes: told_lanes(opened, picture),
    }
}

fn told_held(opened: &Opened, held: &Held, names: &mut Names<'_>, until: u64) -> Value {
    let site = names.of_task(held.task);
    json!({
        "task": held.task.number(),
        "name": site.as_ref().and_then(|site| site.name.clone()),
        "site": site.map(|site| site.to_string()),
        "worker": held.ring.map(Ring),
        "since_at_ns": opened.log.at_ns(held.since),
        "for_ns": opened.log.rate().ns(until.saturating_sub(held.since)),
    })
}

/// Each once, however many wait for it.
fn told_lanes(opened: &Opened, picture: &Picture) -> Vec<Value> {
    let waiting = picture.waiting.iter();
    let lanes = waiting.filter_map(|waiting| match waiting.reason {
        Reason::Lane { lane } => lane,
        _ => None,
    });
    let lanes: BTreeSet<u32> = lanes.map(|lane| lane.0).collect();
    let lanes = lanes.into_iter().map(TextId);
    let held = lanes.filter_map(|lane| Some((lane, picture.lane_holders.get(&lane)?)));
    let told = held.map(
        |(lane, holders)| json!({ "lane": opened.log.text(lane), "held_by": numbers(holders) }),
    );
    told.collect()
}

fn numbers(tasks: &[TaskId]) -> Vec<u64> {
    tasks.iter().map(|task| task.number()).collect()
}

fn told_wait(
    opened: &Opened,
    picture: &Picture,
    waiting: &Waiting,
    names: &mut Names<'_>,
    until: u64,
) -> Value {
    let awaited = match waiting.reason {
        Reason::Join { on } => numbers(on.as_slice()),
        _ => Vec::new(),
    };
    let lane = match waiting.reason {
        Reason::Lane { lane: Some(lane) } => opened.log.text(lane),
        _ => None,
    };
    let prospect = picture
        .prospect(waiting.task)
        .map(|prospect| match prospect {
            Prospect::Open => "open",
            Prospect::Unknown => "unknown",
            Prospect::Idle => "idle",
            Prospect::Stuck => "stuck",
        });
    let site = names.of_task(waiting.task);
    json!({
        "task": waiting.task.number(),
        "name": site.as_ref().and_then(|site| site.name.clone()),
        "site": site.map(|site| site.to_string()),
        "state": waiting.reason.state().name(),
        "since_at_ns": opened.log.at_ns(waiting.since),
        "for_ns": opened.log.rate().ns(until.saturating_sub(waiting.since)),
        "on": awaited,
        "or_deadline": waiting.ways_out.deadline,
        "or_other": waiting.ways_out.other,
        "lane": lane,
        "woken_by_tasks": numbers(&waiting.wakers.tasks),
        "woken_by_others": waiting.wakers.others,
        "has_more_wakers": waiting.wakers.has_more,
        "prospect": prospect,
    })
}
