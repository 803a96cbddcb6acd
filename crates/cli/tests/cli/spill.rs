//! A run that keeps its log on disk, read by the commands that read logs.

use crate::place::Place;

const FLOW: &str = "
[[node]]
name = \"one\"
run = \"echo one\"

[[node]]
name = \"two\"
needs = [\"one\"]
run = \"echo two\"
";

/// Lines of JSON without the time of day, which segments tell from other clock readings.
fn without_wall(text: &str) -> Vec<serde_json::Value> {
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines
        .map(|mut line: serde_json::Value| {
            line.as_object_mut().expect("an object").remove("wall");
            line
        })
        .collect()
}

#[test]
fn segments_tell_what_the_log_tells() {
    let place = Place::new();
    let (pal, dir) = (place.arg("a.pal"), place.arg("spill"));
    let ended = place.run_flow(FLOW, &["--pal", &pal, "--spill", &dir]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let [by_log, by_segments] = [&pal, &dir].map(|log| place.run(&["log", log, "--json"]));
    assert_eq!(by_segments.code, Some(0), "{}", by_segments.err);
    assert_eq!(without_wall(&by_segments.out), without_wall(&by_log.out));
    assert!(by_segments.out.lines().count() > 10);
    for args in [
        &["verify", &dir][..],
        &["stats", &dir],
        &["task", &dir, "1"],
        &["export", &dir, "--format", "chrome"],
        &["log", &dir, "--follow"],
    ] {
        let ended = place.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.err);
        assert!(!ended.out.is_empty(), "{args:?}");
    }
}

#[test]
fn a_place_that_cannot_be_spilled_to_is_one_line_and_exit_code_2() {
    let place = Place::new();
    place.write("file", "mine");
    let ended = place.run_flow(FLOW, &["--spill", &place.arg("file")]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    assert!(
        ended.err.contains("/file: it is not a directory; make it"),
        "{}",
        ended.err
    );
    let ended = place.run(&["log", "."]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("holds no segments"), "{}", ended.err);
}
