//! Owns the small world that the tests of `top` look at: a log in memory on a clock that is moved by hand, written
//! as a scheduler writes, ring headers and task table included.

use super::app::{App, Source};
use glasshouse_lanes::{LANE_ACQUIRED, LANE_RELEASED};
use glasshouse_pal::{
    Clock, DomainEvent, EncodedSource, Pal, RingOwner, RingWriter, SlotId, TaskEvent, TaskId,
    TaskState, TextId, Value, WakeSource, WorkerState,
};
use glasshouse_pty::{PTY_DROPPED, PTY_EXITED, PTY_SPAWNED};
use std::collections::BTreeMap;
use std::time::Duration;

pub const MS: u64 = 1_000_000;

/// A process of two workers.
pub struct Scene {
    pub pal: Pal,
    clock: Clock,
    workers: Vec<RingWriter>,
    tasks: BTreeMap<TaskId, Live>,
    next: u64,
}

struct Live {
    slot: SlotId,
    aux: u8,
    state: TaskState,
    since: u64,
    /// The worker that runs it.
    on: usize,
}

impl Scene {
    pub fn new() -> Scene {
        let clock = Clock::virtual_time();
        let pal = Pal::memory_with(clock.clone());
        let workers = (0..2).map(|number| pal.lease(RingOwner::Worker(number)));
        Scene {
            workers: workers.collect(),
            tasks: BTreeMap::new(),
            next: 1,
            clock,
            pal,
        }
    }

    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    pub fn pass(&self, ns: u64) {
        self.clock.advance_ns(ns);
    }

    /// Has somebody look at the world through `top`.
    pub fn shown<R>(&self, look: impl FnOnce(&mut App<'_>) -> R) -> R {
        let source = Source {
            log: &self.pal.log(),
            reopen: &|| Ok(self.pal.log()),
            until: &|_, _| self.now(),
        };
        let mut app = App::new(source).expect("it can be read");
        app.look();
        look(&mut app)
    }

    /// The tasks that are alive in one of these states.
    pub fn in_state(&self, is: impl Fn(TaskState) -> bool) -> Vec<TaskId> {
        let found = self.tasks.iter().filter(|(_, task)| is(task.state));
        found.map(|(id, _)| *id).collect()
    }

    /// Whether the worker runs nothing.
    pub fn is_free(&self, worker: usize) -> bool {
        self.workers[worker].current_task().is_none()
    }

    pub fn spawn(&mut self, name: &str, parent: Option<TaskId>) -> TaskId {
        let tid = TaskId::new(self.next).expect("in range");
        self.next += 1;
        let site = self.pal.site("src/scene.rs", 10, 5, Some(name));
        let slot = self.pal.table().take_shared().expect("room");
        let now = self.now();
        let state = TaskState::Scheduled;
        self.pal
            .table()
            .slot(slot)
            .publish(tid, site, parent, state, now);
        self.workers[0].write(now, 0, &TaskEvent::Spawned { tid, parent, site });
        let (aux, since, on) = (0, now, 0);
        let task = Live {
            slot,
            aux,
            state,
            since,
            on,
        };
        self.tasks.insert(tid, task);
        tid
    }

    /// The task begins a tick on this worker.
    pub fn run(&mut self, worker: usize, tid: TaskId) {
        self.step(tid, TaskState::Running);
        let task = self.tasks.get_mut(&tid).expect("alive");
        task.on = worker;
        let (aux, slot) = (task.aux, task.slot);
        self.pal.table().slot(slot).count_poll();
        self.workers[worker].start_task(self.now(), aux, tid);
    }

    /// The task ends its tick.
    pub fn leave(&mut self, event: TaskEvent) {
        let tid = event.tid().expect("about a task");
        let state = event.state().expect("a transition");
        self.step(tid, state);
        let task = &self.tasks[&tid];
        let ring = &self.workers[task.on];
        ring.write(self.now(), task.aux, &event);
        ring.current(self.now(), None, WorkerState::Searching);
        let slot = self.pal.table().slot(task.slot);
        match event {
            TaskEvent::Yield { by, .. } | TaskEvent::Throttled { by, .. } => {
                slot.set_waker(EncodedSource::of(by));
            }
            _ if state.is_end() => {
                slot.clear();
                self.pal.table().give_back_shared(task.slot);
                self.tasks.remove(&tid);
            }
            _ => {}
        }
    }

    pub fn sleep(&mut self, tid: TaskId, dur: Duration) {
        self.leave(TaskEvent::Sleep { tid, dur });
    }

    /// Something on this worker makes the task ready.
    pub fn wake(&mut self, worker: usize, tid: TaskId, by: WakeSource) {
        self.step(tid, TaskState::Scheduled);
        let task = &self.tasks[&tid];
        self.pal
            .table()
            .slot(task.slot)
            .set_waker(EncodedSource::of(by));
        self.workers[worker].write(self.now(), task.aux, &TaskEvent::Wake { tid, by });
    }

    /// Slot and count of a transition.
    fn step(&mut self, tid: TaskId, into: TaskState) {
        let now = self.now();
        let task = self.tasks.get_mut(&tid).expect("alive");
        let slot = self.pal.table().slot(task.slot);
        let spent = now - task.since;
        match task.state {
            TaskState::Running => slot.add_run(spent),
            state if state.is_ready() => slot.add_ready(spent),
            _ => slot.add_wait(spent),
        }
        slot.enter(into, now);
        task.aux = task.aux.wrapping_add(1);
        (task.state, task.since) = (into, now);
    }

    pub fn park(&self, worker: usize) {
        self.workers[worker].current(self.now(), None, WorkerState::Parked);
    }

    /// The task, which runs, takes a permit.
    pub fn acquire(&self, tid: TaskId, lane: &str, waited: u64, limit: u64) {
        let words = [self.text(lane), Value::Ns(waited), Value::U64(limit)];
        self.tell(tid, DomainEvent::new(&LANE_ACQUIRED, &words));
    }

    /// What the task table says before the record does, as it may be seen in between.
    pub fn enter_unrecorded(&self, tid: TaskId, state: TaskState) {
        let slot = self.pal.table().slot(self.tasks[&tid].slot);
        slot.enter(state, self.now());
    }

    /// The task gives its permit back.
    pub fn release(&self, tid: TaskId, lane: &str) {
        let words = [self.text(lane), Value::Ns(0)];
        self.tell(tid, DomainEvent::new(&LANE_RELEASED, &words));
    }

    pub fn lane(&self, lane: &str) -> TextId {
        self.pal.text(lane)
    }

    pub fn open_pty(&self, tid: TaskId, pid: u64, name: &str) {
        let words = [Value::U64(pid), self.text(name)];
        self.tell(tid, DomainEvent::new(&PTY_SPAWNED, &words));
    }

    pub fn outgrow_pty(&self, tid: TaskId, pid: u64, name: &str, ring_bytes: u64) {
        let words = [Value::U64(pid), self.text(name), Value::U64(ring_bytes)];
        self.tell(tid, DomainEvent::new(&PTY_DROPPED, &words));
    }

    pub fn end_pty(&self, tid: TaskId, pid: u64, name: &str, [code, signal]: [i64; 2]) {
        let words = [
            Value::U64(pid),
            self.text(name),
            Value::I64(code),
            Value::U64(signal.unsigned_abs()),
            Value::U64(4096),
            Value::U64(0),
        ];
        self.tell(tid, DomainEvent::new(&PTY_EXITED, &words));
    }

    fn text(&self, text: &str) -> Value {
        Value::Text(self.pal.text(text))
    }

    fn tell(&self, tid: TaskId, event: DomainEvent) {
        let worker = self.tasks.get(&tid).map_or(0, |task| task.on);
        self.workers[worker].write_domain(self.now(), &event.about(tid));
    }
}
