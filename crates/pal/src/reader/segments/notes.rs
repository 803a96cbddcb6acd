//! Owns what segments note beside their records: names, kinds, live tasks, and what the log said of itself.

use crate::domain::FIELDS_MAX;
use crate::id::TaskId;
use crate::reader::kinds::Kinds;
use crate::reader::{KindSchema, Site};
use crate::segment::{SectionKind, Status, take_kinds, take_rows, take_sites, take_texts};
use crate::slot::TaskRow;
use crate::text_id::{SiteId, TextId};
use std::collections::HashMap;

/// The notes of all segments together. A number never comes to mean another text or site within one process.
#[derive(Default)]
pub(super) struct Notes {
    texts: HashMap<TextId, String>,
    sites: HashMap<SiteId, Site>,
    pub(super) kinds: HashMap<u8, KindSchema>,
    /// The tasks of the rows that were noted last, all together.
    newest: Vec<TaskId>,
    /// Each task's last row.
    pub(super) known_rows: HashMap<TaskId, TaskRow>,
    pub(super) status: Option<Status>,
    /// Whether the rows that come next belong to those before.
    pub(super) is_in_rows: bool,
    /// Whether rows came that do not belong to those before.
    are_rows_anew: bool,
    /// Whether rows were noted at all.
    pub(super) has_rows: bool,
    /// Whether rows before the newest ones are given up.
    is_brief: bool,
    /// A stamp before which the newest rows were not noted.
    pub(super) rows_noted: u64,
    /// The newest stamp that was told by now.
    told: u64,
    /// Whether a block was written since the newest rows were.
    has_block: bool,
}

impl Notes {
    /// For what is noted behind these, for as long as it may last: of the tasks it keeps those only that live.
    pub(super) fn behind(before: &Notes) -> Notes {
        Notes {
            kinds: before.kinds.clone(),
            is_brief: true,
            ..Notes::default()
        }
    }

    /// For what one look finds behind what was noted before, of which the last were rows or not.
    pub(super) fn going_on(is_in_rows: bool) -> Notes {
        Notes {
            is_in_rows,
            is_brief: true,
            ..Notes::default()
        }
    }

    /// Adds what was noted behind these.
    pub(super) fn add(&mut self, new: Notes) {
        self.texts.extend(new.texts);
        self.sites.extend(new.sites);
        self.kinds.extend(new.kinds);
        self.has_rows |= new.has_rows;
        if new.are_rows_anew {
            self.newest.clear();
            self.known_rows.clear();
            (self.rows_noted, self.has_block) = (self.told, false);
        }
        if !self.has_block {
            self.rows_noted = self.rows_noted.max(new.rows_noted);
        }
        self.told = self.told.max(new.told);
        self.has_block |= new.has_block;
        self.newest.extend(new.newest);
        self.known_rows.extend(new.known_rows);
        if new.status.is_some() {
            self.status = new.status;
        }
    }

    /// Takes a section in; `None` where it makes no sense.
    pub(super) fn take(&mut self, kind: SectionKind, payload: &[u8]) -> Option<()> {
        let was_in_rows = std::mem::replace(&mut self.is_in_rows, kind == SectionKind::Tasks);
        match kind {
            SectionKind::Texts => self.texts.extend(take_texts(payload)?),
            SectionKind::Sites => self.sites.extend(take_sites(payload)?),
            SectionKind::Kinds => {
                let kinds = take_kinds(payload)?.into_iter();
                self.kinds.extend(kinds.map(|kind| (kind.kind, kind)));
            }
            SectionKind::Tasks => {
                let rows = take_rows(payload)?;
                self.has_rows = true;
                if !was_in_rows {
                    self.are_rows_anew = true;
                    (self.rows_noted, self.has_block) = (self.told, false);
                    self.newest.clear();
                    if self.is_brief {
                        self.known_rows.clear();
                    }
                }
                self.newest.extend(rows.iter().map(|row| row.id));
                self.known_rows
                    .extend(rows.into_iter().map(|row| (row.id, row)));
            }
            SectionKind::Status => self.status = Some(Status::take(payload)?),
            SectionKind::Block | SectionKind::Gap => {}
        }
        Some(())
    }

    /// A gap was told that ends then.
    pub(super) fn saw_gap(&mut self, to: u64) {
        self.tell(to);
    }

    /// A block was made at this stamp or later.
    pub(super) fn saw_block(&mut self, stamp: u64) {
        self.tell(stamp);
        self.has_block = true;
    }

    /// What is told up to the first block behind rows was so before them: they are noted when that block is made, with the
    /// gap before it.
    fn tell(&mut self, stamp: u64) {
        self.told = self.told.max(stamp);
        if !self.has_block {
            self.rows_noted = self.told;
        }
    }

    /// The rows that were noted last, all together.
    pub(super) fn newest_rows(&self) -> Vec<TaskRow> {
        let row = |id: &TaskId| self.known_rows.get(id).copied();
        self.newest.iter().filter_map(row).collect()
    }

    pub(super) fn text(&self, id: TextId) -> Option<String> {
        match id {
            TextId::EMPTY => Some(String::new()),
            id => self.texts.get(&id).cloned(),
        }
    }

    pub(super) fn site(&self, id: SiteId) -> Option<Site> {
        self.sites.get(&id).cloned()
    }

    /// How many fields each kind has.
    pub(super) fn field_counts(&self) -> Kinds {
        Kinds::new(std::array::from_fn(|kind| {
            let known = self.kinds.get(&(kind as u8))?;
            u8::try_from(known.fields.len().min(FIELDS_MAX)).ok()
        }))
    }
}
