//! Owns the share of a processor that each task used in the last second of the past, as records tell it.

use super::moment::Task;
use glasshouse_pal::{Rate, TaskId, TaskState};
use std::collections::{HashMap, VecDeque};

/// The stretch that shares are told over.
const STRETCH_NS: u64 = 1_000_000_000;

/// One stay of a task on a worker.
#[derive(Clone, Copy, Debug)]
struct Run {
    task: TaskId,
    from: u64,
    to: u64,
}

/// The runs that ended lately.
#[derive(Debug, Default)]
pub struct Recent {
    /// In the order of their ends.
    runs: VecDeque<Run>,
}

impl Recent {
    /// Takes in a run, which ended not before those before it.
    pub fn add(&mut self, task: TaskId, from: u64, to: u64, rate: Rate) {
        self.runs.push_back(Run { task, from, to });
        self.forget_before(begin(to, rate));
    }

    fn forget_before(&mut self, begin: u64) {
        while self.runs.front().is_some_and(|run| run.to <= begin) {
            self.runs.pop_front();
        }
    }

    /// Puts its share into each task, as of a stamp behind all runs. Nothing is known before `since`.
    pub fn tell(&mut self, since: u64, at: u64, rate: Rate, tasks: &mut [Task]) {
        let begin = begin(at, rate).max(since);
        self.forget_before(begin);
        let mut sums: HashMap<TaskId, u64> = HashMap::new();
        for run in &self.runs {
            let sum = sums.entry(run.task).or_default();
            *sum = sum.saturating_add(run.to.saturating_sub(run.from.max(begin)));
        }
        let span = at.saturating_sub(begin);
        for task in tasks.iter_mut().filter(|_| span > 0) {
            let lasting = match task.state {
                Some(TaskState::Running) => task.stay.min(span),
                _ => 0,
            };
            let run = sums.get(&task.id).copied().unwrap_or(0);
            let run = run.saturating_add(lasting);
            task.busy = Some((run as f64 / span as f64).min(1.0));
        }
    }
}

/// Where the stretch before a stamp begins.
fn begin(at: u64, rate: Rate) -> u64 {
    at.saturating_sub(rate.ticks(STRETCH_NS))
}
