//! Owns the fold of records into lanes and pseudo-terminals: who is on which lane, which programs run.

use super::kinds::{About, Kind, Kinds};
use super::moment::{Ended, Lane, Moment, Pty};
use glasshouse_pal::reader::{Entry, Log};
use glasshouse_pal::{DomainEvent, Event, TaskEvent, TaskId, TaskState, TextId};
use std::collections::{HashMap, HashSet};

/// The programs that are remembered; of more the oldest that have ended, or may have, are forgotten. A guess: several screens
/// of a host that starts one after the other.
const PTYS_MAX: usize = 1000;
/// The lanes that are told apart. A process has few; a damaged log may name many.
const LANES_MAX: usize = 1000;

/// What the records fed so far say.
#[derive(Debug, Default)]
pub struct Ledger {
    kinds: Kinds,
    lanes: Vec<Lane>,
    /// What a task has to do with the lane that it asked for last, until it gives it back or ends.
    ties: HashMap<TaskId, Tie>,
    ptys: Vec<Pty>,
    /// Records are missing before those that were fed.
    is_partial: bool,
}

/// What a task has to do with a lane.
#[derive(Clone, Copy, Debug)]
enum Tie {
    /// It waits for a permit, or gave up: its state tells.
    Asks(TextId),
    /// It took a permit.
    Holds(TextId),
}

impl Ledger {
    /// Records were lost: any permit may have been given back, and any program may have ended.
    pub fn note_loss(&mut self) {
        self.is_partial = true;
        self.ties.retain(|_, tie| matches!(tie, Tie::Asks(_)));
        for lane in &mut self.lanes {
            lane.held = 0;
        }
        for pty in &mut self.ptys {
            pty.is_lost = pty.ended.is_none();
        }
    }

    /// Takes in the next record of `log`.
    pub fn feed(&mut self, entry: &Entry, log: &Log) {
        match &entry.event {
            Event::Task(TaskEvent::LaneWait { tid, lane }) => {
                self.ties.insert(*tid, Tie::Asks(*lane));
                self.lane(*lane);
            }
            Event::Task(TaskEvent::Done { tid } | TaskEvent::Failed { tid, .. }) => {
                self.ties.remove(tid);
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
                is_lost: false,
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
                self.ties.remove(&task);
            }
            if let Some(lane) = self.lane(name) {
                // Of one that was taken before what is known begins only the return is seen.
                lane.held = lane.held.saturating_sub(1);
            }
            return;
        }
        if let Some(task) = event.task() {
            self.ties.insert(task, Tie::Holds(name));
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
                is_lost: false,
                outgrown: None,
            });
            self.ptys.len() - 1
        });
        let pty = &mut self.ptys[at];
        pty.is_lost = false;
        pty
    }

    fn open_pty(&mut self, pty: Pty) {
        if self.ptys.len() >= PTYS_MAX {
            let first = |is: fn(&Pty) -> bool| self.ptys.iter().position(is);
            let ended = first(|pty| pty.ended.is_some()).or_else(|| first(|pty| pty.is_lost));
            self.ptys.remove(ended.unwrap_or(0));
        }
        self.ptys.push(pty);
    }

    /// Puts what is known into a moment whose tasks are there.
    pub fn tell(&mut self, moment: &mut Moment) {
        moment.lanes.clone_from(&self.lanes);
        moment.ptys.clone_from(&self.ptys);
        for task in &mut moment.tasks {
            task.lane = match self.ties.get(&task.id) {
                Some(Tie::Holds(lane)) => Some(*lane),
                Some(Tie::Asks(lane)) if task.state == Some(TaskState::LaneWait) => Some(*lane),
                _ => None,
            };
        }
        if self.is_partial && self.ties.len() > moment.tasks.len() {
            // The ends of some were among the records that are missing.
            let alive: HashSet<TaskId> = moment.tasks.iter().map(|task| task.id).collect();
            self.ties.retain(|task, _| alive.contains(task));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::top::model::Task;
    use crate::inspect::top::scene::Scene;
    use glasshouse_pal::TaskRow;

    /// What the ledger says of all records of the scene, those before `skipped` left out.
    fn told(scene: &Scene, skipped: usize) -> Moment {
        let log = scene.pal.log();
        let mut ledger = Ledger::default();
        if skipped > 0 {
            ledger.note_loss();
        }
        for entry in log.records().skip(skipped) {
            ledger.feed(&entry, &log);
        }
        tell(&mut ledger, scene)
    }

    /// What the ledger says beside the task table as it is now.
    fn tell(ledger: &mut Ledger, scene: &Scene) -> Moment {
        let log = scene.pal.log();
        let tasks = log
            .tasks()
            .map(|row: TaskRow| Task::of_row(&row, scene.now()));
        let mut moment = Moment {
            tasks: tasks.collect(),
            ..Moment::default()
        };
        ledger.tell(&mut moment);
        moment
    }

    /// One task has the only permit of a lane, another waits for it.
    fn holder_and_waiter() -> (Scene, TaskId, TaskId) {
        let mut scene = Scene::new();
        let [holder, waiter] = ["holder", "waiter"].map(|name| scene.spawn(name, None));
        scene.run(0, holder);
        scene.acquire(holder, "disk", 0, 1);
        scene.run(1, waiter);
        let lane = scene.lane("disk");
        scene.leave(TaskEvent::LaneWait { tid: waiter, lane });
        (scene, holder, waiter)
    }

    #[test]
    fn a_lane_is_told_by_who_took_and_gave_back_and_by_who_waits() {
        let (mut scene, holder, waiter) = holder_and_waiter();
        let lane = scene.lane("disk");
        let moment = told(&scene, 0);
        let disk = Lane {
            name: lane,
            limit: Some(1),
            held: 1,
            is_at_least: false,
            waiting: 1,
            taken: 1,
            waited_max_ns: 0,
        };
        assert_eq!(moment.lanes, [disk]);
        assert!(moment.tasks.iter().all(|task| task.lane == Some(lane)));

        scene.release(holder, "disk");
        scene.wake(0, waiter, glasshouse_pal::WakeSource::Lane(Some(holder)));
        scene.run(1, waiter);
        scene.acquire(waiter, "disk", 700, 1);
        let moment = told(&scene, 0);
        let after = Lane {
            waiting: 0,
            taken: 2,
            waited_max_ns: 700,
            ..disk
        };
        assert_eq!(moment.lanes, [after]);
        let of = |tid: TaskId| moment.tasks.iter().find(|task| task.id == tid);
        assert_eq!(of(holder).expect("alive").lane, None);
        assert_eq!(of(waiter).expect("alive").lane, Some(lane));
    }

    #[test]
    fn a_permit_that_was_taken_before_the_records_makes_a_count_at_least() {
        let mut scene = Scene::new();
        let tid = scene.spawn("a", None);
        scene.run(0, tid);
        scene.acquire(tid, "disk", 0, 3);
        scene.release(tid, "disk");
        scene.acquire(tid, "disk", 0, 3);
        // The spawn, the start of the tick and the first permit.
        let lanes = told(&scene, 3).lanes;
        assert_eq!((lanes[0].held, lanes[0].is_at_least), (1, true));
    }

    #[test]
    fn permits_that_may_have_been_given_back_unseen_are_not_counted() {
        let (scene, ..) = holder_and_waiter();
        let lane = scene.lane("disk");
        let log = scene.pal.log();
        let mut ledger = Ledger::default();
        for entry in log.records() {
            ledger.feed(&entry, &log);
        }
        ledger.note_loss();
        let moment = tell(&mut ledger, &scene);
        let [disk] = moment.lanes[..] else {
            panic!("one lane: {:?}", moment.lanes);
        };
        assert_eq!((disk.held, disk.waiting, disk.is_at_least), (0, 1, true));
        let lanes: Vec<_> = moment.tasks.iter().map(|task| task.lane).collect();
        assert_eq!(lanes, [None, Some(lane)]);
    }

    #[test]
    fn a_task_that_gave_up_waiting_for_a_lane_is_not_on_it() {
        let mut scene = Scene::new();
        let tid = scene.spawn("a", None);
        scene.run(0, tid);
        let lane = scene.lane("disk");
        scene.leave(TaskEvent::LaneWait { tid, lane });
        assert_eq!(told(&scene, 0).tasks[0].lane, Some(lane));
        scene.wake(0, tid, glasshouse_pal::WakeSource::Timer);
        scene.run(0, tid);
        scene.leave(TaskEvent::Wait { tid });
        assert_eq!(told(&scene, 0).tasks[0].lane, None);
    }

    #[test]
    fn a_program_is_told_from_its_spawn_to_its_end() {
        let mut scene = Scene::new();
        let tid = scene.spawn("a", None);
        scene.run(0, tid);
        scene.pass(10);
        scene.open_pty(tid, 70, "make");
        scene.outgrow_pty(tid, 70, "make", 65536);
        let name = scene.lane("make");
        let running = Pty {
            pid: 70,
            name,
            since: Some(10),
            ended: None,
            is_lost: false,
            outgrown: Some(65536),
        };
        assert_eq!(told(&scene, 0).ptys, [running]);
        scene.pass(5);
        scene.end_pty(tid, 70, "make", [-1, 9]);
        // The same number again is another program.
        scene.open_pty(tid, 70, "make");
        let ptys = told(&scene, 0).ptys;
        let ended = ptys[0].ended.expect("ended");
        assert_eq!((ended.at, ended.code, ended.signal), (15, -1, 9));
        assert_eq!((ptys.len(), ptys[1].ended), (2, None));
        // The spawn of the first was overwritten: its end alone is known.
        let ptys = told(&scene, 4).ptys;
        assert_eq!((ptys[0].since, ptys[0].ended), (None, Some(ended)));
    }

    #[test]
    fn of_many_programs_the_oldest_that_have_ended_are_forgotten() {
        let mut scene = Scene::new();
        let tid = scene.spawn("a", None);
        scene.run(0, tid);
        scene.open_pty(tid, 1, "first");
        for pid in 2..=PTYS_MAX as u64 + 10 {
            scene.open_pty(tid, pid, "sh");
            scene.end_pty(tid, pid, "sh", [0, 0]);
        }
        let ptys = told(&scene, 0).ptys;
        assert_eq!(ptys.len(), PTYS_MAX);
        assert_eq!((ptys[0].pid, ptys[0].ended), (1, None));
        assert_eq!(ptys.last().map(|pty| pty.pid), Some(PTYS_MAX as u64 + 10));
    }
}
