//! Logs that are followed, and readers that go away.

use crate::place::{Place, number_in, signal, until};
use crate::program::Program;
use glasshouse_scheduler::task;
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

/// Yields this often: a tick is two records, and a ring of a worker holds 131,072 of them at most.
const TICKS: usize = 80_000;

#[test]
fn who_follows_is_told_how_many_records_were_lost_meanwhile() {
    let program = Program::new(1);
    let place = &program.place;
    let followed = std::fs::File::create(place.path("followed")).expect("a file");
    let mut follower = place.command(&["log", "run.pal", "--follow"]);
    follower.stdout(followed).stderr(Stdio::piped());
    let follower = follower.spawn().expect("run");
    let ended = program.spawn("short", async {}).id();
    let lines = || {
        let text = std::fs::read_to_string(place.path("followed")).expect("text");
        text.lines().count() as u64
    };
    until("it follows", || lines() >= 3);
    assert!(program.state(ended).is_none());
    // It sleeps while the ring goes round.
    signal(follower.id(), Signal::STOP);
    let spinner = program.spawn("spinner", async {
        for _ in 0..TICKS {
            task::yield_now().await;
        }
    });
    until("its end", || spinner.is_finished());
    signal(follower.id(), Signal::CONT);
    // What comes last is there once all is. Its name was overwritten with its spawn.
    let its = format!(" #{} ", spinner.id());
    until("the rest", || {
        let text = std::fs::read_to_string(place.path("followed")).expect("text");
        let last = text.lines().last().unwrap_or_default();
        last.contains(&its) && last.ends_with(" done")
    });
    signal(follower.id(), Signal::INT);
    let output = follower.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130));
    let err = String::from_utf8(output.stderr).expect("text");
    let lost = err
        .lines()
        .find_map(|line| line.strip_suffix(" records were overwritten before they were read"));
    let lost: u64 = lost.expect(&err).parse().expect("a number");
    let log = glasshouse_pal::reader::Log::open(&place.path("run.pal")).expect("a log");
    let written: u64 = log.loss().rings.iter().map(|ring| ring.newest_seq).sum();
    assert_eq!(lines() + lost, written, "each record was seen or counted");
    assert!(
        err.ends_with(&format!("lost while it was followed: {lost} records\n")),
        "{err}"
    );
}
