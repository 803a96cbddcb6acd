//! Owns random programs: tasks that spawn, wait for and wake each other on a few workers.

use super::story::{Story, tid};
use crate::WakeSource;
use crate::reader::RingId;
use proptest::prelude::*;

const WORKERS: usize = 3;
const TASKS_MAX: u64 = 12;

/// A program in the making: what each worker runs, and what each task does.
#[derive(Default)]
pub(super) struct Play {
    pub(super) story: Story,
    pub(super) now: u64,
    on_worker: [Option<u64>; WORKERS],
    ready: Vec<u64>,
    waiting: Vec<u64>,
    pub(super) last: u64,
}

impl Play {
    /// The next thing that happens, as the numbers choose among those that can.
    fn act(&mut self, (dt, worker, what, which): (u8, u8, u8, u8)) {
        self.now += u64::from(dt % 5);
        let worker = usize::from(worker) % WORKERS;
        let ring = RingId::Worker(worker as u16);
        match self.on_worker[worker] {
            None if what % 4 == 0 || self.ready.is_empty() => {
                self.without_task(ring, what / 4, which);
            }
            None => {
                let task = self.ready.remove(usize::from(which) % self.ready.len());
                self.on_worker[worker] = Some(task);
                self.story.running(self.now, ring, task);
            }
            Some(task) => self.in_tick(worker, ring, task, what, which),
        }
    }

    /// What happens by itself or by a thread outside.
    fn without_task(&mut self, ring: RingId, what: u8, which: u8) {
        if self.waiting.is_empty() {
            self.spawn(ring, None);
            return;
        }
        let by = [
            WakeSource::Timer,
            WakeSource::Io,
            WakeSource::External,
            WakeSource::Lane(None),
            WakeSource::Abort(None),
        ];
        self.wake(ring, which, by[usize::from(what) % by.len()]);
    }

    fn in_tick(&mut self, worker: usize, ring: RingId, task: u64, what: u8, which: u8) {
        let own = tid(task);
        match what % 12 {
            0 | 1 => self.spawn(ring, Some(task)),
            2 | 3 => self.wake(ring, which, WakeSource::Task(own)),
            4 => self.wake(ring, which, WakeSource::Lane(Some(own))),
            5 => {
                self.story
                    .yielded(self.now, ring, task, WakeSource::Task(own));
                self.on_worker[worker] = None;
                self.ready.push(task);
            }
            6 => {
                self.story.done(self.now, ring, task);
                self.on_worker[worker] = None;
                // Who ends wakes who joined it, behind its end.
                self.now += u64::from(which % 2);
                self.wake(ring, which, WakeSource::Task(own));
            }
            other => {
                let on = 1 + u64::from(which) % self.last;
                match other {
                    7 => self.story.sleep(self.now, ring, task),
                    8 => self.story.io(self.now, ring, task),
                    9 if on != task => self.story.join(self.now, ring, task, on),
                    10 => self.story.lane(self.now, ring, task, 3),
                    _ => self.story.wait(self.now, ring, task),
                }
                self.on_worker[worker] = None;
                self.waiting.push(task);
            }
        }
    }

    fn spawn(&mut self, ring: RingId, parent: Option<u64>) {
        if self.last < TASKS_MAX {
            self.last += 1;
            self.story.spawned(self.now, ring, self.last, parent);
            self.ready.push(self.last);
        }
    }

    fn wake(&mut self, ring: RingId, which: u8, by: WakeSource) {
        if !self.waiting.is_empty() {
            let task = self.waiting.remove(usize::from(which) % self.waiting.len());
            self.story.wake(self.now, ring, task, by);
            self.ready.push(task);
        }
    }
}

pub(super) fn any_play() -> impl Strategy<Value = Play> {
    let acts = prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..250);
    acts.prop_map(|acts| {
        let mut play = Play::default();
        acts.into_iter().for_each(|act| play.act(act));
        play
    })
}

impl std::fmt::Debug for Play {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let events = self.story.entries.iter();
        f.debug_list()
            .entries(
                events.map(|entry| format!("{} on {}: {:?}", entry.stamp, entry.ring, entry.event)),
            )
            .finish()
    }
}
