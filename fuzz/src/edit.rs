//! Owns the tampering: edits of a real log, each at a place that means something.
//!
//! The places are those of `docs/pal-format.md`, so that this is a second reading of that page, too.

use crate::number::Number;
use arbitrary::Arbitrary;
use glasshouse_pal::ProcessId;

/// The golden logs: one whole, one of a killed process whose ring had wrapped.
static LOGS: [&[u8]; 2] = [
    include_bytes!("../../tests/golden/format-1.0-ended.pal"),
    include_bytes!("../../tests/golden/format-1.0-killed.pal"),
];

const HEADER_WORDS: u16 = 106;
const SECTIONS_AT: usize = 320;
const RING_HEADER_BYTES: usize = 8192;
const RECORD_BYTES: usize = 32;
const SLOT_BYTES: usize = 64;

/// A log to be made, and what is done to it.
#[derive(Arbitrary, Clone, Debug)]
pub struct Tampered {
    log: bool,
    /// The log of this very process, so that it is read as one that is written.
    is_live: bool,
    edits: Vec<Edit>,
    /// The last bytes to leave out.
    cut: Option<u16>,
}

#[derive(Arbitrary, Clone, Debug)]
enum Edit {
    Header {
        word: u16,
        value: Number,
    },
    Section {
        kind: u8,
        word: u8,
        value: Number,
    },
    RingHeader {
        ring: u8,
        word: u16,
        value: Number,
    },
    Record {
        ring: u8,
        place: u8,
        word: u8,
        value: Number,
        /// Another word of it.
        and: Option<(u8, Number)>,
    },
    /// The words of one record over those of another, with its sequence number or that of the place.
    CopyRecord {
        from: (u8, u8),
        to: (u8, u8),
        keeps_seq: bool,
    },
    Tag {
        ring: u8,
        place: u8,
        kind: u8,
        aux: u8,
    },
    Slot {
        slot: u8,
        word: u8,
        value: Number,
        /// Another word of it.
        and: Option<(u8, Number)>,
    },
    CopySlot {
        from: u8,
        to: u8,
    },
    Schema {
        kind: u8,
        word: u8,
        value: Number,
    },
    TextIndex {
        text: u8,
        value: Number,
    },
    Text {
        word: u8,
        value: Number,
    },
    Site {
        site: u8,
        word: bool,
        value: Number,
    },
}

/// What the format calls sections.
#[expect(dead_code, reason = "rings are found by their headers")]
#[derive(Clone, Copy)]
enum Section {
    Schema = 1,
    RingHeaders,
    TextIndex,
    Text,
    Sites,
    Rings,
    Tasks,
}

/// A log's bytes, and where its parts are. Edits that would lie outside are left out.
struct Bytes(Vec<u8>);

impl Bytes {
    fn word(&self, at: usize) -> u64 {
        let bytes = self
            .0
            .get(at..at + 8)
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u64::from_le_bytes)
    }

    fn set(&mut self, at: usize, word: u64) {
        if let Some(bytes) = self.0.get_mut(at..at.saturating_add(8)) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
    }

    fn change(&mut self, at: usize, value: Number) {
        self.set(at, value.over(self.word(at)));
    }

    /// So many bytes, a multiple of a word's.
    fn copy(&mut self, from: usize, to: usize, bytes: usize) {
        for word in (0..bytes).step_by(8) {
            self.set(to + word, self.word(from + word));
        }
    }
}

/// Where the parts of an untouched golden log are.
struct Places<'a>(&'a [u8]);

impl Places<'_> {
    fn word(&self, at: usize) -> usize {
        let bytes = self.0[at..at + 8].try_into().expect("eight bytes");
        u64::from_le_bytes(bytes) as usize
    }

    /// Where a section begins. Those of golden logs are in the order of their kinds.
    fn section(&self, section: Section) -> usize {
        self.word(SECTIONS_AT + (section as usize - 1) * 32 + 8)
    }

    /// Where one of a section's parts begins, of which there are so many of so many bytes.
    fn part(&self, section: Section, part: u8, (count, bytes): (u8, usize)) -> usize {
        self.section(section) + usize::from(part % count) * bytes
    }

    fn ring_header(&self, ring: u8) -> usize {
        self.part(Section::RingHeaders, ring, (3, RING_HEADER_BYTES))
    }

    fn record(&self, ring: u8, place: u8) -> usize {
        self.word(self.ring_header(ring) + 64) + usize::from(place % 128) * RECORD_BYTES
    }

    fn slot(&self, slot: u8) -> usize {
        self.part(Section::Tasks, slot, (16, SLOT_BYTES))
    }
}

impl Tampered {
    /// Of the killed process's log each word changed by itself that others are found by, or that is one of many: those
    /// of the header, of the section table, of what a ring's header begins with, of a record and of a slot.
    #[cfg(test)]
    pub(crate) fn each_word() -> impl Iterator<Item = Tampered> {
        let edits = |value| {
            let header = (0..SECTIONS_AT as u16 / 8).map(move |word| Edit::Header { word, value });
            let sections = (0..8 * 4).map(move |at| Edit::Section {
                kind: at / 4,
                word: at % 4,
                value,
            });
            let rings = (0..3 * 16).map(move |at| Edit::RingHeader {
                ring: at / 16,
                word: u16::from(at % 16),
                value,
            });
            let records = (0..4).map(move |word| Edit::Record {
                ring: 0,
                place: 0,
                word,
                value,
                and: None,
            });
            let slots = (0..8).map(move |word| Edit::Slot {
                slot: 0,
                word,
                value,
                and: None,
            });
            let of_many = records.chain(slots);
            header.chain(sections).chain(rings).chain(of_many)
        };
        Number::ENDS
            .into_iter()
            .flat_map(edits)
            .map(|edit| Tampered::by(vec![edit]))
    }

    /// Of the same log each two words of a record and of a row changed at once: what one of them says may be believed, or
    /// summed up with others, only because of the other. The rows are one of a task that runs, and one of a task that is
    /// ready.
    #[cfg(test)]
    pub(crate) fn each_two_words() -> impl Iterator<Item = Tampered> {
        let ends = || Number::ENDS.into_iter();
        let values = move || ends().flat_map(move |one| ends().map(move |other| (one, other)));
        let each = move |words| {
            let two =
                (0..words).flat_map(move |one| (one + 1..words).map(move |other| (one, other)));
            two.flat_map(move |at| values().map(move |to| (at, to)))
        };
        let records = each(4).map(|((word, other), (value, to))| Edit::Record {
            ring: 0,
            place: 0,
            word,
            value,
            and: Some((other, to)),
        });
        let rows = [(0, vec![]), (1, Tampered::second_is_ready())];
        let rows = rows.into_iter().flat_map(move |(slot, before)| {
            each(8).map(move |((word, other), (value, to))| {
                let two = Edit::Slot {
                    slot,
                    word,
                    value,
                    and: Some((other, to)),
                };
                [&before[..], &[two]].concat()
            })
        });
        records.map(|edit| vec![edit]).chain(rows).map(Tampered::by)
    }

    /// The row of the second task as the records alone have it: it was spawned, and the killed process's last step, which
    /// only the row tells, was not made.
    #[cfg(test)]
    fn second_is_ready() -> Vec<Edit> {
        let words = [(1, 1 << 56 | 690), (2, 2 << 32), (7, 0)];
        let edits = words.map(|(word, value)| Edit::Slot {
            slot: 1,
            word,
            value: Number::Any(value),
            and: None,
        });
        edits.to_vec()
    }

    #[cfg(test)]
    fn by(edits: Vec<Edit>) -> Tampered {
        Tampered {
            log: true,
            is_live: false,
            edits,
            cut: None,
        }
    }

    /// The bytes that come of it.
    pub fn bytes(&self) -> Vec<u8> {
        let whole = LOGS[usize::from(self.log)];
        let mut bytes = Bytes(whole.to_vec());
        if self.is_live {
            live(&mut bytes);
        }
        for edit in &self.edits {
            apply(&mut bytes, &Places(whole), edit);
        }
        let cut = self.cut.map_or(0, usize::from).min(whole.len());
        bytes.0.truncate(whole.len() - cut);
        bytes.0
    }
}

/// Makes the log one of this process.
fn live(bytes: &mut Bytes) {
    thread_local! {
        static THIS: ProcessId = ProcessId::current();
    }
    THIS.with(|this| {
        bytes.set(48, this.pid.into());
        bytes.set(56, this.start_time);
        bytes.set(64, (this.boot_id >> 64) as u64);
        bytes.set(72, this.boot_id as u64);
        bytes.set(120, this.namespace);
    });
}

fn apply(bytes: &mut Bytes, places: &Places, edit: &Edit) {
    match *edit {
        Edit::Header { word, value } => bytes.change(usize::from(word % HEADER_WORDS) * 8, value),
        Edit::Section { kind, word, value } => {
            let at = SECTIONS_AT + usize::from(kind % 16) * 32 + usize::from(word % 4) * 8;
            bytes.change(at, value);
        }
        Edit::RingHeader { ring, word, value } => {
            let at = places.ring_header(ring) + usize::from(word) % (RING_HEADER_BYTES / 8) * 8;
            bytes.change(at, value);
        }
        Edit::Record {
            ring,
            place,
            word,
            value,
            and,
        } => {
            let at = places.record(ring, place);
            for (word, value) in and.into_iter().chain([(word, value)]) {
                bytes.change(at + usize::from(word % 4) * 8, value);
            }
        }
        Edit::CopyRecord {
            from,
            to,
            keeps_seq,
        } => {
            let (from, to) = (places.record(from.0, from.1), places.record(to.0, to.1));
            let seq = bytes.word(to) >> 16;
            bytes.copy(from, to, RECORD_BYTES);
            if keeps_seq {
                bytes.set(to, seq << 16 | bytes.word(from) & 0xffff);
            }
        }
        Edit::Tag {
            ring,
            place,
            kind,
            aux,
        } => {
            let at = places.record(ring, place);
            let seq = bytes.word(at) >> 16;
            bytes.set(at, seq << 16 | u64::from(kind) << 8 | u64::from(aux));
        }
        Edit::Slot {
            slot,
            word,
            value,
            and,
        } => {
            let at = places.slot(slot);
            for (word, value) in and.into_iter().chain([(word, value)]) {
                bytes.change(at + usize::from(word % 8) * 8, value);
            }
        }
        Edit::CopySlot { from, to } => {
            bytes.copy(places.slot(from), places.slot(to), SLOT_BYTES);
        }
        Edit::Schema { kind, word, value } => {
            // The upper kinds are not there: they were cut off.
            let at = places.part(Section::Schema, kind, (42, 256));
            bytes.change(at + usize::from(word % 32) * 8, value);
        }
        Edit::TextIndex { text, value } => {
            bytes.change(places.part(Section::TextIndex, text, (12, 8)), value);
        }
        Edit::Text { word, value } => {
            bytes.change(places.part(Section::Text, word, (24, 8)), value);
        }
        Edit::Site { site, word, value } => {
            let at = places.part(Section::Sites, site, (5, 16));
            bytes.change(at + usize::from(word) * 8, value);
        }
    }
}
