//! Owns the fold of records into lanes and pseudo-terminals: who is on which lane, which programs run.

use super::kinds::{About, Kind, Kinds};
use super::moment::{Ended, Lane, Moment, Pty};
use glasshouse_pal::reader::{Entry, Log};
use glasshouse_pal::{DomainEvent, Event, TaskEvent, TaskId, TaskState, TextId};
use std::collections::{HashMap, HashSet};

/// The programs that are remembered; of more the oldest that have ended are forgotten. A guess: several screens
/// of a host that starts one after the other.
const PTYS_MAX: usize = 1000;
/// The lanes that are told apart. A process has few; a damaged log may name many.
const LANES_MAX: usize = 1000;

/// What the records fed so far say.
#[derive(Debug, Default)]
pub struct Ledger {
    kinds: Kinds,
    lanes: Vec<Lane>,
    /// The lane that a task asked for last, until it gives it back or ends.
    lane_of: HashMap<TaskId, TextId>,
    ptys: Vec<Pty>,
    /// Records are missing before those that were fed.
    is_partial: bool,
}

impl Ledger {
    /// Records were lost that may have been about lanes.
    pub fn note_loss(&mut self) {
        self.is_partial = true;
    }

    /// Takes in the next record of `log`.
    pub fn feed(&mut self, entry: &Entry, log: &Log) {
        match &entry.event {
            Event::Task(TaskEvent::LaneWait { tid, lane }) => {
                self.lane_of.insert(*tid, *lane);
                self.lane(*lane);
            }
            Event::Task(TaskEvent::Done { tid } | TaskEvent::Failed { tid, .. }) => {
                self.lane_of.remove(tid);
            }
            Event::Task(_) => {}
            Event::Domain(event) => {
                let mut kinds = std::mem::take(&mut self.kinds);
                if let Some(kind) = kinds.of(event, log) {
                    self.feed_domain(entry.stamp, event, kind);
                }
                self.kinds = kinds;
            }
        }
    }

    fn feed_domain(&mut self, at: u64, event: &DomainEvent, kind: &Kind) {
        let word = |field: &str| kind.word(event, field);
        match kind.about {
            About::LaneAcquired | About::LaneReleased => {
                let name = word("lane").and_then(|word| u32::try_from(word).ok());
                if let Some(name) = name {
                    self.feed_lane(TextId(name), event, kind);
                }
            }
            About::PtySpawned => self.open_pty(Pty {
                pid: word("pid").unwrap_or(0),
                name: text(word("name")),
                since: Some(at),
                ended: None,
                outgrown: None,
            }),
            About::PtyExited => {
                let signed = |field: &str| word(field).map_or(0, |word| word as i64);
                let unsigned = |field: &str| word(field).unwrap_or(0);
                let ended = Ended {
                    at,
                    code: signed("code"),
                    signal: unsigned("signal"),
                    output_bytes: unsigned("output_bytes"),
                    dropped_bytes: unsigned("dropped_bytes"),
                };
                self.pty(event, kind).ended = Some(ended);
            }
            About::PtyDropped => {
                let ring_bytes = word("ring_bytes");
                self.pty(event, kind).outgrown = ring_bytes;
            }
        }
    }

    fn feed_lane(&mut self, name: TextId, event: &DomainEvent, kind: &Kind) {
        if kind.about == About::LaneReleased {
            if let Some(task) = event.task() {
                self.lane_of.remove(&task);
            }
            if let Some(lane) = self.lane(name) {
                // Of one that was taken before what is known begins only the return is seen.
                lane.held = lane.held.saturating_sub(1);
            }
            return;
        }
        if let Some(task) = event.task() {
            self.lane_of.insert(task, name);
        }
        let limit = kind.word(event, "limit");
        let waited_ns = kind.word(event, "waited_ns").unwrap_or(0);
        if let Some(lane) = self.lane(name) {
            lane.held += 1;
            lane.taken += 1;
            lane.limit = limit.or(lane.limit);
            lane.waited_max_ns = lane.waited_max_ns.max(waited_ns);
        }
    }

    /// The lane of this name, made if need be; `None` where there are too many.
    fn lane(&mut self, name: TextId) -> Option<&mut Lane> {
        let known = self.lanes.iter().position(|lane| lane.name == name);
        let at = known.unwrap_or(self.lanes.len());
        if at == LANES_MAX {
            return None;
        }
        if known.is_none() {
            self.lanes.push(Lane {
                name,
                limit: None,
                held: 0,
                is_at_least: false,
                waiting: 0,
                taken: 0,
                waited_max_ns: 0,
            });
        }
        self.lanes.get_mut(at)
    }

    /// The program that an event is about, made if its spawn was not seen.
    fn pty(&mut self, event: &DomainEvent, kind: &Kind) -> &mut Pty {
        let pid = kind.word(event, "pid").unwrap_or(0);
        let is_it = |pty: &Pty| pty.pid == pid && pty.ended.is_none();
        let known = self.ptys.iter().rposition(is_it);
        let at = known.unwrap_or_else(|| {
            self.open_pty(Pty {
                pid,
                name: text(kind.word(event, "name")),
                since: None,
                ended: None,
                outgrown: None,
            });
            self.ptys.len() - 1
        });
        &mut self.ptys[at]
    }

    fn open_pty(&mut self, pty: Pty) {
        if self.ptys.len() >= PTYS_MAX {
            let ended = self.ptys.iter().position(|pty| pty.ended.is_some());
            self.ptys.remove(ended.unwrap_or(0));
        }
        self.ptys.push(pty);
    }

    /// Puts what is known into a moment whose tasks are there.
    pub fn tell(&mut self, moment: &mut Moment) {
        moment.lanes.clone_from(&self.lanes);
        moment.ptys.clone_from(&self.ptys);
        for task in &mut moment.tasks {
            task.lane = self.lane_of.get(&task.id).copied();
        }
        if self.is_partial && self.lane_of.len() > moment.tasks.len() {
            // The ends of some were among the records that are missing.
            let alive: HashSet<TaskId> = moment.tasks.iter().map(|task| task.id).collect();
            self.lane_of.retain(|task, _| alive.contains(task));
        }
        for lane in &mut moment.lanes {
            lane.is_at_least = self.is_partial;
        }
        let waiting = moment.tasks.iter();
        for task in waiting.filter(|task| task.state == Some(TaskState::LaneWait)) {
            let lane = moment
                .lanes
                .iter_mut()
                .find(|lane| task.lane == Some(lane.name));
            if let Some(lane) = lane {
                lane.waiting += 1;
            }
        }
    }
}

fn text(word: Option<u64>) -> TextId {
    let number = word.and_then(|word| u32::try_from(word).ok());
    number.map_or(TextId::EMPTY, TextId)
}
