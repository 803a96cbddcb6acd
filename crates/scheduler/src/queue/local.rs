//! Owns a worker's ready queue: first in first out, pushed by one thread, popped by all, as long as needed.
//!
//! The owner writes a slot and then moves `tail`; who takes entries reads their slots first and then
//! moves `head` past them with one compare-exchange. If that succeeds, `head` did not move in between,
//! and no slot at or after `head` is ever overwritten: what was read is what is taken, exactly once. If it
//! fails, what was read is thrown away (it may be stale) and nothing was taken. The counters run freely
//! over 32 bits; a thief would have to sleep through four thousand million pushes, at exactly the wrong
//! place, to be fooled.
//!
//! When the slots are full the owner copies what is queued into twice as many and goes on there. A thief
//! that still reads the old ones finds them as they were: they are written no more, and are kept until the
//! queue goes (all of them together are smaller than the newest).
//!
//! Before the head is a place for one entry that the owner takes out of turn (`next.rs`). It is not counted, and
//! thieves that look for work leave it where it is: its owner is about to run it.

use crate::queue::Next;
use crate::sync::{AtomicPtr, AtomicU32, Ordering};
use std::marker::PhantomData;
use std::ptr;

/// What a queue can hold: something that is one pointer wide.
pub(crate) trait Entry: Sized {
    fn into_ptr(self) -> *mut ();
    /// # Safety
    /// `ptr` comes from `into_ptr`, and is turned back once.
    unsafe fn from_ptr(ptr: *mut ()) -> Self;
}

/// Slots that a queue begins with: 2 KiB of pointers, enough for most schedulers' bursts. A power of two.
#[cfg(not(glasshouse_loom))]
const FIRST_SLOTS: u32 = 256;
#[cfg(glasshouse_loom)]
const FIRST_SLOTS: u32 = 2;
/// Entries that a thief takes at once, at most: so many fit into any queue that is empty.
#[cfg(not(glasshouse_loom))]
const STEAL_MAX: u32 = FIRST_SLOTS / 2;
#[cfg(glasshouse_loom)]
const STEAL_MAX: u32 = FIRST_SLOTS;
/// Slots beyond which a queue does not grow: half of what its counters can tell apart. The tasks in so many
/// would fill a hundred gibibytes.
const SLOTS_MAX: u32 = 1 << 30;

/// One generation of slots; their number is a power of two.
struct Slots {
    slots: Box<[AtomicPtr<()>]>,
    /// The generation that this one replaced, a leaked box; null for the first.
    older: *mut Slots,
}

impl Slots {
    /// Leaks them: `Drop` of the queue takes them back.
    fn leak(count: u32, older: *mut Slots) -> *mut Slots {
        let slots = (0..count).map(|_| AtomicPtr::new(ptr::null_mut()));
        Box::into_raw(Box::new(Slots {
            slots: slots.collect(),
            older,
        }))
    }

    #[inline(always)]
    fn count(&self) -> u32 {
        self.slots.len() as u32
    }

    #[inline(always)]
    fn at(&self, position: u32) -> &AtomicPtr<()> {
        // The mask keeps the index in bounds, and the compiler sees it.
        &self.slots[position as usize & (self.slots.len() - 1)]
    }
}

/// Who takes entries from a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takers {
    /// The owner alone: taking is two loads and a store.
    Owner,
    /// Any thread.
    All,
}

/// The queue. `push` is the owner's alone, and so is `pop` where the owner is the only taker.
pub(crate) struct LocalQueue<T> {
    takers: Takers,
    head: Line<AtomicU32>,
    owner: Line<Owner<T>>,
    /// Handed over, never shared: the queue needs `T: Send` only.
    entries: PhantomData<std::sync::Mutex<T>>,
}

/// What only the owner writes, unless somebody takes what is next.
struct Owner<T> {
    tail: AtomicU32,
    next: Next<T>,
    /// A leaked box, until the queue goes.
    slots: AtomicPtr<Slots>,
}

/// Keeps the thieves' line apart from the owner's; processors fetch lines in pairs.
#[repr(align(128))]
struct Line<T>(T);

impl<T: Entry> LocalQueue<T> {
    pub(crate) fn new(takers: Takers) -> LocalQueue<T> {
        LocalQueue {
            takers,
            head: Line(AtomicU32::new(0)),
            owner: Line(Owner {
                tail: AtomicU32::new(0),
                next: Next::new(),
                slots: AtomicPtr::new(Slots::leak(FIRST_SLOTS, ptr::null_mut())),
            }),
            entries: PhantomData,
        }
    }

    #[inline(always)]
    fn slots(&self, order: Ordering) -> &Slots {
        // SAFETY: it points to a box that `new` or `grow` leaked; `grow` keeps those it replaces, and all
        // are freed by `drop`, which has the queue to itself.
        unsafe { &*self.owner.0.slots.load(order) }
    }

    /// Entries in the queue; exact on the owner's thread while nobody takes.
    #[inline]
    pub(crate) fn len(&self) -> u32 {
        // Tail first: a head that is read later may have passed it, and then nothing is left.
        let tail = self.owner.0.tail.load(Ordering::Acquire);
        let len = tail.wrapping_sub(self.head.0.load(Ordering::Acquire));
        if len > SLOTS_MAX { 0 } else { len }
    }

    /// Whether nothing is queued. To others than the owner: as far as they see what it pushed.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether nothing is queued, as the owner sees it, whose pushes are all there are.
    #[inline]
    pub(crate) fn is_empty_for_owner(&self) -> bool {
        self.owner.0.tail.load(Ordering::Relaxed) == self.head.0.load(Ordering::Acquire)
    }

    /// Appends an entry. The owner only.
    ///
    /// # Panics
    /// If a thousand million entries are queued.
    #[inline]
    pub(crate) fn push(&self, entry: T) {
        let tail = self.owner.0.tail.load(Ordering::Relaxed);
        // Acquire: pairs with the takers' release, so that they have read a slot before it is reused.
        let head = self.head.0.load(Ordering::Acquire);
        // Relaxed: the owner reads what it stored itself.
        let mut slots = self.slots(Ordering::Relaxed);
        if tail.wrapping_sub(head) >= slots.count() {
            slots = self.grow(head, tail);
        }
        slots.at(tail).store(entry.into_ptr(), Ordering::Relaxed);
        // Release: who sees the new tail sees the slot, and what the entry points to.
        self.owner
            .0
            .tail
            .store(tail.wrapping_add(1), Ordering::Release);
    }

    #[cold]
    fn grow(&self, head: u32, tail: u32) -> &Slots {
        let old = self.slots(Ordering::Relaxed);
        assert!(
            old.count() < SLOTS_MAX,
            "a thousand million tasks are ready"
        );
        let older = ptr::from_ref(old).cast_mut();
        let new = Slots::leak(old.count() * 2, older);
        // SAFETY: it was leaked just now, and nobody else knows it yet.
        let slots = unsafe { &*new };
        let mut position = head;
        while position != tail {
            let entry = old.at(position).load(Ordering::Relaxed);
            slots.at(position).store(entry, Ordering::Relaxed);
            position = position.wrapping_add(1);
        }
        // Release: pairs with the acquire in `pop` and `steal_into`, so that who sees the new slots sees
        // the copies in them. The old ones are kept: a thief may be reading them.
        self.owner.0.slots.store(new, Ordering::Release);
        slots
    }

    /// Takes the oldest entry. Any thread, unless the owner is the only taker.
    #[inline]
    pub(crate) fn pop(&self) -> Option<T> {
        let mut head = self.head.0.load(Ordering::Acquire);
        if self.takers == Takers::Owner {
            if self.owner.0.tail.load(Ordering::Relaxed) == head {
                return None;
            }
            let ptr = self
                .slots(Ordering::Relaxed)
                .at(head)
                .load(Ordering::Relaxed);
            self.head.0.store(head.wrapping_add(1), Ordering::Release);
            // SAFETY: `head` was below `tail`, and nobody but the caller, the owner, moves either.
            return Some(unsafe { T::from_ptr(ptr) });
        }
        loop {
            // Acquire: pairs with the release in `push`.
            if self.owner.0.tail.load(Ordering::Acquire) == head {
                return None;
            }
            let ptr = self
                .slots(Ordering::Acquire)
                .at(head)
                .load(Ordering::Relaxed);
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

    /// The place before the head.
    #[inline(always)]
    pub(crate) fn next(&self) -> &Next<T> {
        &self.owner.0.next
    }

    /// Takes the older half of `self` at once, as far as it fits: one entry is returned, the rest goes to
    /// `thief`, which must be the caller's own queue and empty. `None` when there is nothing to take, or when
    /// somebody else was faster (the caller goes on to the next victim).
    pub(crate) fn steal_into(&self, thief: &LocalQueue<T>) -> Option<T> {
        if self.takers == Takers::Owner {
            return None;
        }
        let head = self.head.0.load(Ordering::Acquire);
        let available = self.owner.0.tail.load(Ordering::Acquire).wrapping_sub(head);
        // A stale head can make the difference nonsense; the exchange below would fail anyway.
        if available == 0 || available > SLOTS_MAX {
            return None;
        }
        let take = (available - available / 2).min(STEAL_MAX);
        let from = self.slots(Ordering::Acquire);
        let thief_tail = thief.owner.0.tail.load(Ordering::Relaxed);
        let to = thief.slots(Ordering::Relaxed);
        for offset in 1..take {
            let ptr = from.at(head.wrapping_add(offset)).load(Ordering::Relaxed);
            to.at(thief_tail.wrapping_add(offset - 1))
                .store(ptr, Ordering::Relaxed);
        }
        let first = from.at(head).load(Ordering::Relaxed);
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
            .owner
            .0
            .tail
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
            self.owner.0.tail.load(Ordering::Relaxed),
            "a queue is dropped empty"
        );
        let mut slots = self.owner.0.slots.load(Ordering::Relaxed);
        while !slots.is_null() {
            // SAFETY: it was leaked by `new` or `grow`, once, and whoever drops the queue has it alone.
            let generation = unsafe { Box::from_raw(slots) };
            slots = generation.older;
        }
    }
}

#[cfg(all(test, not(glasshouse_loom)))]
mod tests {
    use super::*;
    use crate::queue::SplitMix64;
    use std::collections::VecDeque;
    use std::num::NonZeroUsize;

    impl Entry for NonZeroUsize {
        fn into_ptr(self) -> *mut () {
            ptr::without_provenance_mut(self.get())
        }

        unsafe fn from_ptr(ptr: *mut ()) -> NonZeroUsize {
            NonZeroUsize::new(ptr.addr()).expect("it came from into_ptr")
        }
    }

    #[test]
    fn a_queue_agrees_with_a_deque_under_random_operations() {
        agrees_with_a_deque(Takers::All);
        agrees_with_a_deque(Takers::Owner);
    }

    fn agrees_with_a_deque(takers: Takers) {
        let queue = LocalQueue::<NonZeroUsize>::new(takers);
        let thief = LocalQueue::<NonZeroUsize>::new(takers);
        let mut model = VecDeque::new();
        let mut random = SplitMix64(11);
        let mut next = NonZeroUsize::MIN;
        for round in 0..200_000_u64 {
            // The queue grows in one phase and empties in the next.
            let bias = if round / 5_000 % 2 == 0 { 3 } else { 1 };
            if random.next() % 4 < bias {
                queue.push(next);
                model.push_back(next);
                next = next.checked_add(1).expect("few numbers");
            } else if takers == Takers::All && random.next().is_multiple_of(50) {
                let expected = (model.len() - model.len() / 2).min(STEAL_MAX as usize);
                let stolen: Vec<_> = queue
                    .steal_into(&thief)
                    .into_iter()
                    .chain(std::iter::from_fn(|| thief.pop()))
                    .collect();
                // The first goes to the thief's hand, and the rest is in the order of the queue.
                assert!(
                    stolen
                        .iter()
                        .eq(model.drain(..expected).collect::<Vec<_>>().iter())
                );
            } else {
                assert_eq!(queue.pop(), model.pop_front());
            }
            assert_eq!(queue.len() as usize, model.len());
        }
        assert!(
            queue.slots(Ordering::Relaxed).count() > 4 * FIRST_SLOTS,
            "it has grown"
        );
        while queue.pop().is_some() {}
    }
}
