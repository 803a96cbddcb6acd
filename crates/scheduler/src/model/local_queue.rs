//! Models of the stealable queue: an entry is taken exactly once, by its owner or by a thief.

use super::explore;
use crate::queue::{Entry, LocalQueue, Takers};
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
