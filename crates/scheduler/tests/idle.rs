//! What a scheduler with nothing to do costs. A file of its own: it counts what the process's threads do, and
//! sleeps in real time, since that is what is measured.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_scheduler::{Builder, spawn, time};
use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// How often each thread of the scheduler called `quiet` has been given a processor, by the thread's name.
fn runs() -> BTreeMap<String, u64> {
    let threads = fs::read_dir("/proc/self/task").unwrap();
    threads
        .filter_map(|thread| {
            let status = fs::read_to_string(thread.unwrap().path().join("status")).ok()?;
            let field = |name: &str| {
                let line = status.lines().find(|line| line.starts_with(name))?;
                Some(line[name.len()..].trim().to_owned())
            };
            let switches = |name: &str| field(name)?.parse::<u64>().ok();
            let runs =
                switches("voluntary_ctxt_switches:")? + switches("nonvoluntary_ctxt_switches:")?;
            Some((field("Name:")?, runs))
        })
        .filter(|(name, _)| name.starts_with("quiet-"))
        .collect()
}

#[test]
fn no_thread_of_a_scheduler_with_nothing_to_do_runs_in_ten_seconds() {
    let scheduler = Builder::new().workers(2).name("quiet").build().unwrap();
    let work = || async {
        spawn(time::sleep(Duration::from_millis(1))).await.unwrap();
    };
    scheduler.block_on(work());
    // The watchdog goes on looking for a while.
    let mut before = runs();
    loop {
        std::thread::sleep(Duration::from_millis(500));
        let now = runs();
        if std::mem::replace(&mut before, now.clone()) == now {
            break;
        }
    }
    let names: Vec<&str> = before.keys().map(String::as_str).collect();
    assert_eq!(names, ["quiet-0", "quiet-1", "quiet-watch"]);
    std::thread::sleep(Duration::from_secs(10));
    assert_eq!(runs(), before);
    // It is only asleep: the next task finds workers and a watchdog.
    scheduler.block_on(work());
    while runs()["quiet-watch"] == before["quiet-watch"] {
        std::thread::yield_now();
    }
}
