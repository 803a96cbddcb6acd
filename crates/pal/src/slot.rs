//! Owns a task's slot in the task table: what is true of the task now, for who reads from outside.
//!
//! A slot is written only by who holds the task's Running state or has won its wake, so its counts
//! need no read-modify-write. A reader takes the slot's words only if the id is the same, and not
//! zero, before and after: an id never comes back. [`fill`] and [`copy`] are that protocol.

use crate::cause::WakeSource;
use crate::encoded_event::EncodedSource;
use crate::format::codec::{number, optional_task};
use crate::id::TaskId;
use crate::state::TaskState;
use crate::sync::Word;
use crate::text_id::SiteId;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bits of a stamp that a slot keeps; the reader knows the rest from the stamps around it.
const SINCE_BITS: u32 = 56;
const SINCE_MASK: u64 = (1 << SINCE_BITS) - 1;
/// The words of a slot.
pub(crate) const SLOT_WORDS: usize = 8;

/// One task's place in the task table: 64 bytes of relaxed atomics. Durations are in clock ticks.
///
/// ```
/// use glasshouse_pal::{Pal, SiteId, SlotCache, TaskId, TaskState};
/// let pal = Pal::memory();
/// let mut cache = SlotCache::default();
/// let id = pal.table().take(&mut cache).expect("room for a task");
/// let slot = pal.table().slot(id);
/// slot.publish(TaskId::new(1).expect("in range"), SiteId(0), None, TaskState::Scheduled, 100);
/// slot.enter(TaskState::Running, 130);
/// slot.add_ready(30);
/// let row = slot.row(200).expect("published");
/// assert_eq!((row.state, row.since, row.ready_ticks), (Some(TaskState::Running), 130, 30));
/// slot.clear();
/// pal.table().give_back(&mut cache, id);
/// ```
#[repr(C, align(64))]
pub struct Slot {
    id: AtomicU64,
    /// state:8 | since:56
    state: AtomicU64,
    /// site:32 | polls:32
    site: AtomicU64,
    parent: AtomicU64,
    waker: AtomicU64,
    run: AtomicU64,
    wait: AtomicU64,
    ready: AtomicU64,
}

impl Slot {
    /// Fills a free slot with a task.
    pub fn publish(
        &self,
        id: TaskId,
        site: SiteId,
        parent: Option<TaskId>,
        state: TaskState,
        since: u64,
    ) {
        let site = u64::from(site.0) << 32;
        let words = [
            id.number(),
            state_word(state, since),
            site,
            number(parent),
            0,
            0,
            0,
            0,
        ];
        fill(self.words(), words);
    }

    /// Empties the slot; it can then be given back.
    pub fn clear(&self) {
        self.id.store(0, Ordering::Release);
    }

    /// The task enters a state at a stamp.
    #[inline]
    pub fn enter(&self, state: TaskState, since: u64) {
        self.state
            .store(state_word(state, since), Ordering::Relaxed);
    }

    /// Adds to the time that the task ran.
    #[inline]
    pub fn add_run(&self, ticks: u64) {
        add(&self.run, ticks);
    }

    /// Adds to the time that it waited.
    #[inline]
    pub fn add_wait(&self, ticks: u64) {
        add(&self.wait, ticks);
    }

    /// Adds to the time that it was ready and did not run.
    #[inline]
    pub fn add_ready(&self, ticks: u64) {
        add(&self.ready, ticks);
    }

    /// Counts a poll; stops at the largest count.
    #[inline]
    pub fn count_poll(&self) {
        let word = self.site.load(Ordering::Relaxed);
        if word as u32 != u32::MAX {
            self.site.store(word + 1, Ordering::Relaxed);
        }
    }

    /// Who made the task ready last.
    #[inline]
    pub fn set_waker(&self, by: EncodedSource) {
        self.waker.store(by.0, Ordering::Relaxed);
    }

    /// The task in the slot.
    pub fn id(&self) -> Option<TaskId> {
        TaskId::new(self.id.load(Ordering::Acquire))
    }

    /// The task's state; `None` before the slot is first filled.
    pub fn state(&self) -> Option<TaskState> {
        TaskState::from_number((self.state.load(Ordering::Relaxed) >> SINCE_BITS) as u8)
    }

    /// The stamp of its last transition, given a stamp not long after it: a slot keeps the lower
    /// 56 bits.
    pub fn since(&self, near: u64) -> u64 {
        since_near(self.state.load(Ordering::Relaxed), near)
    }

    /// Where the task was spawned.
    pub fn site(&self) -> SiteId {
        SiteId((self.site.load(Ordering::Relaxed) >> 32) as u32)
    }

    /// How often it was polled.
    pub fn polls(&self) -> u32 {
        self.site.load(Ordering::Relaxed) as u32
    }

    /// The task that spawned it.
    pub fn parent(&self) -> Option<TaskId> {
        TaskId::new(self.parent.load(Ordering::Relaxed))
    }

    /// Who made it ready last.
    pub fn waker(&self) -> Option<WakeSource> {
        WakeSource::from_word(self.waker.load(Ordering::Relaxed))
    }

    /// How long it ran, without the poll that is under way.
    pub fn run_ticks(&self) -> u64 {
        self.run.load(Ordering::Relaxed)
    }

    /// How long it waited, without the wait that is under way.
    pub fn wait_ticks(&self) -> u64 {
        self.wait.load(Ordering::Relaxed)
    }

    /// How long it was ready, without the delay that is under way.
    pub fn ready_ticks(&self) -> u64 {
        self.ready.load(Ordering::Relaxed)
    }

    /// All of it at once; `None` for a free slot, or while it changes hands. `near` is a stamp not
    /// long after the task's last transition, such as now.
    pub fn row(&self, near: u64) -> Option<TaskRow> {
        TaskRow::from_words(copy(self.words())?, near)
    }

    #[inline(always)]
    fn words(&self) -> [&AtomicU64; SLOT_WORDS] {
        [
            &self.id,
            &self.state,
            &self.site,
            &self.parent,
            &self.waker,
            &self.run,
            &self.wait,
            &self.ready,
        ]
    }
}

/// Makes a free slot a task's; the first word is the id. Only who took the slot calls this.
#[inline(always)]
fn fill<W: Word, const WORDS: usize>(slot: [&W; WORDS], words: [u64; WORDS]) {
    slot[0].store(0, Ordering::Relaxed);
    // Pairs with the acquire fence in `copy`: who copied a word stored below sees the id gone.
    W::fence(Ordering::Release);
    // By index: iterators over the arrays would take them through the stack.
    let mut word = 1;
    while word < WORDS {
        slot[word].store(words[word], Ordering::Relaxed);
        word += 1;
    }
    // Pairs with the acquire load in `copy`: who sees the id sees the words above.
    slot[0].store(words[0], Ordering::Release);
}

/// Copies a slot; `None` while it changes hands.
fn copy<W: Word, const WORDS: usize>(slot: [&W; WORDS]) -> Option<[u64; WORDS]> {
    let before = slot[0].load(Ordering::Acquire);
    let mut words = slot.map(|place| place.load(Ordering::Relaxed));
    words[0] = before;
    // Pairs with the release fence in `fill`.
    W::fence(Ordering::Acquire);
    (slot[0].load(Ordering::Relaxed) == before).then_some(words)
}

/// One row of the task table: a task that had not ended. Durations are in clock ticks.
///
/// ```
/// let log = glasshouse_pal::Pal::memory().log();
/// assert_eq!(log.tasks().count(), 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskRow {
    /// The task.
    pub id: TaskId,
    /// Its state; `None` when the log is damaged there.
    pub state: Option<TaskState>,
    /// The stamp of its last transition.
    pub since: u64,
    /// Where it was spawned.
    pub site: SiteId,
    /// How often it was polled.
    pub polls: u32,
    /// The task that spawned it.
    pub parent: Option<TaskId>,
    /// Who made it ready last.
    pub waker: Option<WakeSource>,
    /// How long it ran.
    pub run_ticks: u64,
    /// How long it waited.
    pub wait_ticks: u64,
    /// How long it was ready and did not run.
    pub ready_ticks: u64,
}

impl TaskRow {
    pub(crate) fn from_words(words: [u64; SLOT_WORDS], near: u64) -> Option<TaskRow> {
        Some(TaskRow {
            id: TaskId::new(words[0])?,
            state: TaskState::from_number((words[1] >> SINCE_BITS) as u8),
            since: since_near(words[1], near),
            site: SiteId((words[2] >> 32) as u32),
            polls: words[2] as u32,
            parent: optional_task(words[3]).flatten(),
            waker: WakeSource::from_word(words[4]),
            run_ticks: words[5],
            wait_ticks: words[6],
            ready_ticks: words[7],
        })
    }
}

#[inline(always)]
fn state_word(state: TaskState, since: u64) -> u64 {
    (state as u64) << SINCE_BITS | since & SINCE_MASK
}

/// The stamp nearest to `near` whose lower bits are those of the word.
fn since_near(word: u64, near: u64) -> u64 {
    let low = word & SINCE_MASK;
    let guess = near & !SINCE_MASK | low;
    let half = 1 << (SINCE_BITS - 1);
    if guess > near && guess - near > half {
        guess.checked_sub(1 << SINCE_BITS).unwrap_or(guess)
    } else if near > guess && near - guess > half {
        guess.checked_add(1 << SINCE_BITS).unwrap_or(guess)
    } else {
        guess
    }
}

#[inline(always)]
fn add(count: &AtomicU64, ticks: u64) {
    // One thread at a time writes a slot, and the hand-over between them orders their accesses.
    let sum = count.load(Ordering::Relaxed).wrapping_add(ticks);
    count.store(sum, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[test]
    fn a_slot_is_where_format_1_says() {
        assert_eq!((size_of::<Slot>(), align_of::<Slot>()), (64, 64));
        assert_eq!(offset_of!(Slot, id), 0);
        assert_eq!(offset_of!(Slot, state), 8);
        assert_eq!(offset_of!(Slot, site), 16);
        assert_eq!(offset_of!(Slot, parent), 24);
        assert_eq!(offset_of!(Slot, waker), 32);
        assert_eq!(offset_of!(Slot, run), 40);
        assert_eq!(offset_of!(Slot, wait), 48);
        assert_eq!(offset_of!(Slot, ready), 56);
    }

    #[test]
    fn a_stamp_is_rebuilt_from_its_lower_bits() {
        for (stamp, near) in [
            (5, 9),
            (SINCE_MASK, SINCE_MASK + 3),
            (SINCE_MASK + 5, SINCE_MASK + 5),
            (7 << SINCE_BITS, (7 << SINCE_BITS) + 1),
            ((7 << SINCE_BITS) - 1, 7 << SINCE_BITS),
            // The reader's stamp may be a little older than the slot's.
            (7 << SINCE_BITS, (7 << SINCE_BITS) - 1),
            (u64::MAX, u64::MAX),
        ] {
            let word = state_word(TaskState::Running, stamp);
            assert_eq!(since_near(word, near), stamp, "{stamp} near {near}");
        }
    }
}

#[cfg(all(test, glasshouse_loom))]
mod model {
    use super::*;
    use crate::reader::{read_memory, rows_between};
    use crate::sync::explore;
    use loom::sync::Arc;
    use loom::sync::atomic::AtomicU64;
    use loom::thread;

    /// Fewer than a slot has: every load of one multiplies the executions.
    const WORDS: usize = 3;

    type Place = [AtomicU64; WORDS];

    /// The words of task `id`: each tells whose it is.
    fn task(id: u64) -> [u64; WORDS] {
        [id, id * 10, id * 100]
    }

    /// One slot, and a thread that takes it from one task and gives it to the next.
    fn slot_that_changes_hands() -> (Arc<Place>, thread::JoinHandle<()>) {
        let slot: Arc<Place> = Arc::new(Default::default());
        fill(slot.each_ref(), task(1));
        let shared = Arc::clone(&slot);
        let writer = thread::spawn(move || {
            shared[0].store(0, Ordering::Release);
            fill(shared.each_ref(), task(2));
        });
        (slot, writer)
    }

    #[test]
    fn a_row_is_of_one_task() {
        explore(|| {
            let (slot, writer) = slot_that_changes_hands();
            if let Some(words) = copy(slot.each_ref())
                && words[0] != 0
            {
                assert_eq!(words, task(words[0]));
            }
            writer.join().expect("the writer does not panic");
            assert_eq!(copy(slot.each_ref()), Some(task(2)));
        });
    }

    #[test]
    fn a_row_of_a_whole_table_is_of_one_task() {
        explore(|| {
            let (slot, writer) = slot_that_changes_hands();
            let read = |words: &mut [u64]| read_memory(&*slot, 0, words);
            for words in rows_between::<WORDS>(1, WORDS, read).expect("it can be read") {
                assert_eq!(words, task(words[0]));
            }
            writer.join().expect("the writer does not panic");
            assert_eq!(rows_between(1, WORDS, read), Some(vec![task(2)]));
        });
    }
}
