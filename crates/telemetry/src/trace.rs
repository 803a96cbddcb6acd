//! Owns a task's part of the seam, embedded in the task's header.
//!
//! Its fields are written only by who holds Running or has won the wake; the scheduler's own
//! hand-over (queue and state word) orders those writers, so that every access here is relaxed. The
//! noted waker is the exception: any thread may note itself while the task runs, and it stands for
//! itself.

use crate::sync::{AtomicU8, AtomicU32, AtomicU64};
use glasshouse_pal::{SiteId, SlotId, TaskId, TextId, WakeSource};
use std::sync::atomic::Ordering::Relaxed;

/// What a thread without a ring has left to the worker that takes the task in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Deferred {
    Nothing = 0,
    Spawned = 1,
    Wake = 2,
}

/// One task's identity, its last transition, and what its next one needs to know.
///
/// ```
/// use glasshouse_telemetry::{Hub, Settings, SpawnSite, pal::Pal};
/// use std::panic::Location;
/// let hub = Hub::new(Settings { pal: Some(Pal::memory()), workers: 1, ..Settings::default() });
/// let task = hub.spawned(&SpawnSite { location: Location::caller(), name: None });
/// assert_eq!(task.id().number(), 1);
/// ```
#[derive(Debug)]
pub struct TaskTrace {
    id: TaskId,
    slot: Option<SlotId>,
    site: SiteId,
    /// The last transition's number, modulo 256; the spawn's is zero.
    aux: AtomicU8,
    deferred: AtomicU8,
    /// The text that the task's failure will carry; zero for none.
    failure: AtomicU32,
    /// The last transition's stamp.
    since: AtomicU64,
    /// [`WakeSource::to_word`] of who woke it first since it became ready, or of a deferred wake; zero for
    /// nobody.
    woken_by: AtomicU64,
}

impl TaskTrace {
    pub(crate) fn new(
        id: TaskId,
        slot: Option<SlotId>,
        site: SiteId,
        since: u64,
        deferred: Deferred,
    ) -> TaskTrace {
        TaskTrace {
            id,
            slot,
            site,
            aux: AtomicU8::new(0),
            deferred: AtomicU8::new(deferred as u8),
            failure: AtomicU32::new(TextId::EMPTY.0),
            since: AtomicU64::new(since),
            woken_by: AtomicU64::new(0),
        }
    }

    /// The task's identity.
    #[inline]
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The task's slot in the log's table; `None` when the table was full at its spawn.
    #[inline]
    pub fn slot(&self) -> Option<SlotId> {
        self.slot
    }

    /// The stamp of the last transition, in raw clock ticks.
    #[inline]
    pub fn since(&self) -> u64 {
        self.since.load(Relaxed)
    }

    /// Notes who woke the task while it runs or is queued; the first is kept. To be called before the flag
    /// that says so is set. Two wakers that meet a poll as it begins may leave the note of the one for the
    /// mark of the other, as both did wake it; or none,
    /// which is recorded as external.
    #[cold]
    #[inline(never)]
    pub fn note_waker(&self, by: WakeSource) {
        let word = by.to_word();
        // It fails when somebody was noted before.
        let _ = self.woken_by.compare_exchange(0, word, Relaxed, Relaxed);
    }

    pub(crate) fn site(&self) -> SiteId {
        self.site
    }

    /// Who was noted; `None` for nobody.
    pub(crate) fn noted_waker(&self) -> Option<WakeSource> {
        WakeSource::from_word(self.woken_by.load(Relaxed))
    }

    /// Forgets who was noted: the poll that begins answers that wake.
    pub fn forget_waker(&self) {
        self.woken_by.store(0, Relaxed);
    }

    /// Keeps why the task fails until it ends; the last reason counts. By who runs it.
    #[inline]
    pub fn keep_failure(&self, text: TextId) {
        self.failure.store(text.0, Relaxed);
    }

    /// Why the task fails; [`TextId::EMPTY`] if it does not.
    #[inline]
    pub fn failure(&self) -> TextId {
        TextId(self.failure.load(Relaxed))
    }

    /// Moves on to the next transition, at `stamp`; returns its number.
    #[inline]
    pub(crate) fn advance(&self, stamp: u64) -> u8 {
        let aux = self.aux.load(Relaxed).wrapping_add(1);
        self.aux.store(aux, Relaxed);
        self.since.store(stamp, Relaxed);
        aux
    }

    /// The number of the last transition.
    pub(crate) fn aux(&self) -> u8 {
        self.aux.load(Relaxed)
    }

    /// Leaves the record of a wake by `by` to the worker that takes the task in.
    pub(crate) fn defer_wake(&self, by: WakeSource) {
        self.woken_by.store(by.to_word(), Relaxed);
        self.deferred.store(Deferred::Wake as u8, Relaxed);
    }

    /// Whether something was left to the worker that takes the task in.
    #[inline]
    pub(crate) fn has_deferred(&self) -> bool {
        self.deferred.load(Relaxed) != Deferred::Nothing as u8
    }

    /// What was left to this worker, once.
    pub(crate) fn take_deferred(&self) -> Deferred {
        let deferred = self.deferred.load(Relaxed);
        self.deferred.store(Deferred::Nothing as u8, Relaxed);
        let all = [Deferred::Nothing, Deferred::Spawned, Deferred::Wake];
        let left = all.into_iter().find(|left| *left as u8 == deferred);
        // Nobody stores another number.
        left.unwrap_or(Deferred::Nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> TaskTrace {
        let id = TaskId::new(7).expect("in range");
        TaskTrace::new(id, None, SiteId(0), 10, Deferred::Nothing)
    }

    #[test]
    fn the_first_waker_of_a_tick_is_kept() {
        let task = task();
        assert_eq!(task.noted_waker(), None);
        task.note_waker(WakeSource::Timer);
        task.note_waker(WakeSource::Io);
        assert_eq!(task.noted_waker(), Some(WakeSource::Timer));
        task.forget_waker();
        task.note_waker(WakeSource::Task(task.id()));
        assert_eq!(task.noted_waker(), Some(WakeSource::Task(task.id())));
    }

    #[test]
    fn a_deferral_is_taken_once() {
        let task = task();
        task.defer_wake(WakeSource::External);
        assert_eq!(task.take_deferred(), Deferred::Wake);
        assert_eq!(task.take_deferred(), Deferred::Nothing);
        assert_eq!(task.noted_waker(), Some(WakeSource::External));
    }

    #[test]
    fn transitions_are_counted_modulo_256_from_the_spawn() {
        let task = task();
        assert_eq!(task.aux(), 0);
        for i in 1..=255 {
            assert_eq!(task.advance(i), i as u8);
        }
        assert_eq!(task.advance(256), 0);
        assert_eq!(task.since(), 256);
    }
}
