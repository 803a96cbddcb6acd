//! Owns a node's policy: wait for the lane, run the command, and try again after a failure.
//!
//! The lane is held while the command runs and not between attempts. The node's task ends as failed in the
//! log unless the node succeeded.

use crate::attempt::{Limits, nanos, see_through};
use crate::backoff::backoff;
use crate::cancel::Cancel;
use crate::flow::Node;
use crate::live::Live;
use crate::outcome::Outcome;
use crate::plain_text::last_lines;
use crate::progress::Progress;
use crate::report::Row;
use crate::runner::{Child, Runner};
use async_channel::Sender;
use futures::future::{Either, select};
use glasshouse_diag::{NodeObserver, NodeOutcome};
use glasshouse_lanes::Lane;
use glasshouse_scheduler::task;
use glasshouse_scheduler::time::{Instant, sleep};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// How much of a failed node's output its row keeps: at most so many bytes and lines.
const TAIL_BYTES: usize = 4096;
const TAIL_LINES: usize = 20;

/// What all nodes of a run share.
pub(crate) struct Shared<R> {
    pub(crate) runner: R,
    pub(crate) cancel: Cancel,
    pub(crate) grace: Duration,
    pub(crate) observer: NodeObserver,
    pub(crate) progress: Sender<Progress>,
}

/// One node of a run.
pub(crate) struct NodeTask<R> {
    node: Node,
    name: Arc<str>,
    lane: Lane,
    shared: Arc<Shared<R>>,
}

impl<R: Runner> NodeTask<R> {
    pub(crate) fn new(node: Node, lane: Lane, shared: Arc<Shared<R>>) -> NodeTask<R> {
        NodeTask {
            name: (*node.name).into(),
            node,
            lane,
            shared,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sees the node through to its row.
    pub(crate) async fn run(self) -> Row {
        let mut row = Row::not_started(&self.node, Outcome::Cancelled);
        loop {
            row.outcome = self.attempt(&mut row).await;
            let is_last = row.attempts > self.node.retries;
            if !row.outcome.is_failure() || is_last {
                break;
            }
            if !self.back_off(&row).await {
                row.outcome = Outcome::Cancelled;
                break;
            }
        }
        if !row.outcome.is_success() {
            task::fail(&row.outcome);
        }
        row
    }

    /// One attempt; what it took is added to the row.
    async fn attempt(&self, row: &mut Row) -> Outcome {
        let cancel = &self.shared.cancel;
        let asked = Instant::now();
        let permit = match select(pin!(cancel.cancelled()), pin!(self.lane.acquire())).await {
            Either::Left(_) => None,
            Either::Right((permit, _)) => Some(permit),
        };
        row.waited_ns += nanos(asked.elapsed());
        let Some(_permit) = permit else {
            return Outcome::Cancelled;
        };
        row.attempts += 1;
        let execution = Execution::begin(&self.shared.observer, &self.name, row.attempts);
        let outcome = match self.shared.runner.start(&self.node).await {
            Ok(child) => self.execute(child, row).await,
            Err(error) => Outcome::SpawnError { error },
        };
        row.ran_ns += execution.end(&outcome);
        outcome
    }

    async fn execute(&self, mut child: R::Child, row: &mut Row) -> Outcome {
        let live = child.live();
        self.tell(Progress::Started {
            node: self.name.clone(),
            attempt: row.attempts,
            live: live.clone(),
        })
        .await;
        let limits = Limits {
            timeout: self.node.timeout,
            grace: self.shared.grace,
            cancel: &self.shared.cancel,
        };
        let outcome = see_through(&mut child, limits).await;
        row.output_bytes += live.output_bytes();
        row.dropped_bytes += live.dropped_bytes();
        row.tail = match outcome.is_failure() {
            true => tail(&live),
            false => String::new(),
        };
        outcome
    }

    /// Waits before the next attempt; false if the run was cancelled meanwhile.
    async fn back_off(&self, row: &Row) -> bool {
        let delay = backoff(self.node.backoff, row.attempts);
        self.shared
            .observer
            .retry(&self.name, row.attempts + 1, nanos(delay));
        self.tell(Progress::Retrying {
            node: self.name.clone(),
            attempt: row.attempts + 1,
            delay,
            outcome: row.outcome.clone(),
        })
        .await;
        let cancelled = pin!(self.shared.cancel.cancelled());
        matches!(
            select(cancelled, pin!(sleep(delay))).await,
            Either::Right(_)
        )
    }

    /// Nobody listens any more once the run was dropped; the node then ends by being cancelled.
    async fn tell(&self, progress: Progress) {
        let _ = self.shared.progress.send(progress).await;
    }
}

/// An execution under way. Whatever becomes of the node's task, the log and the figures learn of its end.
struct Execution<'a> {
    observer: &'a NodeObserver,
    node: &'a Arc<str>,
    attempt: u32,
    started: Instant,
    has_ended: bool,
}

impl<'a> Execution<'a> {
    fn begin(observer: &'a NodeObserver, node: &'a Arc<str>, attempt: u32) -> Execution<'a> {
        observer.started(node, attempt);
        Execution {
            observer,
            node,
            attempt,
            started: Instant::now(),
            has_ended: false,
        }
    }

    /// Returns how long it ran, in nanoseconds.
    fn end(mut self, outcome: &Outcome) -> u64 {
        self.note(outcome.of_execution().unwrap_or(NodeOutcome::Cancelled))
    }

    fn note(&mut self, outcome: NodeOutcome) -> u64 {
        self.has_ended = true;
        let run_ns = nanos(self.started.elapsed());
        self.observer
            .ended(self.node, self.attempt, outcome, run_ns);
        run_ns
    }
}

impl Drop for Execution<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.note(match std::thread::panicking() {
                true => NodeOutcome::Panic,
                false => NodeOutcome::Cancelled,
            });
        }
    }
}

fn tail(live: &Live) -> String {
    let (bytes, is_cut) = live.tail(TAIL_BYTES);
    last_lines(&bytes, is_cut, TAIL_LINES)
}
