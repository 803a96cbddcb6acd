//! What other programs get of a log.

use crate::place::Place;
use serde_json::Value;
use std::collections::HashMap;

const FLOW: &str = r#"
    [lanes.one]
    limit = 1

    [[node]]
    name = "a"
    lane = "one"
    run = "sleep 0.01"

    [[node]]
    name = "b"
    lane = "one"
    run = "echo b"
"#;

fn with_log() -> Place {
    let place = Place::new();
    let ended = place.run_flow(FLOW, &["--workers", "2"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    place
}

fn trace(place: &Place) -> Vec<Value> {
    trace_of(place, "run.pal")
}

/// The events of this log.
pub fn trace_of(place: &Place, log: &str) -> Vec<Value> {
    let ended = place.run(&["export", log, "--format", "chrome"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let whole: Value = serde_json::from_str(&ended.out).expect("one JSON object");
    assert_eq!(whole["displayTimeUnit"], "ns");
    whole["traceEvents"].as_array().expect("events").clone()
}

/// In nanoseconds: the format has microseconds.
pub fn ns(event: &Value, key: &str) -> u64 {
    let micros = event[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} in {event}"));
    (micros * 1000.0).round() as u64
}

fn of_phase<'a>(events: &'a [Value], phase: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["ph"] == phase).collect()
}

/// Whether the event has what its phase asks for.
pub fn assert_fits_the_schema(event: &Value) {
    assert!(
        event["name"].is_string() && event["cat"].is_string(),
        "{event}"
    );
    assert!(event["pid"].is_u64() && event["tid"].is_u64(), "{event}");
    ns(event, "ts");
    match event["ph"].as_str() {
        Some("X") => {
            ns(event, "dur");
            assert!(event["args"]["task"].is_u64(), "{event}");
            let began_before = event["args"].get("began_before");
            assert!(began_before.is_none_or(|value| *value == true), "{event}");
        }
        Some("s") => assert!(event["id"].is_u64(), "{event}"),
        Some("f") => assert!(event["id"].is_u64() && event["bp"] == "e", "{event}"),
        Some("C") => {
            let values = event["args"].as_object().expect("values");
            assert!(values.values().all(Value::is_u64), "{event}");
        }
        Some("M") => assert!(event["args"].is_object(), "{event}"),
        other => panic!("{other:?} in {event}"),
    }
}

#[test]
fn every_trace_event_has_what_its_phase_asks_for() {
    let place = with_log();
    let events = trace(&place);
    events.iter().for_each(assert_fits_the_schema);
    let began_before = |event: &&Value| event["args"]["began_before"] == true;
    assert_eq!(events.iter().find(began_before), None, "all is there");
}

#[test]
fn a_track_per_worker_has_a_slice_per_tick_named_by_its_task() {
    let place = with_log();
    let events = trace(&place);
    let mut tracks: HashMap<u64, Vec<(u64, u64)>> = HashMap::new();
    for slice in of_phase(&events, "X") {
        let (begun, dur) = (ns(slice, "ts"), ns(slice, "dur"));
        let track = slice["tid"].as_u64().expect("a track");
        tracks.entry(track).or_default().push((begun, begun + dur));
    }
    for (track, slices) in &mut tracks {
        slices.sort_unstable();
        // Both ends are rounded to the nanosecond.
        let overlaps = slices.windows(2).find(|pair| pair[0].1 > pair[1].0 + 1);
        assert_eq!(overlaps, None, "of track {track}");
        let named = of_phase(&events, "M")
            .into_iter()
            .any(|event| event["name"] == "thread_name" && event["tid"] == *track);
        assert!(named, "{track}");
    }
    let ticks = place.json(&["log", "run.pal", "--json", "--kind", "running"]);
    assert_eq!(of_phase(&events, "X").len(), ticks.len());
    for name in ["node:a", "pty:b"] {
        let of_name = |of: &[&Value]| of.iter().filter(|event| event["name"] == name).count();
        let ticks: Vec<&Value> = ticks.iter().collect();
        assert!(of_name(&ticks) > 0, "{name}");
        assert_eq!(of_name(&of_phase(&events, "X")), of_name(&ticks), "{name}");
    }
}

#[test]
fn an_arrow_leads_from_the_tick_that_wakes_to_the_tick_that_answers() {
    let place = with_log();
    let events = trace(&place);
    let (starts, ends) = (of_phase(&events, "s"), of_phase(&events, "f"));
    assert!(!starts.is_empty());
    let slices = of_phase(&events, "X");
    let is_inside = |event: &Value| {
        slices.iter().any(|slice| {
            let begun = ns(slice, "ts");
            slice["tid"] == event["tid"]
                && (begun..=begun + ns(slice, "dur") + 1).contains(&ns(event, "ts"))
        })
    };
    for start in starts {
        assert!(is_inside(start), "{start}");
        let end = ends
            .iter()
            .find(|end| end["id"] == start["id"])
            .expect("an end");
        assert!(ns(end, "ts") >= ns(start, "ts") && is_inside(end), "{end}");
    }
}

#[test]
fn counters_tell_the_ready_tasks_and_the_permits_that_are_held() {
    let place = with_log();
    let events = trace(&place);
    let values = |name: &str, key: &str| -> Vec<u64> {
        let of_name = of_phase(&events, "C")
            .into_iter()
            .filter(|event| event["name"] == name);
        of_name
            .filter_map(|event| event["args"][key].as_u64())
            .collect()
    };
    let ready = values("ready", "tasks");
    assert!(ready.iter().any(|tasks| *tasks > 0));
    assert_eq!(ready.last(), Some(&0), "the run is over");
    assert_eq!(values("lane one", "held"), [1, 0, 1, 0]);
}

#[test]
fn the_json_form_is_the_stream_of_log() {
    let place = with_log();
    let exported = place.run(&["export", "run.pal", "--format", "json"]);
    let logged = place.run(&["log", "run.pal", "--json"]);
    assert_eq!(exported.code, Some(0));
    assert_eq!(exported.out, logged.out);
    let refused = place.run(&["export", "run.pal", "--format", "svg"]);
    assert!(refused.refusal().contains("chrome"), "{refused:?}");
}
