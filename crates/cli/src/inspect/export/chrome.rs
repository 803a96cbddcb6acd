//! Owns the log as trace events: a track for each ring, a slice for each tick, named by its task, an arrow
//! from the tick in which a waiting task was woken to the tick that answers, and counters of ready tasks and of lanes.
//!
//! It is written as the records come. What is kept is of tasks that run, or are ready: not of those that ended.

use super::cut::{Cut, Running};
use super::trace_event::{Micros, Phase, TraceEvent};
use crate::exit::Stop;
use crate::human;
use crate::inspect::event::{Events, Told};
use crate::inspect::names::Names;
use crate::inspect::until::until;
use crate::out::Out;
use glasshouse_pal::reader::{Entry, Log, RingId};
use glasshouse_pal::{DomainEvent, Event, TaskEvent, TaskId, TaskState};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;

/// Where the tracks of rings that are no worker's begin.
const EXTERNAL_TRACKS: u32 = 100_000;

/// Writes the log as one JSON object.
///
/// # Errors
///
/// When the output cannot be written.
pub fn write(log: &Log, out: &mut Out) -> Result<(), Stop> {
    let mut writer = Writer {
        pid: log.process().pid,
        is_first: true,
        out,
    };
    write!(writer.out, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
    writer.name_tracks(log)?;
    let mut chrome = Chrome {
        names: Names::in_passing(log),
        events: Events::new(log),
        running: HashMap::new(),
        cut: Cut::at_horizon(log),
        woken: HashMap::new(),
        arrows: 0,
        ready: HashSet::new(),
        lanes: BTreeMap::new(),
        writer: &mut writer,
    };
    let mut gaps = log.loss().gaps.into_iter().peekable();
    let mut newest = log.start_stamp();
    let horizon = log.horizon().unwrap_or(0);
    for entry in log.records() {
        while let Some(gap) = gaps.next_if(|gap| gap.to <= entry.stamp) {
            chrome.forget(log.at_ns(gap.from.max(newest)))?;
            chrome.cut.move_to(gap.to, log);
        }
        newest = newest.max(entry.stamp);
        chrome.names.learn(&entry.event);
        // Before it a task's next record may be one that is overwritten.
        if entry.stamp >= horizon {
            chrome.take(&entry)?;
        }
    }
    chrome.end(log, log.at_ns(until(log, newest)))?;
    Ok(writeln!(writer.out, "\n]}}")?)
}

/// The number of a ring's track.
fn track(ring: RingId) -> u32 {
    match ring {
        RingId::Worker(number) => u32::from(number),
        RingId::External(number) => EXTERNAL_TRACKS + u32::from(number),
    }
}

struct Writer<'out> {
    pid: u32,
    is_first: bool,
    out: &'out mut Out,
}

impl Writer<'_> {
    fn write(&mut self, event: &TraceEvent<'_>) -> Result<(), Stop> {
        let comma = if std::mem::take(&mut self.is_first) {
            ""
        } else {
            ","
        };
        writeln!(self.out, "{comma}")?;
        self.out.json_in_line(event)
    }

    /// An event with what all have; the others are added to it.
    fn event<'a>(&self, name: &'a str, phase: Phase, at_ns: u64, tid: u32) -> TraceEvent<'a> {
        TraceEvent {
            name,
            category: "task",
            phase,
            ts: Micros(at_ns),
            dur: None,
            pid: self.pid,
            tid,
            id: None,
            binding: None,
            args: None,
        }
    }

    fn name_tracks(&mut self, log: &Log) -> Result<(), Stop> {
        let command = human::plain(log.command()).into_owned();
        self.metadata("process_name", 0, json!({ "name": command }))?;
        for ring in log.rings() {
            let name = match ring.id {
                RingId::Worker(number) => format!("worker {number}"),
                RingId::External(number) => format!("other thread {number}"),
            };
            let tid = track(ring.id);
            self.metadata("thread_name", tid, json!({ "name": name }))?;
            self.metadata("thread_sort_index", tid, json!({ "sort_index": tid }))?;
        }
        Ok(())
    }

    fn metadata(&mut self, name: &str, tid: u32, args: Value) -> Result<(), Stop> {
        let event = TraceEvent {
            args: Some(args),
            ..self.event(name, Phase::Metadata, 0, tid)
        };
        self.write(&event)
    }

    fn counter(&mut self, name: &str, at_ns: u64, args: Value) -> Result<(), Stop> {
        let event = TraceEvent {
            category: "counter",
            args: Some(args),
            ..self.event(name, Phase::Counter, at_ns, 0)
        };
        self.write(&event)
    }
}

struct Chrome<'a, 'w, 'out> {
    names: Names<'a>,
    events: Events<'a>,
    running: HashMap<TaskId, Running>,
    cut: Cut,
    /// Tasks that a task has woken, and the arrow that leads to their next tick.
    woken: HashMap<TaskId, u64>,
    /// Arrows so far.
    arrows: u64,
    ready: HashSet<TaskId>,
    /// Permits that are held, by lane.
    lanes: BTreeMap<String, u64>,
    writer: &'w mut Writer<'out>,
}

impl Chrome<'_, '_, '_> {
    /// A gap of the log that begins then lies before what is taken next: what is under way may have ended in it, and
    /// what is counted is not known.
    fn forget(&mut self, at_ns: u64) -> Result<(), Stop> {
        self.running.clear();
        self.woken.clear();
        if !self.ready.is_empty() {
            self.ready.clear();
            self.writer.counter("ready", at_ns, json!({ "tasks": 0 }))?;
        }
        for (lane, held) in std::mem::take(&mut self.lanes) {
            if held > 0 {
                let name = format!("lane {}", human::plain(&lane));
                self.writer.counter(&name, at_ns, json!({ "held": 0 }))?;
            }
        }
        Ok(())
    }

    fn take(&mut self, entry: &Entry) -> Result<(), Stop> {
        match &entry.event {
            Event::Task(event) => match (event.tid(), event.state()) {
                (Some(tid), Some(state)) => self.transition(entry, event, tid, state),
                _ => Ok(()),
            },
            Event::Domain(event) => self.lane(entry, event),
        }
    }

    fn transition(
        &mut self,
        entry: &Entry,
        event: &TaskEvent,
        tid: TaskId,
        state: TaskState,
    ) -> Result<(), Stop> {
        let tick = self.running.remove(&tid);
        let tick = tick.or_else(|| self.cut.tick_of(entry, event));
        if let Some(tick) = tick {
            self.slice(tid, tick, entry.at_ns, state.name())?;
        }
        if let TaskEvent::Wake { by, .. } = event {
            // Of a wake whose tick is missing: this one's answers no other.
            self.woken.remove(&tid);
            if let Some(by) = by.task() {
                self.arrow_start(entry, tid, by)?;
            }
        }
        if state == TaskState::Running {
            let (ring, since_ns) = (entry.ring, entry.at_ns);
            let began_before = false;
            self.running.insert(
                tid,
                Running {
                    ring,
                    since_ns,
                    began_before,
                },
            );
            self.arrow_end(entry, tid)?;
        }
        let has_moved = match state.is_ready() {
            true => self.ready.insert(tid),
            false => self.ready.remove(&tid),
        };
        if has_moved {
            let tasks = json!({ "tasks": self.ready.len() });
            self.writer.counter("ready", entry.at_ns, tasks)?;
        }
        Ok(())
    }

    fn slice(&mut self, tid: TaskId, tick: Running, end_ns: u64, left: &str) -> Result<(), Stop> {
        let site = self.names.of_task(tid);
        let name = match site.as_ref().and_then(|site| site.name.as_deref()) {
            Some(name) => human::plain(name).into_owned(),
            None => format!("#{tid}"),
        };
        let mut args = json!({
            "task": tid.number(),
            "site": site.map(|site| site.to_string()),
            "left": left,
        });
        if tick.began_before {
            args["began_before"] = Value::Bool(true);
        }
        let event = TraceEvent {
            dur: Some(Micros(end_ns.saturating_sub(tick.since_ns))),
            args: Some(args),
            ..self
                .writer
                .event(&name, Phase::Slice, tick.since_ns, track(tick.ring))
        };
        self.writer.write(&event)
    }

    /// From the tick of the task that woke it, where that is on this track now.
    fn arrow_start(&mut self, entry: &Entry, tid: TaskId, by: TaskId) -> Result<(), Stop> {
        let is_here = self
            .running
            .get(&by)
            .is_some_and(|tick| tick.ring == entry.ring);
        if !is_here {
            return Ok(());
        }
        self.arrows += 1;
        self.woken.insert(tid, self.arrows);
        let event = TraceEvent {
            id: Some(self.arrows),
            ..self
                .writer
                .event("wake", Phase::ArrowStart, entry.at_ns, track(entry.ring))
        };
        self.writer.write(&event)
    }

    fn arrow_end(&mut self, entry: &Entry, tid: TaskId) -> Result<(), Stop> {
        let Some(arrow) = self.woken.remove(&tid) else {
            return Ok(());
        };
        let event = TraceEvent {
            id: Some(arrow),
            binding: Some("e"),
            ..self
                .writer
                .event("wake", Phase::ArrowEnd, entry.at_ns, track(entry.ring))
        };
        self.writer.write(&event)
    }

    fn lane(&mut self, entry: &Entry, event: &DomainEvent) -> Result<(), Stop> {
        let event = Event::Domain(*event);
        let takes = match self.events.name(&event).as_ref() {
            "lane_acquired" => true,
            "lane_released" => false,
            _ => return Ok(()),
        };
        let fields = self.events.fields(&event, &mut self.names);
        let lane = fields.into_iter().find(|(name, _)| name == "lane");
        let Some((_, Told::Text(lane))) = lane else {
            return Ok(());
        };
        let held = self.lanes.entry(lane.clone().into_owned()).or_default();
        // What was acquired before the oldest record is not known.
        *held = if takes {
            *held + 1
        } else {
            held.saturating_sub(1)
        };
        let held = json!({ "held": *held });
        let name = format!("lane {}", human::plain(&lane));
        self.writer.counter(&name, entry.at_ns, held)
    }

    /// What the log leaves open lasts until its end.
    fn end(&mut self, log: &Log, end_ns: u64) -> Result<(), Stop> {
        let mut running: Vec<(TaskId, Running)> = self.running.drain().collect();
        running.extend(self.cut.lasting(log));
        running.sort_by_key(|(tid, _)| *tid);
        for (tid, tick) in running {
            self.slice(tid, tick, end_ns, "running")?;
        }
        Ok(())
    }
}
