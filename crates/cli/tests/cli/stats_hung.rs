//! What `glasshouse stats` says of tasks that hang while the records of what they did last are overwritten, and of
//! whose time it is that tasks take.

use crate::place::Place;
use glasshouse_pal::{
    Pal, RingOwner, RingWriter, SiteId, TaskEvent, TaskId, TaskState, WakeSource, WorkerState,
};
use serde_json::Value;

/// The smallest there is: it holds 2048 records.
const RING_BYTES: usize = 64 << 10;

/// A log of two workers in `run.pal`, written by hand.
struct Written {
    place: Place,
    pal: Pal,
    busy: RingWriter,
    idle: RingWriter,
}

fn written() -> Written {
    let place = Place::new();
    let log = Pal::builder().file(place.path("run.pal")).workers(2);
    let pal = log.ring_bytes(RING_BYTES).build().expect("room for a log");
    let [busy, idle] = [0, 1].map(|worker| pal.lease(RingOwner::Worker(worker)));
    Written {
        place,
        pal,
        busy,
        idle,
    }
}

fn tid(number: u64) -> TaskId {
    TaskId::new(number).expect("in range")
}

impl Written {
    fn write(&self, ring: &RingWriter, aux: u8, event: TaskEvent) -> u64 {
        let now = self.pal.clock().now();
        assert!(ring.write(now, aux, &event));
        now
    }

    fn spawn(&self, number: u64, name: &str) -> SiteId {
        let site = self.pal.site("a.rs", number as u32, 1, Some(name));
        let (tid, parent) = (tid(number), None);
        self.write(&self.busy, 0, TaskEvent::Spawned { tid, parent, site });
        site
    }

    /// The task's row, in the state that it has been in since then.
    fn row(&self, number: u64, site: SiteId, state: TaskState, since: u64) {
        let slot = self.pal.table().take_shared().expect("room");
        let row = self.pal.table().slot(slot);
        row.publish(tid(number), site, None, state, since);
    }

    /// Ticks of a task, so many that nothing older is left in the busy worker's ring.
    fn wrap(&self, number: u64) {
        let (tid, by) = (tid(number), WakeSource::Timer);
        for turn in 0..RING_BYTES / 32 {
            let aux = (1 + 2 * turn) as u8;
            self.write(&self.busy, aux, TaskEvent::Running { tid });
            self.write(
                &self.busy,
                aux.wrapping_add(1),
                TaskEvent::Yield { tid, by },
            );
        }
    }

    fn stats(&self) -> Value {
        let mut stats = self.place.json(&["stats", "run.pal", "--json"]);
        stats.remove(0)
    }
}

fn site<'a>(stats: &'a Value, name: &str) -> &'a Value {
    let mut sites = stats["sites"].as_array().expect("a list").iter();
    let site = sites.find(|site| site["name"] == name);
    site.unwrap_or_else(|| panic!("{name} has a line: {stats}"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

#[test]
fn a_task_that_hangs_has_a_line_when_no_record_of_it_is_left() {
    let log = written();
    let hung = log.spawn(1, "hung");
    let waits = log.write(
        &log.busy,
        1,
        TaskEvent::LaneWait {
            tid: tid(1),
            lane: log.pal.text("db"),
        },
    );
    log.row(1, hung, TaskState::LaneWait, waits);
    log.spawn(2, "busy");
    log.wrap(2);
    let stats = log.stats();
    let hung = site(&stats, "hung");
    assert_eq!((number(&hung["tasks"]), number(&hung["ticks"])), (1, 0));
    // It began before what is retained, and goes on.
    let lasts = number(&hung["waits_ns"]["lane_wait"]["max"]);
    assert!(lasts > number(&stats["retained_ns"]), "{stats}");
    let plain = log.place.run(&["stats", "run.pal"]).out;
    let line = plain.lines().find(|line| line.starts_with("hung "));
    assert!(line.expect(&plain).contains("a.rs:1:1"), "{plain}");
    assert!(plain.contains(" lane_wait "), "{plain}");
}

#[test]
fn a_tick_that_began_before_all_records_is_told_whole_and_takes_of_the_workers_time_what_they_cover()
 {
    let log = written();
    let stuck = log.spawn(1, "stuck");
    let runs = log.write(&log.idle, 1, TaskEvent::Running { tid: tid(1) });
    log.idle.current(runs, Some(tid(1)), WorkerState::Running);
    log.row(1, stuck, TaskState::Running, runs);
    log.spawn(2, "busy");
    log.wrap(2);
    let stats = log.stats();
    assert_eq!(stats["workers"], 2);
    let stuck = site(&stats, "stuck");
    let ran = number(&stuck["run_ns"]["max"]);
    assert!(ran > number(&stats["retained_ns"]), "{stats}");
    let share = stuck["workers_percent"].as_f64().expect("a share");
    assert!((share - 50.0).abs() < 0.01, "{share}");
    let longest = &stats["longest_ticks"][0];
    let told = (
        &longest["task"],
        &longest["worker"],
        &longest["is_going_on"],
    );
    assert_eq!(told, (&1.into(), &1.into(), &true.into()));
    assert_eq!(longest["run_ns"], ran);
}

#[test]
fn a_task_that_ended_in_the_records_does_not_go_on_by_a_row_that_was_left() {
    let log = written();
    let site_of = log.spawn(1, "gone");
    log.spawn(2, "busy");
    log.wrap(2);
    let runs = log.write(&log.busy, 1, TaskEvent::Running { tid: tid(1) });
    // As if the process had been killed before it let the row go.
    log.row(1, site_of, TaskState::Running, runs);
    log.write(&log.busy, 2, TaskEvent::Done { tid: tid(1) });
    let stats = log.stats();
    let gone = site(&stats, "gone");
    assert_eq!((number(&gone["tasks"]), number(&gone["ticks"])), (1, 1));
    let still = &stats["longest_ticks"].as_array().expect("a list")[..];
    assert!(
        still.iter().all(|tick| tick["is_going_on"] == false),
        "{stats}"
    );
}

#[test]
fn the_workers_of_a_share_are_those_that_the_log_names() {
    let log = written();
    let guest = log.pal.lease(RingOwner::External);
    let (site_of, parent) = (log.pal.site("a.rs", 1, 1, Some("root")), None);
    let root = tid(1);
    log.write(
        &guest,
        0,
        TaskEvent::Spawned {
            tid: root,
            parent,
            site: site_of,
        },
    );
    log.write(&guest, 1, TaskEvent::Running { tid: root });
    log.write(&guest, 2, TaskEvent::Done { tid: root });
    log.spawn(2, "stuck");
    log.write(&log.busy, 1, TaskEvent::Running { tid: tid(2) });
    log.pal.close();
    // The other worker never ran a task, and the guest is none.
    let stats = log.stats();
    assert_eq!(stats["workers"], 2);
    assert_eq!(site(&stats, "root")["workers_percent"], 0.0);
    assert!(number(&site(&stats, "root")["run_ns"]["sum"]) > 0);
    let share = site(&stats, "stuck")["workers_percent"].as_f64();
    assert!(share > Some(0.0) && share <= Some(50.0), "{share:?}");
}
