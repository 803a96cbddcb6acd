//! Owns the tampering with segments: edits of a real directory of them, each at a place that means something.

use crate::number::Number;
use crate::segment::{Column, Section, Segment, method};
use arbitrary::Arbitrary;
use std::sync::LazyLock;

/// The golden segments: of everything, of a busy program, and behind a gap.
static GOLDEN: LazyLock<Vec<Segment>> = LazyLock::new(|| {
    let files: [&[u8]; 3] = [
        include_bytes!("../../tests/golden/segments-1.0/00000001.seg"),
        include_bytes!("../../tests/golden/segments-1.0/00000002.seg"),
        include_bytes!("../../tests/golden/segments-1.0/00000003.seg"),
    ];
    files.map(Segment::of).to_vec()
});

/// Copies of one section or segment that an edit makes at most.
const COPIES_MAX: u8 = 24;
/// The segments of one directory.
const SEGMENTS_MAX: usize = 6;
/// What one segment grows to, about: small ones are read fast.
const SECTIONS_MAX: usize = 128;
/// The bytes that a column is stretched to.
const COLUMN_BYTES_MAX: u16 = 2048;

/// Segments to be made, and what is done to them.
#[derive(Arbitrary, Clone, Debug)]
pub struct TamperedSegments {
    /// Of the golden segments one, or all.
    only: Option<u8>,
    edits: Vec<Edit>,
    /// What is done when the checksums fit.
    damage: Vec<Damage>,
}

/// A section of a segment.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Place {
    segment: u8,
    section: u8,
}

#[derive(Arbitrary, Clone, Debug)]
enum Edit {
    /// A word of a segment's header.
    Header {
        segment: u8,
        word: u8,
        value: Number,
    },
    Kind {
        at: Place,
        kind: u8,
    },
    /// A number of a block's head, of its tasks, of a gap or a status.
    Number {
        at: Place,
        number: u8,
        value: Number,
    },
    /// A number more, or one less.
    Numbers {
        at: Place,
        number: u8,
        added: Option<u64>,
    },
    Byte {
        at: Place,
        column: u8,
        byte: u16,
        value: Number,
    },
    /// The column ends there, or is filled up to there.
    Resize {
        at: Place,
        column: u8,
        length: u16,
        with: u8,
    },
    Length {
        at: Place,
        column: u8,
        value: Number,
    },
    Method {
        at: Place,
        column: u8,
        method: u8,
    },
    CopyColumn {
        from: (Place, u8),
        to: (Place, u8),
    },
    Filling {
        at: Place,
        bytes: u8,
    },
    /// Copies of a section before another one.
    Copy {
        from: Place,
        to: Place,
        copies: u8,
    },
    Remove {
        at: Place,
    },
    CopySegment {
        from: u8,
    },
    RemoveSegment {
        at: u8,
    },
    SwapSegments {
        one: u8,
        other: u8,
    },
}

#[derive(Arbitrary, Clone, Debug)]
enum Damage {
    Byte { segment: u8, at: u16, value: Number },
    Cut { segment: u8, bytes: u16 },
}

/// The place among so many, if there are any.
fn among(number: impl Into<usize>, count: usize) -> Option<usize> {
    number.into().checked_rem(count)
}

/// One of these, if there are any.
fn chosen<T>(number: impl Into<usize>, all: &mut [T]) -> Option<&mut T> {
    let at = among(number, all.len())?;
    all.get_mut(at)
}

impl TamperedSegments {
    /// Each number changed by itself: those of headers and of sections, and the lengths of columns.
    #[cfg(test)]
    pub(crate) fn each_number() -> impl Iterator<Item = TamperedSegments> {
        let mut edits = Vec::new();
        for (segment, golden) in (0..).zip(GOLDEN.iter()) {
            for value in Number::ENDS {
                edits.extend((0..golden.header.len() as u8 / 8).map(|word| Edit::Header {
                    segment,
                    word,
                    value,
                }));
                for (section, golden) in (0..).zip(&golden.sections) {
                    let at = Place { segment, section };
                    let numbers = 0..golden.numbers.len() as u8;
                    edits.extend(numbers.map(|number| Edit::Number { at, number, value }));
                    let columns = 0..golden.columns.len() as u8;
                    edits.extend(columns.map(|column| Edit::Length { at, column, value }));
                }
            }
        }
        edits.into_iter().map(|edit| TamperedSegments {
            only: None,
            edits: vec![edit],
            damage: Vec::new(),
        })
    }

    /// The segments' bytes that come of it.
    pub fn bytes(&self) -> Vec<Vec<u8>> {
        let mut segments = match self.only.and_then(|only| among(only, GOLDEN.len())) {
            Some(only) => vec![GOLDEN[only].clone()],
            None => GOLDEN.clone(),
        };
        for edit in &self.edits {
            let _ = edit.apply(&mut segments);
        }
        let mut bytes: Vec<Vec<u8>> = segments.iter().map(Segment::bytes).collect();
        for damage in &self.damage {
            let _ = damage.apply(&mut bytes);
        }
        bytes
    }
}

impl Place {
    fn section(self, segments: &mut [Segment]) -> Option<&mut Section> {
        chosen(self.section, &mut chosen(self.segment, segments)?.sections)
    }

    fn column(self, segments: &mut [Segment], column: u8) -> Option<&mut Column> {
        chosen(column, &mut self.section(segments)?.columns)
    }
}

impl Edit {
    /// `None` where there is nothing to edit.
    fn apply(&self, segments: &mut Vec<Segment>) -> Option<()> {
        match *self {
            Edit::Header {
                segment,
                word,
                value,
            } => {
                let header = &mut chosen(segment, segments)?.header;
                let word = chosen(word, header.as_chunks_mut::<8>().0)?;
                *word = value.over(u64::from_le_bytes(*word)).to_le_bytes();
            }
            Edit::Kind { at, kind } => at.section(segments)?.kind = kind.into(),
            Edit::Filling { at, bytes } => at.section(segments)?.filling = bytes.into(),
            Edit::Copy { from, to, copies } => copy(segments, from, to, copies)?,
            Edit::Remove { at } => {
                let sections = &mut chosen(at.segment, segments)?.sections;
                sections.remove(among(at.section, sections.len())?);
            }
            Edit::CopySegment { from } => {
                let from = among(from, segments.len())?;
                if segments.len() < SEGMENTS_MAX {
                    segments.push(segments[from].clone());
                }
            }
            Edit::RemoveSegment { at } => {
                segments.remove(among(at, segments.len())?);
            }
            Edit::SwapSegments { one, other } => {
                let count = segments.len();
                segments.swap(among(one, count)?, among(other, count)?);
            }
            Edit::Number { at, number, value } => {
                let number = chosen(number, &mut at.section(segments)?.numbers)?;
                *number = value.over(*number);
            }
            Edit::Numbers { at, number, added } => {
                let numbers = &mut at.section(segments)?.numbers;
                let number = among(number, numbers.len())?;
                match added {
                    Some(added) => numbers.insert(number, added),
                    None => drop(numbers.remove(number)),
                }
            }
            _ => self.apply_to_column(segments)?,
        }
        Some(())
    }

    fn apply_to_column(&self, segments: &mut [Segment]) -> Option<()> {
        match *self {
            Edit::Byte {
                at,
                column,
                byte,
                value,
            } => {
                let byte = chosen(byte, &mut at.column(segments, column)?.plain)?;
                *byte = value.over((*byte).into()) as u8;
            }
            Edit::Resize {
                at,
                column,
                length,
                with,
            } => {
                let plain = &mut at.column(segments, column)?.plain;
                plain.resize((length % COLUMN_BYTES_MAX).into(), with);
            }
            Edit::Length { at, column, value } => {
                let column = at.column(segments, column)?;
                column.length = Some(value.over(column.plain.len() as u64));
            }
            Edit::Method { at, column, method } => {
                at.column(segments, column)?.method = method % (method::PACKED + 2);
            }
            Edit::CopyColumn { from, to } => {
                let column = from.0.column(segments, from.1)?.clone();
                *to.0.column(segments, to.1)? = column;
            }
            _ => {}
        }
        Some(())
    }
}

fn copy(segments: &mut [Segment], from: Place, to: Place, copies: u8) -> Option<()> {
    let section = from.section(segments)?.clone();
    let sections = &mut chosen(to.segment, segments)?.sections;
    let at = among(to.section, sections.len() + 1)?;
    let room = SECTIONS_MAX.saturating_sub(sections.len());
    let copies = usize::from(copies % COPIES_MAX).min(room);
    sections.splice(at..at, std::iter::repeat_n(section, copies));
    Some(())
}

impl Damage {
    fn apply(&self, segments: &mut [Vec<u8>]) -> Option<()> {
        match *self {
            Damage::Byte { segment, at, value } => {
                let byte = chosen(at, chosen(segment, segments)?)?;
                *byte = value.over((*byte).into()) as u8;
            }
            Damage::Cut { segment, bytes } => {
                let segment = chosen(segment, segments)?;
                segment.truncate(segment.len() - among(bytes, segment.len() + 1)?);
            }
        }
        Some(())
    }
}
