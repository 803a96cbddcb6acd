//! Owns the writing of records: a thread's exclusive hold on one ring.

use crate::cause::WakeSource;
use crate::domain::{DomainEvent, Event};
use crate::event::TaskEvent;
use crate::format::codec::{Encoded, encode, number};
use crate::format::header::RingHeader;
use crate::format::kind;
use crate::id::TaskId;
use crate::loss::LossCause;
use crate::mirror;
use crate::pal::{LeasedRing, Pal, write_pair};
use crate::record::{SEQ_MAX, Tag, publish};
use crate::thread::Installed;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, compiler_fence};

/// Who leases a ring.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner};
/// let ring = Pal::memory().lease(RingOwner::Worker(3));
/// assert!(ring.has_ring());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RingOwner {
    /// A scheduler's worker, by its number.
    Worker(u16),
    /// Any other thread.
    External,
}

impl RingOwner {
    pub(crate) const fn to_word(self) -> u64 {
        match self {
            RingOwner::Worker(number) => 1 << 32 | number as u64,
            RingOwner::External => 2 << 32,
        }
    }

    pub(crate) const fn from_word(word: u64) -> Option<RingOwner> {
        match (word >> 32, word as u32) {
            (1, number) if number <= u16::MAX as u32 => Some(RingOwner::Worker(number as u16)),
            (2, _) => Some(RingOwner::External),
            _ => None,
        }
    }
}

/// What a ring's owner does with its time.
///
/// ```
/// use glasshouse_pal::WorkerState;
/// assert_eq!(WorkerState::Parked.name(), "parked");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum WorkerState {
    /// It looks for work.
    Searching = 0,
    /// It runs a task.
    Running = 1,
    /// It sleeps until there is work.
    Parked = 2,
}

impl WorkerState {
    /// Every state, in the order of its number.
    pub const ALL: [WorkerState; 3] = [
        WorkerState::Searching,
        WorkerState::Running,
        WorkerState::Parked,
    ];

    /// The state's name as the log prints it.
    pub const fn name(self) -> &'static str {
        match self {
            WorkerState::Searching => "searching",
            WorkerState::Running => "running",
            WorkerState::Parked => "parked",
        }
    }
}

/// The one writer of a ring. Stays on its thread; clones share the ring, which returns to the log
/// with the last of them. Nothing here blocks, allocates, or calls the kernel.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, TaskEvent, TaskId, WorkerState};
/// let pal = Pal::memory();
/// let ring = pal.lease(RingOwner::Worker(0));
/// let tid = TaskId::new(1).expect("in range");
/// let now = pal.clock().now();
/// ring.current(now, Some(tid), WorkerState::Running);
/// ring.write(now, 2, &TaskEvent::Running { tid });
/// assert_eq!(pal.events(), [TaskEvent::Running { tid }]);
/// ```
#[derive(Clone)]
pub struct RingWriter {
    inner: Rc<Inner>,
}

struct Inner {
    pal: Pal,
    /// None when no ring was left, or the log is off.
    ring: Option<LeasedRing>,
    /// Sequence number of the last record.
    head: Cell<u64>,
    /// The task that the thread runs; zero for none.
    task: Cell<u64>,
    /// A record is being written: a signal handler, an allocator or a subscriber that runs on this
    /// thread meanwhile must not write another.
    is_busy: AtomicBool,
}

/// The sequence number, before it would run out, at which a ring stops: 2^48 records at one each
/// nanosecond take three days; at a real rate, years.
const LAST_SEQ: u64 = SEQ_MAX - 4;

impl RingWriter {
    pub(crate) fn new(pal: Pal, owner: RingOwner) -> RingWriter {
        let ring = pal.take_ring(owner);
        let head = ring.as_ref().map_or(0, |ring| {
            if !pal.clock().is_virtual() {
                let thread = rustix::thread::gettid().as_raw_nonzero().get() as u64;
                ring.header.first().thread.store(thread, Ordering::Relaxed);
            }
            // Only this ring's former owners wrote it; their lease ended before this one began.
            ring.header.first().head.load(Ordering::Acquire)
        });
        let writer = RingWriter {
            inner: Rc::new(Inner {
                pal,
                ring,
                head: Cell::new(head),
                task: Cell::new(0),
                is_busy: AtomicBool::new(false),
            }),
        };
        writer.clock_pair();
        writer
    }

    /// The log that this writes to.
    pub fn pal(&self) -> &Pal {
        &self.inner.pal
    }

    /// Whether there is a ring behind the writer; without one it only counts.
    pub fn has_ring(&self) -> bool {
        self.inner.ring.is_some()
    }

    /// Records an event of a task or of the scheduler. `stamp` is in ticks of the log's clock; `aux`
    /// is the number of the task's transition modulo 256, and zero for the scheduler's own events.
    ///
    /// Returns whether the event is in the log.
    #[inline]
    pub fn write(&self, stamp: u64, aux: u8, event: &TaskEvent) -> bool {
        let inner = &*self.inner;
        if !inner.enter() {
            return false;
        }
        let is_recorded = inner.push(stamp, aux, encode(event));
        if mirror::is_enabled() {
            mirror::task_event(&inner.pal, event);
        }
        inner.leave();
        is_recorded
    }

    /// Records an event of a domain crate or of the application. Its kind is described in the log
    /// when it is used first.
    ///
    /// Returns whether the event is in the log.
    pub fn write_domain(&self, stamp: u64, event: &DomainEvent) -> bool {
        let inner = &*self.inner;
        if !inner.enter() {
            return false;
        }
        let is_recorded = inner.push_domain(stamp, event);
        if mirror::is_enabled() {
            mirror::domain_event(&inner.pal, event);
        }
        inner.leave();
        is_recorded
    }

    /// Records any event now. A domain event that names no task gets the one this thread runs.
    pub(crate) fn emit(&self, event: Event) -> bool {
        let stamp = self.pal().clock().now();
        match event {
            Event::Task(event) => self.write(stamp, 0, &event),
            Event::Domain(event) => {
                let event = match (event.task(), TaskId::new(self.inner.task.get())) {
                    (None, Some(task)) => event.about(task),
                    _ => event,
                };
                self.write_domain(stamp, &event)
            }
        }
    }

    /// Says that the thread is alive.
    #[inline]
    pub fn heartbeat(&self, stamp: u64) {
        if let Some(header) = self.header() {
            header.heartbeat.store(stamp, Ordering::Relaxed);
        }
    }

    /// Says what the thread does from this stamp on, and adds the time since it last said so to the
    /// state that it leaves. A heartbeat, too.
    #[inline]
    pub fn current(&self, stamp: u64, task: Option<TaskId>, state: WorkerState) {
        let task = number(task);
        self.inner.task.set(task);
        let Some(header) = self.header() else {
            return;
        };
        let left = header.state.load(Ordering::Relaxed) as usize;
        let since = header.state_since.load(Ordering::Relaxed);
        if let Some(ticks) = header.state_ticks.get(left)
            && since != 0
        {
            add(ticks, stamp.saturating_sub(since));
        }
        header.task.store(task, Ordering::Relaxed);
        header.state.store(state as u64, Ordering::Relaxed);
        header.state_since.store(stamp, Ordering::Relaxed);
        header.heartbeat.store(stamp, Ordering::Relaxed);
    }

    /// The task that the thread runs, as [`RingWriter::current`] was told last.
    pub fn current_task(&self) -> Option<TaskId> {
        TaskId::new(self.inner.task.get())
    }

    /// Who wakes when this thread wakes: the task that it runs, else something outside.
    pub fn wake_source(&self) -> WakeSource {
        self.current_task()
            .map_or(WakeSource::External, WakeSource::Task)
    }

    /// Writes down what the clocks show, so that a reader can put a date to the stamps around. To
    /// be called around a park, and each second while the thread is active.
    pub fn clock_pair(&self) {
        if let Some(header) = self.header() {
            write_pair(header, self.pal().clock());
        }
    }

    /// Makes this the ring that [`crate::emit`] writes to on this thread, until the guard is
    /// dropped; then it is again the one before.
    pub fn install(&self) -> Installed {
        Installed::new(self.clone())
    }

    fn header(&self) -> Option<&RingHeader> {
        self.inner.ring.as_ref().map(|ring| ring.header.first())
    }
}

impl Inner {
    /// Begins a record; false while one is under way on this thread.
    #[inline(always)]
    fn enter(&self) -> bool {
        if self.is_busy.load(Ordering::Relaxed) {
            self.refuse_reentrant();
            return false;
        }
        self.is_busy.store(true, Ordering::Relaxed);
        // A signal handler on this thread sees the flag before any word of the record changes.
        compiler_fence(Ordering::SeqCst);
        true
    }

    #[inline(always)]
    fn leave(&self) {
        compiler_fence(Ordering::SeqCst);
        self.is_busy.store(false, Ordering::Relaxed);
    }

    #[cold]
    fn refuse_reentrant(&self) {
        self.pal.count_loss(LossCause::Reentrant);
    }

    #[inline(always)]
    fn push(&self, stamp: u64, aux: u8, event: Encoded) -> bool {
        let Some(ring) = &self.ring else {
            return self.refuse_without_ring();
        };
        let head = self.head.get();
        if head >= LAST_SEQ {
            return self.refuse_without_ring();
        }
        self.place(
            ring,
            head + 1,
            event.kind,
            aux,
            [stamp, event.task, event.arg],
        );
        let mut last = head + 1;
        if let Some(more) = event.more {
            last += 1;
            self.place(ring, last, kind::CONTINUED, 0, more);
        }
        self.finish(ring, last, event.kind);
        true
    }

    fn push_domain(&self, stamp: u64, event: &DomainEvent) -> bool {
        let Some(ring) = &self.ring else {
            return self.refuse_without_ring();
        };
        let head = self.head.get();
        if head >= LAST_SEQ {
            return self.refuse_without_ring();
        }
        if let Some(spec) = event.spec() {
            self.pal.schema().register(spec);
        }
        let (first, more) = match event.args() {
            [] => (0, [].as_slice()),
            [first, more @ ..] => (*first, more),
        };
        let mut last = head + 1;
        self.place(
            ring,
            last,
            event.kind(),
            0,
            [stamp, number(event.task()), first],
        );
        for chunk in more.chunks(3) {
            last += 1;
            let mut words = [0; 3];
            words[..chunk.len()].copy_from_slice(chunk);
            self.place(ring, last, kind::CONTINUED, 0, words);
        }
        self.finish(ring, last, event.kind());
        true
    }

    #[inline(always)]
    fn place(&self, ring: &LeasedRing, seq: u64, kind: u8, aux: u8, words: [u64; 3]) {
        let records = &*ring.records;
        let place = (seq as usize - 1) & (records.len() - 1);
        let tag = Tag { seq, kind, aux };
        publish(
            &records[place].words,
            [tag.to_word(), words[0], words[1], words[2]],
        );
    }

    /// Counts the event and moves the head behind all of its records.
    #[inline(always)]
    fn finish(&self, ring: &LeasedRing, last: u64, kind: u8) {
        let header = ring.header.first();
        add(&header.events[usize::from(kind)], 1);
        // Pairs with the reader's acquire load: below the head all records were complete.
        header.head.store(last, Ordering::Release);
        self.head.set(last);
    }

    #[cold]
    fn refuse_without_ring(&self) -> bool {
        if !self.pal.is_off() {
            self.pal.count_loss(LossCause::NoRing);
        }
        false
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(ring) = &self.ring {
            write_pair(ring.header.first(), self.pal.clock());
            self.pal.give_ring_back(ring.index);
        }
    }
}

/// Adds to a count that one thread writes.
#[inline(always)]
fn add(count: &AtomicU64, by: u64) {
    let sum = count.load(Ordering::Relaxed).wrapping_add(by);
    count.store(sum, Ordering::Relaxed);
}
