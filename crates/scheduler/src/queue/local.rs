//! Owns a worker's ready queue: bounded, first in first out, pushed by one thread, popped by all.
//!
//! The owner writes a slot and then moves `tail`; who takes entries reads their slots first and then
//! moves `head` past them with one compare-exchange. If that succeeds, `head` did not move in between,
//! and the owner never overwrites a slot at or after `head`: what was read is what is taken, exactly
//! once. If it fails, what was read is thrown away (it may be stale) and nothing was taken. The
//! counters run freely over 32 bits; a thief would have to sleep through four thousand million pushes,
//! at exactly the wrong place, to be fooled.

use crate::sync::{AtomicPtr, AtomicU32, Ordering};

/// What a queue can hold: something that is one pointer wide.
pub(crate) trait Entry: Sized {
    fn into_ptr(self) -> *mut ();
    /// # Safety
    /// `ptr` comes from `into_ptr`, and is turned back once.
    unsafe fn from_ptr(ptr: *mut ()) -> Self;
}

/// Entries a local queue holds: enough for a burst, small enough that half of it is moved at once when
/// it overflows. A guess that follows common practice.
#[cfg(not(glasshouse_loom))]
pub(crate) const CAPACITY: u32 = 256;
#[cfg(glasshouse_loom)]
pub(crate) const CAPACITY: u32 = 4;

/// The queue. `push` is the owner's alone.
pub(crate) struct LocalQueue<T> {
    head: Line<AtomicU32>,
    tail: Line<AtomicU32>,
    slots: Box<[AtomicPtr<()>]>,
    /// Handed over, never shared: the queue needs `T: Send` only.
    entries: std::marker::PhantomData<std::sync::Mutex<T>>,
}

/// Keeps the thieves' line apart from the owner's.
#[repr(align(64))]
struct Line<T>(T);

impl<T: Entry> LocalQueue<T> {
    pub(crate) fn new() -> LocalQueue<T> {
        LocalQueue {
            head: Line(AtomicU32::new(0)),
            tail: Line(AtomicU32::new(0)),
            slots: (0..CAPACITY)
                .map(|_| AtomicPtr::new(std::ptr::null_mut()))
                .collect(),
            entries: std::marker::PhantomData,
        }
    }

    fn slot(&self, position: u32) -> &AtomicPtr<()> {
        &self.slots[(position % CAPACITY) as usize]
    }

    /// Entries in the queue; exact on the owner's thread while nobody takes.
    pub(crate) fn len(&self) -> u32 {
        // Tail first: a head that is read later may have passed it, and then nothing is left.
        let tail = self.tail.0.load(Ordering::Acquire);
        let len = tail.wrapping_sub(self.head.0.load(Ordering::Acquire));
        if len > CAPACITY { 0 } else { len }
    }

    /// Appends an entry, or gives it back when the queue is full. The owner only.
    pub(crate) fn push(&self, entry: T) -> Result<(), T> {
        let tail = self.tail.0.load(Ordering::Relaxed);
        // Acquire: pairs with the takers' release, so that they have read a slot before it is reused.
        if tail.wrapping_sub(self.head.0.load(Ordering::Acquire)) >= CAPACITY {
            return Err(entry);
        }
        self.slot(tail).store(entry.into_ptr(), Ordering::Relaxed);
        // Release: who sees the new tail sees the slot, and what the entry points to.
        self.tail.0.store(tail.wrapping_add(1), Ordering::Release);
        Ok(())
    }

    /// Takes the oldest entry. Any thread.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut head = self.head.0.load(Ordering::Acquire);
        loop {
            // Acquire: pairs with the release in `push`.
            if self.tail.0.load(Ordering::Acquire) == head {
                return None;
            }
            let ptr = self.slot(head).load(Ordering::Relaxed);
            // Release: our read of the slot comes before the owner may reuse it.
            match self.head.0.compare_exchange_weak(
                head,
                head.wrapping_add(1),
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                // SAFETY: the exchange succeeded, so `ptr` was in the queue at `head` and is now ours alone.
                Ok(_) => return Some(unsafe { T::from_ptr(ptr) }),
                Err(seen) => head = seen,
            }
        }
    }

    /// Takes the older half of `self` at once: one entry is returned, the rest goes to `thief`, which
    /// must be the caller's own queue and empty. `None` when there is nothing to take, or when somebody
    /// else was faster (the caller goes on to the next victim).
    pub(crate) fn steal_into(&self, thief: &LocalQueue<T>) -> Option<T> {
        let head = self.head.0.load(Ordering::Acquire);
        let available = self.tail.0.load(Ordering::Acquire).wrapping_sub(head);
        // A stale head can make the difference nonsense; the exchange below would fail anyway.
        if available == 0 || available > CAPACITY {
            return None;
        }
        let take = available - available / 2;
        let thief_tail = thief.tail.0.load(Ordering::Relaxed);
        // The thief's queue is empty and only the thief pushes to it: there is room for half of ours.
        for offset in 1..take {
            let ptr = self.slot(head.wrapping_add(offset)).load(Ordering::Relaxed);
            thief
                .slot(thief_tail.wrapping_add(offset - 1))
                .store(ptr, Ordering::Relaxed);
        }
        let first = self.slot(head).load(Ordering::Relaxed);
        self.head
            .0
            .compare_exchange(
                head,
                head.wrapping_add(take),
                Ordering::AcqRel,
                Ordering::Relaxed,
            )
            .ok()?;
        // Release: other thieves that see our new tail see the slots.
        thief
            .tail
            .0
            .store(thief_tail.wrapping_add(take - 1), Ordering::Release);
        // SAFETY: the exchange succeeded, so all `take` entries left the queue with us; the first was not
        // copied to the thief's slots.
        Some(unsafe { T::from_ptr(first) })
    }
}

impl<T> Drop for LocalQueue<T> {
    fn drop(&mut self) {
        // Entries are owned references of tasks: the scheduler drains its queues before it drops them.
        debug_assert_eq!(
            self.head.0.load(Ordering::Relaxed),
            self.tail.0.load(Ordering::Relaxed),
            "a queue is dropped empty"
        );
    }
}
