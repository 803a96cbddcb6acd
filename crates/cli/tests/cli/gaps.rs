//! What commands say of segments with a gap.

use crate::place::Place;
use glasshouse_lanes::LANE_ACQUIRED;
use glasshouse_pal::reader::Log;
use glasshouse_pal::spill::{Settings, Spiller};
use glasshouse_pal::{
    DomainEvent, Pal, RingOwner, SiteId, TaskEvent, TaskId, TaskState, Value as Word, WakeSource,
};
use serde_json::Value;
use std::time::Duration;

/// The smallest there is: it holds 2048 records.
const RING_BYTES: usize = 64 << 10;

/// A place with segments, in `spill`. Task 1 waits across the gap, and task 2 was last seen before it, as it ran; so was
/// task 4, which was ready and on a lane.
fn with_gap() -> Place {
    let place = Place::new();
    let log = Pal::builder().file(place.path("run.pal")).workers(1);
    let pal = log.ring_bytes(RING_BYTES).build().expect("room for a log");
    let settings = Settings::new(place.path("spill"));
    let mut spiller = Spiller::new(&pal, settings).expect("a place");
    let ring = pal.lease(RingOwner::Worker(0));
    let write = |aux: u8, event: TaskEvent| {
        assert!(ring.write(pal.clock().now(), aux, &event));
    };
    let tasks = [1, 2, 3, 4].map(|number| TaskId::new(number).expect("in range"));
    let [one, two, noise, ready] = tasks;
    let site = pal.site("src/main.rs", 7, 5, Some("late"));
    for tid in [one, two] {
        let parent = None;
        write(0, TaskEvent::Spawned { tid, parent, site });
        write(1, TaskEvent::Running { tid });
        if tid == one {
            write(2, TaskEvent::Wait { tid });
        }
    }
    // The fourth waits for a worker, with a permit in its hands.
    let (parent, tid) = (None, ready);
    write(0, TaskEvent::Spawned { tid, parent, site });
    let lane = Word::Text(pal.text("cpu"));
    let permit = DomainEvent::new(&LANE_ACQUIRED, &[lane, Word::Ns(0), Word::U64(2)]);
    assert!(ring.write_domain(pal.clock().now(), &permit.about(tid)));
    // What was there before the step before is settled.
    for _ in 0..2 {
        assert_eq!(spiller.step().left_out, 0);
    }
    for aux in 0..4096 {
        write(aux as u8, TaskEvent::Running { tid: noise });
    }
    assert!(spiller.step().left_out > 0);
    let by = WakeSource::External;
    write(3, TaskEvent::Wake { tid: one, by });
    write(4, TaskEvent::Running { tid: one });
    write(5, TaskEvent::Done { tid: one });
    let _ = spiller.step();
    // The log goes on for a while.
    write(0, TaskEvent::ShutdownComplete { clean: true });
    let _ = spiller.finish();
    place
}

#[test]
fn a_log_with_a_gap_is_not_told_to_retain_all() {
    let place = with_gap();
    let told = place.run(&["stats", "spill"]).out;
    let line = told.lines().nth(1).expect("a line");
    let (retained, lost) = line.split_once(", with a gap; lost: ").expect(line);
    assert!(retained.starts_with("retained: "), "{line}");
    assert!(!retained.contains("all"), "{line}");
    assert!(lost.contains(" records in 1 gap ("), "{line}");
}

fn parts_ns(told: &Value) -> u64 {
    let parts = told["parts"].as_array().expect("parts").iter();
    parts.filter_map(|part| part["ns"].as_u64()).sum()
}

#[test]
fn why_tells_the_time_of_the_gap_as_not_in_the_log() {
    let place = with_gap();
    let told = &place.json(&["why", "spill", "1", "--json"])[0];
    let at = |key: &str| told[key].as_u64().expect(key);
    assert_eq!(parts_ns(told), at("to_at_ns") - at("from_at_ns"));
    assert_eq!(
        (&told["state"], &told["ends_in_gap"]),
        (&"done".into(), &false.into())
    );
    let parts = told["parts"].as_array().expect("parts");
    let part = |what: &str| parts.iter().find(|part| part["what"] == what);
    assert_eq!(part("waiting").expect("a kind")["ns"], 0);
    assert!(part("unrecorded").expect("a kind")["ns"].as_u64() > Some(0));
    let own = told["path"][0]["own"].as_array().expect("a path");
    let kinds: Vec<&str> = own.iter().filter_map(|own| own["what"].as_str()).collect();
    assert!(kinds.contains(&"unrecorded"), "{kinds:?}");
    assert!(!kinds.contains(&"waiting"), "{kinds:?}");
}

#[test]
fn a_task_that_was_last_seen_before_the_gap_is_not_told_to_go_on() {
    let place = with_gap();
    let why = place.run(&["why", "spill", "2"]);
    assert!(why.out.contains("; last seen running\n"), "{}", why.out);
    assert!(
        why.out
            .contains("\nhow it went on is not in the log: a gap lies behind"),
        "{}",
        why.out
    );
    let told = &place.json(&["why", "spill", "2", "--json"])[0];
    assert_eq!(
        (&told["state"], &told["ends_in_gap"]),
        (&Value::Null, &true.into())
    );
    let task = place.run(&["task", "spill", "2"]);
    let line = task.out.lines().find(|line| line.contains(" running "));
    assert!(line.expect(&task.out).ends_with('?'), "{}", task.out);
    let lines = place.json(&["task", "spill", "2", "--json"]);
    let (whole, states) = lines.split_last().expect("a life");
    assert_eq!(
        (&whole["state"], &whole["run_ns"]),
        (&Value::Null, &0.into())
    );
    let last = states.last().expect("a state");
    assert_eq!(
        (&last["lasted_ns"], &last["is_going_on"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn task_counts_the_gap_as_unrecorded() {
    let place = with_gap();
    let lines = place.json(&["task", "spill", "1", "--json"]);
    let (whole, states) = lines.split_last().expect("a life");
    let began = |state: &Value| state["at_ns"].as_u64().expect("a time");
    let waits = states.iter().position(|state| state["state"] == "waiting");
    let waits = waits.expect("its last state before the gap");
    let gap = began(&states[waits + 1]) - began(&states[waits]);
    let unrecorded = whole["unrecorded_ns"].as_u64().expect("a gap");
    // Both ends are cut to a nanosecond, and the span by itself.
    assert!(unrecorded.abs_diff(gap) <= 1, "{gap} in {whole}");
    assert_eq!(whole["wait_ns"], 0);
    let told = place.run(&["task", "spill", "1"]).out;
    assert!(told.contains("\n  unrecorded "), "{told}");
}

#[test]
fn an_export_has_no_tick_that_lasts_across_the_gap() {
    let place = with_gap();
    let told = place.run(&["export", "spill", "--format", "chrome"]);
    let trace: Value = serde_json::from_str(&told.out).expect("one JSON object");
    let events = trace["traceEvents"].as_array().expect("events");
    let slices = events.iter().filter(|event| event["ph"] == "X");
    let tasks: Vec<&Value> = slices.map(|slice| &slice["args"]["task"]).collect();
    // Each of its ticks has both ends on one side.
    assert_eq!(
        tasks
            .iter()
            .filter(|task| **task == &Value::from(1))
            .count(),
        2
    );
    assert!(!tasks.contains(&&Value::from(2)), "{tasks:?}");
}

#[test]
fn what_an_export_counts_ends_where_a_gap_begins() {
    let place = with_gap();
    let log = Log::open(&place.path("spill")).expect("readable");
    let told = place.run(&["export", "spill", "--format", "chrome"]);
    let trace: Value = serde_json::from_str(&told.out).expect("one JSON object");
    let events = trace["traceEvents"].as_array().expect("events");
    let counts = |name: &str, of: &str| -> Vec<(u64, u64)> {
        let of_name = events.iter().filter(|event| event["name"] == name);
        let counts = of_name.filter(|event| event["ph"] == "C").map(|count| {
            let at_ns = (count["ts"].as_f64().expect("a time") * 1000.0).round() as u64;
            (at_ns, count["args"][of].as_u64().expect("a count"))
        });
        counts.collect()
    };
    let begins = log.at_ns(log.loss().gaps[0].from);
    let (ready, lane) = (counts("ready", "tasks"), counts("lane cpu", "held"));
    let numbers = |counts: &[(u64, u64)]| counts.iter().map(|count| count.1).collect::<Vec<_>>();
    // Two run before the third, and one behind the gap.
    assert_eq!(numbers(&ready), [1, 0, 1, 0, 1, 0, 1, 0]);
    assert_eq!(numbers(&lane), [1, 0]);
    assert_eq!((ready[5].0, lane[1].0), (begins, begins));
    assert!(ready.is_sorted_by_key(|count| count.0), "{ready:?}");
}

/// A place with segments, in `spill`, of a spiller that was killed behind a gap and had noted rows before it: of task 1,
/// which waited and ended in the gap, and of task 5, of which there is no record. Task 2 began behind the gap, and joins
/// the first.
fn killed_behind_a_gap() -> Place {
    let place = Place::new();
    let log = Pal::builder().file(place.path("run.pal")).workers(1);
    let pal = log.ring_bytes(RING_BYTES).build().expect("room for a log");
    let mut spiller = Spiller::new(
        &pal,
        Settings {
            flush: Duration::from_nanos(1),
            ..Settings::new(place.path("spill"))
        },
    )
    .expect("a place");
    let ring = pal.lease(RingOwner::Worker(0));
    let write = |aux: u8, event: TaskEvent| {
        let now = pal.clock().now();
        assert!(ring.write(now, aux, &event));
        now
    };
    let [waits, joins, noise, sleeps] =
        [1, 2, 3, 5].map(|number| TaskId::new(number).expect("in range"));
    let site = pal.site("src/main.rs", 7, 5, Some("late"));
    let begin = |tid| {
        let parent = None;
        write(0, TaskEvent::Spawned { tid, parent, site });
        write(1, TaskEvent::Running { tid })
    };
    let row = |tid, state, since| {
        let slot = pal.table().take_shared().expect("room");
        let row = pal.table().slot(slot);
        row.publish(tid, SiteId::UNKNOWN, None, state, since);
        slot
    };
    row(sleeps, TaskState::Sleeping, begin(waits));
    let since = write(2, TaskEvent::Wait { tid: waits });
    let slot = row(waits, TaskState::Waiting, since);
    for _ in 0..2 {
        assert_eq!(spiller.step().left_out, 0);
    }
    let (tid, by) = (waits, WakeSource::External);
    write(3, TaskEvent::Wake { tid, by });
    write(4, TaskEvent::Running { tid });
    write(5, TaskEvent::Done { tid });
    pal.table().slot(slot).clear();
    for aux in 0..4096 {
        write(aux as u8, TaskEvent::Running { tid: noise });
    }
    assert!(spiller.step().left_out > 0);
    begin(joins);
    write(
        2,
        TaskEvent::JoinWait {
            tid: joins,
            on: waits,
        },
    );
    for _ in 0..2 {
        assert_eq!(spiller.step().left_out, 0);
    }
    // It never comes to its end.
    drop(spiller);
    place
}

#[test]
fn why_tells_no_wait_that_was_noted_before_a_gap() {
    let place = killed_behind_a_gap();
    let told = place.run(&["why", "spill"]).out;
    assert!(told.contains(" 1 run, 0 are ready, 1 wait\n"), "{told}");
    let unseen = "\nwhat became of 2 more is not known: a gap lies behind the last";
    assert!(told.contains(unseen), "{told}");
    let joins = "the end of #1 late, which was last seen before a gap\n";
    assert!(told.contains(joins), "{told}");
    let json = &place.json(&["why", "spill", "--json"])[0];
    assert_eq!(
        (&json["unseen"], &json["can_any_act"]),
        (&2.into(), &true.into())
    );
    let waiting = json["waiting"].as_array().expect("waits");
    assert_eq!(waiting.len(), 1, "{json}");
    assert_eq!(
        (&waiting[0]["task"], &waiting[0]["prospect"]),
        (&2.into(), &"unknown".into())
    );
    let told = place.run(&["why", "spill", "2"]).out;
    assert!(
        told.contains("\n  what became of #1 late is not known: "),
        "{told}"
    );
}

#[test]
fn a_row_that_was_noted_before_a_gap_is_not_told_as_the_present() {
    let place = killed_behind_a_gap();
    let told = place.run(&["why", "spill", "1"]).out;
    assert!(told.contains("; last seen waiting\n"), "{told}");
    assert!(!told.contains("what it waits for"), "{told}");
    let how = "how it went on is not in the log: a gap lies behind";
    let told = place.run(&["why", "spill", "5"]).out;
    assert!(
        told.contains(&format!("\nthen it was sleeping; {how}")),
        "{told}"
    );
    let told = place.run(&["task", "spill", "5"]).out;
    assert!(
        told.contains(&format!("\nit was sleeping; {how}")),
        "{told}"
    );
    for task in ["1", "5"] {
        let why = &place.json(&["why", "spill", task, "--json"])[0];
        assert_eq!((&why["state"], &why["waits"]), (&Value::Null, &Value::Null));
        assert_eq!(why["table"]["is_before_gap"], true);
        let whole = place.json(&["task", "spill", task, "--json"]).pop();
        let whole = whole.expect("a life");
        assert_eq!(
            (&whole["state"], &whole["only_table_ns"]),
            (&Value::Null, &Value::Null)
        );
    }
}
