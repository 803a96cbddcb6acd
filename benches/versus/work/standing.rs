//! Owns the rows about a runtime that does next to nothing: its start, its memory, its idleness.

use super::Setting;
use super::footprint::private_bytes_beside_log;
use crate::versus::runtime::Runtime;
use crate::versus::telemetry::SCRAPER;
use std::fs;
use std::thread;
use std::time::Duration;

/// How long an idle runtime is watched.
const IDLE: Duration = Duration::from_secs(10);
/// How long it is left to come to rest before.
const SETTLE: Duration = Duration::from_millis(200);

/// Milliseconds from nothing until a first task has run and was awaited.
pub fn start<R: Runtime>(setting: Setting) -> Vec<f64> {
    let begun = setting.clock.read();
    let runtime = R::start(setting.workers);
    hello_world::<R>(&runtime);
    vec![(setting.clock.read() - begun).as_secs_f64() * 1e3]
}

/// KiB of private memory once a first task has run, beside the log.
pub fn hello<R: Runtime>(setting: Setting) -> Vec<f64> {
    let runtime = R::start(setting.workers);
    hello_world::<R>(&runtime);
    vec![private_bytes_beside_log() as f64 / 1024.0]
}

/// Microseconds of processor time that the runtime's threads use in ten seconds without a task. The
/// thread that scrapes the exporter is not of the runtime, and does not count.
pub fn idle_processor<R: Runtime>(setting: Setting) -> Vec<f64> {
    let runtime = R::start(setting.workers);
    hello_world::<R>(&runtime);
    thread::sleep(SETTLE);
    let before = threads_processor_ns();
    thread::sleep(setting.size.of_time(IDLE));
    let used = threads_processor_ns().saturating_sub(before);
    vec![used as f64 / 1000.0]
}

fn hello_world<R: Runtime>(runtime: &R) {
    let greeting = runtime.block_on(async { R::spawn(async { "hello, world" }).await });
    assert_eq!(greeting, "hello, world");
}

/// Processor time of every thread of this process but the one that scrapes.
fn threads_processor_ns() -> u64 {
    let threads = fs::read_dir("/proc/self/task").expect("a process can see its threads");
    threads
        .filter_map(|thread| Some(thread.ok()?.path()))
        .filter(|thread| {
            let name = fs::read_to_string(thread.join("comm"));
            name.is_ok_and(|name| name.trim() != SCRAPER)
        })
        .filter_map(|thread| {
            let times = fs::read_to_string(thread.join("schedstat")).ok()?;
            times.split_whitespace().next()?.parse::<u64>().ok()
        })
        .sum()
}
