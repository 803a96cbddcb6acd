//! Owns the decoding of an event from the words of its records, with what a log's schema says of its kind.

use super::rings::Raw;
use crate::domain::{DomainEvent, Event, FIELDS_MAX};
use crate::format::codec::{continuations, decode};
use crate::record::Tag;

/// How many fields a log's schema gives each kind; `None` for kinds that it does not describe.
#[derive(Clone)]
pub(crate) struct Kinds([Option<u8>; 256]);

impl Kinds {
    pub(crate) fn new(fields: [Option<u8>; 256]) -> Kinds {
        Kinds(fields)
    }

    /// How many records continue the event that begins with these words; `None` where nothing tells, and all that
    /// follow do.
    pub(crate) fn continuations(&self, raw: &Raw) -> Option<usize> {
        let kind = Tag::from_word(raw[0]).kind;
        continuations(kind, raw[3]).or_else(|| {
            let fields = self.0[usize::from(kind)].map(usize::from)?;
            Some(fields.saturating_sub(1).div_ceil(3))
        })
    }

    /// The event of these words and those of the records that continue it; `None` for words that no event makes.
    pub(crate) fn event(&self, raw: &Raw, more: impl Iterator<Item = u64>) -> Option<Event> {
        let [word, _, task, arg] = *raw;
        let kind = Tag::from_word(word).kind;
        if continuations(kind, arg).is_some() {
            let mut words = [0; 3];
            words
                .iter_mut()
                .zip(more)
                .for_each(|(place, word)| *place = word);
            return Some(Event::Task(decode(kind, task, arg, words)?));
        }
        if kind == 0 {
            return None;
        }
        let mut args = [0; FIELDS_MAX];
        let mut length = 0;
        for (place, word) in args.iter_mut().zip([arg].into_iter().chain(more)) {
            *place = word;
            length += 1;
        }
        let known = self.0[usize::from(kind)].map(usize::from);
        let length = known.map_or(length, |known| known.min(length));
        Some(Event::Domain(DomainEvent::from_log(
            kind,
            task,
            &args[..length],
        )))
    }
}
