//! Owns the door for everyone: which ring a thread's events go to when it does not hold one.
//!
//! A worker installs its ring for its thread. Any other thread gets one of the process's log at its
//! first event, and keeps it until it ends.

use crate::domain::Event;
use crate::fork::generation;
use crate::owner::RingOwner;
use crate::pal::Pal;
use crate::process;
use crate::text_id::TextId;
use crate::writer::RingWriter;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    static RING: RefCell<Rings> = const {
        RefCell::new(Rings {
            installed: None,
            leased: None,
            generation: 0,
        })
    };
}

struct Rings {
    installed: Option<RingWriter>,
    /// Of the process's log, for a thread on which none is installed.
    leased: Option<RingWriter>,
    /// When it was leased: a forked child's log is another.
    generation: usize,
}

/// Events that were emitted without a log to take them.
static UNLOGGED: AtomicU64 = AtomicU64::new(0);

/// What became of an event.
///
/// ```
/// use glasshouse_pal::{Emitted, Pal, RingOwner, TaskEvent, emit};
/// let pal = Pal::memory();
/// let _installed = pal.lease(RingOwner::External).install();
/// assert_eq!(emit(TaskEvent::ShutdownComplete { clean: true }), Emitted::Recorded);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emitted {
    /// It is in the log.
    Recorded,
    /// The log counted it as lost, or is off.
    Dropped,
    /// There is no log; counted by [`unlogged`].
    NoLog,
}

/// Records an event now: in the ring installed on this thread, else in one that the thread leases
/// from the process's log. Without a log it is only counted. Never blocks on another thread's
/// account except for a lease, at the thread's first event.
///
/// An event emitted while this thread is recording another one (from a signal handler, an allocator
/// or a `tracing` subscriber) is dropped and counted.
pub fn emit(event: impl Into<Event>) -> Emitted {
    let event = event.into();
    match with_ring(|ring| ring.emit(event)) {
        Some(true) => Emitted::Recorded,
        Some(false) => Emitted::Dropped,
        None => {
            UNLOGGED.fetch_add(1, Ordering::Relaxed);
            Emitted::NoLog
        }
    }
}

/// How many events were emitted in this process without a log to take them.
pub fn unlogged() -> u64 {
    UNLOGGED.load(Ordering::Relaxed)
}

/// The number of a text in the log that this thread's events go to; the empty text without a log.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, intern};
/// let pal = Pal::memory();
/// let _installed = pal.lease(RingOwner::External).install();
/// assert_eq!(intern("io"), pal.text("io"));
/// ```
pub fn intern(text: &str) -> TextId {
    current_log().map_or(TextId::EMPTY, |pal| pal.text(text))
}

/// The log that this thread's events go to.
pub fn current_log() -> Option<Pal> {
    let installed = RING.try_with(|rings| {
        let rings = rings.try_borrow().ok()?;
        Some(rings.installed.as_ref()?.pal().clone())
    });
    installed
        .ok()
        .flatten()
        .or_else(|| process::existing().cloned())
}

/// Calls `f` with this thread's ring; `None` when there is no log, or when the thread's ring is
/// being changed further down the stack, or the thread is ending.
fn with_ring<R>(f: impl FnOnce(&RingWriter) -> R) -> Option<R> {
    let ring = RING.try_with(|rings| {
        // Cloned out, so that nothing is borrowed while `f` runs a subscriber's code.
        let mut rings = rings.try_borrow_mut().ok()?;
        if let Some(installed) = &rings.installed {
            return Some(installed.clone());
        }
        if rings.generation != generation() {
            rings.generation = generation();
            // Not given back: it is the parent's, one of whose other threads may have held a lock there.
            std::mem::forget(rings.leased.take());
        }
        if rings.leased.is_none() {
            let pal = process::existing()?;
            rings.leased = Some(pal.lease(RingOwner::External));
        }
        rings.leased.clone()
    });
    ring.ok().flatten().map(|ring| f(&ring))
}

/// Keeps a ring installed on its thread; dropping it brings back the one before.
///
/// ```
/// use glasshouse_pal::{Pal, RingOwner, TaskEvent, emit};
/// let (outer, inner) = (Pal::memory(), Pal::memory());
/// let _outer = outer.lease(RingOwner::External).install();
/// {
///     let _inner = inner.lease(RingOwner::External).install();
///     emit(TaskEvent::ShutdownComplete { clean: true });
/// }
/// emit(TaskEvent::ShutdownComplete { clean: false });
/// assert_eq!(inner.events(), [TaskEvent::ShutdownComplete { clean: true }]);
/// assert_eq!(outer.events(), [TaskEvent::ShutdownComplete { clean: false }]);
/// ```
#[must_use = "the ring is installed only as long as this is kept"]
pub struct Installed {
    before: Option<RingWriter>,
    /// Belongs to its thread.
    _thread: PhantomData<*const ()>,
}

impl Installed {
    pub(crate) fn new(ring: RingWriter) -> Installed {
        Installed {
            before: replace_installed(Some(ring)),
            _thread: PhantomData,
        }
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        drop(replace_installed(self.before.take()));
    }
}

fn replace_installed(ring: Option<RingWriter>) -> Option<RingWriter> {
    RING.try_with(|rings| match rings.try_borrow_mut() {
        Ok(mut rings) => std::mem::replace(&mut rings.installed, ring),
        Err(_) => None,
    })
    .ok()
    .flatten()
}
