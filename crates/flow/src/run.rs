//! Owns the run of a flow: a task for each node whose needs are met, and a report when all have ended.

use crate::attempt::nanos;
use crate::board::Board;
use crate::cancel::CancelOnDrop;
use crate::flow::{DEFAULT_LANE, Flow};
use crate::node_task::{NodeTask, Shared};
use crate::options::Options;
use crate::progress::Progress;
use crate::report::{Report, Row};
use crate::runner::Runner;
use crate::terminal::Terminals;
use async_channel::Receiver;
use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt as _};
use glasshouse_diag::NodeCollector;
use glasshouse_lanes::Lanes;
use glasshouse_scheduler::time::Instant;
use glasshouse_scheduler::{Handle, JoinError, task};
use std::pin::pin;
use std::sync::Arc;

/// How many steps may be on their way to who listens to progress. A node whose step finds no room waits:
/// who listens is to be quick.
pub const PROGRESS_MAX: usize = 256;

/// Runs a flow: each node as a task `node:NAME` of `handle`'s scheduler, its command in a pseudo-terminal
/// pumped by a task `pty:NAME`.
///
/// A node starts when all that it needs has succeeded and its lane has a permit. One that fails, for good, is
/// the end of those that need it and of nobody else. What `progress` is told of a node is in order; it is
/// called by the task that awaits this, and should return soon.
///
/// Dropping the future cancels the run: its nodes end their commands, gently at first, on their own.
///
/// ```
/// use glasshouse_flow::{Flow, Options, run};
/// let text = "[[node]]\nname = \"hello\"\nrun = [\"echo\", \"hello\"]";
/// let flow = Flow::from_str(text, "hello.toml")?;
/// let scheduler = glasshouse_scheduler::Builder::new().workers(1).build().expect("buildable");
/// let handle = scheduler.handle().clone();
/// let report = scheduler.block_on(run(&flow, &handle, Options::default(), |_| {}));
/// assert!(report.is_success());
/// assert_eq!(report.rows[0].output_bytes, "hello\r\n".len() as u64);
/// # Ok::<(), glasshouse_flow::FlowError>(())
/// ```
///
/// # Panics
///
/// If it is awaited outside of a scheduler, and when `progress` does.
pub async fn run(
    flow: &Flow,
    handle: &Handle,
    options: Options,
    progress: impl Fn(Progress),
) -> Report {
    run_with(flow, handle, options, progress, Terminals).await
}

/// Runs a flow with this runner.
pub(crate) async fn run_with<R: Runner>(
    flow: &Flow,
    handle: &Handle,
    options: Options,
    progress: impl Fn(Progress),
    runner: R,
) -> Report {
    let started = Instant::now();
    let cancel = options.cancel.clone();
    // Who drops this future gives its nodes up; they end their commands by themselves.
    let on_drop = CancelOnDrop::new(cancel.clone());
    let collector = NodeCollector::spawn(handle);
    let lanes = open_lanes(flow, &options, handle);
    let (sender, steps) = async_channel::bounded(PROGRESS_MAX);
    let shared = Arc::new(Shared {
        runner,
        cancel: options.cancel,
        grace: options.grace,
        observer: collector.observer(),
        progress: sender,
    });
    let mut board = Board::new(flow, &cancel, &progress);
    let mut running = FuturesUnordered::new();
    loop {
        while let Some(index) = board.next() {
            let node = flow.nodes()[index].clone();
            // Reading the flow has resolved it.
            let lane = lanes.lane(&node.lane).expect("the lane was declared");
            let task = NodeTask::new(node, lane, shared.clone());
            running.push(spawn(handle, index, task));
        }
        if running.is_empty() {
            break;
        }
        match select(pin!(steps.recv()), running.next()).await {
            Either::Left((step, _)) => step.into_iter().for_each(&progress),
            Either::Right((ended, _)) => {
                // Its steps first: a node's end is the last that is told of it.
                drain(&steps, &progress);
                ended
                    .into_iter()
                    .for_each(|(index, row)| board.end(index, row));
            }
        }
    }
    on_drop.disarm();
    let rows = board.into_rows();
    // The last handles: what hosts the lanes ends before the collector does.
    drop((lanes, shared));
    Report {
        name: flow.name().map(String::from),
        is_cancelled: cancel.is_cancelled(),
        rows,
        metrics: collector.finish().await.ok(),
        took_ns: nanos(started.elapsed()),
    }
}

fn spawn<R: Runner>(
    handle: &Handle,
    index: usize,
    node: NodeTask<R>,
) -> impl Future<Output = (usize, Result<Row, JoinError>)> {
    let name = format!("node:{}", node.name());
    let join = handle.enter(|| task::Builder::new().name(&name).spawn(node.run()));
    async move { (index, join.await) }
}

fn open_lanes(flow: &Flow, options: &Options, handle: &Handle) -> Lanes {
    let mut builder = Lanes::builder();
    if let Some(limit) = flow.global_limit() {
        builder = builder.global_limit(limit.get());
    }
    for lane in flow.lanes() {
        builder = builder.lane(&lane.name, lane.limit.get());
    }
    if flow.lanes().iter().all(|lane| lane.name != DEFAULT_LANE) {
        builder = builder.lane(DEFAULT_LANE, options.default_limit.get());
    }
    // What was read has no limit of zero, and TOML no table twice.
    builder.build(handle).expect("a flow's lanes can be built")
}

fn drain(steps: &Receiver<Progress>, progress: &impl Fn(Progress)) {
    while let Ok(step) = steps.try_recv() {
        progress(step);
    }
}
