//! A run that keeps its log on disk, read by the commands that read logs.

use crate::place::Place;
use std::path::Path;

const FLOW: &str = "
[[node]]
name = \"one\"
run = \"echo one\"

[[node]]
name = \"two\"
needs = [\"one\"]
run = \"echo two\"
";

/// Lines of JSON without the time of day, which segments tell from other clock readings.
fn without_wall(text: &str) -> Vec<serde_json::Value> {
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines
        .map(|mut line: serde_json::Value| {
            line.as_object_mut().expect("an object").remove("wall");
            line
        })
        .collect()
}

#[test]
fn segments_tell_what_the_log_tells() {
    let place = Place::new();
    let (pal, dir) = (place.arg("a.pal"), place.arg("spill"));
    let ended = place.run_flow(FLOW, &["--pal", &pal, "--spill", &dir]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let [by_log, by_segments] = [&pal, &dir].map(|log| place.run(&["log", log, "--json"]));
    assert_eq!(by_segments.code, Some(0), "{}", by_segments.err);
    assert_eq!(without_wall(&by_segments.out), without_wall(&by_log.out));
    assert!(by_segments.out.lines().count() > 10);
    for args in [
        &["verify", &dir][..],
        &["stats", &dir],
        &["task", &dir, "1"],
        &["export", &dir, "--format", "chrome"],
        &["log", &dir, "--follow"],
    ] {
        let ended = place.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.err);
        assert!(!ended.out.is_empty(), "{args:?}");
    }
}

#[test]
fn a_place_that_cannot_be_spilled_to_is_one_line_and_exit_code_2() {
    let place = Place::new();
    place.write("file", "mine");
    let ended = place.run_flow(FLOW, &["--spill", &place.arg("file")]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{}", ended.err);
    assert!(
        ended.err.contains("/file: it is not a directory; make it"),
        "{}",
        ended.err
    );
    let ended = place.run(&["log", "."]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("holds no segments"), "{}", ended.err);
}

/// As gzip has it.
fn crc_32(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ 0xedb8_8320 & (crc & 1).wrapping_neg();
        }
    }
    !crc
}

/// Makes nonsense of a segment's first block, under a checksum that fits.
fn spoil_first_block(segment: &Path) {
    let mut bytes = std::fs::read(segment).expect("readable");
    let mut at = 144;
    let word = |bytes: &[u8], at: usize| {
        u32::from_le_bytes(*bytes[at..].first_chunk().expect("a word")) as usize
    };
    while word(&bytes, at) != 1 {
        at += 12 + word(&bytes, at + 4);
    }
    let end = at + 12 + word(&bytes, at + 4);
    bytes[end - 6..end].fill(0xff);
    let sealed = [&bytes[at..at + 8], &bytes[at + 12..end]].concat();
    bytes[at + 8..at + 12].copy_from_slice(&crc_32(&sealed).to_le_bytes());
    std::fs::write(segment, bytes).expect("written");
}

#[test]
fn records_that_cannot_be_read_are_told_by_segment_and_do_not_hold() {
    let place = Place::new();
    let dir = place.arg("spill");
    let ended = place.run_flow(FLOW, &["--spill", &dir]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let records = place.run(&["log", &dir, "--json"]).out.lines().count();
    let inner = std::fs::read_dir(&dir).expect("there").next();
    let inner = inner.expect("one").expect("readable").path();
    spoil_first_block(&inner.join("00000001.seg"));

    let verify = place.run(&["verify", &dir]);
    assert_eq!(verify.code, Some(1), "{verify:?}");
    let told = place.run(&["verify", &dir, "--json"]).json();
    let unread = &told[0]["lost"]["unread"][0];
    let lost = unread["records"].as_u64().expect("a number");
    assert_eq!(unread["segment"], 1);
    assert!(
        lost > 0 && lost >= records as u64 / 2,
        "{lost} of {records}"
    );
    let what = format!("segment 1: {lost} records cannot be read");
    assert!(verify.out.contains(&what), "{}", verify.out);

    let what = format!("{lost} records not to be read ({lost} of segment 1)");
    let stats = place.run(&["stats", &dir]);
    assert!(stats.out.contains(&what), "{}", stats.out);
    for args in [
        &["log", &dir][..],
        &["log", &dir, "--json"],
        &["export", &dir, "--format", "chrome"],
    ] {
        let ended = place.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.err);
        assert!(ended.err.contains(&what), "{args:?}: {}", ended.err);
    }
}

/// A block of five records of one ring, each of which says that task 7 failed in a way that there is none of.
pub fn block_of_nonsense() -> Vec<u8> {
    const FAILED: u8 = 12;
    const OF_RING_9: u8 = 18;
    let head = [5, 1, 0, 0, 0, 0, 0, 1, OF_RING_9, 5, 1, 4, 0];
    let tasks = [1, 14];
    // A length, and a byte as often.
    let same = |byte| [5, 1, byte];
    let columns = [same(0), same(FAILED), same(0), same(0)].concat();
    // A length, and the bytes: the failure is 99 << 32, folded, in groups of seven bits.
    let whose = [5, 0, 1, 2, 2, 2, 2];
    let failures = [10, 0, 0x80, 0x80, 0x80, 0x80, 0xe0, 0x18, 0, 0, 0, 0];
    let payload = [
        &head[..],
        &tasks,
        &columns,
        &whose,
        &same(0),
        &failures,
        &[0, 0],
    ]
    .concat();
    let mut section = 1u32.to_le_bytes().to_vec();
    section.extend((payload.len() as u32).to_le_bytes());
    let crc = crc_32(&[&section[..], &payload].concat());
    section.extend(crc.to_le_bytes());
    section.extend(payload);
    section
}

#[test]
fn records_that_make_no_sense_are_told_by_every_reader_with_what_to_do() {
    let place = Place::new();
    let dir = place.arg("spill");
    assert_eq!(place.run_flow(FLOW, &["--spill", &dir]).code, Some(0));
    let whole = place.run(&["log", &dir]);
    let inner = std::fs::read_dir(&dir).expect("there").next();
    let inner = inner.expect("one").expect("readable").path();
    let segment = inner.join("00000001.seg");
    let mut bytes = std::fs::read(&segment).expect("readable");
    bytes.extend(block_of_nonsense());
    std::fs::write(&segment, bytes).expect("written");

    let remedy = "`glasshouse verify` tells what does not hold";
    let said = format!("5 records make no sense: {remedy}");
    for args in [
        &["log", &dir][..],
        &["log", &dir, "--json"],
        &["export", &dir, "--format", "chrome"],
        &["export", &dir, "--format", "json"],
        &["task", &dir, "7"],
    ] {
        let ended = place.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.err);
        assert_eq!(
            ended.err.matches("make no sense").count(),
            1,
            "{args:?}: {}",
            ended.err
        );
        assert!(ended.err.contains(&said), "{args:?}: {}", ended.err);
    }
    for args in [
        &["stats", &dir][..],
        &["why", &dir],
        &["why", &dir, "7"],
        &["verify", &dir],
    ] {
        let ended = place.run(args);
        assert!(
            ended.out.contains("lost: 5 records unreadable"),
            "{args:?}: {}",
            ended.out
        );
    }
    let task = place.json(&["task", &dir, "7", "--json"]);
    let told = &task.last().expect("a line")["lost"]["unreadable"];
    assert_eq!(told, 5, "{task:?}");
    let verify = place.run(&["verify", &dir]);
    assert_eq!(verify.code, Some(1), "{verify:?}");
    assert!(
        verify.out.contains("5 records make no sense"),
        "{}",
        verify.out
    );
    let followed = place.run(&["log", &dir, "--follow"]);
    let lost = format!("lost while it was followed: 5 records, of which 5 make no sense: {remedy}");
    assert_eq!(followed.err.lines().last(), Some(&*lost));
    assert_eq!(followed.out, whole.out, "all else is there");
}
