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
fn records_can_be_asked_for_by_name_event_lane_worker_and_window() {
    let place = with_log();
    let all = place.json(&["log", "run.pal", "--json"]);
    let asked = |args: &[&str]| place.json(&[&["log", "run.pal", "--json"], args].concat());
    let those = |is: &dyn Fn(&Value) -> bool| -> Vec<Value> {
        let those: Vec<Value> = all.iter().filter(|record| is(record)).cloned().collect();
        assert!(!those.is_empty() && those.len() < all.len());
        those
    };

    let of_b = those(&|record| text(record, "name") == "node:b");
    assert_eq!(asked(&["--name", "node:b"]), of_b);
    let of_nodes = those(&|record| text(record, "name").starts_with("node:"));
    assert_eq!(asked(&["--name", "node:*"]), of_nodes);

    let ends = those(&|record| ["done", "failed"].contains(&text(record, "event")));
    assert_eq!(asked(&["--event", "done,failed"]), ends);
    assert_eq!(asked(&["--kind", "failed", "--kind", "done"]), ends);

    let of_lane = those(&|record| text(record, "lane") == "one");
    assert_eq!(asked(&["--lane", "one"]), of_lane);
    let waits =
        those(&|record| text(record, "lane") == "one" && text(record, "event") == "lane_wait");
    assert_eq!(asked(&["--lane", "one", "--event", "lane_wait"]), waits);

    assert_eq!(
        asked(&["--worker", "0"]),
        those(&|record| record["worker"] == 0)
    );
    let by_root = those(&|record| record["worker"] == "ext0");
    assert_eq!(asked(&["--worker", "ext0"]), by_root);

    let (first, last) = (
        number(&all[0], "at_ns"),
        number(all.last().expect("one"), "at_ns"),
    );
    let middle = first.midpoint(last);
    let window = asked(&[
        "--since",
        &format!("+{}.{:09}", middle / 1_000_000_000, middle % 1_000_000_000),
        "--until",
        "5ms",
    ]);
    let within = those(&|record| (middle..=last - 5_000_000).contains(&number(record, "at_ns")));
    assert_eq!(window, within);
    let date = text(&within[0], "wall");
    let parsed = |date: &str| -> jiff::Timestamp { date.parse().expect("RFC 3339") };
    let from_date = those(&|record| parsed(text(record, "wall")) >= parsed(date));
    assert_eq!(asked(&["--since", date]), from_date);

    let unknown = place.run(&["log", "run.pal", "--worker", "400"]);
    let line = unknown.refusal();
    assert!(
        line.contains("no worker 400 has recorded; the log knows 0, "),
        "{line}"
    );
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
    // Every wait has a cause, and every tick ran within the workers' time.
    for site in sites {
        let causes = site["waits_ns"].as_object().expect("by cause");
        let by_cause: u64 = causes.values().map(|waits| number(waits, "sum")).sum();
        assert_eq!(by_cause, number(&site["wait_ns"], "sum"), "{site}");
    }
    assert!(of("node:b")["waits_ns"]["lane_wait"].is_object());
    let percent: f64 = sites
        .iter()
        .filter_map(|site| site["workers_percent"].as_f64())
        .sum();
    assert!(percent > 0.0 && percent <= 100.0, "{percent}");
    let longest = stats["longest_ticks"].as_array().expect("a list");
    assert!((1..=10).contains(&longest.len()));
    let most = sites
        .iter()
        .map(|site| number(&site["run_ns"], "max"))
        .max();
    assert_eq!(Some(number(&longest[0], "run_ns")), most);
    assert!(longest.is_sorted_by_key(|tick| std::cmp::Reverse(number(tick, "run_ns"))));
    let begun = |record: &&Value| {
        record["task"] == longest[0]["task"] && record["at_ns"] == longest[0]["at_ns"]
    };
    let begins = records.iter().filter(|r| text(r, "event") == "running");
    assert_eq!(begins.filter(begun).count(), 1, "{}", longest[0]);
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
