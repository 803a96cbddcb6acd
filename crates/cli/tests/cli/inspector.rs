//! What the inspector says of the log of a run.

use crate::place::Place;
use serde_json::Value;
use std::collections::HashMap;

const FLOW: &str = r#"
    [lanes.one]
    limit = 1

    [[node]]
    name = "a"
    lane = "one"
    run = "echo a; sleep 0.05"

    [[node]]
    name = "b"
    lane = "one"
    run = "echo b"

    [[node]]
    name = "c"
    run = "exit 4"
    retries = 1
    backoff = "20ms"
"#;

fn with_log() -> Place {
    let place = Place::new();
    // On one worker the first node is the first to ask for the lane.
    let ended = place.run_flow(FLOW, &["--workers", "1"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    place
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn number(value: &Value, key: &str) -> u64 {
    value[key]
        .as_u64()
        .unwrap_or_else(|| panic!("{key} in {value}"))
}

#[test]
fn every_record_has_its_ring_its_time_and_its_task() {
    let place = with_log();
    let records = place.json(&["log", "run.pal", "--json"]);
    assert!(records.len() > 50, "{}", records.len());
    let mut last_at = 0;
    let mut seqs: HashMap<String, Vec<u64>> = HashMap::new();
    for record in &records {
        let at = number(record, "at_ns");
        assert!(at >= last_at, "in the order of time");
        last_at = at;
        let ring = &record["worker"];
        assert!(
            ring.is_u64() || text(record, "worker").starts_with("ext"),
            "{record}"
        );
        seqs.entry(ring.to_string())
            .or_default()
            .push(number(record, "seq"));
        let wall: jiff::Timestamp = text(record, "wall").parse().expect("RFC 3339");
        assert!(text(record, "wall").ends_with('Z') && wall <= jiff::Timestamp::now());
    }
    for seqs in seqs.values_mut() {
        seqs.sort_unstable();
        assert_eq!(seqs[0], 1);
        seqs.dedup();
    }
    let of = |event: &str, name: &str| {
        let found = records
            .iter()
            .find(|r| text(r, "event") == event && text(r, "name") == name);
        found.unwrap_or_else(|| panic!("{event} of {name}"))
    };
    assert!(text(of("spawned", "node:a"), "site").contains("src/run.rs:"));
    assert_eq!(text(of("io_wait", "pty:a"), "interest"), "read");
    assert_eq!(text(of("lane_wait", "node:b"), "lane"), "one");
    // Less what had passed of it when it was armed.
    let dur_ns = number(of("sleep", "node:c"), "dur_ns");
    assert!((1..=20_000_000).contains(&dur_ns), "{dur_ns}");
    assert_eq!(text(of("wake", "node:b"), "by"), "lane");
}

#[test]
fn records_can_be_asked_for_by_task_kind_and_time() {
    let place = with_log();
    let all = place.json(&["log", "run.pal", "--json"]);
    let of_b = all
        .iter()
        .find(|record| text(record, "name") == "node:b")
        .expect("b");
    let task = number(of_b, "task");
    let asked = place.json(&["log", "run.pal", "--json", "--task", &task.to_string()]);
    let same: Vec<&Value> = all.iter().filter(|record| record["task"] == task).collect();
    assert_eq!(asked.iter().collect::<Vec<_>>(), same);

    let asked = place.json(&["log", "run.pal", "--json", "--kind", "spawned"]);
    assert!(
        asked.len() >= 8
            && asked
                .iter()
                .all(|record| text(record, "event") == "spawned")
    );

    let newest = number(all.last().expect("a last"), "at_ns");
    let asked = place.json(&["log", "run.pal", "--json", "--since", "10ms"]);
    let late = |record: &&Value| number(record, "at_ns") >= newest - 10_000_000;
    assert_eq!(asked.len(), all.iter().filter(late).count());
    assert!(asked.len() < all.len());

    let unknown = place.run(&["log", "run.pal", "--kind", "waltz"]);
    let line = unknown.refusal();
    assert!(
        line.contains("no event is of kind `waltz`; the log knows "),
        "{line}"
    );
    assert!(line.contains("lane_wait, "), "{line}");
}

#[test]
fn plain_records_are_one_line_each_and_what_is_retained_stands_beside() {
    let place = with_log();
    let plain = place.run(&["log", "run.pal"]);
    assert_eq!(plain.code, Some(0));
    assert!(!plain.out.contains('\x1b'));
    assert_eq!(
        plain.out.lines().count(),
        place.json(&["log", "run.pal", "--json"]).len()
    );
    assert!(
        plain.err.starts_with("run.pal: retained: all of "),
        "{}",
        plain.err
    );
    assert!(plain.err.ends_with("; lost: nothing\n"), "{}", plain.err);
    let sleeps = plain
        .out
        .lines()
        .any(|line| line.contains("node:c") && line.contains(" sleep dur="));
    assert!(sleeps, "{}", plain.out);
}

#[test]
fn stats_account_for_every_tick_and_every_task() {
    let place = with_log();
    let stats = &place.json(&["stats", "run.pal", "--json"])[0];
    assert_eq!(
        (number(stats, "format"), text(stats, "log")),
        (1, "run.pal")
    );
    assert_eq!(number(&stats["lost"], "overwritten"), 0);
    let records = place.json(&["log", "run.pal", "--json"]);
    let count = |event: &str| records.iter().filter(|r| text(r, "event") == event).count() as u64;
    let sites = stats["sites"].as_array().expect("a list");
    let sum = |key: &str| sites.iter().map(|site| number(site, key)).sum::<u64>();
    assert_eq!(
        (sum("tasks"), sum("ticks")),
        (count("spawned"), count("running"))
    );
    let of = |name: &str| {
        sites
            .iter()
            .find(|site| text(site, "name") == name)
            .expect("there")
    };
    // It slept between its two attempts and waited for nothing else that long.
    let waited = &of("node:c")["wait_ns"];
    assert!(number(waited, "max") >= 20_000_000 && number(waited, "sum") >= number(waited, "max"));
    for site in sites {
        for time in ["run_ns", "wait_ns", "ready_ns"] {
            let ranks = ["p50", "p90", "p99", "max"].map(|rank| site[time][rank].as_u64());
            assert!(ranks.is_sorted(), "{site}");
        }
    }
    let plain = place.run(&["stats", "run.pal"]);
    assert_eq!((plain.code, plain.err.as_str()), (Some(0), ""));
    assert!(
        plain.out.starts_with("run.pal\nretained: all of "),
        "{}",
        plain.out
    );
    assert!(plain.out.contains("node:a"));
}

#[test]
fn a_log_s_times_add_up_to_its_lives() {
    let place = with_log();
    let records = place.json(&["log", "run.pal", "--json"]);
    let mut lives: HashMap<u64, (u64, u64)> = HashMap::new();
    for record in records.iter().filter(|record| record["task"].is_u64()) {
        // What is said of a task beside its life is no end of it.
        let is_edge = ["spawned", "done", "failed"].contains(&text(record, "event"));
        if is_edge {
            let at = number(record, "at_ns");
            lives.entry(number(record, "task")).or_insert((at, at)).1 = at;
        }
    }
    let lived: u64 = lives.values().map(|(from, to)| to - from).sum();
    let stats = &place.json(&["stats", "run.pal", "--json"])[0];
    let sites = stats["sites"].as_array().expect("a list");
    let times = sites
        .iter()
        .flat_map(|site| ["run_ns", "wait_ns", "ready_ns"].map(|t| number(&site[t], "sum")));
    let spent: u64 = times.sum();
    // Each sample is rounded down to whole nanoseconds by itself.
    let samples = 3 * records.len() as u64;
    assert!(
        spent <= lived + samples && lived <= spent + samples,
        "{spent} of {lived}"
    );
}

#[test]
fn verify_says_what_it_checked() {
    let place = with_log();
    let verified = place.run(&["verify", "run.pal"]);
    assert_eq!((verified.code, verified.err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = verified.out.lines().collect();
    assert_eq!(lines[0], "run.pal: holds");
    assert!(lines[1].starts_with("checked: "), "{}", lines[1]);
    assert_eq!(
        lines[2],
        "strictness: nobody was writing, so everything must agree"
    );
    assert!(lines[3].starts_with("retained: all of "), "{}", lines[3]);
    let verdict = &place.json(&["verify", "run.pal", "--json"])[0];
    assert_eq!(
        (&verdict["holds"], text(verdict, "rest")),
        (&Value::Bool(true), "at_rest")
    );
    assert_eq!(number(verdict, "tasks"), number(verdict, "ended"));
}
