//! Libraries that know nothing of this scheduler, unchanged, on it: channels and locks, combinators, HTTP.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

#[path = "../common/mod.rs"]
mod common;

mod async_channel;
mod combinators;
mod groups;
#[cfg(feature = "tokio")]
mod http;
mod tokio_channels;
mod tokio_locks;

use glasshouse_pal::verify::verify;
use glasshouse_scheduler::Builder;

/// Orders of ready tasks that a test is run in, beside those of real workers.
const SEEDS: u64 = 20;

/// Runs `test` as a root in virtual time with many seeds, and with one and with two workers. The log of each
/// run must hold.
fn everywhere<F: Future>(test: impl Fn() -> F) {
    with_seeds(&test);
    on_workers(test);
}

/// Runs `test` in virtual time with many seeds.
fn with_seeds<F: Future>(test: impl Fn() -> F) {
    for seed in 0..SEEDS {
        let scheduler = Builder::deterministic(seed).build().unwrap();
        let pal = scheduler.handle().pal().clone();
        scheduler.block_on(test());
        drop(scheduler);
        let verdict = verify(&pal.log());
        assert!(verdict.holds(), "seed {seed}: {verdict:?}");
    }
}

/// Runs `test` with one and with two workers.
fn on_workers<F: Future>(test: impl Fn() -> F) {
    for workers in [1, 2] {
        let (scheduler, pal) = common::threads(workers);
        scheduler.block_on(test());
        drop(scheduler);
        let verdict = verify(&pal.log());
        assert!(verdict.holds(), "{workers} workers: {verdict:?}");
    }
}
