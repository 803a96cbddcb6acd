//! What `log --json` says of the logs that are kept for each version of the format, to the letter, and that
//! `verify` and `stats` take them. `tests/golden/README.md` says when these may change.

use crate::place::Place;
use std::path::PathBuf;

/// Set to have what is said now written down.
const BLESS: &str = "GLASSHOUSE_BLESS";

/// A golden log.
pub fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(name)
}

/// Every golden log.
fn logs() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(golden("")).expect("in the repository");
    let paths = entries.map(|entry| entry.expect("listed").path());
    let mut logs: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|it| it == "pal"))
        .collect();
    logs.sort();
    assert!(logs.len() >= 2, "{logs:?}");
    logs
}

#[test]
fn golden_logs_are_told_as_ever() {
    let place = Place::new();
    for log in logs() {
        let ended = place.run(&["log", &log.to_string_lossy(), "--json"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let expected = log.with_extension("json");
        if std::env::var_os(BLESS).is_some() {
            std::fs::write(&expected, &ended.out).expect("written anew");
        }
        let expected = std::fs::read_to_string(&expected).expect("in the repository");
        for (number, (now, ever)) in (1..).zip(ended.out.lines().zip(expected.lines())) {
            assert_eq!(now, ever, "{}, line {number}", log.display());
        }
        assert_eq!(ended.out.lines().count(), expected.lines().count());
    }
}

#[test]
fn golden_logs_hold_and_have_statistics() {
    let place = Place::new();
    for log in logs() {
        let log = log.to_string_lossy();
        assert_eq!(
            place.json(&["verify", &log, "--json"])[0]["holds"],
            true,
            "{log}"
        );
        let sites = &place.json(&["stats", &log, "--json"])[0]["sites"];
        assert!(
            sites.as_array().is_some_and(|sites| !sites.is_empty()),
            "{log}"
        );
    }
}

#[test]
fn every_answer_in_json_tells_what_the_log_has_lost() {
    let place = Place::new();
    let log = golden("format-1.0-killed.pal");
    let log = log.to_string_lossy();
    for args in [
        &["stats", &log][..],
        &["why", &log],
        &["why", &log, "1"],
        &["task", &log, "1"],
    ] {
        let told = place.json(&[args, &["--json"]].concat());
        let whole = told.last().expect("an answer");
        assert_eq!(whole["lost"]["overwritten"], 75, "{args:?}");
        assert!(whole["retained_ns"].as_u64() > Some(0), "{args:?}");
    }
}
