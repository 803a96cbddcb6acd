//! Owns the texts of a log: bytes padded to words, and an index of where each begins.

use super::lookup::{Lookup, hash_words};
use super::{OTHER, TEXT_BYTES_MAX};
use crate::loss::{LossCause, Losses};
use crate::map::View;
use crate::text_id::TextId;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// All texts of a log. Text 0 is the empty one and has no entry.
pub(crate) struct Texts {
    /// Word 0 counts the texts; word `n` is `start:32 | length:32` of text `n`, start in words.
    index: View<AtomicU64>,
    words: View<AtomicU64>,
    lookup: Lookup,
    losses: Losses,
    /// The words in use.
    used: Mutex<usize>,
}

impl Texts {
    pub(crate) fn new(index: View<AtomicU64>, words: View<AtomicU64>, losses: Losses) -> Texts {
        let texts = Texts {
            lookup: Lookup::new(index.len()),
            index,
            words,
            losses,
            used: Mutex::new(0),
        };
        texts.intern(OTHER);
        texts
    }

    /// The text's number; adds it if it is new, cut to the bound.
    pub(crate) fn intern(&self, text: &str) -> TextId {
        let text = cut(text);
        if text.is_empty() {
            return TextId::EMPTY;
        }
        let hash = hash_words(padded(text).chain([text.len() as u64]));
        if let Some(found) = self.find(hash, text) {
            return found;
        }
        self.add(hash, text)
    }

    #[cold]
    fn add(&self, hash: u64, text: &str) -> TextId {
        // Nothing under the lock panics half-way: bounds are checked before the first store.
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = self.find(hash, text) {
            return found;
        }
        let count = self.index[0].load(Ordering::Relaxed) as usize + 1;
        let end = *used + text.len().div_ceil(8);
        if count >= self.index.len() || end > self.words.len() {
            self.losses.count(LossCause::TextFull);
            return TextId::OTHER;
        }
        for (word, value) in self.words[*used..end].iter().zip(padded(text)) {
            word.store(value, Ordering::Relaxed);
        }
        let entry = (*used as u64) << 32 | text.len() as u64;
        // A reader in another process that sees the entry sees the bytes; in this one, `lookup`.
        self.index[count].store(entry, Ordering::Release);
        self.index[0].store(count as u64, Ordering::Release);
        *used = end;
        self.lookup.insert(hash, count as u32);
        TextId(count as u32)
    }

    fn find(&self, hash: u64, text: &str) -> Option<TextId> {
        self.lookup
            .find(hash, |number| self.is(number, text))
            .map(TextId)
    }

    fn is(&self, number: u32, text: &str) -> bool {
        let Some((start, length)) = self.place(number) else {
            return false;
        };
        length == text.len()
            && self.words[start..]
                .iter()
                .zip(padded(text))
                .all(|(word, value)| word.load(Ordering::Relaxed) == value)
    }

    /// Start in words and length in bytes of a text; checked, as other processes could write here.
    fn place(&self, number: u32) -> Option<(usize, usize)> {
        if number == 0 {
            return None;
        }
        let entry = self.index.get(number as usize)?.load(Ordering::Acquire);
        let (start, length) = ((entry >> 32) as usize, entry as u32 as usize);
        let end = start.checked_add(length.div_ceil(8))?;
        (length <= TEXT_BYTES_MAX && end <= self.words.len()).then_some((start, length))
    }

    /// Calls `f` with the text; with the empty one when the number names none.
    pub(crate) fn with<R>(&self, id: TextId, f: impl FnOnce(&str) -> R) -> R {
        let mut bytes = [0u8; TEXT_BYTES_MAX];
        let Some((start, length)) = self.place(id.0) else {
            return f("");
        };
        for (chunk, word) in bytes[..length].chunks_mut(8).zip(&self.words[start..]) {
            let word = word.load(Ordering::Relaxed).to_ne_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        f(std::str::from_utf8(&bytes[..length]).unwrap_or(""))
    }
}

/// The text, or as much of its beginning as is within the bound, ending at a character.
pub(crate) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_BYTES_MAX)]
}

/// The text's bytes as words in memory order, the last one filled up with zeros.
fn padded(text: &str) -> impl Iterator<Item = u64> {
    text.as_bytes().chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_ne_bytes(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Mapping;
    use std::sync::Arc;

    fn texts(entries: usize, words: usize) -> (Texts, Losses) {
        let mapping = Arc::new(Mapping::private(1 << 16).expect("mapped"));
        let losses = Losses::new(mapping.view(0, 1));
        let texts = Texts::new(
            mapping.view(4096, entries),
            mapping.view(32_768, words),
            losses.clone(),
        );
        (texts, losses)
    }

    #[test]
    fn a_text_is_stored_once() {
        let (texts, _) = texts(64, 512);
        let first = texts.intern("crates/pal/src/arena.rs");
        assert_eq!(texts.intern("crates/pal/src/arena.rs"), first);
        assert_ne!(texts.intern("crates/pal/src/arena.r"), first);
        texts.with(first, |text| assert_eq!(text, "crates/pal/src/arena.rs"));
    }

    #[test]
    fn the_empty_text_is_number_zero() {
        let (texts, _) = texts(64, 512);
        assert_eq!(texts.intern(""), TextId::EMPTY);
        texts.with(TextId::EMPTY, |text| assert_eq!(text, ""));
        texts.with(TextId(60), |text| assert_eq!(text, ""));
    }

    #[test]
    fn a_text_that_ends_in_zeros_is_not_its_beginning() {
        let (texts, _) = texts(64, 512);
        assert_ne!(texts.intern("a"), texts.intern("a\0"));
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        let (texts, _) = texts(64, 512);
        let long = "é".repeat(TEXT_BYTES_MAX);
        let odd = format!("x{long}");
        texts.with(texts.intern(&long), |text| assert_eq!(text.len(), 256));
        texts.with(texts.intern(&odd), |text| {
            assert_eq!(text.len(), 255);
            assert!(odd.starts_with(text));
        });
    }

    #[test]
    fn a_full_arena_gives_other_and_counts() {
        let (texts, losses) = texts(4, 512);
        let known = [texts.intern("one"), texts.intern("two")];
        assert_eq!(texts.intern("three"), TextId::OTHER);
        assert_eq!(texts.intern("four"), TextId::OTHER);
        assert_eq!([texts.intern("one"), texts.intern("two")], known);
        assert_eq!(losses.of(LossCause::TextFull), 2);
        texts.with(TextId::OTHER, |text| assert_eq!(text, OTHER));
    }

    #[test]
    fn an_arena_without_bytes_left_gives_other() {
        let (texts, losses) = texts(64, 3);
        assert_ne!(texts.intern("short"), TextId::OTHER);
        assert_eq!(
            texts.intern("longer than the word that is left"),
            TextId::OTHER
        );
        assert_eq!(losses.of(LossCause::TextFull), 1);
    }

    #[test]
    fn threads_that_intern_the_same_texts_agree() {
        let (texts, _) = texts(256, 1024);
        let names: Vec<String> = (0..200).map(|n| format!("task {n}")).collect();
        let found: Vec<Vec<TextId>> = std::thread::scope(|scope| {
            let intern_all = || names.iter().map(|name| texts.intern(name)).collect();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(intern_all)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .collect()
        });
        assert!(found.iter().all(|ids| *ids == found[0]));
    }
}
