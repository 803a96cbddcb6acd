//! Models of the injector's hand-over: what a thread outside pushes is run, whatever the workers do meanwhile.

use super::explore_within;
use super::scene::{close, handle, scheduler, start_worker};
use crate::runtime;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

#[test]
fn a_worker_that_falls_asleep_runs_what_is_pushed_from_outside() {
    explore_within(4, || {
        let shared = scheduler(1);
        let spawner = {
            let shared = shared.clone();
            thread::spawn(move || {
                let closer = shared.clone();
                // Loom reports a deadlock here if it is never run: the worker sleeps for ever.
                drop(handle(&shared).spawn(async move { close(&closer) }));
            })
        };
        runtime::run_worker(shared, 0);
        spawner.join().unwrap();
    });
}

#[test]
fn two_workers_run_each_of_two_tasks_from_outside_once() {
    explore_within(1, || {
        let shared = scheduler(2);
        let runs = Arc::new(AtomicUsize::new(0));
        let second = start_worker(&shared, 1);
        let spawner = {
            let (shared, runs) = (shared.clone(), runs.clone());
            thread::spawn(move || {
                for _ in 0..2 {
                    let (closer, runs) = (shared.clone(), runs.clone());
                    drop(handle(&shared).spawn(async move {
                        if runs.fetch_add(1, Ordering::Relaxed) == 1 {
                            close(&closer);
                        }
                    }));
                }
            })
        };
        runtime::run_worker(shared, 0);
        second.join().unwrap();
        spawner.join().unwrap();
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn of_two_workers_one_runs_the_task_and_both_end() {
    explore_within(2, || {
        let shared = scheduler(2);
        let second = start_worker(&shared, 1);
        let spawner = {
            let shared = shared.clone();
            thread::spawn(move || {
                let closer = shared.clone();
                drop(handle(&shared).spawn(async move { close(&closer) }));
            })
        };
        runtime::run_worker(shared, 0);
        second.join().unwrap();
        spawner.join().unwrap();
    });
}
