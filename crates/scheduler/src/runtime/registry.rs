//! Owns the list of live tasks, so that a scheduler that ends can cancel what is left.
//!
//! Each task has a slot number while it lives, and its pointer stands at that number in a table of
//! chunks: entering and leaving are one store each, by the thread that spawns and the worker that
//! finishes it. Tasks without a slot (the table of slots is full) go to a slab behind a lock.

use crate::runtime::shutdown::LastWorker;
use crate::sync::{AtomicPtr, Ordering};
use crate::task::{Counted, Header, Task};
use glasshouse_pal::SlotId;
use slab::Slab;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Slots that the table covers: those of a log's.
const SLOTS: usize = if cfg!(glasshouse_loom) {
    16
} else {
    10_000_000
};
/// Slots a chunk covers: 32 KiB of pointers, so that the list of chunks stays below 100 KiB.
const CHUNK: usize = if cfg!(glasshouse_loom) { 4 } else { 4096 };
const CHUNKS: usize = SLOTS.div_ceil(CHUNK);

type Chunk = Box<[AtomicPtr<Header>]>;

fn untouched() -> OnceLock<Chunk> {
    // Loom would not see how the cell hands a chunk over that one thread makes and others find.
    match cfg!(glasshouse_loom) {
        true => OnceLock::from(empty()),
        false => OnceLock::new(),
    }
}

fn empty() -> Chunk {
    (0..CHUNK)
        .map(|_| AtomicPtr::new(ptr::null_mut()))
        .collect()
}

/// The live tasks of one scheduler.
pub(crate) struct Registry {
    chunks: Box<[OnceLock<Chunk>]>,
    overflow: Mutex<Slab<usize>>,
}

impl Registry {
    pub(crate) fn new() -> Registry {
        Registry {
            chunks: (0..CHUNKS).map(|_| untouched()).collect(),
            overflow: Mutex::new(Slab::new()),
        }
    }

    fn place(&self, slot: usize) -> Option<&AtomicPtr<Header>> {
        let chunk = self.chunks.get(slot / CHUNK)?;
        chunk.get_or_init(empty).get(slot % CHUNK)
    }

    fn place_of(&self, task: &Task) -> Option<&AtomicPtr<Header>> {
        self.place(task.trace().slot()?.index())
    }

    fn overflow(&self) -> std::sync::MutexGuard<'_, Slab<usize>> {
        self.overflow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a new task, before it can run.
    pub(crate) fn insert(&self, task: &Task) {
        let header = task.header_ptr().as_ptr();
        match self.place_of(task) {
            // Release: who finds the pointer sees the task.
            Some(place) => place.store(header, Ordering::Release),
            None => {
                let key = self.overflow().insert(header.expose_provenance());
                task.registry_key.store(key as u32, Ordering::Relaxed);
            }
        }
    }

    /// Takes out a task that ends, while it still has its slot and its own reference.
    pub(crate) fn remove(&self, task: &Task) {
        match self.place_of(task) {
            Some(place) => place.store(ptr::null_mut(), Ordering::Release),
            None => {
                let key = task.registry_key.load(Ordering::Relaxed) as usize;
                let _ = self.overflow().try_remove(key);
            }
        }
    }

    /// The slots of the tasks that are here, while others come and go.
    pub(crate) fn slots(&self) -> impl Iterator<Item = SlotId> {
        let chunks = self.chunks.iter().map(OnceLock::get).enumerate();
        let places = chunks.flat_map(|(number, chunk)| {
            let places = chunk.into_iter().flat_map(|chunk| chunk.iter());
            (number * CHUNK..).zip(places)
        });
        places
            .filter(|(_, place)| !place.load(Ordering::Relaxed).is_null())
            .map(|(slot, _)| SlotId::at(slot as u32))
    }

    /// Whether a task is here that has this slot.
    pub(crate) fn has(&self, slot: SlotId) -> bool {
        // Acquire: who finds a pointer finds the task's id in the slot.
        let is_here = |place: &AtomicPtr<Header>| !place.load(Ordering::Acquire).is_null();
        self.place(slot.index()).is_some_and(is_here)
    }

    /// How many tasks are here that have no slot.
    pub(crate) fn without_slot(&self) -> usize {
        self.overflow().len()
    }

    /// References to all tasks in the registry, one after the other. Only the last worker may ask: no other
    /// thread finishes tasks meanwhile.
    pub(crate) fn all(&self, _last: &LastWorker) -> impl Iterator<Item = Counted> {
        // Called with what was read from the registry just now.
        let counted = |header: NonNull<Header>| {
            // SAFETY: a task leaves the registry before it gives up its own reference, and only the caller's
            // thread, the last worker's, finishes tasks. It has not since it read the pointer, so the cell is
            // alive, and its own count is only borrowed here.
            let borrowed = ManuallyDrop::new(unsafe {
                Counted::from_raw(header.as_ptr().cast_const().cast())
            });
            Counted::clone(&borrowed)
        };
        let in_chunks = self
            .chunks
            .iter()
            .filter_map(OnceLock::get)
            .flat_map(|chunk| chunk.iter())
            .filter_map(|place| NonNull::new(place.load(Ordering::Acquire)));
        // At once: what the lock guards does not outlive it.
        let overflow: Vec<Counted> = self
            .overflow()
            .iter()
            .filter_map(|(_, &address)| NonNull::new(ptr::with_exposed_provenance_mut(address)))
            .map(counted)
            .collect();
        in_chunks.map(counted).chain(overflow)
    }
}
