//! What is said of one task that ended where its last records found no ring.

use crate::place::Place;
use glasshouse_pal::{LossCause, Pal, RingOwner, SiteId, TaskEvent, TaskId, TaskState, WakeSource};
use serde_json::Value;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// The log of a process that has ended, in `dead.pal`. Tasks 1 and 2 wait by their records, and only the second had not
/// ended by the task table.
fn dead() -> Place {
    let place = Place::new();
    let path = place.path("dead.pal");
    let pal = Pal::create(&path, 1).expect("room for a log");
    let ring = pal.lease(RingOwner::Worker(0));
    let tid = |number| TaskId::new(number).expect("in range");
    let begun = pal.clock().now();
    let (site, parent) = (SiteId::UNKNOWN, None);
    for tid in [1, 2].map(tid) {
        ring.write(begun, 0, &TaskEvent::Spawned { tid, parent, site });
        ring.write(begun + 1_000, 1, &TaskEvent::Running { tid });
        ring.write(begun + 2_000, 2, &TaskEvent::Wait { tid });
        (0..3).for_each(|_| pal.count_loss(LossCause::NoRing));
    }
    let slot = pal.table().take_shared().expect("room");
    let (state, since) = (TaskState::Waiting, begun + 2_000);
    (pal.table().slot(slot)).publish(tid(2), site, parent, state, since);
    let (tid, by) = (tid(3), WakeSource::External);
    ring.write(begun + 1_000_000, 0, &TaskEvent::Wake { tid, by });
    drop((ring, pal));
    // No process of its number began then: it has ended.
    let file = File::options().write(true).open(&path).expect("opened");
    file.write_all_at(&u64::MAX.to_ne_bytes(), 56)
        .expect("written");
    place
}

const UNSEEN: &str = "\nit has ended by the task table: its last records found no ring";

#[test]
fn task_does_not_tell_who_ended_unseen_to_live() {
    let place = dead();
    let told = |task| place.run(&["task", "dead.pal", task]).out;
    let state = |told: &str| {
        let line = told.lines().find(|line| line.contains(" waiting "));
        line.map(str::to_owned).unwrap_or_else(|| panic!("{told}"))
    };
    let (ended, lives) = (told("1"), told("2"));
    assert!(state(&ended).ends_with('?'), "{ended}");
    assert!(ended.contains(UNSEEN), "{ended}");
    assert!(state(&lives).ends_with('+'), "{lives}");
    assert!(!lives.contains(UNSEEN), "{lives}");
    let json = |task| place.json(&["task", "dead.pal", task, "--json"]);
    let of = |lines: Vec<Value>| {
        let [.., last, whole] = &lines[..] else {
            panic!("a life: {lines:?}");
        };
        let is_going_on = last["is_going_on"] == true;
        let waits = whole["wait_ns"].as_u64().expect("a time") > 0;
        (
            whole["state"].clone(),
            whole["has_ended_unseen"].clone(),
            is_going_on,
            waits,
        )
    };
    assert_eq!(of(json("1")), (Value::Null, true.into(), false, false));
    assert_eq!(of(json("2")), ("waiting".into(), false.into(), true, true));
}

#[test]
fn why_tells_of_who_ended_unseen_the_time_up_to_its_last_record() {
    let place = dead();
    let told = |task| place.run(&["why", "dead.pal", task]).out;
    let (ended, lives) = (told("1"), told("2"));
    assert!(ended.contains("; last seen waiting\n"), "{ended}");
    assert!(ended.contains(UNSEEN), "{ended}");
    assert!(!ended.contains("what it waits for"), "{ended}");
    assert!(lives.contains("; still waiting\n"), "{lives}");
    assert!(lives.contains("\nwhat it waits for\n"), "{lives}");
    let json = |task| place.json(&["why", "dead.pal", task, "--json"]).remove(0);
    let (ended, lives) = (json("1"), json("2"));
    let is_unseen = |told: &Value| (told["state"].clone(), told["has_ended_unseen"].clone());
    assert_eq!(is_unseen(&ended), (Value::Null, true.into()));
    assert_eq!(is_unseen(&lives), ("waiting".into(), false.into()));
    assert_eq!(ended["waits"], Value::Null);
    let at = |told: &Value, key: &str| told[key].as_u64().expect("a time");
    assert!(at(&ended, "to_at_ns") < at(&lives, "to_at_ns"));
    let parts = ended["parts"].as_array().expect("parts").iter();
    let sum: u64 = parts.filter_map(|part| part["ns"].as_u64()).sum();
    assert_eq!(sum, at(&ended, "to_at_ns") - at(&ended, "from_at_ns"));
}
