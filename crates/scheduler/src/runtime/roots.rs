//! Owns the list of roots that live: who looks at all tasks finds them here, since they end with their `block_on`
//! and are in no registry.

use glasshouse_pal::{SlotId, TaskId};
use glasshouse_telemetry::TaskTrace;
use slab::Slab;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A root, and its place in the log's table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListedRoot {
    pub(crate) id: TaskId,
    pub(crate) slot: Option<SlotId>,
}

/// The roots of one scheduler.
#[derive(Default)]
pub(crate) struct Roots {
    list: Mutex<Slab<ListedRoot>>,
}

impl Roots {
    /// Lists a root until the guard goes.
    pub(crate) fn list(&self, root: &TaskTrace) -> RootGuard<'_> {
        let key = self.lock().insert(ListedRoot {
            id: root.id(),
            slot: root.slot(),
        });
        RootGuard { roots: self, key }
    }

    pub(crate) fn all(&self) -> Vec<ListedRoot> {
        self.lock().iter().map(|(_, root)| *root).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Slab<ListedRoot>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A root on the list.
pub(crate) struct RootGuard<'a> {
    roots: &'a Roots,
    key: usize,
}

impl Drop for RootGuard<'_> {
    fn drop(&mut self) {
        self.roots.lock().remove(self.key);
    }
}
