//! Owns the copying of rings: which records of a ring are whole, at one moment.

use super::entry::RingId;
use super::header::LogHeader;
use super::source::Source;
use crate::format::header::{CLASS_EXTERNAL, CLASS_WORKER, RING_HEADER_BYTES, RingHeader};
use crate::format::layout::{RING_BYTES_MAX, RINGS_BYTES_MAX};
use crate::record::{RECORD_BYTES, RECORD_WORDS, Tag, snapshot};
use std::io;
use std::mem::offset_of;
use std::ops::Range;

/// The words of one record.
pub(crate) type Raw = [u64; RECORD_WORDS];

/// A ring's place in the file, checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingPlace {
    pub(crate) id: RingId,
    /// Where its header is.
    pub(crate) header_at: u64,
    pub(crate) offset: u64,
    /// Records that it holds: a power of two.
    pub(crate) capacity: u64,
}

/// The records that are copied at once: three times 64 KiB.
const CHUNK_RECORDS: u64 = 2048;

/// The rings of a log. Those whose place makes no sense are left out, and counted.
pub(crate) fn places(source: &Source, header: &LogHeader) -> (Vec<RingPlace>, u64) {
    let mut places = Vec::new();
    let mut damaged = 0;
    // Rings that lie over each other would make more of the file than it is.
    let mut room = header.rings.bytes().min(RINGS_BYTES_MAX as u64);
    for index in 0..header.ring_headers.count {
        let Some(header_at) = header.ring_headers.entry(index) else {
            break;
        };
        match place(source, header, header_at) {
            Ok(Some(place)) if place.capacity * RECORD_BYTES as u64 <= room => {
                room -= place.capacity * RECORD_BYTES as u64;
                places.push(place);
            }
            _ => damaged += 1,
        }
    }
    (places, damaged)
}

fn place(source: &Source, header: &LogHeader, header_at: u64) -> io::Result<Option<RingPlace>> {
    let mut words = [0; RING_HEADER_BYTES / 8 / 64];
    source.read(header_at, &mut words)?;
    let word = |offset: usize| words[offset / 8];
    let offset = word(offset_of!(RingHeader, offset));
    let length = word(offset_of!(RingHeader, length));
    let number = u16::try_from(word(offset_of!(RingHeader, index)));
    let rings = header.rings;
    let end = offset.checked_add(length);
    let fits = offset >= rings.offset
        && end.is_some_and(|end| end <= rings.offset + rings.bytes())
        && offset.is_multiple_of(RECORD_BYTES as u64)
        && length.is_power_of_two()
        && (RECORD_BYTES as u64..=RING_BYTES_MAX as u64).contains(&length);
    let id = match (word(offset_of!(RingHeader, class)), number) {
        (CLASS_WORKER, Ok(number)) => RingId::Worker(number),
        (CLASS_EXTERNAL, Ok(number)) => RingId::External(number),
        _ => return Ok(None),
    };
    Ok(fits.then_some(RingPlace {
        id,
        header_at,
        offset,
        capacity: length / RECORD_BYTES as u64,
    }))
}

/// What was copied of one ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Copied {
    /// The newest record's sequence number.
    pub(crate) newest: u64,
    /// Records up to the newest that were not there any more.
    pub(crate) missing: u64,
}

/// Appends the whole records of a ring with sequence numbers above `after`, in their order.
///
/// Of a live log, those up to a head. The newest are copied first, so that what the writer replaces
/// meanwhile is the oldest, and leaves no gap: a record that was still there when it was copied was
/// copied after all newer ones, and those are replaced later. `head` was seen before any ring was copied, which makes
/// a cut through all rings at about one moment; a writer that lapped the whole ring since gets
/// another chance. Of a dead log every place is looked at, and its head is not believed.
pub(crate) fn copy(
    source: &Source,
    place: &RingPlace,
    head: Option<u64>,
    after: u64,
    into: &mut Vec<Raw>,
) -> Copied {
    let start = into.len();
    let head = match head {
        Some(head) => copy_up_to(source, place, head, after, into),
        None => {
            // A part that cannot be read counts as missing below.
            let _ = copy_dead(source, place, into);
            let middle = median_seq(&mut into[start..]);
            let capacity = place.capacity;
            keep_if(into, start, |seq| {
                seq > after && seq.abs_diff(middle) <= capacity
            });
            into[start..].sort_unstable_by_key(|raw| raw[0]);
            0
        }
    };
    let last = into[start..]
        .last()
        .map_or(0, |raw| Tag::from_word(raw[0]).seq);
    let newest = last.max(head).max(after);
    Copied {
        newest,
        missing: (newest - after).saturating_sub((into.len() - start) as u64),
    }
}

/// How often a live ring is copied anew when its writer lapped the reader.
const ATTEMPTS: u32 = 4;

/// Copies a live ring's records behind `after` up to `head`, or to a later one when the writer was
/// too fast; returns the head that counted.
fn copy_up_to(
    source: &Source,
    place: &RingPlace,
    mut head: u64,
    after: u64,
    into: &mut Vec<Raw>,
) -> u64 {
    let start = into.len();
    for attempt in 1.. {
        let oldest = after.max(head.saturating_sub(place.capacity));
        let Some(count) = head.checked_sub(oldest).filter(|count| *count > 0) else {
            break;
        };
        let [first, second] = place_ranges(oldest, count, place.capacity);
        // A part that cannot be read counts as missing.
        let _ = copy_live(source, place, second, into);
        let _ = copy_live(source, place, first, into);
        keep_if(into, start, |seq| seq > oldest && seq <= head);
        into[start..].sort_unstable_by_key(|raw| raw[0]);
        let is_there = into[start..]
            .last()
            .is_some_and(|raw| Tag::from_word(raw[0]).seq == head);
        let later = self::head(source, place).unwrap_or(head);
        // Only a writer that went all the way round takes the newest away; damage does, too.
        if is_there || attempt == ATTEMPTS || later.saturating_sub(head) < place.capacity {
            break;
        }
        into.truncate(start);
        head = later;
    }
    head
}

/// The head as the writer last left it.
pub(crate) fn head(source: &Source, place: &RingPlace) -> io::Result<u64> {
    source.word(place.header_at + offset_of!(RingHeader, head) as u64)
}

/// The places of `count` records behind the sequence number `oldest`, in at most two runs.
fn place_ranges(oldest: u64, count: u64, capacity: u64) -> [Range<u64>; 2] {
    let first = oldest % capacity;
    let end = first + count;
    if end <= capacity {
        [first..end, 0..0]
    } else {
        [first..capacity, 0..end - capacity]
    }
}

/// Copies what is whole, while the writer goes on, the last place first.
fn copy_live(
    source: &Source,
    place: &RingPlace,
    range: Range<u64>,
    into: &mut Vec<Raw>,
) -> io::Result<()> {
    let Some(memory) = source.memory_words() else {
        return copy_file(source, place, range, into);
    };
    for index in range.rev() {
        let at = (place.offset / 8 + index * RECORD_WORDS as u64) as usize;
        let words = memory
            .get(at..)
            .and_then(|words| words.first_chunk::<RECORD_WORDS>());
        let raw = words.and_then(snapshot);
        into.extend(raw.filter(|raw| belongs(raw[0], index, place.capacity)));
    }
    Ok(())
}

/// The same over a file, many records at once: between two reads of the words 0; what is the same
/// in both was whole in between.
fn copy_file(
    source: &Source,
    place: &RingPlace,
    range: Range<u64>,
    into: &mut Vec<Raw>,
) -> io::Result<()> {
    let mut end = range.end;
    let mut passes = [Vec::new(), Vec::new(), Vec::new()];
    while end > range.start {
        let count = CHUNK_RECORDS.min(end - range.start);
        let first = end - count;
        let offset = place.offset + first * RECORD_BYTES as u64;
        for pass in &mut passes {
            pass.resize(count as usize * RECORD_WORDS, 0);
            source.read(offset, pass)?;
        }
        let [before, copy, after] = &passes;
        for (index, raw) in copy.chunks_exact(RECORD_WORDS).enumerate() {
            let at = index * RECORD_WORDS;
            let tag = before[at];
            if tag == after[at] && belongs(tag, first + index as u64, place.capacity) {
                into.push([tag, raw[1], raw[2], raw[3]]);
            }
        }
        end = first;
    }
    Ok(())
}

/// Copies all places that hold a record.
fn copy_dead(source: &Source, place: &RingPlace, into: &mut Vec<Raw>) -> io::Result<()> {
    let mut first = 0;
    let mut words = Vec::new();
    while first < place.capacity {
        let count = CHUNK_RECORDS.min(place.capacity - first);
        words.resize(count as usize * RECORD_WORDS, 0);
        source.read(place.offset + first * RECORD_BYTES as u64, &mut words)?;
        for (index, raw) in words.chunks_exact(RECORD_WORDS).enumerate() {
            if belongs(raw[0], first + index as u64, place.capacity) {
                into.push([raw[0], raw[1], raw[2], raw[3]]);
            }
        }
        first += count;
    }
    Ok(())
}

/// Whether a word 0 is that of a record, and of one that is written to this place.
fn belongs(tag: u64, place: u64, capacity: u64) -> bool {
    let seq = Tag::from_word(tag).seq;
    seq != 0 && (seq - 1) % capacity == place
}

/// The sequence number in the middle. Those of a ring lie within one round of each other, so one
/// that is further from the middle than a round is damage.
fn median_seq(raws: &mut [Raw]) -> u64 {
    if raws.is_empty() {
        return 0;
    }
    let middle = raws.len() / 2;
    let (_, raw, _) = raws.select_nth_unstable_by_key(middle, |raw| raw[0]);
    Tag::from_word(raw[0]).seq
}

fn keep_if(raws: &mut Vec<Raw>, start: usize, keep: impl Fn(u64) -> bool) {
    let mut kept = start;
    for index in start..raws.len() {
        if keep(Tag::from_word(raws[index][0]).seq) {
            raws.swap(kept, index);
            kept += 1;
        }
    }
    raws.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_records_that_passes_the_ring_s_end_is_two_runs_of_places() {
        assert_eq!(place_ranges(0, 3, 8), [0..3, 0..0]);
        assert_eq!(place_ranges(6, 5, 8), [6..8, 0..3]);
        assert_eq!(place_ranges(8, 8, 8), [0..8, 0..0]);
        assert_eq!(place_ranges(5, 8, 8), [5..8, 0..5]);
    }
}
