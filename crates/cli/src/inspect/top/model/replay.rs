//! Owns the way back through what a log still holds: the state of workers and tasks at any moment of it, rebuilt
//! from the records up to then.
//!
//! Going forward feeds the records in between; going back begins anew.

use super::fold::Fold;
use super::history::History;
use super::moment::Moment;
use super::older::Older;
use glasshouse_pal::reader::{Log, Records};
use glasshouse_pal::{Event, TaskId};
use std::iter::Peekable;

/// A log as it was when it was read, and a place in its time.
pub struct Replay {
    log: Log,
    /// The earliest and the latest moment there is.
    ends: [u64; 2],
    older: Older,
    fold: Fold,
    records: Peekable<Records>,
    /// Records fed to the fold.
    fed: usize,
    moment: Moment,
}

impl Replay {
    /// Reads a log that was just opened, up to the stamp that `until` gives when it is told the newest record's, and
    /// stands there.
    pub fn new(log: Log, until: impl FnOnce(&Log, u64) -> u64) -> Replay {
        // Before the records, as it must be.
        let mut older = Older::new(log.tasks());
        let begin = log.horizon().unwrap_or(log.start_stamp());
        let mut lives = log.lives();
        let mut newest = begin;
        for entry in log.records() {
            newest = newest.max(entry.stamp);
            if let Event::Task(event) = &entry.event
                && let Some(step) = lives.feed(entry.stamp, entry.aux, event)
            {
                older.learn(&step);
                let (tid, is_end) = (step.tid, step.life.state.is_end());
                if is_end {
                    lives.forget(tid);
                }
            }
        }
        let end = until(&log, newest).max(newest);
        let mut replay = Replay {
            ends: [begin, end],
            older,
            fold: Fold::new(&log),
            records: log.records().peekable(),
            fed: 0,
            moment: Moment::default(),
            log,
        };
        replay.seek(end);
        replay
    }

    /// The log that is read.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The moment it stands at.
    pub fn moment(&self) -> &Moment {
        &self.moment
    }

    /// The earliest and the latest moment that it can stand at.
    pub fn ends(&self) -> [u64; 2] {
        self.ends
    }

    /// Goes to a moment, or as near as there is one.
    pub fn seek(&mut self, at: u64) {
        let at = at.clamp(self.ends[0], self.ends[1]);
        if at < self.moment.at {
            self.rewind();
        }
        while let Some(entry) = self.records.next_if(|entry| entry.stamp <= at) {
            self.fold.feed(&entry, &self.log);
            self.fed += 1;
        }
        self.fold.tell(at, &self.older, &mut self.moment);
    }

    /// Goes to the next moment at which something was recorded; to the end where nothing was.
    pub fn step_on(&mut self) {
        let next = self.records.peek().map(|entry| entry.stamp);
        self.seek(next.unwrap_or(self.ends[1]));
    }

    /// Goes to the moment before this at which something was recorded; to the beginning where nothing was.
    pub fn step_back(&mut self) {
        let earlier = self.log.records().take(self.fed);
        let stamps = earlier.map(|entry| entry.stamp);
        let before = stamps.take_while(|stamp| *stamp < self.moment.at).last();
        self.seek(before.unwrap_or(self.ends[0]));
    }

    /// What one task has done up to this moment.
    pub fn history(&self, task: TaskId) -> History {
        let mut history = History::new(task, self.log.lives());
        let records = self.log.records().take(self.fed);
        let horizon = self.log.horizon().unwrap_or(0);
        for entry in records.filter(|entry| entry.stamp >= horizon) {
            history.feed(&entry);
        }
        history
    }

    fn rewind(&mut self) {
        self.fold = Fold::new(&self.log);
        self.records = self.log.records().peekable();
        self.fed = 0;
    }
}
