//! Owns a run as one JSON object, with every sample.

use crate::versus::line::Line;
use crate::versus::work::Clock;
use serde_json::{Map, Value, json};

/// `{clock, lines: [{row, figure, unit, workers, allocator, samples: {subject: [..]}, peer, speed, low,
/// high}]}`; the last four are null where there is nothing to compare.
pub fn of(lines: &[Line], clock: Clock) -> Value {
    let lines: Vec<Value> = lines.iter().map(line_of).collect();
    json!({ "clock": clock.name(), "lines": lines })
}

fn line_of(line: &Line) -> Value {
    let samples: Map<String, Value> = line
        .samples
        .iter()
        .map(|(subject, samples)| (subject.name().to_owned(), json!(samples)))
        .collect();
    let comparison = line.against_faster_peer();
    let interval = comparison.and_then(|comparison| comparison.interval);
    json!({
        "row": line.row.name,
        "figure": line.figure.name,
        "unit": line.figure.unit,
        "workers": line.workers,
        "allocator": line.allocator.name(),
        "samples": samples,
        "peer": comparison.map(|comparison| comparison.peer.name()),
        "speed": comparison.map(|comparison| comparison.speed),
        "low": interval.map(|interval| interval.low),
        "high": interval.map(|interval| interval.high),
    })
}
