//! Logs that are none, are cut short, of a later version, damaged, or left by a process that was killed.

use crate::place::{Place, is_there, number_in, overwrite, until};
use glasshouse_pal::{Pal, RingOwner, TaskEvent, TaskId};
use std::fs::File;
use std::io::Read;
use std::path::Path;

const FLOW: &str = "[[node]]\nname = \"a\"\nrun = \"echo a\"\n";
/// The commands that read one log.
const READERS: [&str; 3] = ["log", "stats", "verify"];

/// A place with a log of a short run, and that log's length.
fn with_log() -> (Place, u64) {
    let place = Place::new();
    assert_eq!(place.run_flow(FLOW, &[]).code, Some(0));
    let bytes = std::fs::metadata(place.path("run.pal"))
        .expect("a log")
        .len();
    (place, bytes)
}

#[test]
fn what_is_no_log_is_refused() {
    let place = Place::new();
    place.write("notes.txt", "GLASS is not enough");
    place.write("empty", "");
    for (pal, what) in [
        ("notes.txt", "notes.txt is not a log"),
        ("empty", "empty is not a log"),
        (".", ". is not a log"),
        ("/dev/null", "/dev/null is not a log"),
        ("missing.pal", "there is no file missing.pal"),
        ("4000000000", "process 4000000000 has no log"),
    ] {
        for reader in READERS {
            let ended = place.run(&[reader, pal]);
            assert!(ended.refusal().starts_with(what), "{reader}: {ended:?}");
        }
    }
}

#[test]
fn a_log_of_another_version_or_byte_order_is_refused() {
    let (place, _) = with_log();
    let path = place.path("run.pal");
    for (offset, bytes, what) in [
        (
            16,
            (2u64 << 32 | 7).to_ne_bytes(),
            "has the format 2.7 and this program reads 1.x",
        ),
        (
            8,
            0x0807_0605_0403_0201u64.to_ne_bytes(),
            "was written in another byte order",
        ),
    ] {
        let page = beginning(&path, 4096);
        overwrite(&path, offset, &bytes);
        for reader in READERS {
            let ended = place.run(&[reader, "run.pal"]);
            assert!(ended.refusal().contains(what), "{reader}: {ended:?}");
        }
        overwrite(&path, 0, &page);
    }
    assert_eq!(place.run(&["verify", "run.pal"]).code, Some(0));
}

#[test]
fn a_log_cut_short_anywhere_is_refused() {
    let (place, whole) = with_log();
    for bytes in [whole - 1, whole / 2, 100_000, 4096, 4095, 100, 8] {
        let file = File::options().write(true).open(place.path("run.pal"));
        file.expect("opened").set_len(bytes).expect("cut");
        for reader in READERS {
            let ended = place.run(&[reader, "run.pal"]);
            let line = ended.refusal();
            assert!(
                line.contains(&format!("is cut short: {bytes} of ")),
                "{bytes}: {line}"
            );
        }
    }
}

#[test]
fn a_tampered_log_does_not_hold() {
    let (place, _) = with_log();
    let path = place.path("run.pal");
    let (at, word) = third_run(&path);
    overwrite(&path, at, &(word + 0x0900).to_ne_bytes());
    let ended = place.run(&["verify", "run.pal"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.out.contains("not hold"), "{}", ended.out);
    let told = place.run(&["verify", "run.pal", "--json"]);
    assert_eq!(told.code, Some(1));
    let verdict = &told.json()[0];
    assert_eq!(verdict["holds"], false);
    assert!(verdict["findings_total"].as_u64().expect("a count") > 0);
    assert!(verdict["findings"][0]["message"].is_string());
}

/// Where record 3 of some ring is, which says that a task runs, and its tag: that carries the number in its upper 48 bits, and
/// a transition's kind.
fn third_run(path: &Path) -> (u64, u64) {
    let all = beginning(path, 12 << 20);
    let words = all
        .chunks_exact(8)
        .map(|word| u64::from_ne_bytes(word.try_into().expect("eight")));
    let is_running = |word: &u64| *word >> 16 == 3 && (*word >> 8) as u8 == 2;
    let at = words
        .enumerate()
        .skip(8192)
        .find(|(_, word)| is_running(word));
    let (index, word) = at.expect("a third record that says a task runs");
    (index as u64 * 8, word)
}

#[test]
fn a_record_that_makes_no_sense_is_told_by_every_reader() {
    let (place, _) = with_log();
    let path = place.path("run.pal");
    let (at, word) = third_run(&path);
    // A failure of a kind that there is none of.
    overwrite(&path, at, &(word + 0x0a00).to_ne_bytes());
    overwrite(&path, at + 24, &(99u64 << 32).to_ne_bytes());
    let lost = "lost: 1 records unreadable";
    let remedy = "; `glasshouse verify` tells what does not hold\n";
    for args in [
        &["log", "run.pal"][..],
        &["export", "run.pal", "--format", "json"],
    ] {
        let ended = place.run(args);
        assert_eq!(
            ended.err.matches(lost).count(),
            1,
            "{args:?}: {}",
            ended.err
        );
        assert!(ended.err.ends_with(remedy), "{}", ended.err);
        assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    }
    for args in [
        &["stats", "run.pal"][..],
        &["task", "run.pal", "1"],
        &["why", "run.pal"],
    ] {
        let ended = place.run(args);
        assert!(ended.out.contains(lost), "{args:?}: {}", ended.out);
    }
    let task = place.json(&["task", "run.pal", "1", "--json"]);
    let told = &task.last().expect("a line")["lost"]["unreadable"];
    assert_eq!(told, 1, "{task:?}");
    // It was so before anybody followed.
    let followed = place.run(&["log", "run.pal", "--follow"]);
    assert!(followed.err.contains(lost), "{}", followed.err);
    assert!(
        followed.err.ends_with("followed without losing a record\n"),
        "{}",
        followed.err
    );
}

#[test]
fn no_damage_makes_a_command_panic() {
    let (place, _) = with_log();
    let path = place.path("run.pal");
    let mut state = 11u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    for round in 0..12 {
        // The first page, then the schema and the rings' headers, then texts, sites and records.
        let below = [4096, 300_000, 6_000_000][round % 3];
        for _ in 0..40 {
            overwrite(
                &path,
                random(below / 8) * 8,
                &(random(1 << 31) << 7).to_ne_bytes(),
            );
        }
        for reader in READERS {
            let ended = place.run(&[reader, "run.pal"]);
            assert!(matches!(ended.code, Some(0..=2)), "{reader}: {ended:?}");
            assert!(!ended.err.contains("panicked"), "{reader}: {ended:?}");
        }
    }
}

#[test]
fn the_log_of_a_killed_process_is_whole() {
    let place = Place::new();
    let flow = "[[node]]\nname = \"busy\"\nrun = \"echo $$ > pid; while :; do echo x; sleep 0.01; done\"\n";
    place.write("flow.toml", flow);
    let mut child = place.command(&["run", "flow.toml"]).spawn().expect("run");
    let node = number_in(&place.path("pid"));
    let has_output = || {
        let ended = place.run(&["log", "run.pal", "--kind", "io_wait"]);
        ended
            .out
            .lines()
            .filter(|line| line.contains("pty:busy"))
            .count()
            > 5
    };
    until("some records", has_output);
    child.kill().expect("killed");
    child.wait().expect("reaped");
    let verified = place.run(&["verify", "run.pal", "--json"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert_eq!(verified.json()[0]["rest"], "stopped");
    let records = place.run(&["log", "run.pal"]);
    assert!(records.out.lines().any(|line| line.contains("node:busy")));
    // The kernel hangs up the terminal of what was left; the shell ends by that.
    until("the end of the node", || !is_there(node));
}

/// The first bytes of a log, before its sparse task table.
fn beginning(path: &Path, bytes: u64) -> Vec<u8> {
    let mut read = Vec::new();
    let file = File::open(path).expect("opened");
    file.take(bytes).read_to_end(&mut read).expect("read");
    read
}

#[test]
fn a_log_that_does_not_hold_fails_though_nobody_reads_the_findings() {
    let place = Place::new();
    let log = Pal::builder().file(place.path("run.pal")).workers(1);
    let pal = log.build().expect("room for a log");
    let ring = pal.lease(RingOwner::Worker(0));
    // Of each the spawn is missing. Told, they fill more than what is written at once.
    for number in 1..=2000 {
        let tid = TaskId::new(number).expect("in range");
        assert!(ring.write(pal.clock().now(), 1, &TaskEvent::Running { tid }));
    }
    drop((ring, pal));
    for args in [&["verify", "run.pal"][..], &["verify", "run.pal", "--json"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let ended = place.command(args).stdout(writer).output().expect("run");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert_eq!((ended.status.code(), &*said), (Some(1), ""), "{args:?}");
    }
}
