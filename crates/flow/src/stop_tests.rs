//! Commands that are ended, in virtual time. Properties: who is ended is asked first, and made to when the
//! grace is over; a cancelled run starts nothing more; one that is dropped leaves nothing behind.

use crate::fake::{Bench, MS, Script, ends, row};
use crate::outcome::Outcome;
use glasshouse_scheduler::time::sleep;
use std::time::Duration;

#[test]
fn a_command_past_its_timeout_is_asked_to_end_and_then_made_to() {
    let slow_to_go = Script {
        heeds: Some(Duration::from_millis(300)),
        ..Script::stubborn()
    };
    let mut bench = Bench::new(
        "",
        &[
            ("heeds", "timeout = \"100ms\""),
            ("stubborn", "timeout = \"200ms\""),
        ],
        &[
            ("heeds", &[slow_to_go]),
            ("stubborn", &[Script::stubborn()]),
        ],
    );
    bench.options.grace = Duration::from_secs(1);
    let report = bench.run();
    assert_eq!(
        bench.runner.trace()[3..],
        [
            "100 terminate heeds",
            "200 terminate stubborn",
            "400 end heeds",
            "1200 kill stubborn",
            "1200 end stubborn",
        ]
    );
    let timeout = |ms: u64| Outcome::Timeout {
        timeout_ns: ms * MS,
    };
    assert_eq!(row(&report, "heeds").outcome, timeout(100));
    assert_eq!(row(&report, "stubborn").outcome, timeout(200));
    assert_eq!(row(&report, "stubborn").ran_ns, 1_200 * MS);
}

#[test]
fn a_command_that_ends_at_the_moment_of_its_timeout_has_ended_by_itself() {
    let node = [("node", "timeout = \"10ms\"")];
    let bench = Bench::new("", &node, &[("node", &[Script::exits(4, 10)])]);
    let report = bench.run();
    assert_eq!(
        row(&report, "node").outcome,
        Outcome::ExitCode { exit_code: 4 }
    );
    assert_eq!(
        bench.runner.trace(),
        ["0 begin", "0 start node", "10 end node"]
    );
}

#[test]
fn the_wait_for_a_lane_does_not_count_against_the_timeout() {
    let bench = Bench::new(
        "[lanes.one]\nlimit = 1",
        &[
            ("long", "lane = \"one\""),
            ("brief", "lane = \"one\"\ntimeout = \"20ms\""),
        ],
        &[("long", &[Script::exits(0, 500)])],
    );
    assert!(bench.run().is_success());
}

#[test]
fn a_cancelled_run_ends_what_runs_and_starts_nothing() {
    let mut bench = Bench::new(
        "[lanes.one]\nlimit = 1",
        &[
            ("done", ""),
            ("heeds", ""),
            ("stubborn", ""),
            ("holds", "lane = \"one\"\nneeds = [\"done\"]"),
            ("queued", "lane = \"one\"\nneeds = [\"done\"]"),
            ("later", r#"needs = ["heeds"]"#),
        ],
        &[
            ("heeds", &[Script::exits(0, 3_600_000)]),
            ("stubborn", &[Script::stubborn()]),
            ("holds", &[Script::exits(0, 3_600_000)]),
            ("queued", &[Script::exits(0, 3_600_000)]),
        ],
    );
    bench.options.grace = Duration::from_millis(500);
    let cancel = bench.options.cancel.clone();
    let report = bench.run_beside(
        async move {
            sleep(Duration::from_millis(100)).await;
            cancel.cancel();
        },
        |_| {},
    );
    assert!(report.is_cancelled);
    assert_eq!(report.took_ns, 600 * MS);
    let outcome = |node| row(&report, node).outcome.clone();
    assert_eq!(outcome("done"), Outcome::Success);
    for node in ["heeds", "stubborn", "holds", "queued", "later"] {
        assert_eq!(outcome(node), Outcome::Cancelled, "{node}");
    }
    // One of the two had the lane; the other one was never started.
    assert_eq!(
        row(&report, "holds").attempts + row(&report, "queued").attempts,
        1
    );
    assert_eq!(row(&report, "later").attempts, 0);
    let trace = bench.runner.trace();
    let at = |line: &str| trace.iter().filter(|noted| *noted == line).count();
    assert_eq!([at("100 terminate heeds"), at("100 end heeds")], [1, 1]);
    assert_eq!(
        [at("100 terminate stubborn"), at("600 kill stubborn")],
        [1, 1]
    );
}

#[test]
fn a_run_that_is_killed_gives_no_grace() {
    let bench = Bench::new(
        "",
        &[("stubborn", "")],
        &[("stubborn", &[Script::stubborn()])],
    );
    let cancel = bench.options.cancel.clone();
    let report = bench.run_beside(
        async move {
            sleep(Duration::from_millis(100)).await;
            cancel.cancel();
            sleep(Duration::from_millis(30)).await;
            cancel.kill();
        },
        |_| {},
    );
    assert_eq!(
        bench.runner.trace()[2..],
        [
            "100 terminate stubborn",
            "130 kill stubborn",
            "130 end stubborn"
        ]
    );
    assert!(report.is_cancelled);
}

#[test]
fn a_run_cancelled_between_two_attempts_does_not_try_again() {
    let bench = Bench::new(
        "",
        &[("flaky", "retries = 3\nbackoff = \"10s\"")],
        &[("flaky", &[Script::exits(1, 10)])],
    );
    let cancel = bench.options.cancel.clone();
    let report = bench.run_beside(
        async move {
            sleep(Duration::from_millis(100)).await;
            cancel.cancel();
        },
        |_| {},
    );
    assert_eq!(ends(&report), [("flaky", "cancelled".into(), 1)]);
    assert_eq!(report.took_ns, 100 * MS);
}

#[test]
fn a_run_cancelled_before_it_begins_starts_nothing() {
    let bench = Bench::new("", &[("a", ""), ("b", r#"needs = ["a"]"#)], &[]);
    bench.options.cancel.cancel();
    let report = bench.run();
    assert_eq!(
        ends(&report),
        [("a", "cancelled".into(), 0), ("b", "cancelled".into(), 0)]
    );
    assert_eq!(bench.runner.trace(), ["0 begin"]);
}

#[test]
fn a_run_that_is_dropped_ends_what_it_started() {
    let bench = Bench::new(
        "",
        &[("node", "")],
        &[("node", &[Script::exits(0, 3_600_000)])],
    );
    bench.scheduler.block_on(async {
        let run = Box::pin(async {
            let handle = glasshouse_scheduler::Handle::current();
            let options = bench.options.clone();
            crate::run::run_with(&bench.flow, &handle, options, |_| {}, bench.runner.clone()).await
        });
        let early = glasshouse_scheduler::time::timeout(Duration::from_millis(50), run).await;
        assert!(early.is_err());
        sleep(Duration::from_millis(50)).await;
    });
    let trace = bench.runner.trace();
    assert_eq!(trace, ["0 start node", "50 terminate node", "50 end node"]);
}
