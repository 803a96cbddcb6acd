//! Owns the leases of a log's rings: which thread may write which ring.
//!
//! A worker gets the ring of its number where that is free; any other thread, and the worker of a
//! second scheduler, one of those that are there for all. A ring that comes back keeps its records,
//! and the next owner's follow them.

use crate::format::header::{CLASS_EXTERNAL, CLASS_WORKER, RingHeader};
use crate::format::layout::Layout;
use crate::map::{Mapping, One, View};
use crate::owner::{RingOwner, WorkerState};
use crate::record::Record;
use crate::ring::Ring;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// The rings of a log and who holds them.
pub(crate) struct Leases {
    mapping: Arc<Mapping>,
    layout: Layout,
    headers: View<RingHeader>,
    uses: Mutex<Box<[Use]>>,
}

/// What is known of a ring.
#[derive(Clone, Copy, Default)]
struct Use {
    is_leased: bool,
    /// Its pages were allocated and touched.
    is_ready: bool,
}

impl Leases {
    pub(crate) fn new(mapping: &Arc<Mapping>, layout: Layout) -> Leases {
        let leases = Leases {
            mapping: Arc::clone(mapping),
            headers: mapping.view(layout.ring_headers.offset, layout.ring_count()),
            uses: Mutex::new(vec![Use::default(); layout.ring_count()].into()),
            layout,
        };
        leases.describe();
        leases
    }

    /// Writes down where each ring is.
    fn describe(&self) {
        for (index, header) in self.headers.iter().enumerate() {
            let (offset, bytes) = self.layout.ring(index);
            let (class, number) = match index.checked_sub(self.layout.shape.worker_rings) {
                None => (CLASS_WORKER, index),
                Some(external) => (CLASS_EXTERNAL, external),
            };
            header.class.store(class, Ordering::Relaxed);
            header.index.store(number as u64, Ordering::Relaxed);
            header.offset.store(offset as u64, Ordering::Relaxed);
            header.length.store(bytes as u64, Ordering::Relaxed);
        }
    }

    /// A ring for the calling thread; `None` when none is free, or memory is lacking. `thread` is
    /// the operating system's number of the thread, or zero; `now` is when its time begins to count.
    pub(crate) fn take(&self, owner: RingOwner, thread: u64, now: u64) -> Option<Ring> {
        let workers = self.layout.shape.worker_rings;
        let own = match owner {
            RingOwner::Worker(number) => Some(usize::from(number)).filter(|own| *own < workers),
            RingOwner::External => None,
        };
        let shared = workers..self.layout.ring_count();
        let index = own
            .into_iter()
            .chain(shared)
            .find(|index| self.claim(*index))?;
        let header = &self.headers[index];
        header.thread.store(thread, Ordering::Relaxed);
        header.owner.store(owner.to_word(), Ordering::Relaxed);
        let searching = WorkerState::Searching as u64;
        header.state.store(searching, Ordering::Relaxed);
        // The time since the lease before belongs to no state.
        header.state_since.store(now, Ordering::Relaxed);
        header.leased.store(1, Ordering::Release);
        let header_at = self.layout.ring_headers.offset + index * size_of::<RingHeader>();
        let (offset, bytes) = self.layout.ring(index);
        Some(Ring::new(
            index,
            One::at(&self.mapping, header_at),
            self.mapping.view(offset, bytes / size_of::<Record>()),
        ))
    }

    /// Ends the lease that [`Leases::take`] gave.
    pub(crate) fn give_back(&self, ring: &Ring) {
        let header = ring.header();
        header.task.store(0, Ordering::Relaxed);
        header.leased.store(0, Ordering::Release);
        self.set(ring.index(), |ring| ring.is_leased = false);
    }

    /// Takes a ring that is free and makes its pages ready, on the thread that will write them.
    fn claim(&self, index: usize) -> bool {
        let before = self.set(index, |ring| ring.is_leased = true);
        if before.is_leased {
            return false;
        }
        let is_ready = before.is_ready || self.prepare(index);
        self.set(index, |ring| {
            *ring = Use {
                is_leased: is_ready,
                is_ready,
            }
        });
        is_ready
    }

    /// Changes what is known of a ring and returns what was.
    fn set(&self, index: usize, change: impl FnOnce(&mut Use)) -> Use {
        // Nothing under the lock panics: the uses are whole whatever happened.
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let before = uses[index];
        change(&mut uses[index]);
        before
    }

    fn prepare(&self, index: usize) -> bool {
        let (offset, bytes) = self.layout.ring(index);
        if self.mapping.allocate(offset, bytes).is_err() {
            return false;
        }
        // Private memory serves tests and fallbacks: what is not written costs nothing there.
        if self.mapping.file().is_some() {
            self.mapping.touch(offset, bytes);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use crate::{LossCause, Pal, RingOwner, TaskEvent, reader::RingId};

    fn write(ring: &crate::RingWriter, stamp: u64) -> bool {
        ring.write(stamp, 0, &TaskEvent::ShutdownComplete { clean: true })
    }

    #[test]
    fn a_worker_gets_its_own_ring_and_a_second_of_its_number_a_shared_one() {
        let pal = Pal::memory();
        let first = pal.lease(RingOwner::Worker(2));
        let second = pal.lease(RingOwner::Worker(2));
        let far = pal.lease(RingOwner::Worker(900));
        assert!(write(&first, 1) && write(&second, 2) && write(&far, 3));
        let rings: Vec<RingId> = pal.log().records().map(|entry| entry.ring).collect();
        let expected = [RingId::Worker(2), RingId::External(0), RingId::External(1)];
        assert_eq!(rings, expected);
    }

    #[test]
    fn without_a_free_ring_events_are_counted_and_a_ring_that_comes_back_serves_again() {
        let pal = Pal::memory();
        let mut rings: Vec<_> = std::iter::repeat_with(|| pal.lease(RingOwner::External))
            .take_while(|ring| ring.has_ring())
            .collect();
        assert_eq!(rings.len(), 16);
        let without = pal.lease(RingOwner::External);
        assert!(!write(&without, 1));
        assert_eq!(pal.log().loss().unwritten(LossCause::NoRing), 1);
        let last = rings.pop().expect("sixteen");
        assert!(write(&last, 2));
        let twin = last.clone();
        drop(last);
        assert!(
            !pal.lease(RingOwner::External).has_ring(),
            "a clone holds it"
        );
        drop(twin);
        let next = pal.lease(RingOwner::External);
        assert!(write(&next, 3));
        let seqs: Vec<u64> = pal.log().records().map(|entry| entry.seq).collect();
        assert_eq!(seqs, [1, 2], "the sequence goes on");
    }

    #[test]
    fn a_log_that_is_off_records_and_counts_nothing() {
        let pal = Pal::off();
        let ring = pal.lease(RingOwner::Worker(0));
        assert!(!ring.has_ring());
        assert!(!write(&ring, 1));
        assert!(pal.log().loss().is_none());
        assert!(pal.events().is_empty());
        assert!(pal.table().take_shared().is_some());
    }
}
