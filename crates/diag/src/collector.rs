//! Owns the task that hosts the node figures, and the queue by which nodes reach it. The one file of this
//! crate that knows a scheduler.
//!
//! Nodes never wait for the collector: an observation that finds the queue full is dropped and counted.
//! Who asks for a snapshot does wait, and gets one that has seen every observation accepted before.

use crate::event;
use crate::node::{NodeMetrics, NodeObservation, NodeSnapshot};
use crate::outcome::NodeOutcome;
use crate::publish;
use async_channel::{Receiver, Sender, TrySendError};
use glasshouse_scheduler::{Handle, JoinHandle, task};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use thiserror::Error;

/// The name of the collector's task in the log.
pub const COLLECTOR_NAME: &str = "node-metrics";

/// How many observations may be on their way. A guess: far more than nodes start within the collector's
/// ready delay, a system task's.
pub const OBSERVATIONS_MAX: usize = 1024;

enum Message {
    Observation(NodeObservation),
    /// Answered over the channel.
    Snapshot(Sender<NodeSnapshot>),
}

/// The collector has ended: its scheduler shut down or had no room for it, or a metrics recorder panicked.
///
/// ```
/// let error = glasshouse_diag::CollectorGone;
/// assert!(error.to_string().ends_with("before its scheduler shuts down"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the node-metrics collector has ended; ask for a snapshot before its scheduler shuts down")]
pub struct CollectorGone;

/// Hosts the collector, from its start to its last snapshot. Dropped without [`NodeCollector::finish`], the
/// collector ends with its last observer.
///
/// ```
/// use glasshouse_diag::{NodeCollector, NodeOutcome};
/// let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().expect("buildable");
/// scheduler.block_on(async {
///     let collector = NodeCollector::spawn(&glasshouse_scheduler::Handle::current());
///     let observer = collector.observer();
///     observer.started(&"build".into(), 1);
///     observer.ended(&"build".into(), 1, NodeOutcome::Success, 2_000);
///     let snapshot = collector.finish().await.expect("nothing ended it before");
///     assert_eq!(snapshot.node("build").map(|figures| figures.run_ns.p50), Some(2_000));
/// });
/// ```
#[derive(Debug)]
pub struct NodeCollector {
    observer: NodeObserver,
    task: JoinHandle<NodeSnapshot>,
}

impl NodeCollector {
    /// Spawns a collector as a system task on this scheduler.
    pub fn spawn(handle: &Handle) -> NodeCollector {
        let (queue, inbox) = async_channel::bounded(OBSERVATIONS_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let collector = Collector {
            inbox,
            lost: lost.clone(),
            published_lost: 0,
            metrics: NodeMetrics::default(),
        };
        let named = || task::Builder::new().name(COLLECTOR_NAME);
        NodeCollector {
            observer: NodeObserver { queue, lost },
            task: handle.enter(|| named().spawn_system(collector.run())),
        }
    }

    /// A way to the collector.
    pub fn observer(&self) -> NodeObserver {
        self.observer.clone()
    }

    /// Ends the collector and returns the figures with every observation in them that was accepted. What
    /// observers send from now on is lost.
    ///
    /// # Errors
    ///
    /// [`CollectorGone`] when something else has ended it before.
    pub async fn finish(self) -> Result<NodeSnapshot, CollectorGone> {
        self.observer.queue.close();
        self.task.await.map_err(|_| CollectorGone)
    }
}

/// The way of nodes to the collector: records what happens to them in the log, and sends it on. Clones
/// lead to the same collector.
///
/// ```
/// # let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().expect("buildable");
/// # scheduler.block_on(async {
/// # let collector = glasshouse_diag::NodeCollector::spawn(&glasshouse_scheduler::Handle::current());
/// let observer: glasshouse_diag::NodeObserver = collector.observer();
/// observer.started(&"build".into(), 1);
/// let snapshot = observer.snapshot().await.expect("the collector runs");
/// assert_eq!(snapshot.node("build").map(|figures| figures.running), Some(1));
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct NodeObserver {
    queue: Sender<Message>,
    lost: Arc<AtomicU64>,
}

impl NodeObserver {
    /// A node's command is about to be started; the first attempt is 1. To be called in the node's task,
    /// like the others.
    pub fn started(&self, node: &Arc<str>, attempt: u32) {
        glasshouse_pal::emit(event::started(node, attempt));
        self.send(NodeObservation::Started { node: node.clone() });
    }

    /// It has ended, after `run_ns` nanoseconds.
    pub fn ended(&self, node: &Arc<str>, attempt: u32, outcome: NodeOutcome, run_ns: u64) {
        glasshouse_pal::emit(event::ended(node, attempt, outcome, run_ns));
        self.send(NodeObservation::Ended {
            node: node.clone(),
            outcome,
            run_ns,
        });
    }

    /// The node will be tried again in `backoff_ns` nanoseconds; `attempt` is the one to come.
    pub fn retry(&self, node: &Arc<str>, attempt: u32, backoff_ns: u64) {
        glasshouse_pal::emit(event::retry(node, attempt, backoff_ns));
        self.send(NodeObservation::Retry {
            node: node.clone(),
            backoff_ns,
        });
    }

    /// The figures, with all observations in them that were accepted before this call.
    ///
    /// # Errors
    ///
    /// [`CollectorGone`] when the collector has ended.
    pub async fn snapshot(&self) -> Result<NodeSnapshot, CollectorGone> {
        let (answer, answered) = async_channel::bounded(1);
        let asked = self.queue.send(Message::Snapshot(answer)).await;
        asked.map_err(|_| CollectorGone)?;
        answered.recv().await.map_err(|_| CollectorGone)
    }

    /// How many observations found the queue full, or the collector gone.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn send(&self, observation: NodeObservation) {
        match self.queue.try_send(Message::Observation(observation)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => {
                // Relaxed: a count, which publishes nothing else.
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

struct Collector {
    inbox: Receiver<Message>,
    lost: Arc<AtomicU64>,
    published_lost: u64,
    metrics: NodeMetrics,
}

impl Collector {
    async fn run(mut self) -> NodeSnapshot {
        publish::describe();
        while let Ok(message) = self.inbox.recv().await {
            match message {
                Message::Observation(observation) => {
                    let (name, running) = self.metrics.take_in(&observation);
                    publish::observation(&observation, name, running);
                }
                Message::Snapshot(answer) => {
                    // Who asked may have gone; the answer is then nobody's.
                    let _ = answer.try_send(self.snapshot());
                }
            }
            self.publish_lost();
        }
        self.publish_lost();
        self.snapshot()
    }

    fn snapshot(&self) -> NodeSnapshot {
        NodeSnapshot {
            lost: self.lost.load(Ordering::Relaxed),
            ..self.metrics.snapshot()
        }
    }

    fn publish_lost(&mut self) {
        let lost = self.lost.load(Ordering::Relaxed);
        publish::lost(lost - self.published_lost);
        self.published_lost = lost;
    }
}
