//! The flows in `examples/flows` are whole, and the tour shows what a tour is to show.

use glasshouse_flow::Flow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn flows() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/flows")
}

fn read(path: &Path) -> Flow {
    match Flow::from_path(path) {
        Ok(flow) => flow,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn every_example_can_be_read() {
    let entries = std::fs::read_dir(flows()).expect("the examples are there");
    let paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    assert!(paths.len() >= 3, "{paths:?}");
    for path in paths {
        read(&path);
    }
}

#[test]
fn the_tour_runs_in_parallel_and_in_sequence_on_lanes_with_a_retry_and_a_full_buffer() {
    let flow = read(&flows().join("tour.toml"));
    let nodes = flow.nodes();
    assert!(nodes.len() >= 8);
    let lanes: BTreeSet<&str> = nodes.iter().map(|node| &*node.lane).collect();
    assert!(lanes.len() >= 2, "{lanes:?}");
    let count = |is: fn(&&glasshouse_flow::Node) -> bool| nodes.iter().filter(is).count();
    assert!(count(|node| node.retries > 0) >= 1);
    assert!(count(|node| !node.needs.is_empty()) >= 8);
    assert!(count(|node| node.output_bytes < glasshouse_flow::OUTPUT_DEFAULT_BYTES) >= 1);
    // Several nodes need the same one, and so can run beside one another.
    let siblings = |need: &str| {
        let needs = nodes.iter().filter(|node| node.needs == [need]);
        needs.count()
    };
    assert!(nodes.iter().any(|node| siblings(&node.name) >= 3));
}

#[test]
fn the_flow_in_the_crates_documentation_is_whole() {
    let docs = include_str!("../src/lib.rs");
    let (_, fenced) = docs.split_once("```toml\n").expect("it shows a flow");
    let (shown, _) = fenced.split_once("//! ```").expect("the flow ends");
    let text: Vec<&str> = shown
        .lines()
        .map(|line| line.strip_prefix("//!").expect("a line of documentation"))
        .collect();
    let build = "[[node]]\nname = \"build\"\nrun = \"true\"\n";
    let flow = Flow::from_str(&format!("{}\n{build}", text.join("\n")), "lib.rs");
    let flow = flow.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        flow.nodes()[0].timeout,
        Some(std::time::Duration::from_millis(1_500))
    );
}
