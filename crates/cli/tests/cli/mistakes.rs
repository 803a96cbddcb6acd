//! Input that cannot be used: one line that names the place and the remedy, exit code 2, nothing started.

use crate::place::Place;

/// A node that would leave a trace if anything were started.
const TRACE: &str = "[[node]]\nname = \"trace\"\nrun = \"touch started\"\n";

/// The refusal of a flow: of [`TRACE`], whose three lines come first, and what `rest` adds.
fn refused(rest: &str) -> String {
    let place = Place::new();
    let ended = place.run_flow(&format!("{TRACE}{rest}"), &[]);
    let line = ended.refusal().to_owned();
    assert!(!place.has("started"), "a node was started");
    assert!(!place.has("run.pal"), "a log was begun");
    line
}

#[test]
fn a_flow_that_cannot_be_used_is_refused_with_its_place_and_a_remedy() {
    let node = |rest: &str| format!("[[node]]\nname = \"a\"\nrun = \"true\"\n{rest}\n");
    for (rest, place, what, remedy) in [
        (
            node("timout = \"1s\""),
            "7:1",
            "unknown key `timout`",
            "did you mean `timeout`?",
        ),
        (
            node("lane = \"dsik\""),
            "7:8",
            "unknown lane `dsik`",
            "add [lanes.dsik]",
        ),
        (node("needs = [\"b\"]"), "7:10", "`b`", "node"),
        (
            node("") + &node(""),
            "9:8",
            "node `a` is defined twice, first on line 5",
            "rename",
        ),
        (
            node("timeout = \"-1s\""),
            "7:11",
            "`timeout` = \"-1s\"",
            "write",
        ),
        (
            node("backoff = \"soon\""),
            "7:11",
            "`backoff` = \"soon\"",
            "write",
        ),
        (
            node("retries = -1"),
            "7:11",
            "`retries` is -1",
            "write a whole number",
        ),
        (
            "[lanes.cpu]\nlimit = 0\n".to_owned(),
            "5:9",
            "`limit` is 0",
            "write a whole number",
        ),
        (
            "[[node]]\nname = \n".to_owned(),
            "5:8",
            "not TOML",
            "correct",
        ),
        (
            "[[node]]\nname = \"a\"\n".to_owned(),
            "4:1",
            "no `run`",
            "add",
        ),
        (
            "[[node]]\nname = \"a\"\nrun = []\n".to_owned(),
            "6:7",
            "`run`",
            "program",
        ),
    ] {
        let line = refused(&rest);
        assert!(line.starts_with(&format!("flow.toml:{place}: ")), "{line}");
        assert!(line.contains(what), "{what} in {line}");
        assert!(line.contains(remedy), "{remedy} in {line}");
    }
}

#[test]
fn a_cycle_is_refused_with_its_members() {
    let node = |name: &str, need: &str| {
        format!("[[node]]\nname = \"{name}\"\nrun = \"true\"\nneeds = [\"{need}\"]\n")
    };
    let line = refused(&(node("egg", "hen") + &node("hen", "egg")));
    assert!(line.starts_with("flow.toml:"), "{line}");
    assert!(
        line.contains("egg") && line.contains("hen") && line.contains("cycle"),
        "{line}"
    );
}

#[test]
fn a_flow_that_cannot_be_read_is_refused() {
    let place = Place::new();
    place.write("binary.toml", "\u{0}\u{1}");
    for (flow, what) in [
        ("missing.toml", "missing.toml: cannot be read: "),
        (".", ".: cannot be read: "),
        ("binary.toml", "binary.toml:1:3: not TOML: "),
    ] {
        let ended = place.run(&["run", flow]);
        assert!(ended.refusal().starts_with(what), "{ended:?}");
    }
    assert!(!place.has("run.pal"));
}

#[test]
fn a_place_for_the_log_that_cannot_be_used_is_refused() {
    let place = Place::new();
    place.write("notes.txt", "not a log");
    for (pal, remedy) in [
        (
            "/proc/no/such/place.pal",
            "name a place where this user may write",
        ),
        (
            "no-such-directory/a.pal",
            "name a place where this user may write",
        ),
        ("notes.txt", "remove it or name another file"),
        (".", ""),
    ] {
        let ended = place.run_flow(TRACE, &["--pal", pal]);
        let line = ended.refusal();
        assert!(line.starts_with("--pal: ") && line.contains(pal), "{line}");
        assert!(line.contains(remedy), "{line}");
        assert!(!place.has("started"));
    }
    let notes = std::fs::read_to_string(place.path("notes.txt"));
    assert_eq!(notes.expect("still there"), "not a log");
}

#[test]
fn an_address_for_metrics_that_cannot_be_used_is_refused() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
    let busy = busy.local_addr().map(|addr| (busy, addr.to_string()));
    let (_listener, busy) = busy.expect("an address");
    let place = Place::new();
    for addr in [
        &*busy,
        "nonsense",
        "127.0.0.1",
        "127.0.0.1:99999",
        "192.0.2.1:1",
    ] {
        let ended = place.run_flow(TRACE, &["--prometheus", addr]);
        let line = ended.refusal();
        assert!(
            line.starts_with(&format!("--prometheus {addr}: ")),
            "{line}"
        );
        assert!(line.ends_with("such as 127.0.0.1:9464"), "{line}");
        assert!(!place.has("started"));
        assert!(!place.has("run.pal"), "a log was begun");
    }
}

#[test]
fn a_command_line_that_cannot_be_used_is_refused_in_one_line() {
    let place = Place::new();
    for (args, what) in [
        (&[][..], "requires a subcommand"),
        (&["fly"], "unrecognized subcommand 'fly'"),
        (&["run"], "<FLOW>"),
        (&["run", "flow.toml", "--pall", "x"], "--pal"),
        (
            &["run", "flow.toml", "--workers", "0"],
            "0 is not in 1..=512",
        ),
        (&["run", "flow.toml", "--workers", "many"], "many"),
        (&["log"], "<PAL>"),
        (
            &["log", "x.pal", "--task", "zero"],
            "a task is a whole number",
        ),
        (
            &["log", "x.pal", "--since", "5"],
            "write a duration before the end such as",
        ),
        (
            &["log", "x.pal", "--worker", "first"],
            "a worker is a number such as `0`",
        ),
        (
            &["log", "x.pal", "--until", "1s", "--follow"],
            "cannot be used with",
        ),
        (&["why", "x.pal", "zero"], "a task is a whole number"),
        (&["stats", "a.pal", "b.pal"], "b.pal"),
    ] {
        let ended = place.run(args);
        let line = ended.refusal();
        assert!(line.contains(what), "{what} in {line}");
        assert!(line.ends_with("; see `glasshouse --help`"), "{line}");
    }
}

#[test]
fn help_and_the_version_are_no_mistakes() {
    let place = Place::new();
    let help = place.run(&["--help"]);
    assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
    for command in ["run", "ps", "log", "stats", "task", "why", "verify"] {
        assert!(
            help.out
                .lines()
                .any(|line| line.trim_start().starts_with(command))
        );
    }
    let version = place.run(&["--version"]);
    assert_eq!(version.code, Some(0));
    assert_eq!(
        version.out,
        concat!("glasshouse ", env!("CARGO_PKG_VERSION"), "\n")
    );
}
