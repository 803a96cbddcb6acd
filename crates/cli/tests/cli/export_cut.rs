//! What a trace has of ticks that began before its records do: where rings have wrapped, and before a gap.

use crate::export::{assert_fits_the_schema, ns, trace_of};
use crate::place::Place;
use glasshouse_pal::reader::Log;
use glasshouse_pal::spill::{Settings, Spiller};
use glasshouse_pal::{
    LossCause, Pal, RingOwner, RingWriter, SiteId, TaskEvent, TaskId, TaskState, WorkerState,
};
use serde_json::Value;
use std::time::Duration;

/// The smallest there is: it holds 2048 records.
const RING_BYTES: usize = 64 << 10;

fn tid(number: u64) -> TaskId {
    TaskId::new(number).expect("in range")
}

/// A log in `run.pal`: task 1 runs on the second worker, while task 2 is to fill the first one's ring.
struct Written {
    place: Place,
    pal: Pal,
    rings: [RingWriter; 2],
    site: SiteId,
}

fn written() -> Written {
    let place = Place::new();
    let log = Pal::builder().file(place.path("run.pal")).workers(2);
    let pal = log.ring_bytes(RING_BYTES).build().expect("room for a log");
    let written = Written {
        rings: [0, 1].map(|worker| pal.lease(RingOwner::Worker(worker))),
        site: pal.site("a.rs", 1, 1, Some("long")),
        place,
        pal,
    };
    written.spawn(1, 1);
    written.spawn(0, 2);
    written
}

impl Written {
    fn write(&self, worker: usize, aux: u8, event: TaskEvent) -> u64 {
        let now = self.pal.clock().now();
        assert!(self.rings[worker].write(now, aux, &event));
        now
    }

    /// Spawns and runs a task; since when it runs.
    fn spawn(&self, worker: usize, task: u64) -> u64 {
        let (tid, parent, site) = (tid(task), None, self.site);
        self.write(worker, 0, TaskEvent::Spawned { tid, parent, site });
        self.write(worker, 1, TaskEvent::Running { tid })
    }

    /// More ticks than the first worker's ring holds, each a throttled one.
    fn wrap(&self) {
        let tid = tid(2);
        for turn in 0..RING_BYTES / 32 {
            let aux = (2 + 2 * turn) as u8;
            let by = glasshouse_pal::WakeSource::Timer;
            self.write(0, aux, TaskEvent::Yield { tid, by });
            self.write(0, aux.wrapping_add(1), TaskEvent::Running { tid });
        }
    }

    /// The ticks of a task in a log, as they are told: from and to, and whether they began before.
    fn ticks(&self, log: &str, task: u64) -> Vec<(u64, u64, bool)> {
        let events = trace_of(&self.place, log);
        events.iter().for_each(assert_fits_the_schema);
        let of_task = |event: &&Value| event["ph"] == "X" && event["args"]["task"] == task;
        let slices = events.iter().filter(of_task);
        let ticks = slices.map(|slice| {
            assert_eq!(slice["tid"], 2 - task, "on its worker's track: {slice}");
            let from = ns(slice, "ts");
            let began_before = slice["args"]["began_before"] == true;
            (from, from + ns(slice, "dur"), began_before)
        });
        ticks.collect()
    }
}

#[test]
fn a_tick_that_began_before_all_rings_were_whole_is_a_slice_from_there_that_says_so() {
    let written = written();
    written.wrap();
    let ended = written.write(1, 2, TaskEvent::Wait { tid: tid(1) });
    // The next one is whole.
    let begun = written.write(1, 4, TaskEvent::Running { tid: tid(1) });
    let done = written.write(1, 5, TaskEvent::Done { tid: tid(1) });
    let log = Log::open(&written.place.path("run.pal")).expect("readable");
    let at = |stamp| log.at_ns(stamp);
    let horizon = log.horizon().expect("a ring has wrapped");
    let ticks = written.ticks("run.pal", 1);
    let slices = [(at(horizon), at(ended), true), (at(begun), at(done), false)];
    assert_eq!(ticks, slices);
    // Of the first worker the oldest record may end a tick that began before, and no later one does.
    let began_before = |tick: &&(u64, u64, bool)| tick.2;
    let ticks = written.ticks("run.pal", 2);
    assert!(ticks.iter().filter(began_before).count() <= 1, "{ticks:?}");
}

#[test]
fn a_tick_that_lasts_since_before_all_rings_were_whole_is_a_slice_up_to_the_end() {
    let written = written();
    let log = Log::open(&written.place.path("run.pal")).expect("readable");
    let since = log.records().find_map(|entry| {
        let runs = TaskEvent::Running { tid: tid(1) };
        (entry.event == runs.into()).then_some(entry.stamp)
    });
    let since = since.expect("it runs");
    written.rings[1].current(since, Some(tid(1)), WorkerState::Running);
    let slot = written.pal.table().take_shared().expect("room");
    let row = written.pal.table().slot(slot);
    row.publish(tid(1), written.site, None, TaskState::Running, since);
    written.wrap();
    let log = Log::open(&written.place.path("run.pal")).expect("readable");
    let newest = log.records().last().expect("records").stamp;
    let horizon = log.at_ns(log.horizon().expect("a ring has wrapped"));
    let [(from, to, true)] = written.ticks("run.pal", 1)[..] else {
        panic!("one: {:?}", written.ticks("run.pal", 1));
    };
    assert_eq!(from, horizon);
    assert!(to >= log.at_ns(newest), "{to}");
}

#[test]
fn a_tick_that_began_before_a_gap_is_a_slice_from_behind_it_that_says_so() {
    let written = written();
    let settings = Settings {
        flush: Duration::from_nanos(1),
        ..Settings::new(written.place.path("spill"))
    };
    let mut spiller = Spiller::new(&written.pal, settings).expect("a place");
    for _ in 0..2 {
        assert_eq!(spiller.step().left_out, 0);
    }
    written.wrap();
    assert!(spiller.step().left_out > 0);
    let ended = written.write(1, 2, TaskEvent::Wait { tid: tid(1) });
    let _ = spiller.finish();
    let log = Log::open(&written.place.path("spill")).expect("readable");
    let [gap] = &log.loss().gaps[..] else {
        panic!("one gap: {:?}", log.loss());
    };
    let slice = (log.at_ns(gap.to), log.at_ns(ended), true);
    assert_eq!(written.ticks("spill", 1), [slice]);
}

#[test]
fn what_ends_a_tick_whose_beginning_may_have_found_no_ring_makes_no_slice() {
    let written = written();
    let guest = written.pal.lease(RingOwner::External);
    written.wrap();
    written.pal.count_loss(LossCause::NoRing);
    let now = written.pal.clock().now();
    assert!(guest.write(now, 2, &TaskEvent::Done { tid: tid(1) }));
    assert_eq!(written.ticks("run.pal", 1), []);
}
