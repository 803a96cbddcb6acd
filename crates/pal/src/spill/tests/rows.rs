//! Rows of the task table are believed as long as no gap lies behind the time at which they were noted.

use super::{a_segment_a_step, place};
use crate::clock::Clock;
use crate::reader::Log;
use crate::spill::{Settings, Spiller};
use crate::testing::{SMALL, SMALL_RING};
use crate::why::{Picture, Waits};
use crate::{Pal, RingOwner, RingWriter, SiteId, SlotId, TaskEvent, TaskId, TaskState, WakeSource};
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

/// One segment for all.
fn one_segment(dir: &Path) -> Settings {
    Settings {
        flush: Duration::from_nanos(1),
        ..Settings::new(dir)
    }
}

fn tid(number: u64) -> TaskId {
    TaskId::new(number).expect("in range")
}

/// A log that is spilled, in which the first task waits before any gap.
struct Spilled {
    pal: Pal,
    clock: Clock,
    ring: RingWriter,
    spiller: Spiller,
    row: SlotId,
}

impl Spilled {
    fn new(settings: Settings) -> Spilled {
        let clock = Clock::virtual_time();
        let pal = Pal::memory_shaped(clock.clone(), SMALL);
        let mut spilled = Spilled {
            spiller: Spiller::over(&pal, settings).expect("made"),
            ring: pal.lease(RingOwner::Worker(0)),
            row: pal.table().take_shared().expect("room"),
            clock,
            pal,
        };
        spilled.spawn(1);
        let waits = spilled.write(2, TaskEvent::Wait { tid: tid(1) });
        let (site, state) = (SiteId::UNKNOWN, TaskState::Waiting);
        let row = spilled.pal.table().slot(spilled.row);
        row.publish(tid(1), site, None, state, waits);
        spilled.settle();
        spilled
    }

    fn write(&self, aux: u8, event: TaskEvent) -> u64 {
        self.clock.advance_ns(10);
        assert!(self.ring.write(self.clock.now(), aux, &event));
        self.clock.now()
    }

    fn spawn(&self, task: u64) {
        let (tid, parent, site) = (tid(task), None, SiteId::UNKNOWN);
        self.write(0, TaskEvent::Spawned { tid, parent, site });
        self.write(1, TaskEvent::Running { tid });
    }

    /// Has written what there is.
    fn settle(&mut self) {
        for _ in 0..2 {
            self.clock.advance_ns(10);
            assert_eq!(self.spiller.step().left_out, 0);
        }
    }

    /// The first task ends in the gap that this leaves, if it is to, and another is spawned behind it.
    fn overrun(&mut self, ends: bool) {
        if ends {
            let (tid, by) = (tid(1), WakeSource::External);
            self.write(3, TaskEvent::Wake { tid, by });
            self.write(4, TaskEvent::Running { tid });
            self.write(5, TaskEvent::Done { tid });
            self.pal.table().slot(self.row).clear();
        }
        for number in 0..SMALL_RING as u64 {
            self.spawn(10 + number);
        }
        self.clock.advance_ns(10);
        assert!(self.spiller.step().left_out > 0);
        self.spawn(2);
        self.settle();
    }
}

fn picture(dir: &Path) -> Picture {
    let log = Log::open(dir).expect("readable");
    assert_eq!(log.loss().gaps.len(), 1, "{:?}", log.loss());
    let mut waits = Waits::new(log.lives());
    log.tasks().for_each(|row| waits.row(&row));
    log.records().for_each(|entry| waits.feed(&entry));
    waits.picture()
}

fn waiting(picture: &Picture) -> Vec<TaskId> {
    picture.waiting.iter().map(|waiting| waiting.task).collect()
}

#[test]
fn of_what_a_killed_spiller_noted_before_a_gap_nothing_is_told_behind_it() {
    let (_place, dir) = place();
    let mut spilled = Spilled::new(one_segment(&dir));
    spilled.overrun(true);
    // Nobody finishes it.
    drop(spilled);
    let picture = picture(&dir);
    assert_eq!(waiting(&picture), Vec::new());
    assert!(picture.unseen.contains(&tid(1)), "{picture:?}");
    assert!(!picture.states.contains_key(&tid(1)), "{picture:?}");
}

#[test]
fn what_is_noted_behind_a_gap_is_told_for_a_new_segment_and_at_the_end() {
    for ends in [false, true] {
        let waits = if ends { Vec::new() } else { vec![tid(1)] };
        for is_finished in [false, true] {
            let (_place, dir) = place();
            let settings = match is_finished {
                true => one_segment(&dir),
                false => a_segment_a_step(&dir),
            };
            let mut spilled = Spilled::new(settings);
            spilled.overrun(ends);
            if is_finished {
                let _ = spilled.spiller.finish();
            }
            drop(spilled);
            let picture = picture(&dir);
            assert_eq!(waiting(&picture), waits, "{is_finished}");
            assert_eq!(picture.unseen, HashSet::new(), "{is_finished}");
        }
    }
}

#[test]
fn what_is_noted_behind_a_gap_that_no_record_follows_is_told_too() {
    let (_place, dir) = place();
    let mut spilled = Spilled::new(Settings {
        // Enough for the first records alone.
        bytes_per_second: Some(10),
        ..one_segment(&dir)
    });
    let (first, by) = (tid(1), WakeSource::External);
    spilled.write(3, TaskEvent::Wake { tid: first, by });
    let runs = spilled.write(4, TaskEvent::Running { tid: first });
    let row = spilled.pal.table().slot(spilled.row);
    row.enter(TaskState::Running, runs);
    for number in 0..SMALL_RING as u64 / 4 {
        spilled.spawn(10 + number);
    }
    assert!(spilled.spiller.finish().left_out > 0);
    drop(spilled);
    let picture = picture(&dir);
    assert_eq!(waiting(&picture), Vec::new());
    assert_eq!(picture.states.get(&first), Some(&TaskState::Running));
}
