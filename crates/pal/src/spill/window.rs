//! Owns the records that were copied from the rings and not yet written.

use crate::reader::{Snapshot, sort_packed};
use crate::segment::Packed;

/// Events in the order of time, with the words of their continuations.
#[derive(Default)]
pub(super) struct Window {
    pub(super) events: Vec<Packed>,
    pub(super) words: Vec<u64>,
}

impl Window {
    /// Takes in the events that a snapshot holds from `horizon` on; those before are counted with `left_out`.
    pub(super) fn add(
        &mut self,
        snapshot: &Snapshot,
        horizon: u64,
        mut left_out: impl FnMut(&Packed),
    ) {
        let known = self.events.len();
        snapshot.pack(&mut self.events, &mut self.words);
        if self.events[known..]
            .first()
            .is_some_and(|event| event.stamp() < horizon)
        {
            let mut at = 0;
            self.events.retain(|event| {
                let is_kept = at < known || event.stamp() >= horizon;
                at += 1;
                if !is_kept {
                    left_out(event);
                }
                is_kept
            });
        }
        let is_sorted = known == 0
            || self
                .events
                .get(known)
                .is_none_or(|next| self.events[known - 1].stamp() < next.stamp());
        if !is_sorted {
            sort_packed(&mut self.events);
        }
    }

    /// How many of the first events are stamped no later.
    pub(super) fn settled(&self, stamp: u64) -> usize {
        self.events.partition_point(|event| event.stamp() <= stamp)
    }

    /// Forgets the first events.
    pub(super) fn drop_first(&mut self, count: usize) {
        self.events.drain(..count);
        let mut words = Vec::new();
        for event in &mut self.events {
            let first = words.len() as u32;
            words.extend_from_slice(event.words(&self.words));
            event.words_at = first;
        }
        self.words = words;
    }
}
