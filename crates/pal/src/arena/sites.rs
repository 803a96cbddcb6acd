//! Owns the spawn sites of a log: a source location and an optional name, as two words.

use super::OTHER;
use super::lookup::{Lookup, hash_words};
use super::texts::Texts;
use crate::loss::{LossCause, Losses};
use crate::map::View;
use crate::text_id::{SiteId, TextId};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A site as it is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    /// file:32 | name:32
    texts: u64,
    /// line:32 | column:32
    place: u64,
}

impl Key {
    fn new(file: TextId, name: TextId, line: u32, column: u32) -> Key {
        Key {
            texts: u64::from(file.0) << 32 | u64::from(name.0),
            place: u64::from(line) << 32 | u64::from(column),
        }
    }

    fn hash(self) -> u64 {
        hash_words([self.texts, self.place].into_iter())
    }
}

/// All spawn sites of a log. Site 0 is the unknown one; site 1 stands for those without room.
pub(crate) struct Sites {
    /// Two words a site; in place of site 0, their count.
    words: View<AtomicU64>,
    texts: Arc<Texts>,
    lookup: Lookup,
    losses: Losses,
    adding: Mutex<()>,
}

impl Sites {
    pub(crate) fn new(words: View<AtomicU64>, texts: Arc<Texts>, losses: Losses) -> Sites {
        let sites = Sites {
            lookup: Lookup::new(words.len() / 2),
            words,
            texts,
            losses,
            adding: Mutex::new(()),
        };
        sites.intern(OTHER, 0, 0, None);
        sites
    }

    /// The site's number; adds it if it is new. Names may not use up the last quarter of the
    /// room: a location keeps its number of its own when a program gives each task another name.
    pub(crate) fn intern(&self, file: &str, line: u32, column: u32, name: Option<&str>) -> SiteId {
        let file = self.texts.intern(file);
        let name = self.texts.intern(name.unwrap_or(""));
        let room = self.words.len() / 2;
        let named_room = if name == TextId::EMPTY || name == TextId::OTHER {
            room
        } else {
            room - room / 4
        };
        let key = Key::new(file, name, line, column);
        if let Some(site) = self.find(key).or_else(|| self.add(key, named_room)) {
            return site;
        }
        self.losses.count(LossCause::SiteFull);
        let nameless = Key::new(file, TextId::OTHER, line, column);
        self.find(nameless)
            .or_else(|| self.add(nameless, room))
            .unwrap_or(SiteId::OTHER)
    }

    fn find(&self, key: Key) -> Option<SiteId> {
        self.lookup
            .find(key.hash(), |number| self.key(number) == Some(key))
            .map(SiteId)
    }

    #[cold]
    fn add(&self, key: Key, room: usize) -> Option<SiteId> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = self.find(key) {
            return Some(found);
        }
        let number = self.words[0].load(Ordering::Relaxed) as usize + 1;
        if number >= room {
            return None;
        }
        self.words[number * 2 + 1].store(key.place, Ordering::Relaxed);
        // No site has the file number zero, so a reader knows by this word that the site is there.
        self.words[number * 2].store(key.texts, Ordering::Release);
        self.words[0].store(number as u64, Ordering::Release);
        self.lookup.insert(key.hash(), number as u32);
        Some(SiteId(number as u32))
    }

    fn key(&self, number: u32) -> Option<Key> {
        let first = number as usize * 2;
        if number == 0 {
            return None;
        }
        Some(Key {
            texts: self.words.get(first)?.load(Ordering::Acquire),
            place: self.words.get(first + 1)?.load(Ordering::Relaxed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Mapping;

    fn sites(room: usize) -> (Sites, Losses) {
        let mapping = Arc::new(Mapping::private(1 << 17).expect("mapped"));
        let losses = Losses::new(mapping.view(0, 1));
        let texts = Texts::new(
            mapping.view(4096, 1024),
            mapping.view(65_536, 4096),
            losses.clone(),
        );
        let words = mapping.view(32_768, room * 2);
        (Sites::new(words, Arc::new(texts), losses.clone()), losses)
    }

    #[test]
    fn a_site_is_stored_once_and_names_are_told_apart() {
        let (sites, _) = sites(32);
        let plain = sites.intern("src/main.rs", 3, 9, None);
        assert_eq!(sites.intern("src/main.rs", 3, 9, None), plain);
        let named = sites.intern("src/main.rs", 3, 9, Some("pump"));
        assert_ne!(named, plain);
        assert_eq!(sites.intern("src/main.rs", 3, 9, Some("pump")), named);
        assert_ne!(sites.intern("src/main.rs", 3, 10, None), plain);
    }

    #[test]
    fn endless_names_leave_room_for_locations() {
        let (sites, losses) = sites(32);
        let named: Vec<SiteId> = (0..100)
            .map(|n| sites.intern("src/main.rs", 3, 9, Some(&format!("job {n}"))))
            .collect();
        let other = named[99];
        assert!(named[40..].iter().all(|site| *site == other));
        assert_ne!(other, SiteId::OTHER, "the location is kept");
        assert!(losses.of(LossCause::SiteFull) > 0);
        assert_ne!(sites.intern("src/lib.rs", 1, 1, None), SiteId::OTHER);
    }

    #[test]
    fn a_full_table_gives_other() {
        let (sites, losses) = sites(4);
        let found: Vec<SiteId> = (0..10)
            .map(|line| sites.intern("a.rs", line, 1, None))
            .collect();
        assert_eq!(found[9], SiteId::OTHER);
        assert!(losses.of(LossCause::SiteFull) >= 7);
        assert_eq!(sites.intern("a.rs", 0, 1, None), found[0]);
    }
}
