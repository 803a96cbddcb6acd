//! Segments that are followed while their process spills.

use crate::long::{RECORDS, with_segments};
use crate::place::{Place, number_in, signal, until};
use crate::program::Program;
use crate::spill::block_of_nonsense;
use glasshouse_pal::reader::Log;
use glasshouse_pal::spill::{Settings, Spiller};
use glasshouse_pal::{Pal, RingOwner, TaskEvent};
use glasshouse_scheduler::task;
use rustix::process::Signal;
use std::fs::File;
use std::io::Write;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

/// Works until it is told to stop.
const FLOW: &str = r#"
    [[node]]
    name = "ticker"
    run = "echo $$ > pid; while ! test -e stop; do echo tick; sleep 0.01; done"
"#;

/// A run that spills, of which a first segment is there, and the place that it runs in.
fn spilling() -> (Place, Child) {
    let place = Place::new();
    place.write("flow.toml", FLOW);
    let mut command = place.command(&["run", "flow.toml", "--spill", "spill"]);
    let child = command.stdout(Stdio::null()).spawn().expect("run");
    number_in(&place.path("pid"));
    until("a segment is there", || {
        place.run(&["log", "spill"]).code == Some(0)
    });
    (place, child)
}

fn stop(place: &Place, mut run: Child) {
    place.write("stop", "");
    assert!(run.wait().expect("ended").success());
}

/// Follows the segments, with its lines in one file and what it says in another.
pub fn follow(place: &Place, options: &[&str], name: &str) -> Child {
    let file =
        |ending: &str| File::create(place.path(&format!("{name}.{ending}"))).expect("a file");
    let mut command = place.command(&["log", "spill", "--follow"]);
    command
        .args(options)
        .stdout(file("out"))
        .stderr(file("err"));
    command.spawn().expect("run")
}

pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).expect("text")
}

/// What it printed, and what it said last.
pub fn told(place: &Place, name: &str) -> (Vec<String>, String) {
    let [out, err] = ["out", "err"].map(|ending| text(&place.path(&format!("{name}.{ending}"))));
    let last = err.lines().last().unwrap_or_default().to_owned();
    (out.lines().map(str::to_owned).collect(), last)
}

/// Waits until something came that was not there when it was called.
fn until_it_grows(place: &Place, name: &str) {
    let out = place.path(&format!("{name}.out"));
    let length = text(&out).len();
    until("more is followed", || text(&out).len() > length);
}

/// In an order that does not depend on what came late.
fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// What a whole reading prints afterwards.
fn whole(place: &Place, options: &[&str]) -> Vec<String> {
    let ended = place.run(&[&["log", "spill"], options].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.out.lines().map(str::to_owned).collect()
}

#[test]
fn following_segments_shows_every_record_once_and_ends_with_the_process() {
    let (place, run) = spilling();
    let mut all = follow(&place, &[], "all");
    let mut dated = follow(&place, &["--json"], "dated");
    let of_nodes = ["--name", "node:*", "--event", "running,done,wake"];
    let mut nodes = follow(&place, &of_nodes, "nodes");
    let mut end = follow(
        &place,
        &["--kind", "shutdown_complete", "--task", "1"],
        "end",
    );
    until("it follows", || !text(&place.path("all.out")).is_empty());
    until_it_grows(&place, "all");
    until_it_grows(&place, "all");
    stop(&place, run);
    for follower in [&mut all, &mut dated, &mut nodes, &mut end] {
        assert_eq!(follower.wait().expect("ended").code(), Some(0));
    }
    let (lines, said) = told(&place, "all");
    assert_eq!(said, "followed without losing a record");
    assert!(lines.last().expect("lines").contains("shutdown_complete"));
    assert_eq!(sorted(lines), sorted(whole(&place, &[])));
    // The dates are those that a reading of the whole finds.
    let (lines, _) = told(&place, "dated");
    assert_eq!(sorted(lines), sorted(whole(&place, &["--json"])));
    let (lines, _) = told(&place, "nodes");
    assert!(!lines.is_empty());
    assert_eq!(sorted(lines), sorted(whole(&place, &of_nodes)));
    assert_eq!(told(&place, "end").0, [""; 0], "it is about no task");
    // What has ended is printed, and not waited for.
    let after = place.run(&["log", "spill", "--follow"]);
    assert_eq!(after.code, Some(0), "{after:?}");
    assert!(after.err.ends_with("followed without losing a record\n"));
    assert_eq!(after.out.lines().count(), whole(&place, &[]).len());
}

#[test]
fn following_the_segments_of_a_process_that_is_killed_prints_what_it_spilled_and_ends() {
    let (place, mut run) = spilling();
    let mut follower = follow(&place, &[], "all");
    until("it follows", || !text(&place.path("all.out")).is_empty());
    until_it_grows(&place, "all");
    run.kill().expect("killed");
    run.wait().expect("ended");
    place.write("stop", "");
    assert_eq!(follower.wait().expect("ended").code(), Some(0));
    let (lines, said) = told(&place, "all");
    assert!(said.contains("before it had spilled all"), "{said}");
    assert_eq!(sorted(lines), sorted(whole(&place, &[])));
}

#[test]
fn following_ends_with_one_line_where_the_segments_are_moved_away() {
    let (place, run) = spilling();
    let mut follower = follow(&place, &[], "all");
    until("it follows", || !text(&place.path("all.out")).is_empty());
    std::fs::rename(place.path("spill"), place.path("away")).expect("moved");
    assert_eq!(follower.wait().expect("ended").code(), Some(2));
    let (_, said) = told(&place, "all");
    assert!(said.starts_with("glasshouse: spill/"), "{said}");
    assert!(said.contains("is not there any more"), "{said}");
    stop(&place, run);
}

/// A follower whose output nobody takes but for the first line, so that it stands where a pipe is full.
fn held_up() -> (Place, Child, BufReader<ChildStdout>) {
    let place = with_segments();
    let mut command = place.command(&["log", "spill", "--follow"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut follower = command.spawn().expect("run");
    let mut out = BufReader::new(follower.stdout.take().expect("piped"));
    out.read_line(&mut String::new()).expect("a first");
    (place, follower, out)
}

#[test]
fn ctrl_c_ends_the_following_in_the_midst_of_what_was_there_before() {
    let (_place, follower, out) = held_up();
    signal(follower.id(), Signal::INT);
    let rest = out.lines().map_while(Result::ok).count() as u64;
    let output = follower.wait_with_output().expect("ended");
    assert_eq!(output.status.code(), Some(130));
    let err = String::from_utf8(output.stderr).expect("text");
    assert!(err.ends_with("followed without losing a record\n"), "{err}");
    assert!(rest < RECORDS / 2, "{rest} more lines");
}

#[test]
fn a_second_ctrl_c_ends_the_following_though_nobody_takes_what_it_prints() {
    let (_place, mut follower, _out) = held_up();
    until("its end", || {
        let ended = follower.try_wait().expect("asked");
        if ended.is_none() {
            signal(follower.id(), Signal::INT);
        }
        ended.is_some()
    });
    assert_eq!(follower.wait().expect("ended").code(), Some(130));
}

/// The numbers of the oldest and of the newest segment in a directory of one process.
fn oldest_and_newest(dir: &Path) -> (u64, u64) {
    let files = std::fs::read_dir(dir).expect("there");
    let names = files.map(|file| file.expect("readable").path());
    let number = |path: std::path::PathBuf| path.file_stem()?.to_str()?.parse().ok();
    let mut numbers: Vec<u64> = names.filter_map(number).collect();
    numbers.sort_unstable();
    (numbers[0], numbers[numbers.len() - 1])
}

#[test]
fn who_follows_segments_is_told_how_many_records_were_removed_meanwhile() {
    let settings = |place: &Place| Settings {
        segment_bytes: 4096,
        total_bytes: 32_768,
        flush: Duration::from_millis(50),
        ..Settings::new(place.path("spill"))
    };
    let stage = Place::new();
    let program = Program::with(1, |builder| builder.spill(settings(&stage)));
    program.spawn("first", async {});
    until("a segment is there", || {
        stage.run(&["log", "spill"]).code == Some(0)
    });
    let mut follower = follow(&stage, &[], "all");
    until("it follows", || !text(&stage.path("all.out")).is_empty());
    // It sleeps while segments are removed that it has not read.
    signal(follower.id(), Signal::STOP);
    let dir = std::fs::read_dir(stage.path("spill"))
        .expect("there")
        .next();
    let dir = dir.expect("one process's").expect("readable").path();
    let (_, seen_at_most) = oldest_and_newest(&dir);
    let _spinner = program.spawn("spinner", async {
        loop {
            task::yield_now().await;
        }
    });
    until("a segment came and went that it has not read", || {
        oldest_and_newest(&dir).0 > seen_at_most + 1
    });
    signal(follower.id(), Signal::CONT);
    drop(program);
    assert_eq!(follower.wait().expect("ended").code(), Some(0));
    let (lines, said) = told(&stage, "all");
    let lost = said.strip_prefix("lost while it was followed: ");
    let lost: u64 = lost
        .and_then(|rest| rest.strip_suffix(" records"))
        .expect(&said)
        .parse()
        .expect("a number");
    assert!(lost > 0);
    let err = text(&stage.path("all.err"));
    assert!(
        err.contains("records were left out by the spiller, or removed"),
        "{err}"
    );
    let log = Log::open(&stage.path("spill")).expect("readable");
    let written: u64 = log.loss().rings.iter().map(|ring| ring.newest_seq).sum();
    assert_eq!(
        lines.len() as u64 + lost,
        written,
        "each record was seen or counted"
    );
}

#[test]
fn who_follows_segments_is_told_of_records_that_make_no_sense_as_they_come() {
    let place = Place::new();
    let settings = Settings {
        flush: Duration::from_nanos(1),
        ..Settings::new(place.path("spill"))
    };
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, settings).expect("made");
    let ring = pal.lease(RingOwner::Worker(0));
    let event = TaskEvent::ShutdownComplete { clean: true };
    assert!(ring.write(pal.clock().now(), 0, &event));
    let _ = (spiller.step(), spiller.step());
    let mut follower = follow(&place, &[], "all");
    until("it follows", || !text(&place.path("all.out")).is_empty());
    let segment = spiller.path().join("00000001.seg");
    let segment = File::options().append(true).open(segment);
    let mut segment = segment.expect("a segment");
    segment.write_all(&block_of_nonsense()).expect("written");
    until("it is told", || {
        let said = text(&place.path("all.err"));
        said.lines().any(|line| line == "5 records make no sense")
    });
    drop(spiller);
    assert_eq!(follower.wait().expect("ended").code(), Some(0));
    let (lines, _) = told(&place, "all");
    assert_eq!(lines.len(), 1);
    let said = text(&place.path("all.err"));
    let sum = "lost while it was followed: 5 records, of which 5 make no sense: `glasshouse verify` tells";
    assert!(said.contains(sum), "{said}");
    assert!(!said.contains("left out by the spiller"), "{said}");
}
