//! Owns a segment in parts: sections without their checksums, blocks as numbers and columns, columns unpacked. An edit
//! of a part reaches what lies behind the checksum and the compressor.
//!
//! The format is that of `docs/pal-format.md`, so that this is a second reading of that page, too.

use miniz_oxide::inflate::decompress_to_vec;

/// The bytes of a header, and those of them that its checksum is over.
pub const HEADER_BYTES: usize = 144;
const HEADER_CHECKED_BYTES: usize = HEADER_BYTES - 8;
/// The bytes before a section's payload.
pub const SECTION_HEAD_BYTES: usize = 12;
/// The columns of a block.
const COLUMNS: usize = 9;

const BLOCK: u32 = 1;
const FIRST_COLUMN: u32 = 2;
const LAST_COLUMN: u32 = 5;

/// A segment in parts.
#[derive(Clone, Debug)]
pub struct Segment {
    pub header: Vec<u8>,
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug)]
pub struct Section {
    pub kind: u32,
    /// What a block begins with, or all of a gap or a status.
    pub numbers: Vec<u64>,
    pub columns: Vec<Column>,
    /// Zeros behind a block's columns.
    pub filling: usize,
}

/// A column, and how it is to be stored: plainly at first, for what a compressor needs is most of a reader's time.
#[derive(Clone, Debug)]
pub struct Column {
    pub plain: Vec<u8>,
    pub method: u8,
    /// The length that it gives itself, where that is not the true one.
    pub length: Option<u64>,
}

/// How columns are stored.
pub mod method {
    pub const PLAIN: u8 = 0;
    pub const SAME: u8 = 1;
    pub const PACKED: u8 = 2;
}

impl Segment {
    /// A whole segment, taken apart.
    ///
    /// # Panics
    /// Where it is not one.
    pub fn of(bytes: &[u8]) -> Segment {
        let (header, rest) = bytes.split_at(HEADER_BYTES);
        let mut rest = Bytes(rest);
        let mut sections = Vec::new();
        while !rest.0.is_empty() {
            let [kind, length, _] = [0; 3].map(|_| rest.word32());
            sections.push(Section::of(kind, rest.take(length as usize)));
        }
        Segment {
            header: header.to_vec(),
            sections,
        }
    }

    /// Its bytes, with checksums that fit.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header.clone();
        for section in &self.sections {
            let at = bytes.len();
            bytes.extend_from_slice(&[0; SECTION_HEAD_BYTES]);
            section.put(&mut bytes);
            let length = (bytes.len() - at - SECTION_HEAD_BYTES) as u32;
            bytes[at..at + 4].copy_from_slice(&section.kind.to_le_bytes());
            bytes[at + 4..at + 8].copy_from_slice(&length.to_le_bytes());
        }
        seal(&mut bytes);
        bytes
    }
}

/// Makes the checksums fit of whatever these bytes have of a segment.
pub fn seal(bytes: &mut [u8]) {
    if let Some((header, rest)) = bytes.split_at_mut_checked(HEADER_BYTES) {
        let (checked, crc) = header.split_at_mut(HEADER_CHECKED_BYTES);
        crc.copy_from_slice(&u64::from(crc32fast::hash(checked)).to_le_bytes());
        seal_sections(rest);
    }
}

fn seal_sections(mut rest: &mut [u8]) {
    while let Some((head, behind)) = rest.split_at_mut_checked(SECTION_HEAD_BYTES) {
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let Some((payload, behind)) = behind.split_at_mut_checked(length) else {
            return;
        };
        let mut crc = crc32fast::Hasher::new();
        crc.update(&head[..8]);
        crc.update(payload);
        head[8..].copy_from_slice(&crc.finalize().to_le_bytes());
        rest = behind;
    }
}

impl Section {
    fn of(kind: u32, payload: &[u8]) -> Section {
        let mut rest = Bytes(payload);
        let mut section = Section {
            kind,
            numbers: Vec::new(),
            columns: Vec::new(),
            filling: 0,
        };
        match kind {
            BLOCK => {
                // Seven, and the count of rings with five for each; then that of tasks with one for each.
                section.numbers.extend((0..7).map(|_| rest.number()));
                for each in [5, 1] {
                    let count = rest.number();
                    section.numbers.push(count);
                    section
                        .numbers
                        .extend((0..count * each).map(|_| rest.number()));
                }
                section
                    .columns
                    .extend((0..COLUMNS).map(|_| Column::of(&mut rest)));
                section.filling = rest.0.len();
            }
            FIRST_COLUMN..=LAST_COLUMN => section.columns.push(Column::of(&mut rest)),
            _ => {
                while !rest.0.is_empty() {
                    section.numbers.push(rest.number());
                }
            }
        }
        section
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        for number in &self.numbers {
            put(bytes, *number);
        }
        for column in &self.columns {
            column.put(bytes);
        }
        bytes.resize(bytes.len() + self.filling, 0);
    }
}

impl Column {
    fn of(from: &mut Bytes<'_>) -> Column {
        let length = from.number() as usize;
        let plain = match length {
            0 => Vec::new(),
            _ => match from.take(1)[0] {
                method::PLAIN => from.take(length).to_vec(),
                method::SAME => vec![from.take(1)[0]; length],
                _ => {
                    let packed = from.number() as usize;
                    decompress_to_vec(from.take(packed)).expect("a stream")
                }
            },
        };
        assert_eq!(plain.len(), length);
        Column {
            plain,
            method: method::PLAIN,
            length: None,
        }
    }

    fn put(&self, bytes: &mut Vec<u8>) {
        put(bytes, self.length.unwrap_or(self.plain.len() as u64));
        if self.plain.is_empty() && self.length.is_none() {
            return;
        }
        bytes.push(self.method);
        match self.method {
            method::SAME => bytes.push(self.plain.first().copied().unwrap_or_default()),
            method::PACKED => {
                let packed = miniz_oxide::deflate::compress_to_vec(&self.plain, 1);
                put(bytes, packed.len() as u64);
                bytes.extend_from_slice(&packed);
            }
            _ => bytes.extend_from_slice(&self.plain),
        }
    }
}

/// Appends a number.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 1 << 7 {
        bytes.push(number as u8 | 1 << 7);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// What is left of a whole segment.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn word32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().expect("four bytes"))
    }

    fn number(&mut self) -> u64 {
        let length = self.0.iter().position(|byte| *byte < 1 << 7);
        let groups = self.take(length.expect("an end") + 1).iter().rev();
        groups.fold(0, |number, group| {
            number << 7 | u64::from(group & ((1 << 7) - 1))
        })
    }
}
