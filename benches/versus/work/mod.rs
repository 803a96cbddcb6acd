//! Owns the measured work, written once for all runtimes.

mod countdown;
mod messages;
mod spawning;
mod timers;
mod wake;
mod yielding;

use crate::versus::runtime::Runtime;
use std::future::Future;
use std::time::Instant;

/// A piece of work that rows name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    SpawnOne,
    SpawnDetached,
    SpawnMany,
    SpawnChained,
    SpawnOneshots,
    YieldOwn,
    YieldPlain,
    YieldAlone,
    PingPong,
    TimerDropped,
    Sleepers,
    Wake,
}

/// How much of the work is done.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    divisor: u64,
}

impl Size {
    /// All of it, or a fifth where the figures need not be exact.
    pub fn measured(is_quick: bool) -> Size {
        Size {
            divisor: if is_quick { 5 } else { 1 },
        }
    }

    /// What goes before the measured round: enough to touch the memory, fill the caches, and lap the
    /// rings of the log.
    fn warm_up(self) -> Size {
        Size {
            divisor: self.divisor * 8,
        }
    }

    /// The size's part of `count`, and at least one.
    fn of(self, count: u64) -> u64 {
        (count / self.divisor).max(1)
    }
}

impl Work {
    /// Does the work on a runtime that it starts, and gives one figure for each that its row declares.
    pub fn run<R: Runtime>(self, workers: usize, size: Size) -> Vec<f64> {
        match self {
            Work::SpawnOne => timed::<R, _, _>(workers, size, spawning::one::<R>),
            Work::SpawnDetached => timed::<R, _, _>(workers, size, spawning::detached::<R>),
            Work::SpawnMany => timed::<R, _, _>(workers, size, spawning::many::<R>),
            Work::SpawnChained => timed::<R, _, _>(workers, size, spawning::chained::<R>),
            Work::SpawnOneshots => timed::<R, _, _>(workers, size, spawning::oneshots::<R>),
            Work::YieldOwn => timed::<R, _, _>(workers, size, yielding::own::<R>),
            Work::YieldPlain => timed::<R, _, _>(workers, size, yielding::plain::<R>),
            Work::YieldAlone => timed::<R, _, _>(workers, size, yielding::alone::<R>),
            Work::PingPong => timed::<R, _, _>(workers, size, messages::ping_pong::<R>),
            Work::TimerDropped => timed::<R, _, _>(workers, size, timers::dropped::<R>),
            Work::Sleepers => figures::<R, _, _>(workers, size, timers::sleepers::<R>),
            Work::Wake => figures::<R, _, _>(workers, size, wake::from_thread::<R>),
        }
    }
}

/// Nanoseconds per operation of `work`, which says how many operations it did.
fn timed<R, W, F>(workers: usize, size: Size, work: W) -> Vec<f64>
where
    R: Runtime,
    W: Fn(Size) -> F,
    F: Future<Output = u64> + Send + 'static,
{
    figures::<R, _, _>(workers, size, |size| {
        let work = work(size);
        async move {
            let begun = Instant::now();
            let operations = work.await;
            vec![begun.elapsed().as_nanos() as f64 / operations as f64]
        }
    })
}

/// The figures that `work` gives. It runs in a spawned task, once to warm up and once for the figures.
fn figures<R, W, F>(workers: usize, size: Size, work: W) -> Vec<f64>
where
    R: Runtime,
    W: Fn(Size) -> F,
    F: Future<Output = Vec<f64>> + Send + 'static,
{
    let runtime = R::start(workers);
    runtime.block_on(async {
        R::spawn(work(size.warm_up())).await;
        R::spawn(work(size)).await
    })
}
