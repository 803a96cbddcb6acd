//! What a spiller keeps is what the log has: every record, word by word, in the same order.
//!
//! - Through any rotation, with records that come late and on many rings.
//! - What is not kept is told: overrun rings, a small budget, removed segments.
//! - Segments of every version of the format are read as ever.
//! - Who follows is given what a whole reading gives, each record once, and is told how many are lost.
//! - Damage is told, and excuses no more than it has to.
//! - The total bound holds at every moment, and other processes' segments stay while they live.

mod bounds;
mod follow;
mod gaps;
mod golden;
mod held;
mod hostile;
mod program;
mod round_trip;
mod rows;
mod senseless;

use super::{Settings, Spiller};
use crate::Event;
use crate::reader::{Entry, Log};
use crate::segment::{HEADER_BYTES, SECTION_HEAD_BYTES, SectionHead};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A directory that is not made yet, and what removes it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("spill");
    (place, path)
}

fn small(dir: &Path) -> Settings {
    Settings {
        segment_bytes: 4096,
        ..Settings::new(dir)
    }
}

/// Room for four segments, and every step writes.
fn of_small_total(dir: &Path) -> Settings {
    Settings {
        total_bytes: 20_000,
        flush: Duration::from_nanos(1),
        ..small(dir)
    }
}

/// Each step ends a segment.
fn a_segment_a_step(dir: &Path) -> Settings {
    Settings {
        flush: Duration::from_nanos(1),
        segment_age: Duration::from_nanos(1),
        ..Settings::new(dir)
    }
}

fn entries(dir: &Path) -> Vec<Entry> {
    Log::open(dir).expect("readable").records().collect()
}

/// How many records an event takes. No parent is so far that its spawn takes a second one.
fn records_of(entry: &Entry) -> u64 {
    match entry.event {
        Event::Task(_) => 1,
        Event::Domain(event) => 1 + (event.args().len() as u64 - 1).div_ceil(3),
    }
}

/// The segments' files, in their order.
fn segments(spiller: &Spiller) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(spiller.path()).expect("there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    paths
}

/// Where the sections of a segment are: each one's head, and its payload's range.
fn sections(bytes: &[u8]) -> Vec<(usize, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut at = HEADER_BYTES;
    while at < bytes.len() {
        let head = bytes[at..].first_chunk().expect("a head");
        let head = SectionHead::take(head).expect("a length");
        let payload = at + SECTION_HEAD_BYTES..at + SECTION_HEAD_BYTES + head.length;
        found.push((at, payload.clone()));
        at = payload.end;
    }
    found
}

fn bytes_in(dir: &Path) -> u64 {
    let sized = |path: PathBuf| match path.is_dir() {
        true => bytes_in(&path),
        false => std::fs::metadata(&path).expect("there").len(),
    };
    let entries = std::fs::read_dir(dir).expect("there");
    entries
        .map(|entry| sized(entry.expect("readable").path()))
        .sum()
}
