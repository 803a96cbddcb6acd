//! A run in virtual time. Properties: a node starts when its last need has succeeded, and not otherwise;
//! lanes bound what runs; retries come at their exact moment; every node has one row.

use crate::fake::{Bench, MS, Script, Start, ends, row};
use crate::outcome::Outcome;
use crate::progress::Progress;
use std::cell::RefCell;

#[test]
fn a_node_starts_when_its_last_need_has_succeeded() {
    let bench = Bench::new(
        "",
        &[
            ("last", r#"needs = ["slow", "quick"]"#),
            ("slow", ""),
            ("quick", ""),
        ],
        &[
            ("slow", &[Script::exits(0, 50)]),
            ("quick", &[Script::exits(0, 20)]),
        ],
    );
    let report = bench.run();
    let trace = bench.runner.trace();
    assert_eq!(
        trace[3..],
        [
            "20 end quick",
            "50 end slow",
            "50 start last",
            "60 end last"
        ]
    );
    let mut started = trace[1..3].to_vec();
    started.sort();
    assert_eq!(started, ["0 start quick", "0 start slow"]);
    assert!(report.is_success());
    assert_eq!(report.took_ns, 60 * MS);
    let names: Vec<&str> = report.rows.iter().map(|row| &*row.node).collect();
    assert_eq!(names, ["last", "slow", "quick"]);
}

#[test]
fn a_lane_bounds_what_runs_on_it() {
    let bench = Bench::new(
        "[lanes.one]\nlimit = 1",
        &[
            ("a", r#"lane = "one""#),
            ("b", r#"lane = "one""#),
            ("c", r#"lane = "one""#),
            ("free", ""),
        ],
        &[],
    );
    let report = bench.run();
    assert_eq!(report.took_ns, 30 * MS);
    let mut waits: Vec<u64> = ["a", "b", "c"]
        .map(|node| row(&report, node).waited_ns / MS)
        .into();
    waits.sort_unstable();
    assert_eq!(waits, [0, 10, 20]);
    assert_eq!(row(&report, "free").waited_ns, 0);
    assert!(report.rows.iter().all(|row| row.ran_ns == 10 * MS));
}

#[test]
fn the_global_limit_bounds_all_lanes_together() {
    let bench = Bench::new(
        "global_limit = 2\n[lanes.a]\nlimit = 2\n[lanes.b]\nlimit = 2",
        &[
            ("a1", r#"lane = "a""#),
            ("a2", r#"lane = "a""#),
            ("b1", r#"lane = "b""#),
            ("b2", r#"lane = "b""#),
        ],
        &[],
    );
    assert_eq!(bench.run().took_ns, 20 * MS);
}

#[test]
fn the_default_lane_has_the_limit_of_the_options_or_the_flows_own() {
    let nodes = [("a", ""), ("b", ""), ("c", "")];
    let mut bench = Bench::new("", &nodes, &[]);
    bench.options.default_limit = 2.try_into().expect("not zero");
    assert_eq!(bench.run().took_ns, 20 * MS);
    let mut bench = Bench::new("[lanes.default]\nlimit = 1", &nodes, &[]);
    bench.options.default_limit = 2.try_into().expect("not zero");
    assert_eq!(bench.run().took_ns, 30 * MS);
}

#[test]
fn retries_come_after_doubling_waits_until_one_succeeds() {
    let fails = Script::exits(75, 10);
    let bench = Bench::new(
        "",
        &[("flaky", "retries = 5\nbackoff = \"100ms\"")],
        &[(
            "flaky",
            &[fails.clone(), fails.clone(), fails, Script::exits(0, 10)],
        )],
    );
    let report = bench.run();
    assert_eq!(
        bench.runner.trace(),
        [
            "0 begin",
            "0 start flaky",
            "10 end flaky",
            "110 start flaky",
            "120 end flaky",
            "320 start flaky",
            "330 end flaky",
            "730 start flaky",
            "740 end flaky",
        ]
    );
    let flaky = row(&report, "flaky");
    assert_eq!((&flaky.outcome, flaky.attempts), (&Outcome::Success, 4));
    assert_eq!((flaky.ran_ns, flaky.waited_ns), (40 * MS, 0));
    let metrics = report
        .metrics
        .as_ref()
        .expect("the collector outlived the run");
    let figures = metrics.node("flaky").expect("it ran");
    assert_eq!(
        (figures.executions, figures.successes, figures.retries),
        (4, 1, 3)
    );
    assert_eq!((figures.failures.exit_code, figures.running), (3, 0));
}

#[test]
fn a_node_whose_retries_are_used_up_has_the_outcome_of_its_last_attempt() {
    let bench = Bench::new(
        "",
        &[("node", "retries = 1\nbackoff = \"0s\"")],
        &[("node", &[Script::exits(1, 10), Script::exits(2, 10)])],
    );
    let report = bench.run();
    assert_eq!(ends(&report), [("node", "exit code 2".into(), 2)]);
    assert!(!report.is_success() && !report.is_cancelled);
}

#[test]
fn a_lane_is_free_while_a_node_waits_for_its_next_attempt() {
    let bench = Bench::new(
        "[lanes.one]\nlimit = 1",
        &[
            ("flaky", "lane = \"one\"\nretries = 1\nbackoff = \"30ms\""),
            ("first", ""),
            ("other", "lane = \"one\"\nneeds = [\"first\"]"),
        ],
        &[
            ("flaky", &[Script::exits(1, 10), Script::exits(0, 10)]),
            ("first", &[Script::exits(0, 5)]),
            ("other", &[Script::exits(0, 50)]),
        ],
    );
    let report = bench.run();
    // `other` has the lane from 10 to 60; `flaky` asks for it again at 40.
    let (flaky, other) = (row(&report, "flaky"), row(&report, "other"));
    assert_eq!((other.waited_ns, flaky.waited_ns), (5 * MS, 20 * MS));
    assert_eq!(report.took_ns, 70 * MS);
}

#[test]
fn what_hangs_on_a_failed_node_is_skipped_and_the_rest_goes_on() {
    let bench = Bench::new(
        "",
        &[
            ("bad", ""),
            ("child", r#"needs = ["bad", "good"]"#),
            ("grandchild", r#"needs = ["child"]"#),
            ("good", ""),
            ("friend", r#"needs = ["good"]"#),
        ],
        &[("bad", &[Script::exits(9, 1)])],
    );
    let report = bench.run();
    assert_eq!(
        ends(&report),
        [
            ("bad", "exit code 9".into(), 1),
            ("child", "skipped: needs bad".into(), 0),
            ("grandchild", "skipped: needs child".into(), 0),
            ("good", "success".into(), 1),
            ("friend", "success".into(), 1),
        ]
    );
}

#[test]
fn a_command_that_cannot_be_started_fails_its_node_alone() {
    let missing = Script::does_not_start(Start::Fails("no such command"));
    let bench = Bench::new("", &[("bad", ""), ("good", "")], &[("bad", &[missing])]);
    let report = bench.run();
    assert_eq!(
        ends(&report),
        [
            ("bad", "not started: no such command".into(), 1),
            ("good", "success".into(), 1)
        ]
    );
    let metrics = report
        .metrics
        .as_ref()
        .expect("the collector outlived the run");
    assert_eq!(
        metrics
            .node("bad")
            .map(|figures| figures.failures.spawn_error),
        Some(1)
    );
}

#[test]
fn a_panic_around_a_command_fails_its_node_alone() {
    let panics = Script::does_not_start(Start::Panics("a bug in here"));
    let bench = Bench::new(
        "",
        &[
            ("bad", "retries = 3"),
            ("good", ""),
            ("child", r#"needs = ["bad"]"#),
        ],
        &[("bad", &[panics])],
    );
    let report = bench.run();
    let ends = ends(&report);
    assert_eq!(ends[0], ("bad", "panic: a bug in here".into(), 0));
    assert_eq!(ends[1], ("good", "success".into(), 1));
    assert_eq!(ends[2], ("child", "skipped: needs bad".into(), 0));
    let metrics = report
        .metrics
        .as_ref()
        .expect("the collector outlived the run");
    let figures = metrics.node("bad").expect("it was started");
    assert_eq!((figures.failures.panic, figures.running), (1, 0));
}

#[test]
fn a_failed_node_shows_the_end_of_its_output_and_a_good_one_does_not() {
    let script = |code| Script {
        output: "a line\nlast one",
        ..Script::exits(code, 1)
    };
    let bench = Bench::new(
        "",
        &[("bad", "retries = 1\nbackoff = \"0s\""), ("good", "")],
        &[("bad", &[script(1), script(1)]), ("good", &[script(0)])],
    );
    let report = bench.run();
    let (bad, good) = (row(&report, "bad"), row(&report, "good"));
    assert_eq!((&*bad.tail, &*good.tail), ("last one", ""));
    assert_eq!((bad.output_bytes, bad.dropped_bytes), (30, 14));
    assert_eq!((good.output_bytes, good.dropped_bytes), (15, 7));
}

#[test]
fn progress_tells_each_step_in_order() {
    let steps = RefCell::new(Vec::new());
    let script = |code| Script {
        output: "some words",
        ..Script::exits(code, 10)
    };
    let bench = Bench::new(
        "",
        &[
            ("flaky", "retries = 1\nbackoff = \"20ms\""),
            ("child", r#"needs = ["flaky"]"#),
        ],
        &[("flaky", &[script(1), script(2)])],
    );
    bench.run_beside(async {}, |step| {
        steps.borrow_mut().push(match step {
            Progress::Started {
                node,
                attempt,
                live,
            } => {
                format!(
                    "{node} started {attempt}: {} {}",
                    live.output_bytes(),
                    live.last_line()
                )
            }
            Progress::Retrying {
                node,
                attempt,
                delay,
                outcome,
            } => format!("{node} retrying {attempt} in {delay:?}: {outcome}"),
            Progress::Finished { row } => format!("{} finished: {}", row.node, row.outcome),
        });
    });
    assert_eq!(
        steps.into_inner(),
        [
            "flaky started 1: 10 me words",
            "flaky retrying 2 in 20ms: exit code 1",
            "flaky started 2: 10 me words",
            "flaky finished: exit code 2",
            "child finished: skipped: needs flaky",
        ]
    );
}
