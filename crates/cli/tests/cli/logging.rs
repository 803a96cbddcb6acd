//! What `RUST_LOG` asks for is on standard error, and nothing unasked.

use crate::place::{Ended, Place};

const FLOW: &str = "[[node]]\nname = \"a\"\nrun = \"echo a\"\n";

fn with(filter: &str) -> Ended {
    let place = Place::new();
    place.write("flow.toml", FLOW);
    let mut command = place.command(&["run", "flow.toml", "--json"]);
    Ended::from(command.env("RUST_LOG", filter).output().expect("run"))
}

#[test]
fn everything_can_be_asked_for() {
    let ended = with("trace");
    assert_eq!(ended.code, Some(0));
    for told in [
        "PAL",
        "scheduler.loop",
        "sched.tick",
        "tid=",
        "state=",
        "glasshouse::spawn",
    ] {
        assert!(ended.err.contains(told), "{told}");
    }
    assert!(!ended.err.contains('\x1b'), "no terminal, no colour");
    assert_eq!(ended.json().len(), 1, "standard output stays the report's");
}

#[test]
fn spawns_alone_can_be_asked_for_and_are_silent_unasked() {
    let asked = with("glasshouse::spawn=info");
    let spawns = asked
        .err
        .lines()
        .filter(|line| line.contains("glasshouse::spawn"));
    assert!(spawns.count() >= 4, "{}", asked.err);
    for unasked in ["", "warn", "error"] {
        assert_eq!(with(unasked).err, "", "RUST_LOG={unasked}");
    }
}

#[test]
fn a_filter_that_cannot_be_read_is_refused() {
    let ended = with("pal=loud");
    assert!(
        ended.refusal().starts_with("RUST_LOG=pal=loud: "),
        "{ended:?}"
    );
}
