//! What commands say of what they take.

use crate::place::Place;
use std::path::Path;

/// A log of nine tasks that this repository keeps.
fn golden() -> String {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let log = golden.join("format-1.0-ended.pal");
    log.to_string_lossy().into_owned()
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
