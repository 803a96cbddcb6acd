//! Deterministic mode: the same program and seed leave the same records and task table, byte for byte, in one
//! process and in another.
//!
//! A seed that fails is named. `GLASSHOUSE_SEED=n cargo test -p glasshouse-scheduler --test determinism`
//! runs that seed alone.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::faults;
use glasshouse_pal::reader::{Image, Log};
use glasshouse_pal::verify::verify;
use glasshouse_scheduler::{Builder, spawn, spawn_blocking, spawn_system, task, time};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::Command;
use std::sync::Once;
use std::thread;
use std::time::Duration;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=1000;
const SEED_VARIABLE: &str = "GLASSHOUSE_SEED";
/// Set where this test runs itself, to print a seed's hash and nothing else.
const CHILD_VARIABLE: &str = "GLASSHOUSE_DETERMINISM_CHILD";

/// Timers, channels, joins, aborts, a task that says it failed and one that panics, a system task, a blocking
/// function and what is left at the end: each with more than one task ready at a time, so that the seed has something to choose.
async fn program() {
    let (send, receive) = async_channel::bounded::<u64>(2);
    let producers: Vec<_> = (1..=3)
        .map(|number| {
            let send = send.clone();
            spawn(async move {
                for step in 0..number {
                    time::sleep(Duration::from_micros(10 * step)).await;
                    send.send(number).await.unwrap();
                }
            })
        })
        .collect();
    drop(send);
    let consumer = task::Builder::new().name("consumer").spawn(async move {
        let mut sum = 0;
        while let Ok(number) = receive.recv().await {
            sum += number;
            task::yield_now().await;
        }
        sum
    });
    let aborted: Vec<_> = (1..=3)
        .map(|number| {
            let sleeper = spawn(time::sleep(Duration::from_micros(5 * number)));
            let aborter = spawn(async move {
                task::yield_now().await;
                sleeper.abort();
                sleeper.await.unwrap_err().is_cancelled()
            });
            spawn_system(async move { aborter.await.unwrap() })
        })
        .collect();
    let late = time::timeout(Duration::from_micros(7), std::future::pending::<()>());
    let timed_out = spawn(async { late.await.is_err() });
    let blocking = spawn_blocking(|| time::advance(Duration::from_micros(3)));
    let failed = spawn(async { task::fail("as it should") });
    let panicked = spawn(async {
        task::yield_now().await;
        panic!("{FAULT}");
    });
    drop(spawn(time::sleep(Duration::from_secs(1))));
    for task in producers {
        task.await.unwrap();
    }
    assert_eq!(consumer.await.unwrap(), 1 + 2 * 2 + 3 * 3);
    for task in aborted {
        assert!(task.await.unwrap());
    }
    assert!(timed_out.await.unwrap());
    blocking.await.unwrap();
    failed.await.unwrap();
    let panic = panicked.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref(), Some(&FAULT.to_owned()));
}

/// What the program's own panic says.
const FAULT: &str = "the task's own fault";

/// Runs the program and its end. The table of tasks is the one after the end: each slot is free, and holds what
/// was last true of its task.
fn run(seed: u64) -> (Image, Log) {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| faults::print_none(|panic| panic.payload_as_str() == Some(FAULT)));
    let scheduler = Builder::deterministic(seed).build().unwrap();
    let pal = scheduler.handle().pal().clone();
    scheduler.block_on(program());
    drop(scheduler);
    let log = pal.log();
    (log.image(), log)
}

fn hash(image: &Image) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (ring, words) in &image.rings {
        (ring, words).hash(&mut hasher);
    }
    image.slots.hash(&mut hasher);
    hasher.finish()
}

fn seeds() -> Vec<u64> {
    match std::env::var(SEED_VARIABLE) {
        Ok(seed) => vec![seed.parse().expect("GLASSHOUSE_SEED is a number")],
        Err(_) => SEEDS.collect(),
    }
}

/// The first entry in which two logs differ, for a human.
fn first_difference(one: &Log, other: &Log) -> String {
    let pairs = one.records().zip(other.records());
    match pairs.enumerate().find(|(_, (one, other))| one != other) {
        Some((place, (one, other))) => format!("entry {place}:\n  {one:?}\n  {other:?}"),
        None => format!(
            "{} and {} entries, the shorter being the beginning of the longer, or the task tables",
            one.records().count(),
            other.records().count()
        ),
    }
}

/// Names the seed if what is done with it panics, wherever it does.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!(
                "seed {seed} fails; run it again: {SEED_VARIABLE}={seed} cargo test -p glasshouse-scheduler --test \
                 determinism",
                seed = self.0
            );
        }
    }
}

/// The hash of what two equal runs of this seed leave.
fn hash_of_equal_runs(seed: u64) -> u64 {
    let _named = Named(seed);
    let ((one, one_log), (other, other_log)) = (run(seed), run(seed));
    assert!(
        one == other,
        "two runs of seed {seed} differ at {}",
        first_difference(&one_log, &other_log)
    );
    if seed.is_multiple_of(50) {
        assert!(verify(&one_log).holds(), "seed {seed}");
    }
    hash(&one)
}

#[test]
fn the_same_seed_leaves_the_same_bytes() {
    let seeds = seeds();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let hashes: BTreeSet<u64> = thread::scope(|scope| {
        let parts: Vec<_> = seeds
            .chunks(seeds.len().div_ceil(threads))
            .map(|part| {
                scope.spawn(|| {
                    part.iter()
                        .copied()
                        .map(hash_of_equal_runs)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap())
            .collect()
    });
    // So that it is the seed that decides, and not that nothing is left to decide.
    assert!(
        hashes.len() > seeds.len() * 9 / 10,
        "{} of {} seeds leave a record of their own",
        hashes.len(),
        seeds.len()
    );
}

#[test]
fn another_process_leaves_the_same_bytes() {
    for seed in [1, 2, 3] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "the_hash_of_one_seed_for_the_parent",
                "--nocapture",
            ])
            .env(CHILD_VARIABLE, seed.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let expected = format!("hash {}", hash(&run(seed).0));
        assert!(
            said.lines().any(|line| line.ends_with(&expected)),
            "seed {seed}: {expected} here, but there:\n{said}"
        );
    }
}

/// Does nothing unless `another_process_leaves_the_same_bytes` runs it.
#[test]
fn the_hash_of_one_seed_for_the_parent() {
    if let Ok(seed) = std::env::var(CHILD_VARIABLE) {
        println!("hash {}", hash(&run(seed.parse().unwrap()).0));
    }
}
