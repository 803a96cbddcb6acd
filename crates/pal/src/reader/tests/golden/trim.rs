//! Owns the cutting of a log to what is in use of it, so that it can be kept in the repository: sections get
//! shorter and move up, and are as valid as before. Any writer may lay out a log so.

use crate::format::header::{Header, RING_HEADER_BYTES, RingHeader, SECTIONS_MAX, SectionKind};
use std::mem::offset_of;

/// A log's words in as many bytes as it needs.
pub fn trim(words: &[u64]) -> Vec<u8> {
    let sections_at = offset_of!(Header, sections) / 8;
    let mut out = words[..512].to_vec();
    for at in (sections_at..).step_by(4).take(SECTIONS_MAX) {
        let [kind, offset, length, stride] = [0, 1, 2, 3].map(|word| words[at + word]);
        if kind == 0 {
            continue;
        }
        let section = &words[offset as usize / 8..][..length as usize / 8];
        // The places of records follow from the size of their ring.
        let kept = match kind == SectionKind::Rings as u64 {
            true => section.len(),
            false => used(section, (stride as usize).div_ceil(8)),
        };
        // Records and slots begin at multiples of their size.
        out.resize(out.len().next_multiple_of(8), 0);
        let moved_to = out.len() as u64 * 8;
        out.extend(&section[..kept]);
        out[at + 1] = moved_to;
        out[at + 2] = kept as u64 * 8;
        if kind == SectionKind::Rings as u64 {
            move_rings(&mut out, offset, moved_to);
        }
    }
    out[offset_of!(Header, file_bytes) / 8] = out.len() as u64 * 8;
    out.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The words up to the last entry that is not all zeros.
fn used(section: &[u64], entry_words: usize) -> usize {
    let last = section.iter().rposition(|word| *word != 0);
    last.map_or(entry_words, |last| (last / entry_words + 1) * entry_words)
}

/// Tells the rings' headers, which lie before the rings, where these are now.
fn move_rings(out: &mut [u64], from: u64, to: u64) {
    let sections = offset_of!(Header, sections) / 8;
    let headers = (sections..).step_by(4).take(SECTIONS_MAX);
    let headers = headers.map(|at| [out[at], out[at + 1], out[at + 2]]);
    let [_, offset, length] = headers
        .into_iter()
        .find(|[kind, ..]| *kind == SectionKind::RingHeaders as u64)
        .expect("a log has it");
    for header in (offset..offset + length).step_by(RING_HEADER_BYTES) {
        let at = (header as usize + offset_of!(RingHeader, offset)) / 8;
        out[at] = out[at] - from + to;
    }
}
