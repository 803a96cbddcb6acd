//! Logs that are followed, and readers that go away.

use crate::place::{Place, number_in, signal, until};
use rustix::process::Signal;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Works until it is told to stop.
const FLOW: &str = r#"
    [[node]]
    name = "ticker"
    run = "echo $$ > pid; while ! test -e stop; do echo tick; sleep 0.01; done"
"#;

/// A run under way, and the place that it runs in.
fn running() -> (Place, Child) {
    let place = Place::new();
    place.write("flow.toml", FLOW);
    let mut command = place.command(&["run", "flow.toml"]);
    let child = command.stdout(Stdio::null()).spawn().expect("run");
    number_in(&place.path("pid"));
    (place, child)
}

fn stop(place: &Place, mut run: Child) {
    place.write("stop", "");
    assert!(run.wait().expect("ended").success());
}

fn piped(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("run")
}

#[test]
fn following_shows_every_record_once_and_ends_with_the_process() {
    let (place, run) = running();
    let mut follower = piped(place.command(&["log", "run.pal", "--follow", "--json"]));
    let mut lines = BufReader::new(follower.stdout.take().expect("piped")).lines();
    let mut followed: Vec<String> = Vec::new();
    // Some that were there, then some that come while it looks.
    while followed
        .iter()
        .filter(|line| line.contains("\"wake\""))
        .count()
        < 20
    {
        followed.push(lines.next().expect("it goes on").expect("text"));
    }
    stop(&place, run);
    followed.extend(lines.map(|line| line.expect("text")));
    let output = follower.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(0));
    // The dates of stamps are told anew with each clock pair; all else stays.
    let undated = |line: &str| {
        let mut value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        value["wall"].take();
        value.to_string()
    };
    let mut followed: Vec<String> = followed.iter().map(|line| undated(line)).collect();
    let whole = place.run(&["log", "run.pal", "--json"]);
    let mut whole: Vec<String> = whole.out.lines().map(undated).collect();
    followed.sort();
    whole.sort();
    assert_eq!(followed, whole);
}

#[test]
fn ctrl_c_ends_the_following() {
    let (place, run) = running();
    let mut follower = piped(place.command(&["log", "run.pal", "--follow"]));
    let mut lines = BufReader::new(follower.stdout.take().expect("piped")).lines();
    lines.next().expect("a first").expect("text");
    signal(follower.id(), Signal::INT);
    let rest = lines.map_while(Result::ok).count();
    let output = follower.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130), "after {rest} more lines");
    stop(&place, run);
}

#[test]
fn a_reader_that_goes_away_ends_a_command_quietly() {
    let (place, run) = running();
    for args in [
        &["log", "run.pal", "--follow"][..],
        &["log", "run.pal"],
        &["log", "run.pal", "--json"],
        &["stats", "run.pal"],
        &["verify", "run.pal"],
        &["ps"],
        &["--help"],
    ] {
        let mut command = piped(place.command(args));
        drop(command.stdout.take());
        let output = command.wait_with_output().expect("ended");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(
            err.is_empty() || err.contains("retained: "),
            "{args:?}: {err}"
        );
    }
    stop(&place, run);
}

#[test]
fn following_an_idle_log_ends_when_its_reader_goes_away() {
    let flow = "[[node]]\nname = \"idle\"\nrun = \"echo $$ > pid; while ! test -e stop; do sleep 0.1; done\"\n";
    let place = Place::new();
    place.write("flow.toml", flow);
    let mut command = place.command(&["run", "flow.toml"]);
    let run = command.stdout(Stdio::null()).spawn().expect("run");
    number_in(&place.path("pid"));
    let kind = ["log", "run.pal", "--follow", "--kind", "shutdown_complete"];
    let mut follower = piped(place.command(&kind));
    drop(follower.stdout.take());
    until("its end", || follower.try_wait().expect("asked").is_some());
    assert!(follower.wait().expect("ended").success());
    stop(&place, run);
}
