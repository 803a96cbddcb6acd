//! Drives the seam as a scheduler would, with virtual time: the tests' stand-in for one.
#![allow(dead_code)] // Each test file uses its own part.

use glasshouse_telemetry::pal::lives::Lives;
use glasshouse_telemetry::pal::{
    Clock, Event, LossCause, Pal, TaskEvent, TaskId, TaskState, WakeSource,
};
use glasshouse_telemetry::{Hub, Leave, Settings, SpawnSite, TaskTrace, Woken, Worker};
use std::panic::Location;
use std::sync::Arc;

/// A hub over a log in memory, and its virtual clock.
pub struct Drive {
    pub hub: Arc<Hub>,
    pub pal: Pal,
    pub clock: Clock,
}

impl Drive {
    pub fn new(settings: Settings) -> Drive {
        Drive::on(Clock::virtual_time(), settings)
    }

    pub fn on(clock: Clock, settings: Settings) -> Drive {
        let pal = Pal::memory_with(clock.clone());
        let hub = Hub::new(Settings {
            pal: Some(pal.clone()),
            ..settings
        });
        Drive { hub, pal, clock }
    }

    /// The log's task events in time order, with their raw stamps: nanoseconds, in virtual time.
    pub fn stamped(&self) -> Vec<(u64, TaskEvent)> {
        let log = self.pal.log();
        log.records()
            .filter_map(|entry| match entry.event {
                Event::Task(event) => Some((entry.stamp, event)),
                Event::Domain(_) => None,
            })
            .collect()
    }

    /// Asserts that the log is whole and every life in it follows the rules, stamps included.
    pub fn assert_consistent(&self) {
        let log = self.pal.log();
        assert!(log.loss().is_none(), "{:?}", log.loss());
        self.assert_lives();
    }

    /// Asserts that every life in the log follows the rules, stamps included.
    pub fn assert_lives(&self) {
        let log = self.pal.log();
        let mut lives = Lives::whole();
        for entry in log.records() {
            if let Event::Task(event) = entry.event {
                let step = lives.feed(entry.stamp, entry.aux, &event);
                let fault = step.and_then(|step| step.fault);
                assert!(fault.is_none(), "{fault:?} at {entry:?}");
            }
        }
    }

    /// How often two processors' clocks disagreed.
    pub fn regressions(&self) -> u64 {
        self.pal.log().loss().unwritten(LossCause::ClockRegressed)
    }

    /// Virtual time passes.
    pub fn pass(&self, ns: u64) {
        self.clock.advance_ns(ns);
    }

    /// One tick that takes `ns` and ends as `leave` says.
    pub fn tick(&self, worker: &Worker, task: &TaskTrace, ns: u64, leave: Leave) {
        self.tick_with(worker, task, ns, leave, || {});
    }

    /// The same; `poll` is what the task does.
    pub fn tick_with(
        &self,
        worker: &Worker,
        task: &TaskTrace,
        ns: u64,
        leave: Leave,
        poll: impl FnOnce(),
    ) {
        let mut tick = worker.start_tick(task);
        // As a scheduler does whose state word says that the task was woken since.
        task.forget_waker();
        poll();
        if !self.clock.is_virtual() {
            assert_eq!(ns, 0, "real time passes by itself");
        } else {
            self.pass(ns);
        }
        worker.poll_returned(&mut tick);
        let draft = worker.leave(task, &tick, leave);
        worker.commit(tick, draft);
        if matches!(leave, Leave::Done | Leave::Failed { .. }) {
            worker.free(task);
        }
    }
}

/// Settings for `workers` workers and nothing else.
pub fn workers(workers: usize) -> Settings {
    Settings {
        workers,
        ..Settings::default()
    }
}

#[track_caller]
pub fn here() -> SpawnSite<'static> {
    SpawnSite {
        location: Location::caller(),
        name: None,
    }
}

/// A recount of a log: what the metrics must agree with.
#[derive(Debug, Default)]
pub struct Recount {
    /// By number of state.
    pub states: [u64; 12],
    pub run_ns: Vec<u64>,
    pub wait_ns: Vec<u64>,
    pub ready_ns: Vec<u64>,
}

impl Recount {
    /// Counts `(stamp in nanoseconds, event)` in time order.
    pub fn of(records: &[(u64, TaskEvent)]) -> Recount {
        let mut recount = Recount::default();
        let mut tasks: Vec<(TaskId, TaskState, u64)> = Vec::new();
        for &(stamp, event) in records {
            let (Some(tid), Some(state)) = (event.tid(), event.state()) else {
                continue;
            };
            recount.states[state as usize] += 1;
            let known = tasks.iter().position(|task| task.0 == tid);
            let Some(at) = known else {
                tasks.push((tid, state, stamp));
                continue;
            };
            let (_, left, since) = tasks[at];
            let spent = stamp - since;
            if left == TaskState::Running {
                recount.run_ns.push(spent);
            } else if left.is_waiting() {
                recount.wait_ns.push(spent);
            } else {
                recount.ready_ns.push(spent);
            }
            tasks[at] = (tid, state, stamp);
        }
        recount
    }
}

/// The events of `tid` alone.
pub fn events_of(pal: &Pal, tid: TaskId) -> Vec<TaskEvent> {
    let events = pal.events();
    events
        .into_iter()
        .filter(|event| event.tid() == Some(tid))
        .collect()
}

/// Every kind of life: a task that yields, is throttled, waits for each reason, and ends; one that
/// fails; one spawned and woken by threads without a ring. Returns the worker that ran them.
pub fn every_life(drive: &Drive) -> Worker {
    use glasshouse_telemetry::pal::{FailureKind, Interest, IoTarget, TextId};
    use std::time::Duration;
    let worker = drive.hub.worker(0);
    let one = worker.spawned(&here(), None);
    let two = worker.spawned(&here(), Some(one.id()));
    let waits = [
        (
            Leave::Sleep {
                dur: Duration::from_millis(3),
            },
            WakeSource::Timer,
        ),
        (
            Leave::Io(IoTarget {
                fd: 3,
                interest: Interest::Read,
            }),
            WakeSource::Io,
        ),
        (Leave::Join(two.id()), WakeSource::Task(two.id())),
        (Leave::Lane(TextId(0)), WakeSource::Lane(None)),
        (Leave::Wait, WakeSource::External),
    ];
    drive.pass(1_500);
    drive.tick_with(
        &worker,
        &one,
        2_000_000,
        Leave::Yield(Woken::AsNoted),
        || one.note_waker(WakeSource::Task(one.id())),
    );
    drive.tick(&worker, &two, 40, Leave::Throttled(Woken::AsNoted));
    for (number, (leave, by)) in waits.into_iter().enumerate() {
        drive.tick(&worker, &one, 1_000 + number as u64, leave);
        drive.pass(7_000_000 * number as u64);
        worker.woke(&one, by);
        drive.pass(300);
        worker.refresh();
    }
    drive.tick(&worker, &one, 1_000_000, Leave::Done);
    let (kind, text) = (FailureKind::Error, drive.pal.text("no luck"));
    drive.tick(&worker, &two, 1_000_001, Leave::Failed { kind, text });
    let foreign = drive.hub.spawned(&here());
    drive.pass(10);
    worker.refresh();
    worker.take_in(&foreign);
    drive.tick(&worker, &foreign, 5, Leave::Wait);
    drive.pass(2_500_000_000);
    drive.hub.woke(&foreign, WakeSource::External);
    drive.pass(20);
    worker.refresh();
    worker.take_in(&foreign);
    drive.tick(&worker, &foreign, 5, Leave::Done);
    worker
}
