//! Owns the list of the tasks that a block speaks of, in the order in which they first appear.

use super::column::{self, Column};

/// The numbers of a block's tasks; zero stands for none. A block that does not list a task holds no record of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dictionary {
    pub(crate) ids: Vec<u64>,
}

impl Dictionary {
    /// Appends how many there are, and each as its difference from the one before.
    pub(crate) fn put(&self, bytes: &mut Vec<u8>) {
        column::put(bytes, self.ids.len() as u64);
        let mut last = 0u64;
        for id in &self.ids {
            column::put_signed(bytes, id.wrapping_sub(last) as i64);
            last = *id;
        }
    }

    /// Takes a list of at most `most` tasks.
    pub(crate) fn take(from: &mut Column<'_>, most: usize) -> Option<Dictionary> {
        let count = from.count(most.min(from.0.len()))?;
        let mut ids = Vec::with_capacity(count);
        let mut last = 0u64;
        for _ in 0..count {
            last = last.wrapping_add(from.signed()? as u64);
            ids.push(last);
        }
        Some(Dictionary { ids })
    }

    /// Whether the list, which is not decoded any further than need be, has this task.
    pub(crate) fn has(mut from: Column<'_>, id: u64) -> Option<bool> {
        let count = from.number()?;
        let mut last = 0u64;
        for _ in 0..count {
            last = last.wrapping_add(from.signed()? as u64);
            if last == id {
                return Some(true);
            }
        }
        Some(false)
    }
}
