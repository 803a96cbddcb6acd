//! Models of the blocking pool's hand-over: a job that is queued is run, also by a thread that was about to
//! leave, and while jobs of the other kind hold all the threads that they may; and the pool's end, which leaves no job
//! behind.

use super::{explore, explore_within};
use crate::blocking::{KEEP_ALIVE, Kind, Pool, PoolSettings, Run};
use crate::parker::Parker;
use crate::thread_names::ThreadNames;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::time::Duration;

/// A job that counts its runs, and unparks who waits for it.
struct Job {
    runs: AtomicUsize,
    ran: Parker,
}

impl Job {
    fn new() -> std::sync::Arc<Job> {
        std::sync::Arc::new(Job {
            runs: AtomicUsize::new(0),
            ran: Parker::new(),
        })
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::Relaxed)
    }

    /// Loom reports a deadlock here if it is never run.
    fn wait(&self) {
        self.ran.park(None);
        assert_eq!(self.runs(), 1);
    }
}

impl Run for Job {
    fn run(&self) {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.ran.unpark(|| unreachable!("nobody polls"));
    }

    fn refuse(&self) {
        unreachable!("loom starts every thread");
    }
}

/// A job that holds its thread until it is released.
struct Holding {
    job: std::sync::Arc<Job>,
    released: Parker,
}

impl Run for Holding {
    fn run(&self) {
        self.released.park(None);
        self.job.run();
    }

    fn refuse(&self) {
        self.job.refuse();
    }
}

fn pool(max_threads: usize, keep_alive: Duration) -> Arc<Pool> {
    Arc::new(Pool::new(PoolSettings {
        names: ThreadNames::Of(String::new()),
        max_threads,
        keep_alive,
    }))
}

fn push(pool: &Pool, job: &std::sync::Arc<Job>) {
    push_as(Kind::Function, pool, job);
}

fn push_as<J: Run + 'static>(kind: Kind, pool: &Pool, job: &std::sync::Arc<J>) {
    let pushed = pool.push(kind, job.clone());
    pushed.expect("loom starts every thread");
}

/// Two jobs, queued by this thread and another at once.
fn queue_at_once(pool: &Arc<Pool>) -> [std::sync::Arc<Job>; 2] {
    let jobs = [Job::new(), Job::new()];
    let other = {
        let (pool, job) = (pool.clone(), jobs[1].clone());
        thread::spawn(move || push(&pool, &job))
    };
    push(pool, &jobs[0]);
    other.join().unwrap();
    jobs
}

#[test]
fn a_job_is_run_although_the_one_thread_is_about_to_leave_or_to_wait() {
    for keep_alive in [Duration::ZERO, KEEP_ALIVE] {
        explore_within(4, move || {
            let pool = pool(1, keep_alive);
            let [first, second] = [Job::new(), Job::new()];
            push(&pool, &first);
            first.wait();
            // The thread is busy, idle, on its way out, or gone.
            push(&pool, &second);
            second.wait();
            pool.shut_down(None);
        });
    }
}

/// Two jobs that are queued at once, on one thread and on two; then the pool ends.
fn explore_two_jobs(keep_alive: Duration) {
    for max_threads in [1, 2] {
        explore_within(2, move || {
            let pool = pool(max_threads, keep_alive);
            for job in queue_at_once(&pool) {
                job.wait();
            }
            // Loom reports a deadlock here if an idle thread does not hear of the end.
            pool.shut_down(None);
        });
    }
}

#[test]
fn two_jobs_that_are_queued_at_once_are_run_by_threads_that_leave_at_once() {
    explore_two_jobs(Duration::ZERO);
}

#[test]
fn two_jobs_that_are_queued_at_once_are_run_by_threads_that_stay() {
    explore_two_jobs(KEEP_ALIVE);
}

/// A job that `holding` cannot keep from a thread, and one of its own kind that waits for its end.
fn explore_beside_one_that_holds(holding: Kind, free: Kind) {
    for keep_alive in [Duration::ZERO, KEEP_ALIVE] {
        explore_within(2, move || {
            let pool = pool(1, keep_alive);
            let held = std::sync::Arc::new(Holding {
                job: Job::new(),
                released: Parker::new(),
            });
            let [beside, behind] = [Job::new(), Job::new()];
            push_as(holding, &pool, &held);
            push_as(holding, &pool, &behind);
            push_as(free, &pool, &beside);
            beside.wait();
            assert_eq!(behind.runs(), 0, "one of its kind at a time");
            held.released.unpark(|| unreachable!("nobody polls"));
            behind.wait();
            pool.shut_down(None);
        });
    }
}

#[test]
fn a_step_is_run_while_a_function_holds_the_one_thread_for_functions() {
    explore_beside_one_that_holds(Kind::Function, Kind::Step);
}

#[test]
fn a_function_is_run_while_a_step_holds_a_thread() {
    explore_beside_one_that_holds(Kind::Step, Kind::Function);
}

#[test]
fn a_job_that_meets_the_end_of_the_pool_is_run_or_dropped() {
    for keep_alive in [Duration::ZERO, KEEP_ALIVE] {
        explore(move || {
            let pool = pool(1, keep_alive);
            let job = Job::new();
            let pusher = {
                let (pool, job) = (pool.clone(), job.clone());
                thread::spawn(move || push(&pool, &job))
            };
            pool.shut_down(None);
            let before = job.runs();
            pusher.join().unwrap();
            assert_eq!(job.runs(), before, "no thread is left to run it");
            assert_eq!(std::sync::Arc::strong_count(&job), 1, "nor holds it");
        });
    }
}
