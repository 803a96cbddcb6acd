//! Models of the stealable queue: an entry is taken exactly once, by its owner or by a thief.

use super::explore;
use crate::queue::{Entry, LocalQueue, Takers};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

impl Entry for usize {
    fn into_ptr(self) -> *mut () {
        std::ptr::without_provenance_mut(self)
    }

    unsafe fn from_ptr(ptr: *mut ()) -> usize {
        ptr.addr()
    }
}

#[test]
fn an_entry_is_taken_once_by_the_owner_or_by_a_thief() {
    explore(|| {
        let queue = Arc::new(LocalQueue::<usize>::new(Takers::All));
        queue.push(1);
        queue.push(2);
        let thief = {
            let queue = queue.clone();
            thread::spawn(move || {
                let mine = LocalQueue::<usize>::new(Takers::All);
                let mut taken: Vec<usize> = queue.steal_into(&mine).into_iter().collect();
                taken.extend(std::iter::from_fn(|| mine.pop()));
                taken
            })
        };
        let mut taken: Vec<usize> = queue.pop().into_iter().collect();
        queue.push(3);
        queue.push(4);
        taken.extend(std::iter::from_fn(|| queue.pop()));
        taken.extend(thief.join().unwrap());
        taken.sort_unstable();
        assert_eq!(taken, [1, 2, 3, 4]);
    });
}

#[test]
fn a_thief_that_reads_slots_which_are_outgrown_meanwhile_takes_what_was_queued() {
    explore(|| {
        let queue = Arc::new(LocalQueue::<usize>::new(Takers::All));
        queue.push(1);
        queue.push(2);
        let thief = {
            let queue = queue.clone();
            thread::spawn(move || queue.pop())
        };
        // Two slots are full: a third entry needs more of them, and the next goes round in those.
        queue.push(3);
        let mut taken: Vec<usize> = queue.pop().into_iter().collect();
        queue.push(4);
        queue.push(5);
        taken.extend(thief.join().unwrap());
        taken.extend(std::iter::from_fn(|| queue.pop()));
        taken.sort_unstable();
        assert_eq!(taken, [1, 2, 3, 4, 5]);
    });
}

#[test]
fn what_is_next_is_taken_once_by_the_owner_or_by_who_takes_over() {
    explore(|| {
        let queue = Arc::new(LocalQueue::<usize>::new(Takers::All));
        assert_eq!(queue.next().put(1), None);
        let relief = {
            let queue = queue.clone();
            thread::spawn(move || {
                let next = queue.next().take();
                next.into_iter().chain(queue.pop()).collect::<Vec<_>>()
            })
        };
        let mut taken = Vec::new();
        for entry in [2, 3] {
            if let Some(before) = queue.next().put(entry) {
                queue.push(before);
            }
            if entry == 2 {
                taken.extend(queue.next().take());
            }
        }
        taken.extend(queue.next().take());
        taken.extend(std::iter::from_fn(|| queue.pop()));
        taken.extend(relief.join().unwrap());
        taken.sort_unstable();
        assert_eq!(taken, [1, 2, 3]);
    });
}

#[test]
fn what_is_next_comes_with_all_that_was_written_before_it_was_put() {
    explore(|| {
        let queue = Arc::new(LocalQueue::<usize>::new(Takers::All));
        let data = Arc::new([UnsafeCell::new(0), UnsafeCell::new(0)]);
        let relief = {
            let (queue, data) = (queue.clone(), data.clone());
            thread::spawn(move || {
                if let Some(entry) = queue.next().take() {
                    // SAFETY: it was written before the entry was put; loom checks that nobody writes meanwhile.
                    assert_eq!(data[entry - 1].with(|data| unsafe { *data }), entry);
                }
            })
        };
        for entry in [1, 2] {
            // SAFETY: nobody reads it before the entry is taken; loom checks.
            data[entry - 1].with_mut(|data| unsafe { *data = entry });
            if let Some(before) = queue.next().put(entry) {
                assert_eq!(before, 1);
            }
        }
        let _ = queue.next().take();
        relief.join().unwrap();
    });
}
