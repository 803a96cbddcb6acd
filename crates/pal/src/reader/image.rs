//! Owns a copy of a log's records and of its task table as they stand in memory, undecoded.

use super::entry::RingId;
use super::header::{Changing, LogHeader, Section};
use super::rings;
use super::source::Source;
use crate::record::RECORD_WORDS;
use crate::slot::SLOT_WORDS;
use std::sync::atomic::Ordering;

/// The words of a log's records and of its task table. Two runs of one program under virtual time leave
/// equal images, whichever process they ran in; two runs in real time do not.
///
/// ```
/// use glasshouse_pal::{Clock, Pal, RingOwner, TaskEvent};
/// let image = |clean| {
///     let pal = Pal::memory_with(Clock::virtual_time());
///     pal.lease(RingOwner::Worker(0)).write(0, 0, &TaskEvent::ShutdownComplete { clean });
///     pal.log().image()
/// };
/// assert_eq!(image(true), image(true));
/// assert_ne!(image(true), image(false));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Each ring that was written to: four words a record, in the order of the places in the ring.
    pub rings: Vec<(RingId, Vec<u64>)>,
    /// The slots of the task table that were ever in use, by number. A free one still holds what was last
    /// true of its task, with a zero for the id.
    pub slots: Vec<(u64, [u64; SLOT_WORDS])>,
}

impl Image {
    /// What cannot be read is left out.
    pub(crate) fn read(source: &Source, header: &LogHeader) -> Image {
        let (places, _) = rings::places(source, header);
        let rings = places.iter().filter_map(|place| {
            let written = rings::head(source, place).ok()?.min(place.capacity);
            // A ring's capacity was checked against the file's length.
            let mut words = vec![0; written as usize * RECORD_WORDS];
            source.read(place.offset, &mut words).ok()?;
            (!words.is_empty()).then_some((place.id, words))
        });
        let touched = Changing::read(source).map_or(0, |page| page.slots_touched);
        Image {
            rings: rings.collect(),
            slots: slots(source, &header.tasks, touched),
        }
    }
}

/// The bytes of slots that are copied at once.
const CHUNK_BYTES: u64 = 8 << 10;
/// The word of a slot that is zero until it is first in use: its state.
const STATE_WORD: usize = 1;

fn slots(source: &Source, section: &Section, touched: u64) -> Vec<(u64, [u64; SLOT_WORDS])> {
    let stride = (section.stride / 8) as usize;
    let end = touched.min(section.count);
    let mut slots = Vec::new();
    let chunk = (CHUNK_BYTES / section.stride).max(1);
    for first in (0..end).step_by(chunk as usize) {
        let count = chunk.min(end - first);
        let Some(offset) = section.entry(first) else {
            break;
        };
        if is_unused(source, offset, count as usize, stride) {
            continue;
        }
        let mut words = vec![0; count as usize * stride];
        if source.read(offset, &mut words).is_err() {
            break;
        }
        for (number, words) in (first..).zip(words.chunks_exact(stride)) {
            if words[STATE_WORD] != 0 {
                let mut slot = [0; SLOT_WORDS];
                slot.copy_from_slice(&words[..SLOT_WORDS]);
                slots.push((number, slot));
            }
        }
    }
    slots
}

/// Whether a look at one word a slot shows that the copying can be spared: most of a table is not in use.
fn is_unused(source: &Source, offset: u64, count: usize, stride: usize) -> bool {
    source.memory_words().is_some_and(|words| {
        let first = offset as usize / 8 + STATE_WORD;
        let mut states = words.iter().skip(first).step_by(stride).take(count);
        states.all(|state| state.load(Ordering::Relaxed) == 0)
    })
}
