//! Loom models of the protocols between threads, one file each: the interleavings that loom tells apart are run,
//! and each model says how many those were. Loom keeps one last access an atomic: that a thread loads and exchanges
//! a word wholly before another's first plain load of it, it may leave out. So pairs are run with either in front.
//!
//! Built by `scripts/models` with `--cfg glasshouse_loom`, which also shrinks the queues.

mod doze;
mod end;
mod idle;
mod injector;
mod local_queue;
mod parker;
mod pool;
mod readiness;
mod references;
mod scene;
mod sleep;
mod state;
mod state_pairs;
mod timers;
mod turn;
mod wake;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs every execution of `model`.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    run(None, model);
}

/// Runs every execution of `model` in which threads are preempted at most `preemptions` times: for models
/// whose executions are too many otherwise. Two find the known bugs of this kind.
fn explore_within(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    run(Some(preemptions), model);
}

fn run(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    say(executions(preemptions, model), preemptions);
}

/// Runs every execution of `model`, or those within a bound; how many they were.
fn executions(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) -> usize {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    let executions = Arc::new(AtomicUsize::new(0));
    let count = executions.clone();
    builder.check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        model();
    });
    executions.load(Ordering::Relaxed)
}

fn say(executions: usize, preemptions: Option<usize>) {
    let bound = preemptions.map_or(String::new(), |most| {
        format!(", at most {most} preemptions")
    });
    println!(
        "{}: {executions} executions{bound}",
        std::thread::current().name().unwrap_or("a model"),
    );
}
