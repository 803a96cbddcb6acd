//! Owns the iteration over a log's task table.

use super::header::Section;
use super::source::Source;
use crate::slot::{SLOT_WORDS, TaskRow};
use std::io;

/// The tasks that had not ended, in the order of their slots.
///
/// ```
/// use glasshouse_pal::{Pal, SiteId, TaskId, TaskState};
/// let pal = Pal::memory();
/// let slot = pal.table().take_shared().expect("room");
/// let tid = TaskId::new(1).expect("in range");
/// pal.table().slot(slot).publish(tid, SiteId::UNKNOWN, None, TaskState::Scheduled, 5);
/// let log = pal.log();
/// assert_eq!(log.tasks().map(|row| row.id).collect::<Vec<_>>(), [tid]);
/// ```
pub struct Tasks<'a> {
    /// The table that further rows are copied from.
    table: Option<Table<'a>>,
    rows: std::vec::IntoIter<TaskRow>,
}

struct Table<'a> {
    source: &'a Source,
    section: Section,
    /// A stamp near the newest, by which the rows' stamps are made whole.
    near: u64,
    /// The next slot to copy.
    next: u64,
    /// Slots that were ever in use.
    end: u64,
}

/// The bytes of slots that are copied at once, three times.
const CHUNK_BYTES: u64 = 64 << 10;

impl<'a> Tasks<'a> {
    pub(crate) fn new(source: &'a Source, section: Section, touched: u64, near: u64) -> Tasks<'a> {
        Tasks {
            table: Some(Table {
                source,
                section,
                near,
                next: 0,
                end: touched.min(section.count),
            }),
            rows: Vec::new().into_iter(),
        }
    }

    /// Rows that somebody copied before.
    pub(crate) fn noted(rows: Vec<TaskRow>) -> Tasks<'a> {
        Tasks {
            table: None,
            rows: rows.into_iter(),
        }
    }
}

impl Table<'_> {
    /// The rows of the next slots that are the same before and after they were copied; `None`
    /// behind the last slot, or where the table cannot be read.
    fn copy_chunk(&mut self) -> Option<Vec<TaskRow>> {
        if self.next >= self.end {
            return None;
        }
        let chunk = CHUNK_BYTES / self.section.stride;
        let count = chunk.clamp(1, self.end - self.next);
        let stride = (self.section.stride / 8) as usize;
        let offset = self.section.entry(self.next)?;
        self.next += count;
        let rows = rows_between::<SLOT_WORDS>(count as usize, stride, |pass| {
            self.source.read(offset, pass)
        })?;
        let near = self.near;
        Some(
            rows.into_iter()
                .filter_map(|words| TaskRow::from_words(words, near))
                .collect(),
        )
    }
}

/// The words of `count` slots, so many apart, whose ids are the same and not zero in a pass before the copy
/// and one after it; `None` where `read` fails.
pub(crate) fn rows_between<const WORDS: usize>(
    count: usize,
    stride: usize,
    mut read: impl FnMut(&mut [u64]) -> io::Result<()>,
) -> Option<Vec<[u64; WORDS]>> {
    let mut passes = [Vec::new(), Vec::new(), Vec::new()];
    for pass in &mut passes {
        pass.resize(count * stride, 0);
        read(pass).ok()?;
    }
    let [before, copy, after] = &passes;
    let rows = copy
        .chunks_exact(stride)
        .enumerate()
        .filter_map(|(index, words)| {
            let id = before[index * stride];
            if id == 0 || id != after[index * stride] {
                return None;
            }
            let mut slot = [0; WORDS];
            slot.copy_from_slice(&words[..WORDS]);
            slot[0] = id;
            Some(slot)
        });
    Some(rows.collect())
}

impl Iterator for Tasks<'_> {
    type Item = TaskRow;

    fn next(&mut self) -> Option<TaskRow> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(row);
            }
            self.rows = self.table.as_mut()?.copy_chunk()?.into_iter();
        }
    }
}
