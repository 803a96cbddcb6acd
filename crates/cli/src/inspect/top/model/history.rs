//! Owns one task's life as its page tells it: each state with how long it lasted, who woke it, what it spawned.

use super::moment::Task;
use glasshouse_pal::lives::{Fault, Life, Lives};
use glasshouse_pal::reader::{Entry, RingId};
use glasshouse_pal::{Event, TaskEvent, TaskId, WakeSource, WaysOut};
use std::collections::{HashMap, VecDeque};

/// The states that are kept, the newest: more than anybody scrolls through.
const STAYS_MAX: usize = 10_000;
/// The sources of wakes that are told apart, and the children that are kept.
const RELATIVES_MAX: usize = 1000;

/// One state of a task's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// When it was entered.
    pub at: u64,
    pub ring: RingId,
    /// The event with which it was entered.
    pub event: TaskEvent,
    /// What may end it, if it is a wait, beside what the event says.
    pub ways_out: WaysOut,
    /// How long it lasted, in clock ticks; `None` while it lasts, and where records are missing.
    pub lasted: Option<u64>,
}

/// What a task has done.
#[derive(Debug)]
pub struct History {
    task: TaskId,
    lives: Lives,
    stays: VecDeque<Stay>,
    wakers: HashMap<WakeSource, u64>,
    children: Vec<TaskId>,
    children_count: u64,
    /// The newest record of each ring that was there when it was made: those are not fed again.
    begun_at: HashMap<RingId, u64>,
    /// Records were lost since the last one of this task.
    is_torn: bool,
    /// What is added to the count of its transitions, so that one behind a loss is never taken for one of the past.
    aux_shift: u8,
}

impl History {
    /// Before the first record, which is to be fed to `lives`.
    pub fn new(task: TaskId, lives: Lives) -> History {
        History {
            task,
            lives,
            stays: VecDeque::new(),
            wakers: HashMap::new(),
            children: Vec::new(),
            children_count: 0,
            begun_at: HashMap::new(),
            is_torn: false,
            aux_shift: 0,
        }
    }

    /// From all records that there are now; [`History::follow`] goes on from there.
    pub fn begin(task: TaskId, records: impl Iterator<Item = Entry>) -> History {
        // Every one of them: what came before is not asked for.
        let mut history = History::new(task, Lives::from_horizon(0));
        let mut begun_at: HashMap<RingId, u64> = HashMap::new();
        for entry in records {
            history.feed(&entry);
            let newest = begun_at.entry(entry.ring).or_default();
            *newest = entry.seq.max(*newest);
        }
        history.begun_at = begun_at;
        history
    }

    /// Takes in a record that may have been there when it began.
    pub fn follow(&mut self, entry: &Entry) {
        let begun_at = self.begun_at.get(&entry.ring);
        if begun_at.is_none_or(|newest| entry.seq > *newest) {
            self.feed(entry);
        }
    }

    /// Records were lost between those that it was given and the next.
    pub fn note_loss(&mut self) {
        self.is_torn = true;
    }

    /// Takes in the next record.
    pub fn feed(&mut self, entry: &Entry) {
        let Event::Task(event) = &entry.event else {
            return;
        };
        if let TaskEvent::Spawned { tid, parent, .. } = event
            && *parent == Some(self.task)
        {
            self.children_count += 1;
            if self.children.len() < RELATIVES_MAX {
                self.children.push(*tid);
            }
        }
        if event.tid() != Some(self.task) {
            return;
        }
        if std::mem::take(&mut self.is_torn)
            && let Some(life) = self.lives.of(self.task)
            && life.aux.wrapping_add(1) != entry.aux.wrapping_add(self.aux_shift)
        {
            // As if one were missing: how many are, a count modulo 256 cannot tell.
            self.aux_shift = life.aux.wrapping_add(2).wrapping_sub(entry.aux);
        }
        let aux = entry.aux.wrapping_add(self.aux_shift);
        let Some(step) = self.lives.feed(entry.stamp, aux, event) else {
            return;
        };
        let is_late = matches!(step.fault, Some(Fault::Disorder { .. }));
        let lasted = step.left.map(|(_, ticks)| ticks);
        if is_late {
            // What comes after it is there already.
            return;
        }
        if let Some(last) = self.stays.back_mut() {
            last.lasted = lasted;
        }
        if self.stays.len() == STAYS_MAX {
            self.stays.pop_front();
        }
        self.stays.push_back(Stay {
            at: entry.stamp,
            ring: entry.ring,
            event: *event,
            ways_out: entry.ways_out,
            lasted: None,
        });
        if let TaskEvent::Wake { by, .. }
        | TaskEvent::Yield { by, .. }
        | TaskEvent::Throttled { by, .. } = event
            && (self.wakers.len() < RELATIVES_MAX || self.wakers.contains_key(by))
        {
            *self.wakers.entry(*by).or_default() += 1;
        }
    }

    /// The task.
    pub fn task(&self) -> TaskId {
        self.task
    }

    /// Its states, the newest last.
    pub fn stays(&self) -> &VecDeque<Stay> {
        &self.stays
    }

    /// Its life, as far as records tell it.
    pub fn life(&self) -> Option<&Life> {
        self.lives.of(self.task)
    }

    /// Whether its last state is known to have lasted up to this stamp, as of which `task` is: no gap lies behind it,
    /// and no records were lost since, or the task table tells the same state.
    pub fn is_followed(&self, at: u64, task: Option<&Task>) -> bool {
        self.life().is_none_or(|life| {
            let stay = at.saturating_sub(life.since);
            let is_told = |task: &Task| (task.state, task.stay) == (Some(life.state), stay);
            let is_lost = self.is_torn && !task.is_some_and(is_told);
            life.state.is_end() || !is_lost && !self.lives.has_gap_between(life.since, at)
        })
    }

    /// Who made it ready, and how often, the most frequent first.
    pub fn wakers(&self) -> Vec<(WakeSource, u64)> {
        let mut wakers: Vec<_> = self
            .wakers
            .iter()
            .map(|(by, count)| (*by, *count))
            .collect();
        wakers.sort_by_key(|(by, count)| (std::cmp::Reverse(*count), by.to_word()));
        wakers
    }

    /// What it spawned, the first of them, and how many in all.
    pub fn children(&self) -> (&[TaskId], u64) {
        (&self.children, self.children_count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::top::scene::Scene;
    use glasshouse_pal::TaskState;
    use glasshouse_pal::reader::Cursor;
    use std::time::Duration;

    /// A task that sleeps for 10, is woken, spawns another and goes on.
    fn scene() -> (Scene, TaskId) {
        let mut scene = Scene::new();
        let tid = scene.spawn("a", None);
        scene.pass(1);
        scene.run(0, tid);
        scene.pass(4);
        scene.sleep(tid, Duration::from_nanos(10));
        scene.pass(10);
        scene.wake(1, tid, WakeSource::Timer);
        scene.pass(2);
        scene.run(1, tid);
        scene.spawn("b", Some(tid));
        (scene, tid)
    }

    #[test]
    fn a_life_is_told_state_by_state_with_wakers_and_children() {
        let (scene, tid) = scene();
        let history = History::begin(tid, scene.pal.log().records());
        let told = history.stays().iter().map(|stay| {
            let state = stay.event.state().expect("a transition");
            (stay.at, stay.ring.to_string(), state, stay.lasted)
        });
        let told: Vec<_> = told.collect();
        let ring = |number: u32| number.to_string();
        assert_eq!(
            told,
            [
                (0, ring(0), TaskState::Scheduled, Some(1)),
                (1, ring(0), TaskState::Running, Some(4)),
                (5, ring(0), TaskState::Sleeping, Some(10)),
                (15, ring(1), TaskState::Scheduled, Some(2)),
                (17, ring(1), TaskState::Running, None),
            ]
        );
        assert_eq!(history.wakers(), [(WakeSource::Timer, 1)]);
        let child = TaskId::new(2).expect("in range");
        assert_eq!(history.children(), (&[child][..], 1));
        let life = history.life().expect("known");
        assert_eq!((life.run_ticks, life.ready_ticks), (4, 3));
    }

    #[test]
    fn what_was_there_at_the_beginning_is_not_told_again() {
        let (mut scene, tid) = scene();
        let log = scene.pal.log();
        // The rest of the page follows with a cursor that is behind.
        let mut behind = Cursor::default();
        let mut history = History::begin(tid, log.records());
        scene.pass(3);
        scene.leave(TaskEvent::Wait { tid });
        for entry in log.follow(&mut behind).0 {
            history.follow(&entry);
        }
        assert_eq!(history.stays().len(), 6);
        assert_eq!(history.stays()[4].lasted, Some(3));
        assert_eq!(history.children().1, 1);
    }

    #[test]
    fn a_record_behind_a_loss_is_no_late_one_whatever_its_number_looks_like() {
        let (mut scene, tid) = scene();
        let log = scene.pal.log();
        let mut cursor = Cursor::default();
        let mut history = History::new(tid, Lives::from_horizon(0));
        log.follow(&mut cursor).0.for_each(|it| history.feed(&it));
        // Lost are so many that the next one's number lies 184 ahead, or 72 behind.
        for _ in 0..92 {
            scene.pass(1);
            let by = WakeSource::Task(tid);
            scene.leave(TaskEvent::Yield { tid, by });
            scene.run(1, tid);
        }
        log.follow(&mut cursor);
        history.note_loss();
        scene.pass(5);
        scene.leave(TaskEvent::Wait { tid });
        scene.pass(7);
        scene.wake(1, tid, WakeSource::Timer);
        log.follow(&mut cursor).0.for_each(|it| history.feed(&it));
        let stays = history.stays().iter().skip(4);
        let told: Vec<_> = stays.map(|stay| (stay.event, stay.lasted)).collect();
        let by = WakeSource::Timer;
        assert_eq!(
            told,
            [
                (TaskEvent::Running { tid }, None),
                (TaskEvent::Wait { tid }, Some(7)),
                (TaskEvent::Wake { tid, by }, None),
            ]
        );
    }

    #[test]
    fn behind_a_loss_the_last_state_lasts_only_where_the_task_table_has_it() {
        let (mut scene, tid) = scene();
        let log = scene.pal.log();
        let mut history = History::begin(tid, log.records());
        scene.pass(3);
        let is_followed = |history: &History, scene: &Scene| {
            let row = log.tasks().find(|row| row.id == tid);
            let row = Task::of_row(&row.expect("alive"), scene.now());
            [None, Some(&row)].map(|task| history.is_followed(scene.now(), task))
        };
        assert_eq!(is_followed(&history, &scene), [true, true]);
        history.note_loss();
        assert_eq!(is_followed(&history, &scene), [false, true]);
        scene.leave(TaskEvent::Wait { tid });
        assert_eq!(is_followed(&history, &scene), [false, false]);
    }

    #[test]
    fn of_a_long_life_the_newest_states_are_kept() {
        let (mut scene, tid) = scene();
        for _ in 0..STAYS_MAX {
            scene.pass(1);
            let by = WakeSource::Task(tid);
            scene.leave(TaskEvent::Yield { tid, by });
            scene.run(1, tid);
        }
        let history = History::begin(tid, scene.pal.log().records());
        assert_eq!(history.stays().len(), STAYS_MAX);
        let newest = history.stays().back().expect("kept");
        assert_eq!(newest.event, TaskEvent::Running { tid });
        assert_eq!(
            history.wakers()[0],
            (WakeSource::Task(tid), STAYS_MAX as u64)
        );
    }
}
