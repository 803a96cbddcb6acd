//! Owns the proof that no record of any kind can be tampered with unseen: each of a log that holds every kind,
//! changed in every way that the rules speak of.

use crate::automaton::Violation;
use crate::format::header::{Header, RING_HEADER_BYTES, RingHeader};
use crate::format::kind;
use crate::lives::Fault;
use crate::reader::{Log, OpenError};
use crate::record::{RECORD_BYTES, Tag};
use crate::verify::{Finding, Report, verify};
use std::collections::BTreeSet;
use std::mem::offset_of;

/// The golden log of a program that ended, which holds every kind.
static ENDED: &[u8] = include_bytes!("../../../../../tests/golden/format-1.0-ended.pal");
/// The rings of that log.
const RINGS: usize = 3;

struct Bytes(Vec<u8>);

/// A record of an event: its ring, and where it is.
#[derive(Clone, Copy, Debug)]
struct Place {
    #[expect(dead_code, reason = "told where an assertion fails")]
    ring: usize,
    at: usize,
}

impl Bytes {
    /// The log, as if the writer had left nothing out: that would excuse some of what is done here.
    fn honest() -> Bytes {
        let mut bytes = Bytes(ENDED.to_vec());
        for cause in 0..16 {
            bytes.set(offset_of!(Header, loss) + 8 * cause, 0);
        }
        bytes
    }

    fn word(&self, at: usize) -> u64 {
        let bytes = self.0[at..at + 8].try_into().expect("eight bytes");
        u64::from_ne_bytes(bytes)
    }

    fn set(&mut self, at: usize, word: u64) {
        self.0[at..at + 8].copy_from_slice(&word.to_ne_bytes());
    }

    fn ring_header(&self, ring: usize) -> usize {
        // Sections are in the order of their kinds, four words each.
        let ring_headers = offset_of!(Header, sections) + 32;
        self.word(ring_headers + 8) as usize + ring * RING_HEADER_BYTES
    }

    fn tasks(&self) -> usize {
        self.word(offset_of!(Header, sections) + 6 * 32 + 8) as usize
    }

    /// Every record that begins an event.
    fn events(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for ring in 0..RINGS {
            let header = self.ring_header(ring);
            let first = self.word(header + offset_of!(RingHeader, offset)) as usize;
            let head = self.word(header + offset_of!(RingHeader, head)) as usize;
            let all = (first..).step_by(RECORD_BYTES).take(head);
            places.extend(all.map(|at| Place { ring, at }));
        }
        places.retain(|place| self.tag(*place).kind != kind::CONTINUED);
        places
    }

    fn tag(&self, place: Place) -> Tag {
        Tag::from_word(self.word(place.at))
    }

    fn verify(&self) -> Result<Report, OpenError> {
        Ok(verify(&Log::from_bytes(&self.0)?))
    }
}

/// What is found when an honest log is tampered with.
fn found(tamper: impl FnOnce(&mut Bytes)) -> Vec<Finding> {
    let mut bytes = Bytes::honest();
    tamper(&mut bytes);
    bytes.verify().expect("it can be opened").findings
}

/// What is found when something is done to a record's words 0 and 2.
fn found_with(place: Place, change: impl FnOnce(&mut Tag, &mut u64)) -> Vec<Finding> {
    found(|bytes| {
        let (mut tag, mut task) = (bytes.tag(place), bytes.word(place.at + 16));
        change(&mut tag, &mut task);
        bytes.set(place.at, tag.to_word());
        bytes.set(place.at + 16, task);
    })
}

/// Every record, and whether it is a transition.
fn each_record(mut f: impl FnMut(Place, Tag)) {
    let bytes = Bytes::honest();
    let events = bytes.events();
    assert_eq!(events.len(), 54);
    for place in events {
        f(place, bytes.tag(place));
    }
}

#[test]
fn the_log_is_honest_and_holds_every_kind() {
    assert!(found(|_| {}).is_empty());
    let mut kinds = BTreeSet::new();
    each_record(|_, tag| {
        kinds.insert(tag.kind);
    });
    let all = (kind::SPAWNED..=kind::FAILED)
        .chain(kind::SPAWN_DENIED..=kind::STALLED)
        .chain([40, 41]);
    assert_eq!(kinds, all.collect());
}

#[test]
fn a_record_of_any_kind_made_one_of_any_other_is_found() {
    let mut rules = BTreeSet::new();
    each_record(|place, tag| {
        let others = (0..=kind::STALLED).chain([kind::CONTINUED, 40, 41, 250, 255]);
        for other in others.filter(|other| *other != tag.kind) {
            let found = found_with(place, |tag, _| tag.kind = other);
            assert!(!found.is_empty(), "{place:?}: {tag:?} made {other}");
            rules.extend(found.iter().filter_map(broken_rule));
        }
    });
    let expected = [
        "after its end",
        "born twice",
        "left unrun",
        "ran twice",
        "ran unwoken",
        "unborn",
        "woken awake",
    ];
    assert_eq!(rules, expected.into(), "each rule is broken by one of them");
}

/// The rule of a task's life that is said to be broken.
fn broken_rule(finding: &Finding) -> Option<&'static str> {
    let Finding::Record {
        fault: Fault::Rule(rule),
        ..
    } = finding
    else {
        return None;
    };
    Some(match rule {
        Violation::Unborn { .. } => "unborn",
        Violation::Reborn { .. } => "born twice",
        Violation::RanUnwoken { .. } => "ran unwoken",
        Violation::RanTwice => "ran twice",
        Violation::WokenAwake { .. } => "woken awake",
        Violation::LeftUnrun { .. } => "left unrun",
        Violation::AfterEnd { .. } => "after its end",
        Violation::NoTransition => unreachable!("the fold leaves these out"),
    })
}

#[test]
fn a_record_of_any_kind_that_is_erased_or_out_of_its_place_is_found() {
    each_record(|place, tag| {
        let erased = found(|bytes| bytes.set(place.at, 0));
        assert!(!erased.is_empty(), "{place:?}: {tag:?} erased");
        let moved = found_with(place, |tag, _| tag.seq += 1);
        assert!(!moved.is_empty(), "{place:?}: {tag:?} moved on");
    });
}

#[test]
fn a_transition_of_any_kind_with_another_count_or_of_another_task_is_found() {
    each_record(|place, tag| {
        if tag.kind > kind::LAST_TRANSITION {
            return;
        }
        for by in [1, 2, 127, 128, 255] {
            let found = found_with(place, |tag, _| tag.aux = tag.aux.wrapping_add(by));
            assert!(!found.is_empty(), "{place:?}: {tag:?} counted {by} on");
        }
        for other in [1, 2, 5, 77, 1 << 40] {
            let is_other = Bytes::honest().word(place.at + 16) != other;
            let found = found_with(place, |_, task| *task = other);
            assert!(
                is_other != found.is_empty(),
                "{place:?}: {tag:?} given to {other}"
            );
        }
        for nobody in [0, u64::MAX] {
            let found = found_with(place, |_, task| *task = nobody);
            assert!(!found.is_empty(), "{place:?}: {tag:?} given to nobody");
        }
    });
}

#[test]
fn a_transition_of_any_kind_stamped_before_its_task_s_last_is_found() {
    each_record(|place, tag| {
        // A spawn has none before it.
        if tag.kind > kind::LAST_TRANSITION || tag.kind == kind::SPAWNED {
            return;
        }
        let found = found(|bytes| bytes.set(place.at + 8, 1));
        assert!(!found.is_empty(), "{place:?}: {tag:?} stamped early");
    });
}

/// Changes a log; it is told how to find a field of the first ring's header.
type Tamper = fn(&mut Bytes, &dyn Fn(&Bytes, usize) -> usize);

#[test]
fn every_kind_of_finding_can_be_brought_about() {
    let header = |bytes: &Bytes, field| bytes.ring_header(0) + field;
    let tampers: [Tamper; 6] = [
        // A record, and the count of its kind, and a hole.
        |bytes, _| bytes.set(bytes.events()[9].at, 0),
        // One that makes no sense: a wake by nobody.
        |bytes, _| {
            let wake = bytes
                .events()
                .into_iter()
                .find(|place| bytes.tag(*place).kind == kind::WAKE);
            bytes.set(wake.expect("there is one").at + 24, 0);
        },
        |bytes, header| bytes.set(header(bytes, offset_of!(RingHeader, head)), 3),
        |bytes, header| bytes.set(header(bytes, offset_of!(RingHeader, length)), 5),
        // The row's run: the row, and its sum.
        |bytes, _| {
            let run = bytes.tasks() + 5 * 8;
            bytes.set(run, bytes.word(run) + 1);
        },
        // No row.
        |bytes, _| bytes.set(bytes.tasks(), 0),
    ];
    let names = tampers
        .iter()
        .flat_map(|tamper| found(|bytes| tamper(bytes, &header)));
    let names: BTreeSet<&str> = names.map(|finding| finding.name()).collect();
    let expected = [
        "count",
        "head",
        "hole",
        "missing",
        "record",
        "rings",
        "row",
        "sum",
        "unreadable",
    ];
    assert_eq!(names, expected.into());
}
