//! Owns the sections that say what records name: texts, spawn sites, kinds, and the tasks that live.

use super::column::{self, Column};
use crate::arena::TEXT_BYTES_MAX;
use crate::cause::WakeSource;
use crate::domain::{FIELDS_MAX, FieldType, NAME_BYTES};
use crate::format::codec::{number, optional_task};
use crate::id::TaskId;
use crate::reader::{FieldSchema, KindSchema, Site};
use crate::slot::TaskRow;
use crate::state::TaskState;
use crate::text_id::{SiteId, TextId};

/// The texts, sites, kinds or rows that one section holds at most.
pub(crate) const NAMES_MAX: usize = 1024;
/// A text that was no UTF-8 has grown when it was read from the log.
const READ_TEXT_BYTES_MAX: usize = TEXT_BYTES_MAX * 3;
/// What a section of names is at most, unpacked: sites with two of the longest texts.
const NAMES_BYTES_MAX: usize = NAMES_MAX * (2 * READ_TEXT_BYTES_MAX + 32);

/// How many times shorter names may get by packing, so that a small file cannot stand for a great many: what packs
/// better is stored plainly.
const PACKED_MAX: usize = 8;

/// A text and its number.
pub(crate) type NamedText = (TextId, String);

/// A spawn site and its number.
pub(crate) type NamedSite = (SiteId, Site);

/// A list of things as the payload of a section: their count, then each, all packed as one column.
fn payload<T>(items: &[T], mut put: impl FnMut(&mut Vec<u8>, &T)) -> Vec<u8> {
    debug_assert!(items.len() <= NAMES_MAX);
    let mut plain = Vec::new();
    column::put(&mut plain, items.len() as u64);
    items.iter().for_each(|item| put(&mut plain, item));
    let mut packed = Vec::new();
    column::pack(&mut packed, &plain);
    if packed.len() * PACKED_MAX < plain.len() {
        packed.clear();
        column::put_plain(&mut packed, &plain);
    }
    packed
}

fn items<T>(payload: &[u8], mut take: impl FnMut(&mut Column<'_>) -> Option<T>) -> Option<Vec<T>> {
    let mut plain = Vec::new();
    let most = NAMES_BYTES_MAX.min(payload.len() * PACKED_MAX);
    column::unpack(&mut Column(payload), most, &mut plain)?;
    let mut from = Column(&plain);
    let count = from.count(NAMES_MAX)?;
    (0..count).map(|_| take(&mut from)).collect()
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    column::put(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn take_text(from: &mut Column<'_>, most: usize) -> Option<String> {
    let length = from.count(most)?;
    Some(String::from_utf8_lossy(from.bytes(length)?).into_owned())
}

fn id(from: &mut Column<'_>) -> Option<u32> {
    u32::try_from(from.number()?).ok()
}

pub(crate) fn put_texts(texts: &[NamedText]) -> Vec<u8> {
    payload(texts, |bytes, (id, text)| {
        column::put(bytes, u64::from(id.0));
        put_text(bytes, text);
    })
}

pub(crate) fn take_texts(payload: &[u8]) -> Option<Vec<NamedText>> {
    items(payload, |from| {
        Some((TextId(id(from)?), take_text(from, READ_TEXT_BYTES_MAX)?))
    })
}

pub(crate) fn put_sites(sites: &[NamedSite]) -> Vec<u8> {
    payload(sites, |bytes, (id, site)| {
        column::put(bytes, u64::from(id.0));
        put_text(bytes, &site.file);
        column::put(bytes, u64::from(site.line));
        column::put(bytes, u64::from(site.column));
        // No site's name is empty.
        put_text(bytes, site.name.as_deref().unwrap_or_default());
    })
}

pub(crate) fn take_sites(payload: &[u8]) -> Option<Vec<NamedSite>> {
    items(payload, |from| {
        let id = SiteId(id(from)?);
        let file = take_text(from, READ_TEXT_BYTES_MAX)?;
        let (line, column) = (self::id(from)?, self::id(from)?);
        let name = Some(take_text(from, READ_TEXT_BYTES_MAX)?).filter(|name| !name.is_empty());
        let site = Site {
            file,
            line,
            column,
            name,
        };
        Some((id, site))
    })
}

/// The number of a type that this version does not know.
const UNKNOWN_TYPE: u8 = 0;

pub(crate) fn put_kinds(kinds: &[KindSchema]) -> Vec<u8> {
    payload(kinds, |bytes, kind| {
        bytes.push(kind.kind);
        put_text(bytes, &kind.name);
        column::put(bytes, kind.fields.len() as u64);
        for field in &kind.fields {
            bytes.push(field.ty.map_or(UNKNOWN_TYPE, |ty| ty as u8));
            put_text(bytes, &field.name);
        }
    })
}

pub(crate) fn take_kinds(payload: &[u8]) -> Option<Vec<KindSchema>> {
    let name = |from: &mut Column<'_>| take_text(from, NAME_BYTES * 3);
    items(payload, |from| {
        let (kind, name_of_kind) = (from.byte()?, name(from)?);
        let count = from.count(FIELDS_MAX)?;
        let fields: Option<Vec<FieldSchema>> = (0..count)
            .map(|_| {
                let ty = FieldType::from_number(from.byte()?);
                let name = name(from)?;
                Some(FieldSchema { name, ty })
            })
            .collect();
        Some(KindSchema {
            kind,
            name: name_of_kind,
            fields: fields?,
        })
    })
}

/// The numbers of a row.
const ROW_NUMBERS: usize = 10;

/// Rows of the task table, in the order of their ids. Each number is the difference from the row before.
pub(crate) fn put_rows(rows: &[TaskRow]) -> Vec<u8> {
    let mut last = [0u64; ROW_NUMBERS];
    payload(rows, |bytes, row| {
        for (number, last) in row_numbers(row).iter().zip(&mut last) {
            column::put_signed(bytes, number.wrapping_sub(*last) as i64);
            *last = *number;
        }
    })
}

pub(crate) fn take_rows(payload: &[u8]) -> Option<Vec<TaskRow>> {
    let mut row = [0u64; ROW_NUMBERS];
    items(payload, |from| {
        for number in &mut row {
            *number = number.wrapping_add(from.signed()? as u64);
        }
        row_of(row)
    })
}

fn row_numbers(row: &TaskRow) -> [u64; ROW_NUMBERS] {
    [
        row.id.number(),
        row.state.map_or(0, |state| state as u64),
        row.since,
        u64::from(row.site.0),
        u64::from(row.polls),
        number(row.parent),
        row.waker.map_or(0, WakeSource::to_word),
        row.run_ticks,
        row.wait_ticks,
        row.ready_ticks,
    ]
}

fn row_of(numbers: [u64; ROW_NUMBERS]) -> Option<TaskRow> {
    let [
        id,
        state,
        since,
        site,
        polls,
        parent,
        waker,
        run_ticks,
        wait_ticks,
        ready_ticks,
    ] = numbers;
    Some(TaskRow {
        id: TaskId::new(id)?,
        state: u8::try_from(state).ok().and_then(TaskState::from_number),
        since,
        site: SiteId(u32::try_from(site).ok()?),
        polls: u32::try_from(polls).ok()?,
        parent: optional_task(parent)?,
        waker: WakeSource::from_word(waker),
        run_ticks,
        wait_ticks,
        ready_ticks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were_written() {
        let texts = vec![
            (TextId(2), "a lane".to_owned()),
            (TextId(9), "ü".repeat(100)),
        ];
        assert_eq!(take_texts(&put_texts(&texts)), Some(texts));
        let sites: Vec<NamedSite> = (0..3)
            .map(|n| {
                let site = Site {
                    file: "src/main.rs".to_owned(),
                    line: 70 * n,
                    column: u32::MAX,
                    name: Some(format!("task {n}")).filter(|_| n > 0),
                };
                (SiteId(n + 2), site)
            })
            .collect();
        assert_eq!(take_sites(&put_sites(&sites)), Some(sites));
        let kind = KindSchema {
            kind: 200,
            name: "brewed".to_owned(),
            fields: vec![
                FieldSchema {
                    name: "cups".to_owned(),
                    ty: Some(FieldType::U64),
                },
                FieldSchema {
                    name: "later".to_owned(),
                    ty: None,
                },
            ],
        };
        let kinds = vec![kind.clone(), kind];
        assert_eq!(take_kinds(&put_kinds(&kinds)), Some(kinds));
    }

    #[test]
    fn rows_come_back_as_they_were_written() {
        let rows: Vec<TaskRow> = (1..5)
            .map(|n| TaskRow {
                id: TaskId::new(n * 1000).expect("in range"),
                state: TaskState::from_number(n as u8),
                since: u64::MAX - n,
                site: SiteId(n as u32),
                polls: u32::MAX,
                parent: TaskId::new(n - 1),
                waker: Some(WakeSource::Timer).filter(|_| n.is_multiple_of(2)),
                run_ticks: n << 40,
                wait_ticks: 0,
                ready_ticks: 7,
            })
            .collect();
        assert_eq!(take_rows(&put_rows(&rows)), Some(rows));
    }
}
