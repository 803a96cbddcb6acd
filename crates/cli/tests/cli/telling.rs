//! What commands say when there is little to print, or too much.

use crate::place::Place;
use glasshouse_pal::{Pal, RingOwner, TaskEvent, TaskId};
use std::path::Path;

/// A log of nine tasks that this repository keeps.
fn golden() -> String {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let log = golden.join("format-1.0-ended.pal");
    log.to_string_lossy().into_owned()
}

#[test]
fn who_asks_for_records_that_there_are_not_is_told_so() {
    let (place, golden) = (Place::new(), golden());
    for (asked, told) in [
        (&["--task", "99999"][..], "--task 99999"),
        (&["--name", "nix"], "--name nix"),
        (&["--lane", "nix"], "--lane nix"),
        (
            &["--lane", "nix", "--kind", "wake,done"],
            "--kind wake,done, --lane nix",
        ),
        (
            &["--event", "lane_wait", "--lane", "nix"],
            "--event lane_wait, --lane nix",
        ),
        (
            &["--event", "wake", "--kind", "done", "--task", "99999"],
            "--task 99999, --kind done, --event wake",
        ),
        (&["--since", "+99999"], "the window of time"),
    ] {
        for json in [&[][..], &["--json"]] {
            let printed = place.run(&[&["log", &golden], asked, json].concat());
            assert_eq!((printed.code, printed.out.as_str()), (Some(0), ""));
            let said = printed.err.lines().last();
            assert_eq!(said, Some(&*format!("no record matches {told}")));
        }
    }
    for asked in [&[][..], &["--task", "1"], &["--since", "+0ms"]] {
        let printed = place.run(&[&["log", &golden], asked].concat());
        assert_ne!(printed.out, "", "{asked:?}");
        assert!(!printed.err.contains("no record"), "{}", printed.err);
    }
}

#[test]
fn a_time_of_day_is_refused_with_what_to_write() {
    let refused = Place::new().run(&["log", &golden(), "--since", "09:24:31"]);
    let line = refused.refusal();
    for part in ["`09:24:31`", "--since", "`2026-01-31T03:00:00Z` in UTC"] {
        assert!(
            line.contains(part) || line.contains(&part.replace('`', "'")),
            "{line}"
        );
    }
}

/// What `verify` says of a log in which the spawns of so many tasks are missing.
fn verified(tasks: u64) -> Vec<String> {
    let place = Place::new();
    let log = Pal::builder().file(place.path("run.pal")).workers(1);
    let pal = log.build().expect("room for a log");
    let ring = pal.lease(RingOwner::Worker(0));
    for number in 1..=tasks {
        let tid = TaskId::new(number).expect("in range");
        assert!(ring.write(pal.clock().now(), 1, &TaskEvent::Running { tid }));
    }
    drop((ring, pal));
    let ended = place.run(&["verify", "run.pal"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let json = place.run(&["verify", "run.pal", "--json"]).json();
    let listed = json[0]["findings"].as_array().expect("a list").len() as u64;
    assert_eq!(listed, tasks.min(1000));
    let told = ended.out.lines().filter(|line| line.starts_with("  "));
    told.map(str::to_owned).collect()
}

#[test]
fn of_many_findings_twenty_are_told_and_how_many_more_there_are() {
    assert_eq!(verified(20).len(), 20);
    for (findings, rest) in [
        (21, "  and 1 more; --json lists all"),
        (1500, "  and 1480 more; --json lists the first 1000"),
    ] {
        let told = verified(findings);
        assert_eq!((told.len(), told[20].as_str()), (21, rest));
    }
}

#[test]
fn help_says_that_a_directory_of_segments_is_a_log_and_which_moments_there_are() {
    let place = Place::new();
    let help = |args: &[&str]| {
        let words = place.run(args).out;
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let whole = help(&["--help"]);
    assert!(
        whole.contains("PAL is a log file, a directory of segments"),
        "{whole}"
    );
    for command in ["log", "stats", "task", "why", "top", "export", "verify"] {
        let told = help(&[command, "--help"]);
        assert!(
            told.contains("A log file, a directory of segments, a process id"),
            "{told}"
        );
    }
    let log = help(&["log", "--help"]);
    for moment in [
        "`5s` before the end",
        "`+500ms` after the beginning",
        "`2026-01-31T03:00:00Z`",
    ] {
        assert!(log.contains(moment), "{log}");
    }
}
