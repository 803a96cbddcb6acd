//! Owns what stands for crossbeam's unbounded queue under loom, which cannot look into that one.
//!
//! It promises less where the scheduler asks without popping: `len` and `is_empty` may be as old as a relaxed
//! load can be, and only fences of the caller make them newer.

use super::{AtomicUsize, Mutex, Ordering};
use std::collections::VecDeque;
use std::sync::PoisonError;

pub(crate) struct SegQueue<T> {
    entries: Mutex<VecDeque<T>>,
    len: AtomicUsize,
}

impl<T> SegQueue<T> {
    pub(crate) fn new() -> SegQueue<T> {
        SegQueue {
            entries: Mutex::new(VecDeque::new()),
            len: AtomicUsize::new(0),
        }
    }

    pub(crate) fn push(&self, entry: T) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.push_back(entry);
        self.len.store(entries.len(), Ordering::Relaxed);
    }

    pub(crate) fn pop(&self) -> Option<T> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.pop_front();
        self.len.store(entries.len(), Ordering::Relaxed);
        entry
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
