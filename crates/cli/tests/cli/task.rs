//! What `glasshouse task` says of one task's life.

use crate::golden::golden;
use crate::place::Place;
use serde_json::Value;

const FLOW: &str = r#"
    [[node]]
    name = "a"
    run = "sleep 0.02"
"#;

fn with_log() -> Place {
    let place = Place::new();
    let ended = place.run_flow(FLOW, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    place
}

/// The number of the task of this name.
fn task(place: &Place, name: &str) -> u64 {
    let spawns = place.json(&["log", "run.pal", "--json", "--kind", "spawned"]);
    let of_name = spawns.iter().find(|spawn| spawn["name"] == name);
    of_name
        .and_then(|spawn| spawn["task"].as_u64())
        .expect(name)
}

fn sum(states: &[Value], of: &[&str]) -> u64 {
    let of_these = states
        .iter()
        .filter(|state| of.contains(&state["state"].as_str().unwrap_or_default()));
    of_these
        .filter_map(|state| state["lasted_ns"].as_u64())
        .sum()
}

#[test]
fn the_life_of_one_task_has_every_state_with_its_duration_who_woke_it_and_its_children() {
    let place = with_log();
    let (node, pty) = (task(&place, "node:a"), task(&place, "pty:a"));
    let told = place.json(&["task", "run.pal", &node.to_string(), "--json"]);
    let (whole, states) = told.split_last().expect("a life");
    let names: Vec<&str> = states
        .iter()
        .filter_map(|state| state["state"].as_str())
        .collect();
    assert_eq!(names.first(), Some(&"scheduled"));
    assert_eq!(names.last(), Some(&"done"));
    let log = place.json(&["log", "run.pal", "--json", "--task", &node.to_string()]);
    // What each transition of the log leads into.
    let entered: Vec<&str> = log
        .iter()
        .filter_map(|record| match record["event"].as_str()? {
            "spawned" | "wake" => Some("scheduled"),
            "yield" => Some("yielded"),
            "sleep" => Some("sleeping"),
            "wait" => Some("waiting"),
            same @ ("running" | "throttled" | "io_wait" | "join_wait" | "lane_wait" | "done"
            | "failed") => Some(same),
            _ => None,
        })
        .collect();
    assert_eq!(names, entered);
    let woken = states.iter().find(|state| state["by"] == "task");
    assert_eq!(woken.expect("its command ended")["by_task"], pty);
    assert_eq!(whole["task"], node);
    assert_eq!(whole["name"], "node:a");
    assert_eq!(whole["children"], Value::from(vec![pty]));
    // Each duration is cut to a nanosecond by itself.
    let slack = states.len() as u64;
    for (whole_ns, of) in [
        ("run_ns", &["running"][..]),
        ("ready_ns", &["scheduled", "yielded", "throttled"]),
        (
            "wait_ns",
            &["waiting", "sleeping", "io_wait", "join_wait", "lane_wait"],
        ),
    ] {
        let told = whole[whole_ns].as_u64().expect(whole_ns);
        assert!(told.abs_diff(sum(states, of)) <= slack, "{whole_ns}");
    }
    let all = ["run_ns", "ready_ns", "wait_ns"].map(|key| whole[key].as_u64().unwrap_or(0));
    let at = |state: Option<&Value>| {
        state
            .and_then(|state| state["at_ns"].as_u64())
            .expect("a time")
    };
    let life = at(states.last()) - at(states.first());
    assert!(
        all.iter().sum::<u64>().abs_diff(life) <= slack,
        "{all:?} {life}"
    );
}

#[test]
fn people_are_told_the_same_in_lines() {
    let place = with_log();
    let (node, pty) = (task(&place, "node:a"), task(&place, "pty:a"));
    let told = place.run(&["task", "run.pal", &node.to_string()]);
    assert_eq!((told.code, told.err.as_str()), (Some(0), ""));
    assert!(!told.out.lines().any(|line| line.ends_with(' ')));
    let shares = told.out.lines().filter_map(|line| line.strip_suffix(" %"));
    let shares = shares.filter_map(|line| line.split(' ').next_back()?.parse::<f64>().ok());
    let tenths: f64 = shares.map(|percent| (percent * 10.0).round()).sum();
    assert_eq!(tenths, 1000.0, "{}", told.out);
    assert!(
        told.out
            .contains(&format!("by=task  by_task=#{pty}(pty:a)\n")),
        "{}",
        told.out
    );
    assert!(
        told.out.contains(&format!("\n#{node} node:a, spawned at ")),
        "{}",
        told.out
    );
    assert!(
        told.out.ends_with(&format!("\nspawned 1: #{pty}(pty:a)\n")),
        "{}",
        told.out
    );
}

/// The last line of what is told of a task of a golden log.
fn whole_of(log: &str, task: &str) -> Value {
    let log = golden(log);
    let mut told = Place::new().json(&["task", &log.to_string_lossy(), task, "--json"]);
    told.pop().expect("a life")
}

#[test]
fn of_a_task_that_ended_before_the_log_did_nothing_is_unrecorded() {
    let whole = whole_of("format-1.0-ended.pal", "2");
    assert_eq!(whole["state"], "done");
    assert_eq!(whole["unrecorded_ns"], Value::Null, "{whole}");
    let time = |key: &str| whole[key].as_u64().expect(key);
    let why = golden("format-1.0-ended.pal");
    let why = &Place::new().json(&["why", &why.to_string_lossy(), "2", "--json"])[0];
    let at = |key: &str| why[key].as_u64().expect(key);
    // Each is cut to a nanosecond by itself.
    let all = time("run_ns") + time("ready_ns") + time("wait_ns");
    assert!(
        all.abs_diff(at("to_at_ns") - at("from_at_ns")) <= 3,
        "{whole}"
    );
}

#[test]
fn a_task_that_the_log_does_not_know_is_refused_with_those_it_does() {
    let place = with_log();
    let unknown = place.run(&["task", "run.pal", "72057594037927"]);
    assert_eq!(unknown.out, "");
    let line = unknown.refusal();
    let known = "nothing is known of task 72057594037927; its records speak of tasks from 1 to ";
    assert!(line.contains(known), "{line}");
    assert!(
        place
            .run(&["task", "run.pal", "0"])
            .refusal()
            .contains("a task is a whole number")
    );
}

#[test]
fn a_task_that_ended_before_a_gap_has_ended() {
    let whole = whole_of("segments-1.0", "2");
    assert_eq!(whole["state"], "done", "{whole}");
    assert_eq!(whole["unrecorded_ns"], Value::Null, "{whole}");
}
