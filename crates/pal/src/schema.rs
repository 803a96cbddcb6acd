//! Owns the writer's side of the schema section: each record kind's name and fields, described
//! once, at the kind's first use.
//!
//! ```text
//! word 0        fields:32 | described:1         words 4 to 31   seven fields of four words:
//! words 1 to 3  the kind's name                                 a name of three, and a type
//! ```

use crate::domain::{Field, KindSpec, NAME_BYTES};
use crate::format::kind::BUILT_IN;
use crate::format::layout::{KINDS, SCHEMA_BYTES};
use crate::map::View;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

/// The words of one kind's description.
pub(crate) const SCHEMA_WORDS: usize = SCHEMA_BYTES / 8;
/// The words of a name.
pub(crate) const NAME_WORDS: usize = NAME_BYTES / 8;
/// Where the fields begin.
pub(crate) const FIELDS_AT: usize = 1 + NAME_WORDS;
/// The words of a field.
pub(crate) const FIELD_WORDS: usize = NAME_WORDS + 1;

/// The descriptions of a log's record kinds.
pub(crate) struct Schema {
    words: View<AtomicU64>,
    describing: Mutex<()>,
}

impl Schema {
    pub(crate) fn new(words: View<AtomicU64>) -> Schema {
        debug_assert_eq!(words.len(), KINDS * SCHEMA_WORDS);
        let schema = Schema {
            words,
            describing: Mutex::new(()),
        };
        for built_in in &BUILT_IN {
            schema.describe(built_in.kind, built_in.name, built_in.fields);
        }
        schema
    }

    /// Describes a kind unless it is described already: the first description stays.
    #[inline]
    pub(crate) fn register(&self, spec: &'static KindSpec) {
        let first = usize::from(spec.kind) * SCHEMA_WORDS;
        if self.words[first].load(Ordering::Relaxed) == 0 {
            self.describe(spec.kind, spec.name, spec.fields);
        }
    }

    #[cold]
    fn describe(&self, kind: u8, name: &str, fields: &[Field]) {
        let _describing = self
            .describing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let first = usize::from(kind) * SCHEMA_WORDS;
        let words = &self.words[first..first + SCHEMA_WORDS];
        if words[0].load(Ordering::Relaxed) != 0 {
            return;
        }
        store_name(&words[1..], name);
        let places = words[FIELDS_AT..].chunks_exact(FIELD_WORDS);
        for (place, field) in places.zip(fields) {
            store_name(place, field.name);
            place[NAME_WORDS].store(field.ty as u64, Ordering::Relaxed);
        }
        // A reader that sees this word sees the description.
        words[0].store((fields.len() as u64) << 32 | 1, Ordering::Release);
    }
}

fn store_name(words: &[AtomicU64], name: &str) {
    let mut bytes = [0; NAME_BYTES];
    let length = name.floor_char_boundary(NAME_BYTES);
    bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    for (word, chunk) in words.iter().zip(bytes.chunks_exact(8)) {
        let mut value = [0; 8];
        value.copy_from_slice(chunk);
        word.store(u64::from_ne_bytes(value), Ordering::Relaxed);
    }
}
