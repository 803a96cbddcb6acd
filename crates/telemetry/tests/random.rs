//! Whatever the order of calls: the log obeys the rules of a task's life, times are exact, and the
//! metrics agree with the log.
#![cfg(feature = "record")]

mod drive;

use drive::{Drive, Recount, here, workers};
use glasshouse_telemetry::pal::{TaskState, WakeSource};
use glasshouse_telemetry::prometheus::Exporter;
use glasshouse_telemetry::testing::Registry;
use glasshouse_telemetry::{
    Leave, READY_DELAY_SECONDS, RUN_LATENCY_SECONDS, Settings, TASKS_STATE_TOTAL, TaskTrace,
    WAIT_TIME_SECONDS, Woken, Worker,
};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Spawn {
        by: usize,
    },
    /// The task with this number, among the ready ones, runs on a worker.
    Run {
        by: usize,
        task: usize,
        ns: u64,
        leave: usize,
        interrupted: bool,
    },
    Wake {
        by: usize,
        task: usize,
    },
    Pass {
        ns: u64,
    },
    Refresh {
        by: usize,
    },
}

/// Two workers, and a thread without a ring.
const THREADS: usize = 3;
const FOREIGN: usize = 2;

fn step() -> impl Strategy<Value = Step> {
    let by = 0..THREADS;
    let ns = prop_oneof![0u64..3, 0u64..2_000_000, 0u64..3_000_000_000];
    prop_oneof![
        2 => by.clone().prop_map(|by| Step::Spawn { by }),
        6 => (0..FOREIGN, any::<usize>(), ns.clone(), 0..7usize, any::<bool>()).prop_map(
            |(by, task, ns, leave, interrupted)| Step::Run { by, task, ns, leave, interrupted }
        ),
        4 => (by, any::<usize>()).prop_map(|(by, task)| Step::Wake { by, task }),
        2 => ns.prop_map(|ns| Step::Pass { ns }),
        2 => (0..FOREIGN).prop_map(|by| Step::Refresh { by }),
    ]
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Now {
    Ready,
    Waiting,
    Ended,
}

/// The model: which tasks are ready, waiting, or gone.
struct World<'a> {
    drive: &'a Drive,
    workers: [Worker; FOREIGN],
    tasks: Vec<(TaskTrace, Now)>,
}

impl World<'_> {
    fn pick(&self, wanted: Now, number: usize) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.tasks.len())
            .filter(|&i| self.tasks[i].1 == wanted)
            .collect();
        let at = number.checked_rem(fitting.len())?;
        Some(fitting[at])
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Spawn { by: FOREIGN } => {
                let task = self.drive.hub.spawned(&here());
                self.tasks.push((task, Now::Ready));
            }
            Step::Spawn { by } => {
                let task = self.workers[by].spawned(&here(), None);
                self.tasks.push((task, Now::Ready));
            }
            Step::Run {
                by,
                task,
                ns,
                leave,
                interrupted,
            } => {
                if let Some(at) = self.pick(Now::Ready, task) {
                    self.run(by, at, ns, leave, interrupted);
                }
            }
            Step::Wake { by, task } => {
                if let Some(at) = self.pick(Now::Waiting, task) {
                    self.wake(by, at);
                }
            }
            Step::Pass { ns } => self.drive.pass(ns),
            Step::Refresh { by } => {
                self.workers[by].refresh();
            }
        }
    }

    fn run(&mut self, by: usize, at: usize, ns: u64, leave: usize, interrupted: bool) {
        let (worker, task) = (&self.workers[by], &self.tasks[at].0);
        worker.take_in(task);
        let mut tick = worker.start_tick(task);
        self.drive.pass(ns);
        worker.poll_returned(&mut tick);
        let dur = Duration::from_nanos(ns);
        let leaves = [
            Leave::Yield(Woken::AsNoted),
            Leave::Throttled(Woken::AsNoted),
            Leave::Sleep { dur },
            Leave::Wait,
            Leave::Lane(self.drive.pal.text("lane")),
            Leave::Join(task.id()),
            Leave::Done,
        ];
        let mut draft = worker.leave(task, &tick, leaves[leave]);
        let mut now = match leave {
            0 | 1 => Now::Ready,
            6 => Now::Ended,
            _ => Now::Waiting,
        };
        if now == Now::Waiting && interrupted {
            task.note_waker(WakeSource::External);
            draft = worker.leave_instead(task, &tick, draft, Leave::Yield(Woken::AsNoted));
            now = Now::Ready;
        }
        worker.commit(tick, draft);
        if now == Now::Ended {
            worker.free(task);
        }
        self.tasks[at].1 = now;
    }

    fn wake(&mut self, by: usize, at: usize) {
        let task = &self.tasks[at].0;
        match self.workers.get(by) {
            Some(worker) => worker.woke(task, WakeSource::Timer),
            None => self.drive.hub.woke(task, WakeSource::External),
        }
        self.tasks[at].1 = Now::Ready;
    }
}

fn sorted(mut samples: Vec<f64>) -> Vec<f64> {
    samples.sort_by(f64::total_cmp);
    samples
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_log_the_slots_and_the_metrics_agree(steps in prop::collection::vec(step(), 1..120)) {
        let (registry, exporter) = (Registry::new(), Exporter::new());
        let drive = Drive::new(Settings {
            recorder: Some(Arc::new(registry.clone())),
            exporter: Some(exporter.clone()),
            ..workers(2)
        });
        let mut world = World {
            drive: &drive,
            workers: [drive.hub.worker(0), drive.hub.worker(1)],
            tasks: Vec::new(),
        };
        let mut born = Vec::new();
        for step in steps {
            world.take(step);
            if world.tasks.len() > born.len() {
                born.push(world.tasks[born.len()].0.since());
            }
        }
        for ((task, now), born) in world.tasks.iter().zip(&born) {
            if *now != Now::Ended {
                // What a thread without a ring left last.
                world.workers[0].take_in(task);
                let slot = drive.pal.table().slot(task.slot().expect("there is room"));
                let spent = slot.run_ticks() + slot.wait_ticks() + slot.ready_ticks();
                prop_assert_eq!(spent, task.since() - born);
            }
        }
        drive.assert_lives();
        let recount = Recount::of(&drive.stamped());
        let text = exporter.render();
        for state in TaskState::ALL {
            let count = recount.states[state as usize];
            let labels = [("state", state.name())];
            prop_assert_eq!(registry.counter_with(TASKS_STATE_TOTAL, &labels), Some(count));
            let line = format!("{TASKS_STATE_TOTAL}{{state=\"{}\"}} {count}\n", state.name());
            prop_assert!(text.contains(&line), "{}", line);
        }
        for (name, samples_ns) in [
            (RUN_LATENCY_SECONDS, &recount.run_ns),
            (WAIT_TIME_SECONDS, &recount.wait_ns),
            (READY_DELAY_SECONDS, &recount.ready_ns),
        ] {
            let seconds = samples_ns.iter().map(|&ns| ns as f64 / 1e9).collect();
            prop_assert_eq!(sorted(registry.histogram(name)), sorted(seconds), "{}", name);
            let count = samples_ns.len();
            let sum = samples_ns.iter().sum::<u64>() as f64 / 1e9;
            let line = format!("{name}_sum {sum}\n{name}_count {count}\n");
            prop_assert!(text.contains(&line), "{}\n{}", line, text);
        }
    }
}
