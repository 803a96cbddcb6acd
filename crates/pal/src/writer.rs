//! Owns the writing of records: a thread's exclusive hold on one ring.

use crate::cause::WakeSource;
use crate::domain::{DomainEvent, Event, FIELDS_MAX};
use crate::encoded_event::EncodedEvent;
use crate::event::TaskEvent;
use crate::format::codec::{Encoded, decode, number};
use crate::format::header::RingHeader;
use crate::id::TaskId;
use crate::loss::LossCause;
use crate::mirror;
use crate::owner::{RingOwner, WorkerState};
use crate::pairs::write_pair;
use crate::pal::Pal;
use crate::ring::{Fetch, Refusal, Ring, add};
use crate::thread::Installed;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

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
    ring: Option<Ring>,
    /// The task that the thread runs, where there is no ring to say so; zero for none.
    task: Cell<u64>,
    /// Subscribers are being told of an event.
    is_mirroring: Cell<bool>,
}

impl RingWriter {
    pub(crate) fn new(pal: Pal, owner: RingOwner) -> RingWriter {
        // Nothing in a log with a virtual clock depends on the process.
        let thread = match pal.clock().is_virtual() {
            true => 0,
            false => rustix::thread::gettid().as_raw_nonzero().get() as u64,
        };
        let now = pal.clock().now();
        let ring = pal.leases().take(owner, thread, now);
        let writer = RingWriter {
            inner: Rc::new(Inner {
                pal,
                ring,
                task: Cell::new(0),
                is_mirroring: Cell::new(false),
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
    // At a call with a known variant, all of its encoding folds into constants.
    #[inline(always)]
    pub fn write(&self, stamp: u64, aux: u8, event: &TaskEvent) -> bool {
        self.write_encoded(stamp, aux, EncodedEvent::of(event))
    }

    /// [`RingWriter::write`] of an event that was encoded before.
    #[inline(always)]
    pub fn write_encoded(&self, stamp: u64, aux: u8, event: EncodedEvent) -> bool {
        let EncodedEvent(words) = event;
        let is_recorded = self.inner.push(Fetch::Ahead, stamp, aux, words);
        self.tell(event);
        is_recorded
    }

    /// Tells the subscribers of an event, if there are any.
    #[inline(always)]
    pub fn tell(&self, event: EncodedEvent) {
        if mirror::is_enabled() {
            let Encoded {
                kind, task, arg, ..
            } = event.0;
            let [first, second, _] = event.0.more.unwrap_or([0; 3]);
            self.inner.mirror_task_event(kind, task, arg, first, second);
        }
    }

    /// Records an event of a domain crate or of the application. Its kind is described in the log
    /// when it is used first.
    ///
    /// Returns whether the event is in the log.
    pub fn write_domain(&self, stamp: u64, event: &DomainEvent) -> bool {
        let is_recorded = self.inner.push_domain(stamp, event);
        if mirror::is_enabled() {
            self.inner.mirror(|pal| mirror::domain_event(pal, event));
        }
        is_recorded
    }

    /// Records any event now. A domain event that names no task gets the one this thread runs.
    /// Refused while subscribers are being told of an event: it would go on without end.
    pub(crate) fn emit(&self, event: Event) -> bool {
        if self.inner.is_mirroring.get() {
            return self.inner.refuse(Refusal::Reentrant);
        }
        let stamp = self.pal().clock().now();
        match event {
            Event::Task(event) => self.write(stamp, 0, &event),
            Event::Domain(event) => {
                let event = match (event.task(), self.current_task()) {
                    (None, Some(task)) => event.about(task),
                    _ => event,
                };
                self.write_domain(stamp, &event)
            }
        }
    }

    /// Says what the thread does from this stamp on, and so that it is alive. When it changes its state, the time
    /// since it entered the one that it leaves is added to that state's, and the change stands for a heartbeat.
    #[inline]
    pub fn current(&self, stamp: u64, task: Option<TaskId>, state: WorkerState) {
        match &self.inner.ring {
            Some(ring) => self.show(ring.header(), stamp, number(task), state),
            None => self.inner.task.set(number(task)),
        }
    }

    /// The thread runs this task from now on: [`RingWriter::current`] and the record of it in one, which fetches
    /// ahead for [`RingWriter::end_task`] too. Subscribers are told by [`RingWriter::tell`].
    #[inline(always)]
    pub fn start_task(&self, stamp: u64, aux: u8, tid: TaskId) {
        let event = EncodedEvent::of(&TaskEvent::Running { tid });
        match &self.inner.ring {
            Some(ring) => {
                self.show(ring.header(), stamp, tid.number(), WorkerState::Running);
                self.inner.push_to(ring, Fetch::Ahead, stamp, aux, event.0);
            }
            None => {
                self.inner.task.set(tid.number());
                self.inner.refuse(Refusal::Exhausted);
            }
        }
    }

    /// The task of [`RingWriter::start_task`] leaves the thread, as this event says. Subscribers are told by
    /// [`RingWriter::tell`].
    #[inline(always)]
    pub fn end_task(&self, stamp: u64, aux: u8, event: EncodedEvent) {
        self.inner.push(Fetch::Done, stamp, aux, event.0);
    }

    #[inline(always)]
    fn show(&self, header: &RingHeader, stamp: u64, task: u64, state: WorkerState) {
        if header.state.load(Ordering::Relaxed) == state as u64 {
            header.task.store(task, Ordering::Relaxed);
            header.heartbeat.store(stamp, Ordering::Relaxed);
            return;
        }
        self.enter_state(header, stamp, task, state);
    }

    #[inline(never)]
    fn enter_state(&self, header: &RingHeader, stamp: u64, task: u64, state: WorkerState) {
        let left = header.state.load(Ordering::Relaxed) as usize;
        let since = header.state_since.load(Ordering::Relaxed);
        if let Some(ticks) = header.state_ticks.get(left) {
            add(ticks, stamp.saturating_sub(since));
        }
        header.task.store(task, Ordering::Relaxed);
        header.state.store(state as u64, Ordering::Relaxed);
        header.state_since.store(stamp, Ordering::Relaxed);
    }

    /// The task that the thread runs, as [`RingWriter::current`] was told last.
    pub fn current_task(&self) -> Option<TaskId> {
        let task = match self.header() {
            Some(header) => header.task.load(Ordering::Relaxed),
            None => self.inner.task.get(),
        };
        TaskId::new(task)
    }

    /// Who wakes when this thread wakes: the task that it runs, else something outside.
    pub fn wake_source(&self) -> WakeSource {
        self.current_task()
            .map_or(WakeSource::External, WakeSource::Task)
    }

    /// Writes down what the clocks show, so that a reader can put a date to the stamps around. To
    /// be called around a park, and each second while the thread is active.
    pub fn clock_pair(&self) {
        if let Some(ring) = &self.inner.ring {
            write_pair(ring.header(), self.pal().clock());
            ring.retire_if_exhausted();
        }
    }

    /// Makes this the ring that [`crate::emit`] writes to on this thread, until the guard is
    /// dropped; then it is again the one before.
    pub fn install(&self) -> Installed {
        Installed::new(self.clone())
    }

    fn header(&self) -> Option<&RingHeader> {
        self.inner.ring.as_ref().map(Ring::header)
    }
}

impl Inner {
    #[inline(always)]
    fn push(&self, fetch: Fetch, stamp: u64, aux: u8, event: Encoded) -> bool {
        match &self.ring {
            Some(ring) => self.push_to(ring, fetch, stamp, aux, event),
            None => self.refuse(Refusal::Exhausted),
        }
    }

    #[inline(always)]
    fn push_to(&self, ring: &Ring, fetch: Fetch, stamp: u64, aux: u8, event: Encoded) -> bool {
        let Encoded {
            kind, task, arg, ..
        } = event;
        match ring.push(fetch, kind, aux, [stamp, task, arg], event.more.as_slice()) {
            Ok(()) => true,
            Err(refusal) => self.refuse(refusal),
        }
    }

    fn push_domain(&self, stamp: u64, event: &DomainEvent) -> bool {
        let Some(ring) = &self.ring else {
            return self.refuse(Refusal::Exhausted);
        };
        if let Some(spec) = event.spec() {
            self.pal.schema().register(spec);
        }
        let (first, rest) = match event.args() {
            [] => (0, [].as_slice()),
            [first, rest @ ..] => (*first, rest),
        };
        let mut more = [[0; 3]; FIELDS_MAX.div_ceil(3)];
        for (words, chunk) in more.iter_mut().zip(rest.chunks(3)) {
            words[..chunk.len()].copy_from_slice(chunk);
        }
        let words = [stamp, number(event.task()), first];
        match ring.push(
            Fetch::Ahead,
            event.kind(),
            0,
            words,
            &more[..rest.len().div_ceil(3)],
        ) {
            Ok(()) => true,
            Err(refusal) => self.refuse(refusal),
        }
    }

    #[cold]
    fn refuse(&self, refusal: Refusal) -> bool {
        match refusal {
            Refusal::Reentrant => self.pal.count_loss(LossCause::Reentrant),
            Refusal::Exhausted if self.pal.is_off() => {}
            Refusal::Exhausted => self.pal.count_loss(LossCause::NoRing),
        }
        false
    }

    /// Takes the words, in registers, so that no event is put into memory when nobody listens.
    #[cold]
    #[inline(never)]
    fn mirror_task_event(&self, kind: u8, task: u64, arg: u64, first: u64, second: u64) {
        if let Some(event) = decode(kind, task, arg, [first, second, 0]) {
            self.mirror(|pal| mirror::task_event(pal, &event));
        }
    }

    /// Tells subscribers of an event. What the scheduler records on their account meanwhile (a task
    /// that they wake) is recorded and not told again; what they emit themselves is refused.
    #[cold]
    fn mirror(&self, tell: impl FnOnce(&Pal)) {
        if self.is_mirroring.replace(true) {
            return;
        }
        let _is_done = Restore(&self.is_mirroring);
        tell(&self.pal);
    }
}

/// Says that the mirroring is over, whatever happens.
struct Restore<'a>(&'a Cell<bool>);

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(ring) = &self.ring {
            write_pair(ring.header(), self.pal.clock());
            self.pal.leases().give_back(ring);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn the_time_between_changes_belongs_to_the_state_that_ends_and_that_between_leases_to_none() {
        let clock = Clock::virtual_time();
        let pal = Pal::memory_with(clock.clone());
        let task = TaskId::new(1);
        clock.set(10);
        let ring = pal.lease(RingOwner::Worker(0));
        ring.current(20, task, WorkerState::Running);
        ring.current(30, TaskId::new(2), WorkerState::Running);
        let info = || pal.log().rings().into_iter().next().expect("worker 0's");
        let running = info();
        assert_eq!((running.task, running.heartbeat), (TaskId::new(2), 30));
        assert_eq!((running.state_since, running.state_ticks), (20, [10, 0, 0]));
        ring.current(50, None, WorkerState::Parked);
        ring.current(90, None, WorkerState::Searching);
        let searching = info();
        assert_eq!((searching.state_since, searching.heartbeat), (90, 90));
        assert_eq!(searching.state_ticks, [10, 30, 40]);
        drop(ring);
        clock.set(1_000);
        let ring = pal.lease(RingOwner::Worker(0));
        ring.current(1_005, task, WorkerState::Running);
        assert_eq!(info().state_ticks, [15, 30, 40]);
    }
}
