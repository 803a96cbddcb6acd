//! Spawns by threads outside while their scheduler ends: each is refused, or its task ends.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_pal::Pal;
use glasshouse_scheduler::{Builder, Handle, JoinHandle, SpawnError};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Each ends its scheduler at another moment of the spawns.
const ROUNDS: usize = 100;
const SPAWNERS: usize = 2;

/// Spawns until it is refused.
fn spawn_all(scheduler: &Handle, spawned: &AtomicUsize) -> Vec<JoinHandle<()>> {
    let mut tasks = Vec::new();
    loop {
        match scheduler.try_spawn(std::future::pending()) {
            Ok(task) => tasks.push(task),
            Err(SpawnError::Closed { .. }) => return tasks,
            Err(error) => panic!("{error}"),
        }
        spawned.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_task_that_was_spawned_while_its_scheduler_ended_has_ended_with_it() {
    let pal = Pal::memory();
    for round in 0..ROUNDS {
        let builder = Builder::new().workers(1 + round % 2).pal(pal.clone());
        let scheduler = builder.build().unwrap();
        let handle = scheduler.handle().clone();
        let spawned = AtomicUsize::new(0);
        thread::scope(|scope| {
            let spawners: Vec<_> = (0..SPAWNERS)
                .map(|_| scope.spawn(|| spawn_all(&handle, &spawned)))
                .collect();
            while spawned.load(Ordering::Relaxed) < round {
                thread::yield_now();
            }
            drop(scheduler);
            for spawner in spawners {
                let tasks = spawner.join().unwrap();
                let left = tasks.iter().filter(|task| !task.is_finished()).count();
                assert_eq!(left, 0, "round {round}: of {} tasks", tasks.len());
            }
        });
    }
}
