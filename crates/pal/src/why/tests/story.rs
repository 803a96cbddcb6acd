//! Owns the small logs of these tests: records as a reader gives them, told one by one.

use crate::lives::Lives;
use crate::reader::{Entry, Gap, GapCause, RingId};
use crate::why::{Answer, Inquiry, Picture, Waits};
use crate::{Event, IoTarget, SiteId, TaskEvent, TaskId, TaskRow, TextId, WakeSource, WaysOut};
use std::collections::HashMap;
use std::time::Duration;

pub(super) fn tid(number: u64) -> TaskId {
    TaskId::new(number).expect("in range")
}

/// Records in the order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    pub(super) entries: Vec<Entry>,
    transitions: HashMap<u64, u8>,
}

impl Story {
    pub(super) fn record(&mut self, stamp: u64, ring: RingId, aux: u8, event: impl Into<Event>) {
        let seq = self.entries.len() as u64 + 1;
        self.entries.push(Entry {
            seq,
            ring,
            stamp,
            at_ns: stamp,
            aux,
            event: event.into(),
            ways_out: WaysOut::default(),
        });
    }

    /// A task's next transition.
    pub(super) fn step(&mut self, stamp: u64, ring: RingId, event: TaskEvent) {
        let task = event.tid().expect("a task's").number();
        let count = self.transitions.entry(task).or_default();
        let aux = *count;
        *count = count.wrapping_add(1);
        self.record(stamp, ring, aux, event);
    }

    /// The last record is of a wait that may end so, too.
    pub(super) fn with_ways_out(&mut self, ways_out: WaysOut) {
        self.entries.last_mut().expect("a record").ways_out = ways_out;
    }

    /// The task's next transition is not in the log.
    pub(super) fn skip(&mut self, task: u64) {
        *self.transitions.entry(task).or_default() += 1;
    }

    pub(super) fn spawned(&mut self, stamp: u64, ring: RingId, task: u64, parent: Option<u64>) {
        let (tid, parent, site) = (tid(task), parent.map(tid), SiteId(1));
        self.step(stamp, ring, TaskEvent::Spawned { tid, parent, site });
    }

    /// By a thread outside.
    pub(super) fn spawned_at(&mut self, stamp: u64, task: u64, site: SiteId) {
        let (tid, parent) = (tid(task), None);
        self.step(
            stamp,
            RingId::Worker(0),
            TaskEvent::Spawned { tid, parent, site },
        );
    }

    pub(super) fn running(&mut self, stamp: u64, ring: RingId, task: u64) {
        self.step(stamp, ring, TaskEvent::Running { tid: tid(task) });
    }

    pub(super) fn yielded(&mut self, stamp: u64, ring: RingId, task: u64, by: WakeSource) {
        let tid = tid(task);
        self.step(stamp, ring, TaskEvent::Yield { tid, by });
    }

    pub(super) fn sleep(&mut self, stamp: u64, ring: RingId, task: u64) {
        let (tid, dur) = (tid(task), Duration::from_nanos(50));
        self.step(stamp, ring, TaskEvent::Sleep { tid, dur });
    }

    pub(super) fn io(&mut self, stamp: u64, ring: RingId, task: u64) {
        let (fd, interest) = (7, crate::Interest::Read);
        let (tid, io) = (tid(task), IoTarget { fd, interest });
        self.step(stamp, ring, TaskEvent::IoWait { tid, io });
    }

    pub(super) fn join(&mut self, stamp: u64, ring: RingId, task: u64, on: u64) {
        let (tid, on) = (tid(task), tid(on));
        self.step(stamp, ring, TaskEvent::JoinWait { tid, on });
    }

    pub(super) fn lane(&mut self, stamp: u64, ring: RingId, task: u64, lane: u32) {
        let (tid, lane) = (tid(task), TextId(lane));
        self.step(stamp, ring, TaskEvent::LaneWait { tid, lane });
    }

    pub(super) fn wait(&mut self, stamp: u64, ring: RingId, task: u64) {
        self.step(stamp, ring, TaskEvent::Wait { tid: tid(task) });
    }

    pub(super) fn wake(&mut self, stamp: u64, ring: RingId, task: u64, by: WakeSource) {
        let tid = tid(task);
        self.step(stamp, ring, TaskEvent::Wake { tid, by });
    }

    pub(super) fn done(&mut self, stamp: u64, ring: RingId, task: u64) {
        self.step(stamp, ring, TaskEvent::Done { tid: tid(task) });
    }

    /// Loses what is stamped between these. What it then knows of lives.
    pub(super) fn lose(&mut self, from: u64, to: u64) -> Lives {
        let is_kept = |stamp: u64| stamp <= from || stamp >= to;
        let count = self.entries.len();
        self.entries.retain(|entry| is_kept(entry.stamp));
        Lives::whole().with_gaps(&[Gap {
            from,
            to,
            records: (count - self.entries.len()) as u64,
            causes: vec![GapCause::Budget],
        }])
    }

    /// Ends with what is stamped so.
    pub(super) fn cut_behind(&mut self, stamp: u64) {
        self.entries.retain(|entry| entry.stamp <= stamp);
    }

    /// The rows of the task table as they were then.
    pub(super) fn rows_at(&self, stamp: u64) -> Vec<TaskRow> {
        let mut lives = Lives::whole();
        for entry in self.entries.iter().filter(|entry| entry.stamp <= stamp) {
            if let Event::Task(event) = &entry.event {
                lives.feed(entry.stamp, entry.aux, event);
            }
        }
        let alive = lives.iter().filter(|(_, life)| !life.state.is_end());
        let rows = alive.map(|(id, life)| TaskRow {
            id,
            state: Some(life.state),
            since: life.since,
            site: life.site.unwrap_or(SiteId::UNKNOWN),
            polls: 0,
            parent: life.parent,
            waker: None,
            run_ticks: life.run_ticks,
            wait_ticks: life.wait_total_ticks(),
            ready_ticks: life.ready_ticks,
        });
        rows.collect()
    }

    /// About a task of a log with such lives; `None` where it speaks of none.
    pub(super) fn ask_of(&self, lives: Lives, task: u64, until: u64) -> Option<Answer> {
        self.tell(Inquiry::new(tid(task), lives), until)
    }

    /// The same, by who keeps no more than is of use.
    pub(super) fn ask_sparing(&self, lives: Lives, task: u64, until: u64) -> Option<Answer> {
        self.tell(Inquiry::sparing(tid(task), lives), until)
    }

    fn tell(&self, mut inquiry: Inquiry, until: u64) -> Option<Answer> {
        self.entries.iter().for_each(|entry| inquiry.feed(entry));
        inquiry.finish(until)
    }

    pub(super) fn ask(&self, task: u64, until: u64) -> Option<Answer> {
        self.ask_of(Lives::whole(), task, until)
    }

    pub(super) fn why(&self, task: u64, until: u64) -> Answer {
        self.ask(task, until).expect("the story speaks of it")
    }

    pub(super) fn why_from(&self, horizon: u64, task: u64, until: u64) -> Answer {
        let answer = self.ask_of(Lives::from_horizon(horizon), task, until);
        answer.expect("the story speaks of it")
    }

    /// Of a log with such lives, and with these rows in its task table.
    pub(super) fn picture_of(&self, lives: Lives, rows: &[TaskRow]) -> Picture {
        let mut waits = Waits::new(lives).with_lanes(Some(32), Some(33));
        rows.iter().for_each(|row| waits.row(row));
        self.entries.iter().for_each(|entry| waits.feed(entry));
        waits.picture()
    }

    pub(super) fn picture(&self) -> Picture {
        self.picture_of(Lives::whole(), &[])
    }
}
