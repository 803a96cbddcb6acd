//! The cost of a tick with telemetry, and without.
//!
//! `scripts/telemetry-cost` builds this twice, with the feature `telemetry` and without, and lets the one
//! with it run the other in turn; each run is a process of its own, and the medians are compared. A tick
//! is two transitions: into Running and out of it. Called by itself, it prints its own figure only.

use glasshouse::{Builder, spawn, task};
use std::process::Command;
use std::time::Instant;

/// Tasks that yield in turn, and how often each does.
const TASKS: u32 = 1000;
const YIELDS: u32 = 2000;
/// Pairs of runs whose medians are compared.
const RUNS: usize = 11;
const TRANSITIONS_PER_TICK: f64 = 2.0;

/// Nanoseconds per tick of one run.
fn ns_per_tick() -> f64 {
    let exporter = glasshouse::telemetry::prometheus::Exporter::new();
    let scheduler = Builder::new()
        .workers(1)
        .exporter(exporter)
        .build()
        .expect("one worker can be had");
    scheduler.block_on(async {
        spawn(async {
            let tasks: Vec<_> = (0..TASKS)
                .map(|_| {
                    spawn(async {
                        for _ in 0..YIELDS {
                            task::yield_now().await;
                        }
                    })
                })
                .collect();
            // One lap is for the caches and for memory that was not touched before.
            task::yield_now().await;
            let begun = Instant::now();
            for task in tasks {
                task.await.expect("a yielding task ends by itself");
            }
            begun.elapsed().as_nanos() as f64 / f64::from(TASKS * (YIELDS - 1))
        })
        .await
        .expect("the measuring task ends by itself")
    })
}

/// The figure that another build of this program prints.
fn ask(program: &std::ffi::OsStr) -> f64 {
    let output = Command::new(program)
        .env_remove("GLASSHOUSE_TICK_OFF")
        .output()
        .expect("the other build can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace()
        .next()
        .and_then(|figure| figure.parse().ok())
        .expect("the other build prints its figure first")
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() {
    let Some(off) = std::env::var_os("GLASSHOUSE_TICK_OFF") else {
        println!("{:.1} ns a tick", ns_per_tick());
        return;
    };
    let on = std::env::current_exe().expect("a running program has a path");
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        with.push(ask(on.as_os_str()));
        without.push(ask(&off));
    }
    let (with, without) = (median(with), median(without));
    let share = with - without;
    println!("telemetry on      {with:6.1} ns a tick (median of {RUNS})");
    println!("telemetry off     {without:6.1} ns a tick (median of {RUNS})");
    println!("ratio             {:6.2}", with / without);
    println!("telemetry's share {share:6.1} ns a tick");
    println!(
        "                  {:6.1} ns a transition ({:.4} µs; the limit is 5 µs)",
        share / TRANSITIONS_PER_TICK,
        share / TRANSITIONS_PER_TICK / 1000.0
    );
}
