//! Owns the task table: which slots are free, and the caches through which workers take them.
//!
//! ```text
//! untouched ──grow──► free ──refill──► cache ──take──► in use
//!                       ▲                │  ▲             │
//!                       └─────spill──────┘  └──give_back──┘
//! ```
//!
//! A worker takes and gives back through a cache of its own; only every [`BATCH`] slots it meets
//! the others at the list of free slots. The table grows by [`CHUNK`] slots, whose pages are
//! allocated and touched before the first of them is used.

use crate::format::header::Header;
use crate::format::layout::SLOT_BYTES;
use crate::loss::{LossCause, Losses};
use crate::map::{Mapping, View};
use crate::slot::Slot;
use std::num::NonZeroU32;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// The slots by which the table grows: a megabyte.
const CHUNK: usize = 16_384;
/// The slots that move between a cache and the list of free slots at once.
const BATCH: usize = 128;
/// The tasks that go without a slot before memory that could not be had is asked for anew: a call of the kernel
/// for each would be paid by every spawn.
const PATIENCE: usize = 1024;

/// A slot's place in its log's task table.
///
/// ```
/// let pal = glasshouse_pal::Pal::memory();
/// let slot = pal.table().take_shared().expect("room for a task");
/// assert!(slot.index() < pal.table().capacity());
/// pal.table().give_back_shared(slot);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(NonZeroU32);

impl SlotId {
    /// The slot with this index. One more is kept, so that "no slot" takes no space of its own.
    ///
    /// # Panics
    /// For `u32::MAX`, which no table reaches.
    #[inline]
    pub const fn at(index: u32) -> SlotId {
        SlotId(
            NonZeroU32::MIN
                .checked_add(index)
                .expect("a table is smaller"),
        )
    }

    /// The slot's index, from zero.
    #[inline]
    pub const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The slots of all live tasks of a log. Clones are of the same table.
///
/// ```
/// use glasshouse_pal::{Pal, SlotCache};
/// let pal = Pal::memory();
/// let mut cache = SlotCache::default();
/// let slot = pal.table().take(&mut cache).expect("room for a task");
/// assert_eq!(pal.table().slot(slot).id(), None);
/// pal.table().give_back(&mut cache, slot);
/// ```
#[derive(Clone)]
pub struct TaskTable {
    slots: View<Slot>,
    shared: Arc<Shared>,
}

struct Shared {
    mapping: Arc<Mapping>,
    offset: usize,
    capacity: usize,
    header: View<Header>,
    losses: Losses,
    free: Mutex<Free>,
}

#[derive(Default)]
struct Free {
    list: Vec<u32>,
    touched: usize,
    /// How many more tasks go without before memory is asked for again.
    patience: usize,
}

/// A worker's stock of free slots. Dropping it gives them back.
///
/// ```
/// let cache = glasshouse_pal::SlotCache::default();
/// assert!(cache.is_empty());
/// ```
#[derive(Default)]
pub struct SlotCache {
    free: Vec<u32>,
    /// The table that the slots belong to.
    table: Option<Arc<Shared>>,
}

impl SlotCache {
    /// Whether there is no slot in stock.
    pub fn is_empty(&self) -> bool {
        self.free.is_empty()
    }

    fn adopt(&mut self, table: &Arc<Shared>) {
        match &self.table {
            Some(own) if Arc::ptr_eq(own, table) => {}
            _ => {
                self.empty();
                self.free.reserve_exact(2 * BATCH);
                self.table = Some(Arc::clone(table));
            }
        }
    }

    fn empty(&mut self) {
        if let Some(table) = self.table.take() {
            table.lock().list.append(&mut self.free);
        }
    }
}

impl Drop for SlotCache {
    fn drop(&mut self) {
        self.empty();
    }
}

impl TaskTable {
    pub(crate) fn new(
        mapping: &Arc<Mapping>,
        offset: usize,
        capacity: usize,
        header: View<Header>,
        losses: Losses,
    ) -> TaskTable {
        TaskTable {
            slots: mapping.view(offset, capacity),
            shared: Arc::new(Shared {
                mapping: Arc::clone(mapping),
                offset,
                capacity,
                header,
                losses,
                free: Mutex::default(),
            }),
        }
    }

    /// The most tasks that can have a slot at a time.
    pub fn capacity(&self) -> usize {
        self.shared.capacity
    }

    /// The slot at a place.
    ///
    /// # Panics
    ///
    /// When the place is another, larger table's.
    #[inline]
    pub fn slot(&self, id: SlotId) -> &Slot {
        &self.slots[id.index()]
    }

    /// A free slot from the worker's stock; `None` when all are in use or no memory is left, in
    /// which case the task lives without one, and is counted as [`LossCause::TableFull`].
    #[inline]
    pub fn take(&self, cache: &mut SlotCache) -> Option<SlotId> {
        if let Some(index) = cache.free.pop() {
            debug_assert!(
                cache
                    .table
                    .as_ref()
                    .is_some_and(|own| Arc::ptr_eq(own, &self.shared))
            );
            return Some(SlotId::at(index));
        }
        self.refill(cache)
    }

    #[cold]
    fn refill(&self, cache: &mut SlotCache) -> Option<SlotId> {
        cache.adopt(&self.shared);
        let mut free = self.shared.lock();
        if free.list.is_empty() {
            self.shared.grow(&mut free);
        }
        let keep = free.list.len().saturating_sub(BATCH);
        cache.free.extend(free.list.drain(keep..));
        drop(free);
        self.shared.given(cache.free.pop())
    }

    /// Returns a slot, cleared before, to the worker's stock.
    #[inline]
    pub fn give_back(&self, cache: &mut SlotCache, id: SlotId) {
        if cache.free.len() >= 2 * BATCH || cache.table.is_none() {
            self.spill(cache);
        }
        cache.free.push(id.index() as u32);
    }

    #[cold]
    fn spill(&self, cache: &mut SlotCache) {
        cache.adopt(&self.shared);
        if cache.free.len() >= 2 * BATCH {
            // The oldest go: the newest are still in this processor's cache.
            self.shared.lock().list.extend(cache.free.drain(..BATCH));
        }
    }

    /// The same as [`TaskTable::take`] for a thread without a stock of its own.
    pub fn take_shared(&self) -> Option<SlotId> {
        let mut free = self.shared.lock();
        if free.list.is_empty() {
            self.shared.grow(&mut free);
        }
        self.shared.given(free.list.pop())
    }

    /// The same as [`TaskTable::give_back`] for a thread without a stock of its own.
    pub fn give_back_shared(&self, id: SlotId) {
        self.shared.lock().list.push(id.index() as u32);
    }

    /// The slots that were ever made ready for use.
    pub fn touched(&self) -> usize {
        self.shared.lock().touched
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Free> {
        // No code under the lock panics half-way; the list is whole whatever happened.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The slot that a task got, or the count of one that got none.
    fn given(&self, index: Option<u32>) -> Option<SlotId> {
        if index.is_none() {
            self.losses.count(LossCause::TableFull);
        }
        index.map(SlotId::at)
    }

    /// Makes the next chunk ready; adds nothing when the table or the memory is used up.
    fn grow(&self, free: &mut Free) {
        if free.patience > 0 {
            free.patience -= 1;
            return;
        }
        let count = CHUNK.min(self.capacity - free.touched);
        let (offset, bytes) = (self.offset + free.touched * SLOT_BYTES, count * SLOT_BYTES);
        if count == 0 {
            return;
        }
        if self.mapping.allocate(offset, bytes).is_err() {
            free.patience = PATIENCE;
            return;
        }
        self.mapping.touch(offset, bytes);
        // Room for every slot that exists, so that giving one back never allocates.
        let room = free.touched + count - free.list.len();
        free.list.reserve_exact(room);
        // In descending order, so that the lowest are taken first.
        let first = free.touched as u32;
        free.list.extend((first..first + count as u32).rev());
        free.touched += count;
        // Before any of them is used: pairs with nothing, a reader takes it as a bound only.
        self.header
            .first()
            .slots_touched
            .store(free.touched as u64, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::layout::PAGE_BYTES;
    use std::collections::HashSet;

    fn table(capacity: usize) -> TaskTable {
        let bytes = PAGE_BYTES + capacity * SLOT_BYTES;
        let mapping = Arc::new(Mapping::private(bytes).expect("mapped"));
        let header = || mapping.view(0, 1);
        let losses = Losses::new(header());
        TaskTable::new(&mapping, PAGE_BYTES, capacity, header(), losses)
    }

    fn without_a_slot(table: &TaskTable) -> u64 {
        table.shared.losses.of(LossCause::TableFull)
    }

    #[test]
    fn every_slot_is_given_out_once_and_then_none() {
        let table = table(CHUNK + 100);
        let mut cache = SlotCache::default();
        let mut taken = HashSet::new();
        while let Some(slot) = table.take(&mut cache) {
            assert!(taken.insert(slot), "{slot:?} was given out twice");
        }
        assert_eq!(taken.len(), CHUNK + 100);
        assert_eq!(table.touched(), CHUNK + 100);
        assert_eq!(table.take_shared(), None);
    }

    #[test]
    fn every_task_that_finds_no_slot_is_counted() {
        let table = table(1);
        let mut cache = SlotCache::default();
        let slot = table.take(&mut cache).expect("one slot");
        assert_eq!(without_a_slot(&table), 0);
        assert_eq!((table.take(&mut cache), table.take_shared()), (None, None));
        assert_eq!(without_a_slot(&table), 2);
        table.give_back(&mut cache, slot);
        assert_eq!(table.take(&mut cache), Some(slot));
        assert_eq!(without_a_slot(&table), 2);
    }

    #[test]
    fn memory_that_could_not_be_had_is_asked_for_again_after_a_while() {
        let table = table(CHUNK);
        // As after a call that failed.
        table.shared.lock().patience = PATIENCE;
        for _ in 0..PATIENCE {
            assert_eq!(table.take_shared(), None);
        }
        assert_eq!(
            (table.touched(), without_a_slot(&table)),
            (0, PATIENCE as u64)
        );
        assert!(table.take_shared().is_some());
    }

    #[test]
    fn a_slot_that_was_given_back_is_given_out_again() {
        let table = table(1);
        let mut cache = SlotCache::default();
        let slot = table.take(&mut cache).expect("one slot");
        assert_eq!(table.take(&mut cache), None);
        table.give_back(&mut cache, slot);
        assert_eq!(table.take(&mut cache), Some(slot));
        table.give_back_shared(slot);
        assert_eq!(table.take_shared(), Some(slot));
    }

    #[test]
    fn slots_flow_from_a_worker_that_ends_tasks_to_one_that_spawns_them() {
        let table = table(4 * BATCH);
        let (mut spawner, mut ender) = (SlotCache::default(), SlotCache::default());
        for _ in 0..100 * BATCH {
            let slot = table
                .take(&mut spawner)
                .expect("never more than a few caches' worth out");
            table.give_back(&mut ender, slot);
        }
    }

    #[test]
    fn a_cache_gives_its_stock_back_when_it_is_dropped() {
        let table = table(BATCH);
        let mut cache = SlotCache::default();
        let slot = table.take(&mut cache).expect("a slot");
        table.give_back(&mut cache, slot);
        assert_eq!(table.take_shared(), None, "all are in the cache");
        drop(cache);
        assert!(table.take_shared().is_some());
    }

    #[test]
    fn a_cache_that_changes_tables_returns_what_belongs_to_the_first() {
        let (first, second) = (table(10), table(10));
        let mut cache = SlotCache::default();
        let slot = first.take(&mut cache).expect("a slot");
        first.give_back(&mut cache, slot);
        cache.adopt(&second.shared);
        assert!(first.take_shared().is_some());
        assert!(second.take(&mut cache).is_some());
    }
}
