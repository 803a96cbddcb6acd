//! Owns the look-up of what records name: texts, spawn sites, and the descriptions of kinds.

use super::header::LogHeader;
use super::source::Source;
use crate::arena::TEXT_BYTES_MAX;
use crate::domain::{FIELDS_MAX, FieldType, NAME_BYTES};
use crate::format::layout::KINDS;
use crate::schema::{FIELD_WORDS, FIELDS_AT, NAME_WORDS, SCHEMA_WORDS};
use crate::text_id::{SiteId, TextId};

/// A place in the source that spawned tasks.
///
/// ```
/// use glasshouse_pal::Pal;
/// let pal = Pal::memory();
/// let id = pal.site("src/main.rs", 4, 9, Some("pump"));
/// let site = pal.log().site(id).expect("known");
/// assert_eq!(site.to_string(), "src/main.rs:4:9");
/// assert_eq!(site.name.as_deref(), Some("pump"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Site {
    /// The file, as the compiler names it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
    /// The name that was given to the tasks.
    pub name: Option<String>,
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What a log says of a record kind.
///
/// ```
/// let log = glasshouse_pal::Pal::memory().log();
/// let schema = log.schema(5).expect("the scheduler's kinds are described");
/// assert_eq!(schema.name, "sleep");
/// assert_eq!(schema.fields[0].name, "dur_ns");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindSchema {
    /// The kind.
    pub kind: u8,
    /// The event's name.
    pub name: String,
    /// Its fields, in the order of the event's words.
    pub fields: Vec<FieldSchema>,
}

/// What a log says of a field.
///
/// ```
/// use glasshouse_pal::{FieldType, Pal};
/// let schema = Pal::memory().log().schema(8).expect("described");
/// assert_eq!(schema.fields[0].ty, Some(FieldType::Text));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldSchema {
    /// The field's name.
    pub name: String,
    /// Its type; `None` for one that this version does not know.
    pub ty: Option<FieldType>,
}

/// The text with this number; `None` where there is none.
pub(crate) fn text(source: &Source, header: &LogHeader, id: TextId) -> Option<String> {
    if id == TextId::EMPTY {
        return Some(String::new());
    }
    let entry = source
        .word(header.text_index.entry(u64::from(id.0))?)
        .ok()?;
    let (start, length) = (entry >> 32, entry as u32 as usize);
    let words = length.div_ceil(8);
    let end = start.checked_add(words as u64)?.checked_mul(8)?;
    if length == 0 || length > TEXT_BYTES_MAX || end > header.text.bytes() {
        return None;
    }
    let mut buffer = [0; TEXT_BYTES_MAX / 8];
    source
        .read(header.text.offset + start * 8, &mut buffer[..words])
        .ok()?;
    let mut bytes: Vec<u8> = buffer[..words]
        .iter()
        .flat_map(|word| word.to_ne_bytes())
        .collect();
    bytes.truncate(length);
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The spawn site with this number; `None` where there is none.
pub(crate) fn site(source: &Source, header: &LogHeader, id: SiteId) -> Option<Site> {
    if id == SiteId::UNKNOWN {
        return None;
    }
    let mut words = [0; 2];
    source
        .read(header.sites.entry(u64::from(id.0))?, &mut words)
        .ok()?;
    let [texts, place] = words;
    if texts == 0 {
        return None;
    }
    let name = TextId(texts as u32);
    Some(Site {
        file: text(source, header, TextId((texts >> 32) as u32))?,
        line: (place >> 32) as u32,
        column: place as u32,
        name: match name {
            TextId::EMPTY => None,
            name => text(source, header, name),
        },
    })
}

/// The description of a kind; `None` where there is none.
pub(crate) fn schema(source: &Source, header: &LogHeader, kind: u8) -> Option<KindSchema> {
    let mut words = [0; SCHEMA_WORDS];
    source
        .read(header.schema.entry(u64::from(kind))?, &mut words)
        .ok()?;
    let count = field_count(words[0])?;
    let fields = words[FIELDS_AT..].chunks_exact(FIELD_WORDS);
    Some(KindSchema {
        kind,
        name: name(&words[1..1 + NAME_WORDS]),
        fields: fields.take(usize::from(count)).map(field).collect(),
    })
}

fn field(words: &[u64]) -> FieldSchema {
    FieldSchema {
        name: name(&words[..NAME_WORDS]),
        ty: u8::try_from(words[NAME_WORDS])
            .ok()
            .and_then(FieldType::from_number),
    }
}

/// How many fields each kind has; `None` for kinds without a description.
pub(crate) fn field_counts(source: &Source, header: &LogHeader) -> [Option<u8>; 256] {
    let stride = header.schema.stride / 8;
    let mut words = vec![0; SCHEMA_WORDS * KINDS];
    // In one call where the entries are as this version knows them, else one by one.
    let is_read = stride == SCHEMA_WORDS as u64
        && header.schema.count == KINDS as u64
        && source.read(header.schema.offset, &mut words).is_ok();
    std::array::from_fn(|kind| {
        if is_read {
            return field_count(words[kind * SCHEMA_WORDS]);
        }
        let at = header.schema.entry(kind as u64)?;
        field_count(source.word(at).ok()?)
    })
}

fn field_count(word: u64) -> Option<u8> {
    let count = word >> 32;
    (word & 1 == 1 && count <= FIELDS_MAX as u64).then_some(count as u8)
}

fn name(words: &[u64]) -> String {
    let mut bytes = [0; NAME_BYTES];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_ne_bytes());
    }
    let length = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(NAME_BYTES);
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}
