//! Owns the format of segments: what a spiller writes to disk, and a reader takes back.
//!
//! ```text
//! segment = header │ section │ section │ …        each section: kind, length, checksum, payload
//! block   = head (rings, clock) │ tasks │ one compressed column for each part of a record
//! ```
//!
//! Nothing in a segment points to another one, and a section is whole or it is not there: a file that
//! ends anywhere is read up to its last whole section. `docs/pal-format.md` has every byte.

mod block;
mod column;
mod dictionary;
mod facts;
mod header;
mod model;
mod names;
mod packed;
mod section;

pub(crate) use block::{BLOCK_RECORDS_MAX, Block, BlockHead, Encoder, spans, speaks_of};
pub(crate) use facts::{GapFact, Status};
pub(crate) use header::{HEADER_BYTES, HeaderFault, SegmentHeader, begins_as_segment};
pub(crate) use names::{
    NAMES_MAX, NamedSite, NamedText, put_kinds, put_rows, put_sites, put_texts, take_kinds,
    take_rows, take_sites, take_texts,
};
pub(crate) use packed::Packed;
pub(crate) use section::{SECTION_HEAD_BYTES, SectionHead, SectionKind};
use std::path::Path;

/// The name of the segment with this number.
pub(crate) fn segment_name(number: u64) -> String {
    format!("{number:08}.{SEGMENT_EXTENSION}")
}

/// The number of a segment that is named so.
pub(crate) fn segment_number(path: &Path) -> Option<u64> {
    let number = path.file_stem()?.to_str()?.parse().ok()?;
    (path.file_name()?.to_str()? == segment_name(number)).then_some(number)
}

/// Whether a directory has a name as spillers give: three or four numbers.
pub(crate) fn is_named_by_spiller(dir: &Path) -> bool {
    let name = dir.file_name().and_then(|name| name.to_str());
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    name.is_some_and(|name| {
        (3..=4).contains(&name.split('-').count()) && name.split('-').all(is_number)
    })
}

/// The ending of a segment's name.
pub(crate) const SEGMENT_EXTENSION: &str = "seg";
