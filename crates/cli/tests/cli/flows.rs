//! Flows from their file to their table and log.

use crate::place::Place;
use serde_json::json;

const TWO_NODES: &str = r#"
name = "two"

[[node]]
name = "first"
run = "echo one"

[[node]]
name = "second"
run = ["echo", "two words"]
needs = ["first"]
"#;

#[test]
fn a_flow_that_succeeds_prints_progress_a_table_and_where_its_log_is() {
    let place = Place::new();
    let ended = place.run_flow(TWO_NODES, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.err, "");
    assert!(!ended.out.contains('\x1b'), "no terminal, no escapes");
    for (what, node) in [
        ("started", "first"),
        ("finished", "first"),
        ("started", "second"),
    ] {
        let is_told = |line: &str| line.contains(&format!("{what:<9} {node}"));
        assert!(
            ended.out.lines().any(is_told),
            "{what} {node} in {}",
            ended.out
        );
    }
    let mut table = ended
        .out
        .lines()
        .skip_while(|line| !line.starts_with("NODE"));
    let columns: Vec<&str> = table
        .next()
        .expect("a heading")
        .split_whitespace()
        .collect();
    assert_eq!(
        columns,
        [
            "NODE", "LANE", "OUTCOME", "ATTEMPTS", "WAITED", "RAN", "OUTPUT", "DROPPED"
        ]
    );
    for node in ["first", "second"] {
        let row = table.next().expect("a row");
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells[..4], [node, "default", "success", "1"]);
    }
    assert!(ended.out.contains("\n2 of 2 nodes succeeded; took "));
    assert!(ended.out.contains(&format!("\nlog: {}\n", place.log())));
    let verified = place.run(&["verify", &place.log()]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[test]
fn a_flow_s_json_is_one_object() {
    let place = Place::new();
    let ended = place.run_flow(TWO_NODES, &["--json"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let [told] = &ended.json()[..] else {
        panic!("one object, not {}", ended.out);
    };
    assert_eq!(told["format"], 1);
    assert_eq!(
        (&told["flow"], &told["name"]),
        (&json!("flow.toml"), &json!("two"))
    );
    assert_eq!(
        (&told["success"], &told["cancelled"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(told["log"], json!(place.log()));
    let second = &told["nodes"][1];
    assert_eq!(second["node"], "second");
    assert_eq!(
        (&second["outcome"], &second["attempts"]),
        (&json!("success"), &json!(1))
    );
    assert_eq!(second["output_bytes"], json!("two words\r\n".len()));
    assert!(second["ran_ns"].as_u64().expect("a duration") > 0);
}

#[test]
fn a_node_that_fails_bars_those_that_need_it_and_shows_its_end() {
    let flow = r#"
        [[node]]
        name = "bad"
        run = "echo the reason; exit 3"
        [[node]]
        name = "barred"
        run = "touch never"
        needs = ["bad"]
        [[node]]
        name = "other"
        run = "touch done"
    "#;
    let place = Place::new();
    let ended = place.run_flow(flow, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .out
            .contains("\nbad: exit code 3; the end of its output:\n    the reason\n")
    );
    assert!(ended.out.contains("skipped: needs bad"));
    assert!(
        ended
            .out
            .contains("\n1 of 3 nodes succeeded, 1 failed, 1 did not run to their end;")
    );
    assert_eq!((place.has("never"), place.has("done")), (false, true));
}

#[test]
fn a_command_that_does_not_exist_fails_its_node_alone() {
    let flow = r#"
        [[node]]
        name = "missing"
        run = ["no-such-command-anywhere"]
        [[node]]
        name = "other"
        run = "touch done"
    "#;
    let place = Place::new();
    let ended = place.run_flow(flow, &["--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let nodes = &ended.json()[0]["nodes"];
    assert_eq!(nodes[0]["outcome"], "spawn_error");
    let error = nodes[0]["error"].as_str().expect("a reason");
    assert!(error.contains("no-such-command-anywhere"), "{error}");
    assert_eq!(nodes[1]["outcome"], "success");
    assert!(place.has("done"));
}

#[test]
fn a_retry_a_timeout_and_an_overfull_buffer_are_in_the_table() {
    let flow = r#"
        [[node]]
        name = "flaky"
        run = "test -e been || { touch been; exit 75; }"
        retries = 1
        backoff = "1ms"
        [[node]]
        name = "slow"
        run = "sleep 600"
        timeout = "50ms"
        [[node]]
        name = "loud"
        run = "head -c 100000 /dev/zero | tr '\\0' x"
        output = "4KiB"
    "#;
    let place = Place::new();
    let ended = place.run_flow(flow, &["--json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let nodes = &ended.json()[0]["nodes"];
    assert_eq!(
        (&nodes[0]["outcome"], &nodes[0]["attempts"]),
        (&json!("success"), &json!(2))
    );
    assert_eq!(nodes[1]["outcome"], "timeout");
    assert_eq!(
        (&nodes[2]["outcome"], &nodes[2]["output_bytes"]),
        (&json!("success"), &json!(100_000))
    );
    let kept = 100_000 - nodes[2]["dropped_bytes"].as_u64().expect("a count");
    assert_eq!(kept, 4096);
}

#[test]
fn a_log_goes_where_it_is_asked_to_and_names_the_nodes() {
    let place = Place::new();
    let ended = place.run_flow(TWO_NODES, &["--pal", "asked.pal", "--workers", "1"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("\nlog: asked.pal\n"));
    assert!(!place.has("run.pal"));
    let stats = &place.json(&["stats", "asked.pal", "--json"])[0];
    let sites = stats["sites"].as_array().expect("a list");
    let names: Vec<&str> = sites
        .iter()
        .filter_map(|site| site["name"].as_str())
        .collect();
    for name in [
        "node:first",
        "node:second",
        "pty:first",
        "lanes",
        "node-metrics",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    // A second run in the same place replaces the log of the first, which has ended.
    let again = place.run_flow(TWO_NODES, &["--pal", "asked.pal"]);
    assert_eq!(again.code, Some(0), "{again:?}");
}

#[test]
fn a_run_without_a_log_says_so() {
    let place = Place::new();
    place.write("flow.toml", TWO_NODES);
    let mut command = place.command(&["run", "flow.toml"]);
    let output = command.env("GLASSHOUSE_PAL", "off").output().expect("run");
    assert_eq!(output.status.code(), Some(0));
    let out = String::from_utf8(output.stdout).expect("text");
    assert!(out.ends_with("\nlog: none is left of this run\n"), "{out}");
}

#[test]
fn a_reader_that_goes_away_does_not_stop_the_work() {
    let flow = r#"
        [[node]]
        name = "first"
        run = "while ! test -e gone; do sleep 0.01; done"
        [[node]]
        name = "second"
        run = "touch done"
        needs = ["first"]
    "#;
    let place = Place::new();
    place.write("flow.toml", flow);
    let mut command = place.command(&["run", "flow.toml"]);
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("run");
    drop(child.stdout.take());
    place.write("gone", "");
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(place.has("done"));
}
