//! What `glasshouse stats` says of ticks that are too long, and of spawns that were refused.

use crate::place::{Place, until};
use crate::program::Program;
use glasshouse_pal::spill::{Settings, Spiller};
use glasshouse_pal::{
    Clock, LossCause, Pal, RingOwner, SiteId, TaskEvent, TaskId, TaskState, WakeSource,
};
use glasshouse_scheduler::task;
use serde_json::Value;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A program whose one worker is held by the first tick of `hog`, and that has room for no other task.
fn held() -> (Program, Arc<AtomicBool>, u64) {
    let program = Program::with(1, |builder| {
        builder
            .capacity(1)
            .stall_threshold(Duration::from_millis(20))
    });
    let release = Arc::new(AtomicBool::new(false));
    let released = Arc::clone(&release);
    let hog = program.spawn("hog", async move {
        while !released.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        // Its quantum is over.
        task::yield_now().await;
    });
    let refused = program.spawn("refused", async {});
    assert!(refused.is_finished());
    (program, release, hog.id().number())
}

fn stats(program: &Program) -> Value {
    let mut stats = program.place.json(&["stats", "run.pal", "--json"]);
    stats.remove(0)
}

#[test]
fn a_tick_that_holds_its_worker_is_told_while_it_does_and_a_refused_spawn_where_it_was_asked_for() {
    let (program, release, hog) = held();
    until("a stall", || stats(&program)["stalls_total"] != 0);
    let told = stats(&program);
    let stall = &told["stalls"][0];
    assert_eq!((&stall["task"], &stall["worker"]), (&hog.into(), &0.into()));
    assert_eq!(stall["name"], "hog");
    assert!(stall["busy_ns"].as_u64() >= Some(20_000_000), "{stall}");
    let longest = &told["longest_ticks"][0];
    assert_eq!(
        (&longest["task"], &longest["is_going_on"]),
        (&hog.into(), &true.into())
    );
    assert!(longest["run_ns"].as_u64() >= Some(20_000_000), "{longest}");
    let denied = &told["denials"][0];
    assert_eq!(
        (&denied["name"], &denied["capacity"]),
        (&"refused".into(), &1.into())
    );
    assert_eq!(
        (&denied["count"], &told["denials_total"]),
        (&1.into(), &1.into())
    );
    assert_eq!(told["throttles"], 0);

    release.store(true, Ordering::Relaxed);
    until("its end", || program.live_tasks() == 0);
    assert_eq!(stats(&program)["throttles"], 1);
    let plain = program.place.run(&["stats", "run.pal"]).out;
    for line in ["throttles: 1: hog 1", "refused spawns: 1"] {
        assert!(plain.lines().any(|told| told == line), "{line} in {plain}");
    }
    let stalled = plain
        .lines()
        .find(|line| line.contains(" had held worker 0 for "));
    assert!(
        stalled.expect(&plain).contains(&format!("#{hog} hog ")),
        "{plain}"
    );
    assert!(plain.contains("\nlongest ticks\n"), "{plain}");
}

#[test]
fn where_a_task_was_spawned_is_told_by_the_row_that_only_an_older_segment_noted() {
    let place = Place::new();
    let pal = Pal::memory();
    let nano = Duration::from_nanos(1);
    let settings = Settings {
        segment_age: nano,
        flush: nano,
        ..Settings::new(place.path("spill"))
    };
    let mut spiller = Spiller::new(&pal, settings).expect("a place");
    let dir = spiller.path().to_owned();
    let ring = pal.lease(RingOwner::Worker(0));
    // What there is at one step is written by the next, whose segment is closed by the one after.
    let mut write = |aux: u8, event: TaskEvent| {
        assert!(ring.write(pal.clock().now(), aux, &event));
        let _ = (spiller.step(), spiller.step(), spiller.step());
    };
    let tid = TaskId::new(1).expect("in range");
    let (site, parent) = (pal.site("a.rs", 1, 1, Some("long")), None);
    let slot = pal.table().take_shared().expect("room");
    let row = pal.table().slot(slot);
    let since = pal.clock().now();
    row.publish(tid, site, parent, TaskState::Scheduled, since);
    write(0, TaskEvent::Spawned { tid, parent, site });
    let first = std::fs::read_dir(dir).expect("there");
    let first: Vec<_> = first.map(|entry| entry.expect("listed").path()).collect();
    write(1, TaskEvent::Running { tid });
    row.clear();
    pal.table().give_back_shared(slot);
    write(2, TaskEvent::Done { tid });
    let _ = spiller.finish();
    // As a bound on them all would have it.
    for segment in first {
        std::fs::remove_file(segment).expect("removed");
    }
    let sites = &place.json(&["stats", "spill", "--json"])[0]["sites"];
    let [site] = &sites.as_array().expect("a list")[..] else {
        panic!("one site: {sites}");
    };
    assert_eq!(
        (&site["name"], &site["site"]),
        (&"long".into(), &"a.rs:1:1".into())
    );
}

#[test]
fn a_share_of_the_workers_time_is_of_the_time_that_the_records_cover() {
    let place = Place::new();
    // Its stamps are nanoseconds.
    let pal = Pal::memory_with(Clock::monotonic());
    let mut spiller = Spiller::new(&pal, Settings::new(place.path("spill"))).expect("a place");
    let ring = pal.lease(RingOwner::Worker(0));
    let write = |aux: u8, event: TaskEvent| {
        assert!(ring.write(pal.clock().now(), aux, &event));
    };
    let [tid, noise] = [1, 2].map(|number| TaskId::new(number).expect("in range"));
    let (site, parent, by) = (pal.site("a.rs", 1, 1, None), None, WakeSource::Timer);
    write(0, TaskEvent::Spawned { tid, parent, site });
    write(1, TaskEvent::Running { tid });
    write(2, TaskEvent::Yield { tid, by });
    let _ = (spiller.step(), spiller.step());
    // More than the ring holds, so that they are gone when the spiller comes by.
    for aux in 0..200_000 {
        write(aux as u8, TaskEvent::Running { tid: noise });
    }
    assert!(spiller.step().left_out > 0);
    write(3, TaskEvent::Running { tid });
    write(4, TaskEvent::Done { tid });
    let _ = spiller.finish();
    let stats = &place.json(&["stats", "spill", "--json"])[0];
    let number = |value: &Value| value.as_u64().expect("a number");
    let gaps = stats["lost"]["gaps"].as_array().expect("gaps").iter();
    let in_gaps: u64 = gaps
        .map(|gap| number(&gap["to"]) - number(&gap["from"]))
        .sum();
    assert!(in_gaps > 0, "{}", stats["lost"]);
    let covered = number(&stats["retained_ns"]) - in_gaps;
    let sites = stats["sites"].as_array().expect("a list").iter();
    for site in sites {
        let ran = number(&site["run_ns"]["sum"]) as f64;
        let told = site["workers_percent"].as_f64().expect("a share");
        // What JSON is read as may differ in the last digit.
        let off = told - ran * 100.0 / covered as f64;
        assert!(off.abs() < 1e-9, "{off} in {stats}");
    }
}

#[test]
fn a_task_whose_end_found_no_ring_is_not_taken_for_one_that_waits_to_this_day() {
    let place = Place::new();
    let path = place.path("dead.pal");
    let pal = Pal::create(&path, 1).expect("room for a log");
    let ring = pal.lease(RingOwner::Worker(0));
    let tid = |number| TaskId::new(number).expect("in range");
    let begun = pal.clock().now();
    // Both were woken, and only the second has a row still.
    for number in [1, 2] {
        let (tid, by) = (tid(number), WakeSource::External);
        ring.write(begun, 3, &TaskEvent::Wake { tid, by });
        (0..5).for_each(|_| pal.count_loss(LossCause::NoRing));
    }
    let slot = pal.table().take_shared().expect("room");
    let (state, site) = (TaskState::Scheduled, SiteId::UNKNOWN);
    pal.table()
        .slot(slot)
        .publish(tid(2), site, None, state, begun);
    let tid = tid(3);
    ring.write(begun + 1_000_000, 0, &TaskEvent::Done { tid });
    drop((ring, pal));
    // No process of its number began then: it has ended.
    let file = File::options().write(true).open(&path).expect("opened");
    file.write_all_at(&u64::MAX.to_ne_bytes(), 56)
        .expect("written");

    let told = place.json(&["stats", "dead.pal", "--json"]).remove(0);
    let ready = told["sites"].as_array().expect("a list");
    let spans: Vec<_> = ready.iter().map(|site| &site["ready_ns"]).collect();
    let longest = spans.iter().filter_map(|span| span["max"].as_u64()).max();
    let sum: u64 = spans.iter().filter_map(|span| span["sum"].as_u64()).sum();
    assert_eq!(Some(sum), longest, "one task is ready still: {told}");
}

#[test]
fn what_tasks_ran_is_summed_up_whatever_their_stamps_say() {
    let place = Place::new();
    let log = Pal::builder().file(place.path("run.pal")).workers(1);
    let pal = log.build().expect("room for a log");
    let ring = pal.lease(RingOwner::Worker(0));
    let (site, parent) = (pal.site("a.rs", 1, 1, Some("old")), None);
    let tasks = [1, 2, 3].map(|number| TaskId::new(number).expect("in range"));
    let now = pal.clock().now();
    for tid in tasks {
        assert!(ring.write(now, 0, &TaskEvent::Spawned { tid, parent, site }));
        assert!(ring.write(now, 1, &TaskEvent::Running { tid }));
    }
    for tid in tasks {
        assert!(ring.write(u64::MAX - 2, 2, &TaskEvent::Done { tid }));
    }
    let told = &place.json(&["stats", "run.pal", "--json"])[0]["sites"][0];
    // One worker cannot have run three tasks at once; this is what the log says.
    let percent = told["workers_percent"].as_f64().expect("a number");
    assert!((299.0..=300.1).contains(&percent), "{told}");
}

/// More than begin before a fold gives up what was last seen before a gap.
const BRIEF_TASKS: u64 = 66_000;

#[test]
fn the_ticks_of_a_task_that_lives_on_behind_a_gap_and_many_others_are_its_spawn_site_s() {
    let place = Place::new();
    let log = Pal::builder().file(place.path("run.pal")).workers(1);
    // The smallest there is: it holds 2048 records.
    let pal = log.ring_bytes(64 << 10).build().expect("room for a log");
    let mut spiller = Spiller::new(&pal, Settings::new(place.path("spill"))).expect("a place");
    let ring = pal.lease(RingOwner::Worker(0));
    let write = |aux: u8, event: TaskEvent| {
        assert!(ring.write(pal.clock().now(), aux, &event));
    };
    let spawn = |number, name| {
        let tid = TaskId::new(number).expect("in range");
        let (site, parent) = (pal.site("a.rs", 1, 1, Some(name)), None);
        write(0, TaskEvent::Spawned { tid, parent, site });
        tid
    };
    let long = spawn(1, "long");
    write(1, TaskEvent::Running { tid: long });
    write(2, TaskEvent::Wait { tid: long });
    // What was there before the step before is settled.
    let _ = (spiller.step(), spiller.step());
    let noise = spawn(2, "noise");
    for aux in 1..4096 {
        write(aux as u8, TaskEvent::Running { tid: noise });
    }
    assert!(spiller.step().left_out > 0);
    for number in 3..BRIEF_TASKS {
        let tid = spawn(number, "brief");
        write(1, TaskEvent::Running { tid });
        write(2, TaskEvent::Done { tid });
        if number % 300 == 0 {
            assert_eq!(spiller.step().left_out, 0);
        }
    }
    let by = WakeSource::External;
    write(3, TaskEvent::Wake { tid: long, by });
    write(4, TaskEvent::Running { tid: long });
    write(5, TaskEvent::Done { tid: long });
    let _ = spiller.finish();
    let sites = &place.json(&["stats", "spill", "--json"])[0]["sites"];
    let sites = sites.as_array().expect("a list").iter();
    let told = |name: &str| {
        let mut of = sites.clone().filter(|site| site["name"] == name);
        let site = of.next().expect(name);
        assert!(of.next().is_none(), "{name}");
        (site["tasks"].as_u64(), site["ticks"].as_u64())
    };
    assert_eq!(told("long"), (Some(1), Some(2)));
    assert_eq!(
        told("brief"),
        (Some(BRIEF_TASKS - 3), Some(BRIEF_TASKS - 3))
    );
}
