//! Owns what the open segment has named already, and adds what the next records name.

use crate::domain::FieldType;
use crate::format::kind;
use crate::reader::Log;
use crate::segment::{
    NAMES_MAX, NamedSite, NamedText, Packed, SectionHead, SectionKind, put_kinds, put_sites,
    put_texts,
};
use crate::slot::TaskRow;
use crate::text_id::{SiteId, TextId};
use std::collections::HashSet;

/// The texts, sites and kinds that a segment holds.
#[derive(Default)]
pub(super) struct Named {
    texts: HashSet<TextId>,
    sites: HashSet<SiteId>,
    kinds: HashSet<u8>,
    new_texts: Vec<NamedText>,
    new_sites: Vec<NamedSite>,
    /// Of kinds that were met: which of their words are texts, a bit a word.
    text_words: Vec<(u8, u8)>,
}

impl Named {
    /// Appends what these events name and the segment does not hold yet.
    pub(super) fn add(&mut self, log: &Log, events: &[Packed], words: &[u64], bytes: &mut Vec<u8>) {
        self.add_kinds(log, events, bytes);
        for event in events {
            let [_, _, _, arg] = event.raw;
            match event.tag().kind {
                kind::SPAWNED | kind::SPAWN_DENIED => self.site(log, SiteId((arg >> 32) as u32)),
                kind::LANE_WAIT | kind::FAILED => self.text(log, TextId(arg as u32)),
                1..=kind::LAST_TRANSITION => {}
                number => self.domain_texts(log, number, arg, event.words(words)),
            }
        }
        self.put(bytes);
    }

    /// The same for the sites of tasks that live.
    pub(super) fn add_rows(&mut self, log: &Log, rows: &[TaskRow], bytes: &mut Vec<u8>) {
        rows.iter().for_each(|row| self.site(log, row.site));
        self.put(bytes);
    }

    /// Appends the descriptions of all kinds that the log knows, when a kind is met that the segment does not describe.
    fn add_kinds(&mut self, log: &Log, events: &[Packed], bytes: &mut Vec<u8>) {
        let met = |event: &Packed| self.kinds.contains(&event.tag().kind);
        if events.iter().all(met) {
            return;
        }
        let described: Vec<_> = (0..=u8::MAX)
            .filter(|kind| !self.kinds.contains(kind))
            .filter_map(|kind| log.schema(kind))
            .collect();
        for schema in &described {
            let is_text = |field: &crate::reader::FieldSchema| field.ty == Some(FieldType::Text);
            let fields = schema.fields.iter().enumerate();
            let texts = fields.fold(0, |bits, (place, field)| {
                bits | u8::from(is_text(field)) << place
            });
            self.text_words.push((schema.kind, texts));
            self.kinds.insert(schema.kind);
        }
        // A kind without a description is not looked for again.
        self.kinds
            .extend(events.iter().map(|event| event.tag().kind));
        if !described.is_empty() {
            SectionHead::put(bytes, SectionKind::Kinds, &put_kinds(&described));
        }
    }

    fn domain_texts(&mut self, log: &Log, number: u8, arg: u64, words: &[u64]) {
        let known = self.text_words.iter().find(|(kind, _)| *kind == number);
        let texts = known.map_or(0, |(_, texts)| *texts);
        if texts == 0 {
            return;
        }
        let all = [arg].into_iter().chain(words.iter().copied()).take(8);
        for (place, word) in all.enumerate() {
            if texts & 1 << place != 0 {
                self.text(log, TextId(word as u32));
            }
        }
    }

    fn text(&mut self, log: &Log, id: TextId) {
        if id != TextId::EMPTY
            && !self.texts.contains(&id)
            && let Some(text) = log.text(id)
        {
            self.texts.insert(id);
            self.new_texts.push((id, text));
        }
    }

    fn site(&mut self, log: &Log, id: SiteId) {
        if !self.sites.contains(&id)
            && let Some(site) = log.site(id)
        {
            self.sites.insert(id);
            self.new_sites.push((id, site));
        }
    }

    fn put(&mut self, bytes: &mut Vec<u8>) {
        for texts in self.new_texts.chunks(NAMES_MAX) {
            SectionHead::put(bytes, SectionKind::Texts, &put_texts(texts));
        }
        for sites in self.new_sites.chunks(NAMES_MAX) {
            SectionHead::put(bytes, SectionKind::Sites, &put_sites(sites));
        }
        self.new_texts.clear();
        self.new_sites.clear();
    }
}
