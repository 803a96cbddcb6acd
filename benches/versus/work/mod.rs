//! Owns the measured work, written once for all runtimes.

mod clock;
mod countdown;
mod fairness;
mod footprint;
mod http;
mod load;
mod messages;
mod setting;
mod sleepers;
mod spawning;
mod standing;
mod tcp;
mod timers;
mod wake;
mod yielding;

pub use clock::Clock;
pub use load::{LOAD_SUBCOMMAND, load_here};
pub use setting::{Setting, Size};

use crate::versus::runtime::Runtime;
use std::future::Future;

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
    TimerDroppedByAll,
    Sleepers,
    MillionSleepers,
    IdleBytes,
    IdleBytesOfWaiters,
    Wake,
    TcpEcho,
    Http,
    Fairness,
    Start,
    Hello,
    IdleProcessor,
}

impl Work {
    /// Does the work on a runtime that it starts, and gives one figure for each that its row declares.
    pub fn run<R: Runtime>(self, setting: Setting) -> Vec<f64> {
        match self {
            Work::SpawnOne => timed::<R, _, _>(setting, spawning::one::<R>),
            Work::SpawnDetached => timed::<R, _, _>(setting, spawning::detached::<R>),
            Work::SpawnMany => timed::<R, _, _>(setting, spawning::many::<R>),
            Work::SpawnChained => timed::<R, _, _>(setting, spawning::chained::<R>),
            Work::SpawnOneshots => timed::<R, _, _>(setting, spawning::oneshots::<R>),
            Work::YieldOwn => timed::<R, _, _>(setting, yielding::own::<R>),
            Work::YieldPlain => timed::<R, _, _>(setting, yielding::plain::<R>),
            Work::YieldAlone => timed::<R, _, _>(setting, yielding::alone::<R>),
            Work::PingPong => timed::<R, _, _>(setting, messages::ping_pong::<R>),
            Work::TimerDropped => timed::<R, _, _>(setting, timers::dropped::<R>),
            Work::TimerDroppedByAll => figures::<R, _, _>(setting, timers::dropped_by_all::<R>),
            Work::Sleepers => figures::<R, _, _>(setting, sleepers::many::<R>),
            Work::MillionSleepers => once::<R, _>(setting, sleepers::million::<R>),
            Work::IdleBytes => once::<R, _>(setting, footprint::idle_bytes::<R>),
            Work::IdleBytesOfWaiters => {
                once::<R, _>(setting, footprint::idle_bytes_of_waiters::<R>)
            }
            Work::Wake => figures::<R, _, _>(setting, wake::from_thread::<R>),
            Work::TcpEcho => timed::<R, _, _>(setting, tcp::echo::<R>),
            Work::Http => once::<R, _>(setting, http::hello::<R>),
            Work::Fairness => figures::<R, _, _>(setting, fairness::beside_a_heavy_task::<R>),
            Work::Start => standing::start::<R>(setting),
            Work::Hello => standing::hello::<R>(setting),
            Work::IdleProcessor => standing::idle_processor::<R>(setting),
        }
    }
}

/// Nanoseconds per operation of `work`, which says how many operations it did.
fn timed<R, W, F>(setting: Setting, work: W) -> Vec<f64>
where
    R: Runtime,
    W: Fn(Size) -> F,
    F: Future<Output = u64> + Send + 'static,
{
    let clock = setting.clock;
    figures::<R, _, _>(setting, |setting| {
        let work = work(setting.size);
        async move {
            let begun = clock.read();
            let operations = work.await;
            vec![(clock.read() - begun).as_nanos() as f64 / operations as f64]
        }
    })
}

/// The figures that `work` gives. It runs in a spawned task, once to warm up and once for the figures.
fn figures<R, W, F>(setting: Setting, work: W) -> Vec<f64>
where
    R: Runtime,
    W: Fn(Setting) -> F,
    F: Future<Output = Vec<f64>> + Send + 'static,
{
    let runtime = R::start(setting.workers);
    runtime.block_on(async {
        R::spawn(work(setting.warm_up())).await;
        R::spawn(work(setting)).await
    })
}

/// The figures of work that warms up by itself, or that is about what happens first.
fn once<R, F>(setting: Setting, work: fn(Setting) -> F) -> Vec<f64>
where
    R: Runtime,
    F: Future<Output = Vec<f64>> + Send + 'static,
{
    let runtime = R::start(setting.workers);
    runtime.block_on(async { R::spawn(work(setting)).await })
}
