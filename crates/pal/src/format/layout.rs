//! Owns the sizes of a log's parts and the places that follow from them.

use super::header::{HEADER_BYTES, RING_HEADER_BYTES, SectionKind};
use crate::record::RECORD_BYTES;

/// The unit in which parts are laid out and made ready for use.
pub(crate) const PAGE_BYTES: usize = 4096;
/// The largest ring: 131,072 records.
pub(crate) const RING_BYTES_MAX: usize = 4 << 20;
/// The smallest ring: 2,048 records.
pub(crate) const RING_BYTES_MIN: usize = 64 << 10;
/// All rings together.
pub(crate) const RINGS_BYTES_MAX: usize = 64 << 20;
/// The rings that other threads lease. A guess: threads outside the scheduler that emit are few.
pub(crate) const EXTERNAL_RINGS: usize = 16;
/// Their size.
pub(crate) const EXTERNAL_RING_BYTES: usize = 512 << 10;
/// The rings of all classes that a log can have.
pub(crate) const RINGS_MAX: usize = 1024;
/// The task table's slots in a process's log.
pub(crate) const SLOTS_MAX: usize = 10_000_000;
/// The same where address space is limited: a million tasks, in 64 MiB of it.
pub(crate) const SLOTS_WHEN_LIMITED: usize = 1 << 20;
/// The bytes of one slot of the task table.
pub(crate) const SLOT_BYTES: usize = 64;
/// One entry of the schema.
pub(crate) const SCHEMA_BYTES: usize = 256;
/// Entries of the schema: one a record kind.
pub(crate) const KINDS: usize = 256;
/// The texts that an arena holds. A guess, generous for names and error texts.
pub(crate) const TEXTS_MAX: usize = 16_384;
/// The bytes of all texts.
pub(crate) const TEXT_BYTES: usize = 1 << 20;
/// The spawn sites, names told apart.
pub(crate) const SITES_MAX: usize = 8_192;
/// One site's bytes.
pub(crate) const SITE_BYTES: usize = 16;
/// One text's entry in the index.
pub(crate) const TEXT_ENTRY_BYTES: usize = 8;

/// What a log has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) worker_rings: usize,
    pub(crate) worker_ring_bytes: usize,
    pub(crate) external_rings: usize,
    pub(crate) external_ring_bytes: usize,
    pub(crate) slots: usize,
}

impl Shape {
    /// A process's log: one ring a worker, as large as the bound on all rings allows.
    pub(crate) fn process(workers: usize) -> Shape {
        let workers = workers.clamp(1, RINGS_MAX - EXTERNAL_RINGS);
        let room = RINGS_BYTES_MAX - EXTERNAL_RINGS * EXTERNAL_RING_BYTES;
        let mut ring_bytes = RING_BYTES_MAX;
        while ring_bytes > RECORD_BYTES * 2 && ring_bytes * workers > room {
            ring_bytes /= 2;
        }
        Shape {
            worker_rings: workers,
            worker_ring_bytes: ring_bytes.max(PAGE_BYTES),
            external_rings: EXTERNAL_RINGS,
            external_ring_bytes: EXTERNAL_RING_BYTES,
            slots: SLOTS_MAX,
        }
    }

    /// The same with rings of this size at most: a power of two.
    pub(crate) fn with_rings_of(self, ring_bytes: usize) -> Shape {
        Shape {
            worker_ring_bytes: self.worker_ring_bytes.min(ring_bytes),
            external_ring_bytes: self.external_ring_bytes.min(ring_bytes),
            ..self
        }
    }

    /// The same with rings of half the size; `None` when they are as small as they may become.
    pub(crate) fn with_smaller_rings(self) -> Option<Shape> {
        if self.worker_ring_bytes <= RING_BYTES_MIN {
            return None;
        }
        Some(Shape {
            worker_ring_bytes: self.worker_ring_bytes / 2,
            external_ring_bytes: (self.external_ring_bytes / 2).max(RING_BYTES_MIN),
            ..self
        })
    }

    /// The same with a task table for where address space is limited; `None` when it is no larger than that.
    pub(crate) fn with_fewer_slots(self) -> Option<Shape> {
        (self.slots > SLOTS_WHEN_LIMITED).then_some(Shape {
            slots: SLOTS_WHEN_LIMITED,
            ..self
        })
    }

    /// Nothing but a task table and an arena.
    pub(crate) fn without_rings() -> Shape {
        Shape {
            worker_rings: 0,
            worker_ring_bytes: 0,
            external_rings: 0,
            external_ring_bytes: 0,
            slots: SLOTS_MAX,
        }
    }
}

/// A part of the log, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) kind: SectionKind,
    pub(crate) offset: usize,
    pub(crate) length: usize,
    pub(crate) stride: usize,
}

/// Where everything is. Every part begins at a page; they lie in the order of the fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) shape: Shape,
    pub(crate) schema: Part,
    pub(crate) ring_headers: Part,
    pub(crate) text_index: Part,
    pub(crate) text: Part,
    pub(crate) sites: Part,
    pub(crate) rings: Part,
    pub(crate) tasks: Part,
    pub(crate) file_bytes: usize,
}

impl Layout {
    pub(crate) fn new(shape: Shape) -> Layout {
        let mut end = HEADER_BYTES;
        let mut part = |kind, length: usize, stride| {
            let offset = end;
            end += length.next_multiple_of(PAGE_BYTES);
            Part {
                kind,
                offset,
                length,
                stride,
            }
        };
        let rings = shape.worker_rings + shape.external_rings;
        let rings_bytes = shape.worker_rings * shape.worker_ring_bytes
            + shape.external_rings * shape.external_ring_bytes;
        Layout {
            shape,
            schema: part(SectionKind::Schema, KINDS * SCHEMA_BYTES, SCHEMA_BYTES),
            ring_headers: part(
                SectionKind::RingHeaders,
                rings * RING_HEADER_BYTES,
                RING_HEADER_BYTES,
            ),
            text_index: part(
                SectionKind::TextIndex,
                TEXTS_MAX * TEXT_ENTRY_BYTES,
                TEXT_ENTRY_BYTES,
            ),
            text: part(SectionKind::Text, TEXT_BYTES, 1),
            sites: part(SectionKind::Sites, SITES_MAX * SITE_BYTES, SITE_BYTES),
            rings: part(SectionKind::Rings, rings_bytes, RECORD_BYTES),
            tasks: part(SectionKind::Tasks, shape.slots * SLOT_BYTES, SLOT_BYTES),
            file_bytes: end,
        }
    }

    pub(crate) fn parts(&self) -> [Part; 7] {
        [
            self.schema,
            self.ring_headers,
            self.text_index,
            self.text,
            self.sites,
            self.rings,
            self.tasks,
        ]
    }

    pub(crate) fn ring_count(&self) -> usize {
        self.shape.worker_rings + self.shape.external_rings
    }

    /// Offset and length of a ring in bytes.
    pub(crate) fn ring(&self, index: usize) -> (usize, usize) {
        let shape = &self.shape;
        let workers_bytes = shape.worker_rings * shape.worker_ring_bytes;
        match index.checked_sub(shape.worker_rings) {
            None => (
                self.rings.offset + index * shape.worker_ring_bytes,
                shape.worker_ring_bytes,
            ),
            Some(external) => (
                self.rings.offset + workers_bytes + external * shape.external_ring_bytes,
                shape.external_ring_bytes,
            ),
        }
    }

    /// The bytes that are allocated when the log is made: all before the rings that are leased to
    /// threads outside the scheduler.
    pub(crate) fn eager_bytes(&self) -> usize {
        self.rings.offset + self.shape.worker_rings * self.shape.worker_ring_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_stay_within_their_bounds_for_any_number_of_workers() {
        for workers in [0, 1, 2, 13, 14, 15, 64, 400, 2_000] {
            let shape = Shape::process(workers);
            assert!(shape.worker_ring_bytes.is_power_of_two());
            assert!(shape.worker_ring_bytes <= RING_BYTES_MAX);
            assert!(
                Layout::new(shape).rings.length <= RINGS_BYTES_MAX,
                "{workers}"
            );
        }
        assert_eq!(Shape::process(2).worker_ring_bytes, RING_BYTES_MAX);
    }

    #[test]
    fn parts_lie_one_after_another_on_pages() {
        let layout = Layout::new(Shape::process(3));
        let mut end = HEADER_BYTES;
        for part in layout.parts() {
            assert_eq!(part.offset, end.next_multiple_of(PAGE_BYTES));
            end = part.offset + part.length;
        }
        assert_eq!(layout.file_bytes, end.next_multiple_of(PAGE_BYTES));
        let (offset, length) = layout.ring(layout.ring_count() - 1);
        assert_eq!(offset + length, layout.rings.offset + layout.rings.length);
    }

    #[test]
    fn rings_shrink_to_their_least_size_and_no_further() {
        let mut shape = Shape::process(1);
        while let Some(smaller) = shape.with_smaller_rings() {
            shape = smaller;
        }
        assert_eq!(shape.worker_ring_bytes, RING_BYTES_MIN);
        assert_eq!(shape.external_ring_bytes, RING_BYTES_MIN);
    }
}
