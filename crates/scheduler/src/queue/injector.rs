//! Owns the queues that every thread may push to: one per class, unbounded (a spawn is bounded by the
//! scheduler's capacity where one is set).

use crate::sync::SegQueue;
use crate::task::{Class, Task};

/// The shared queues. Workers take from them when their own are empty, and now and then otherwise.
pub(crate) struct Injector {
    default: SegQueue<Task>,
    system: SegQueue<Task>,
}

impl Injector {
    pub(crate) fn new() -> Injector {
        Injector {
            default: SegQueue::new(),
            system: SegQueue::new(),
        }
    }

    #[inline]
    fn class(&self, class: Class) -> &SegQueue<Task> {
        match class {
            Class::Default => &self.default,
            Class::System => &self.system,
        }
    }

    pub(crate) fn push(&self, task: Task) {
        self.class(task.class()).push(task);
    }

    pub(crate) fn pop(&self, class: Class) -> Option<Task> {
        let queue = self.class(class);
        // The emptiness check is two loads; a pop of an empty queue is a fence.
        if queue.is_empty() { None } else { queue.pop() }
    }

    #[inline]
    pub(crate) fn is_empty_of(&self, class: Class) -> bool {
        self.class(class).is_empty()
    }

    pub(crate) fn len(&self, class: Class) -> usize {
        self.class(class).len()
    }

    /// Tasks of either class.
    pub(crate) fn len_of_all(&self) -> usize {
        self.len(Class::Default) + self.len(Class::System)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty_of(Class::Default) && self.is_empty_of(Class::System)
    }
}
