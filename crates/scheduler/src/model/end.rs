//! Models of the scheduler's end against a spawn from outside: a task is refused, or it ends.

use super::explore_within;
use super::scene::{close, handle, scheduler, start_worker};
use crate::runtime::{Phase, SpawnError};
use loom::thread;

#[test]
fn a_spawn_meets_the_end_of_the_scheduler_and_is_refused_or_the_task_ends() {
    explore_within(2, || {
        let shared = scheduler(1);
        let worker = start_worker(&shared, 0);
        let spawner = {
            let shared = shared.clone();
            thread::spawn(move || handle(&shared).try_spawn(async {}))
        };
        shared.phase.set(Phase::Draining);
        close(&shared);
        worker.join().unwrap();
        match spawner.join().unwrap() {
            Ok(task) => assert!(task.is_finished(), "it was left behind"),
            Err(error) => assert!(matches!(error, SpawnError::Closed { .. }), "{error:?}"),
        }
        assert!(shared.live.is_empty());
        assert!(shared.injector.is_empty());
    });
}

#[test]
fn the_last_of_two_workers_cancels_what_came_in_before_the_end() {
    explore_within(2, || {
        let shared = scheduler(2);
        let workers = [0, 1].map(|index| start_worker(&shared, index));
        let spawned = handle(&shared).spawn(std::future::pending::<()>());
        close(&shared);
        for worker in workers {
            worker.join().unwrap();
        }
        assert!(spawned.is_finished());
        assert!(shared.live.is_empty());
        assert!(shared.injector.is_empty());
    });
}
