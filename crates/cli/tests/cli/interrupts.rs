//! Ctrl-C: what runs is ended as a group, the log is closed, the exit code is 130.

use crate::place::{Place, is_there, number_in, signal, until};
use glasshouse_pal::Lifecycle;
use glasshouse_pal::reader::Log;
use rustix::process::Signal;
use std::process::{Child, Stdio};

/// A node that writes down its own process and one below it, then waits for long.
const PATIENT: &str = r#"
    [[node]]
    name = "patient"
    run = "sleep 1000 & echo $! > below; echo $$ > pid; wait"
    [[node]]
    name = "later"
    run = "touch later"
    needs = ["patient"]
"#;

/// The same, deaf to every request to end.
const DEAF: &str = r#"
    [[node]]
    name = "deaf"
    run = "trap '' HUP INT TERM; sleep 1000 & echo $! > below; echo $$ > pid; wait; wait"
"#;

fn start(place: &Place, flow: &str) -> (Child, [i32; 2]) {
    place.write("flow.toml", flow);
    let mut command = place.command(&["run", "flow.toml"]);
    let out = std::fs::File::create(place.path("out")).expect("made");
    let child = command
        .stdout(out)
        .stderr(Stdio::piped())
        .spawn()
        .expect("run");
    let pids = ["below", "pid"].map(|name| number_in(&place.path(name)));
    (child, pids)
}

fn out(place: &Place) -> String {
    std::fs::read_to_string(place.path("out")).expect("output")
}

/// Waits for the end, and checks what holds after any interrupt.
fn ended(place: &Place, child: Child, pids: [i32; 2]) {
    let output = child.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    for pid in pids {
        until("the end of the node's processes", || !is_there(pid));
    }
    let log = Log::open(&place.path("run.pal")).expect("a log");
    assert_eq!(log.lifecycle(), Lifecycle::CleanExit);
    let verified = place.run(&["verify", &place.log()]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[test]
fn ctrl_c_ends_the_run_and_every_process_of_it() {
    let place = Place::new();
    let (child, pids) = start(&place, PATIENT);
    signal(child.id(), Signal::INT);
    ended(&place, child, pids);
    let out = out(&place);
    assert!(
        out.contains("ending what runs; Ctrl-C again kills it at once\n"),
        "{out}"
    );
    for row in ["patient  default  cancelled", "later    default  cancelled"] {
        assert!(
            out.lines().any(|line| line.starts_with(row)),
            "{row} in {out}"
        );
    }
    assert!(!place.has("later"));
}

#[test]
fn a_second_ctrl_c_kills_what_will_not_end() {
    let place = Place::new();
    let (child, pids) = start(&place, DEAF);
    signal(child.id(), Signal::INT);
    until("the first to be heard", || {
        out(&place).contains("ending what runs")
    });
    signal(child.id(), Signal::INT);
    ended(&place, child, pids);
}

#[test]
fn a_request_to_end_is_obeyed_like_ctrl_c() {
    let place = Place::new();
    let (child, pids) = start(&place, PATIENT);
    signal(child.id(), Signal::TERM);
    ended(&place, child, pids);
}
