//! Owns the proof that the present and the past agree: what was seen live is what the records rebuild.

pub mod gap;

use super::*;
use crate::inspect::top::scene::{MS, Scene};
use glasshouse_pal::reader::{Cursor, Log};
use glasshouse_pal::{TaskEvent, TaskId, TaskState, WakeSource};
use proptest::prelude::*;
use std::time::Duration;

/// A log that is looked at live.
struct Watcher {
    log: Log,
    cursor: Cursor,
    live: Live,
}

impl Watcher {
    fn new(scene: &Scene) -> Watcher {
        let log = scene.pal.log();
        Watcher {
            cursor: Cursor::default(),
            live: Live::new(log.rate()),
            log,
        }
    }

    fn look(&mut self, scene: &Scene) -> Seen {
        let (records, lost) = self.log.follow(&mut self.cursor);
        self.live.follow(records, lost, &self.log);
        let rings = self.log.rings();
        self.live.look(scene.now(), &rings, self.log.tasks());
        Seen::of(self.live.moment())
    }
}

/// What a live look and a replay have to agree on. Shares and loads have bases of their own.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    at: u64,
    tasks: Vec<Task>,
    /// Who runs what, and for how long.
    running: Vec<(String, TaskId, u64)>,
    lanes: Vec<Lane>,
    ptys: Vec<Pty>,
}

impl Seen {
    fn of(moment: &Moment) -> Seen {
        let without_share = |task: &Task| Task {
            busy: None,
            ..*task
        };
        let mut tasks: Vec<Task> = moment.tasks.iter().map(without_share).collect();
        tasks.sort_by_key(|task| task.id);
        let running = moment.workers.iter().filter_map(|worker| {
            let (task, lasts) = worker.task?;
            Some((worker.ring.to_string(), task, lasts))
        });
        Seen {
            at: moment.at,
            running: running.collect(),
            lanes: moment.lanes.clone(),
            ptys: moment.ptys.clone(),
            tasks,
        }
    }
}

fn replay(scene: &Scene) -> Replay {
    Replay::new(scene.pal.log(), |_, _| scene.now())
}

/// Lets the world go one step on, as `choice` says, if that is possible.
fn step(scene: &mut Scene, choice: u64) {
    scene.pass(choice % 7 * MS / 10 + 1);
    let pick = |from: Vec<TaskId>| {
        from.get((choice / 16) as usize % from.len().max(1))
            .copied()
    };
    let worker = (choice / 8 % 2) as usize;
    match choice % 16 {
        0 | 1 => {
            let parent = pick(scene.in_state(|state| state == TaskState::Running));
            scene.spawn(["pump", "serve", "tick"][(choice % 3) as usize], parent);
        }
        2..=6 => {
            if let Some(tid) = pick(scene.in_state(TaskState::is_ready))
                && scene.is_free(worker)
            {
                scene.run(worker, tid);
            }
        }
        7..=9 => {
            if let Some(tid) = pick(scene.in_state(TaskState::is_waiting)) {
                scene.wake(worker, tid, WakeSource::Timer);
            }
        }
        10 => scene.park(worker),
        _ => {
            if let Some(tid) = pick(scene.in_state(|state| state == TaskState::Running)) {
                leave(scene, tid, choice);
            }
        }
    }
}

/// The task, which runs, does something and leaves its worker.
fn leave(scene: &mut Scene, tid: TaskId, choice: u64) {
    let by = WakeSource::Task(tid);
    let lane = ["cpu", "disk"][(choice / 32 % 2) as usize];
    match choice / 64 % 9 {
        0 => scene.sleep(tid, Duration::from_millis(3)),
        1 => scene.leave(TaskEvent::Yield { tid, by }),
        2 => scene.leave(TaskEvent::Throttled { tid, by }),
        3 => scene.leave(TaskEvent::Wait { tid }),
        4 => {
            let lane = scene.lane(lane);
            scene.leave(TaskEvent::LaneWait { tid, lane });
        }
        5 => {
            scene.acquire(tid, lane, choice % 1000, 2);
            scene.leave(TaskEvent::Wait { tid });
        }
        6 => {
            scene.release(tid, lane);
            scene.open_pty(tid, choice % 5 + 1, "sh");
            scene.leave(TaskEvent::Wait { tid });
        }
        7 => {
            scene.end_pty(tid, choice % 5 + 1, "sh", [0, 0]);
            scene.leave(TaskEvent::Done { tid });
        }
        _ => scene.leave(TaskEvent::Done { tid }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_moment_that_was_seen_live_is_rebuilt_from_the_records(
        choices in proptest::collection::vec(any::<u64>(), 1..400),
        order in proptest::collection::vec(any::<usize>(), 1..30),
    ) {
        let mut scene = Scene::new();
        let mut watcher = Watcher::new(&scene);
        let mut seen = Vec::new();
        for (number, choice) in choices.iter().enumerate() {
            step(&mut scene, *choice);
            if number % 32 == 0 {
                seen.push(watcher.look(&scene));
                scene.pass(1);
            }
        }
        let mut replay = replay(&scene);
        for index in order {
            let then = &seen[index % seen.len()];
            replay.seek(then.at);
            prop_assert_eq!(&Seen::of(replay.moment()), then);
        }
    }
}

#[test]
fn a_moment_behind_the_horizon_knows_what_tasks_did_before_it() {
    let mut scene = Scene::new();
    let mut watcher = Watcher::new(&scene);
    let quiet = scene.spawn("quiet", None);
    scene.pass(MS);
    scene.run(0, quiet);
    scene.pass(MS);
    scene.sleep(quiet, Duration::from_secs(1000));
    let busy = scene.spawn("busy", Some(quiet));
    scene.run(1, busy);
    // More than a ring holds.
    for _ in 0..100_000 {
        scene.pass(1_000);
        let by = WakeSource::Task(busy);
        scene.leave(TaskEvent::Yield { tid: busy, by });
        scene.run(1, busy);
    }
    let then = watcher.look(&scene);
    scene.pass(MS);
    let tid = busy;
    scene.leave(TaskEvent::Wait { tid });
    let mut replay = replay(&scene);
    assert!(replay.ends()[0] > 10 * MS, "the ring has wrapped");
    replay.seek(then.at);
    assert_eq!(Seen::of(replay.moment()).tasks, then.tasks);
    let busy = then.tasks.iter().find(|task| task.id == busy);
    assert_eq!(busy.expect("alive").polls, 100_001);
    replay.seek(0);
    let quiet = replay.moment().tasks.iter().find(|task| task.id == quiet);
    let quiet = quiet.expect("no record speaks of it, the table does");
    assert_eq!((quiet.state, quiet.run), (Some(TaskState::Sleeping), MS));
    assert_eq!(quiet.age(), replay.moment().at);
}

#[test]
fn time_goes_record_by_record_in_both_directions() {
    let mut scene = Scene::new();
    scene.pass(5);
    let tid = scene.spawn("a", None);
    scene.pass(10);
    scene.run(0, tid);
    scene.pass(20);
    scene.leave(TaskEvent::Done { tid });
    scene.pass(100);
    let mut replay = replay(&scene);
    assert_eq!((replay.ends(), replay.moment().at), ([0, 135], 135));
    let mut stamps = |go: fn(&mut Replay)| {
        let gone = (0..4).map(|_| {
            go(&mut replay);
            replay.moment().at
        });
        gone.collect::<Vec<u64>>()
    };
    assert_eq!(stamps(Replay::step_back), [35, 15, 5, 0]);
    assert_eq!(stamps(Replay::step_on), [5, 15, 35, 135]);
}

#[test]
fn a_worker_s_load_and_a_task_s_share_in_the_past_are_what_records_say() {
    let mut scene = Scene::new();
    let tid = scene.spawn("a", None);
    // Half of each ten milliseconds, for three seconds, then nothing for one.
    for _ in 0..300 {
        scene.run(0, tid);
        scene.pass(5 * MS);
        scene.sleep(tid, Duration::from_millis(5));
        scene.pass(5 * MS);
        scene.wake(0, tid, WakeSource::Timer);
    }
    scene.pass(1000 * MS);
    let mut replay = replay(&scene);
    let worker = replay.moment().workers[0];
    assert_eq!((worker.now.busy, worker.state), (Some(0.0), None));
    assert_eq!(replay.moment().tasks[0].busy, Some(0.0));
    assert_eq!(worker.lately.busy, Some(1.5 / 4.0));
    replay.seek(3000 * MS - 1);
    let worker = replay.moment().workers[0];
    let busy = worker.now.busy.expect("known");
    assert!((0.49..0.51).contains(&busy), "{busy}");
    assert_eq!(
        replay.moment().tasks[0]
            .busy
            .map(|busy| (busy * 1e3).round()),
        Some(500.0)
    );
    // In the midst of the first run it is alone, and has run all the time.
    replay.seek(2 * MS);
    assert_eq!(replay.moment().tasks[0].busy, Some(1.0));
    replay.seek(3000 * MS - 1);
    let worker = replay.moment().workers[0];
    assert_eq!(worker.now.ticks_per_s.map(f64::round), Some(100.0));
}

#[test]
fn a_task_s_share_is_told_by_what_it_ran_since_an_earlier_look() {
    let mut scene = Scene::new();
    let mut watcher = Watcher::new(&scene);
    let tid = scene.spawn("a", None);
    let idle = scene.spawn("b", None);
    scene.run(0, tid);
    scene.pass(5000 * MS);
    watcher.look(&scene);
    let share = |watcher: &Watcher, tid: TaskId| {
        let tasks = &watcher.live.moment().tasks;
        tasks
            .iter()
            .find(|task| task.id == tid)
            .and_then(|task| task.busy)
    };
    assert_eq!(share(&watcher, tid), None);
    scene.pass(250 * MS);
    scene.sleep(tid, Duration::from_millis(250));
    scene.pass(250 * MS);
    watcher.look(&scene);
    assert_eq!(
        (share(&watcher, tid), share(&watcher, idle)),
        (Some(0.5), Some(0.0))
    );
    for _ in 0..20 {
        scene.pass(250 * MS);
        watcher.look(&scene);
    }
    assert_eq!(share(&watcher, tid), Some(0.0));
}
