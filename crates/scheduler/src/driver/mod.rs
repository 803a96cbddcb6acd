//! Owns the scheduler's one poll of descriptors.
//!
//! A parked worker sleeps in the poll; busy workers look in now and then, and the watchdog for those that are
//! held. Whoever has the turn collects the events; what they wake is woken after it is given back. Until a first
//! descriptor is watched nobody polls: a worker that sleeps on its own is woken sooner.

mod readiness;
mod source;
mod turn;

pub(crate) use readiness::{Mask, Seen};
pub(crate) use source::{Place, Source};
pub(crate) use turn::Turn;

use crate::io::Watch;
use crate::parker::Parker;
use crate::runtime::context;
use glasshouse_pal::WakeSource;
use mio::{Events, Poll, Token, unix::SourceFd};
use slab::Slab;
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The token of the driver's own wake-up; sources are numbered from zero.
const INTERRUPT: Token = Token(usize::MAX);
/// Events collected by one poll. A guess; what does not fit comes with the next poll.
const EVENTS: usize = 256;

/// Descriptors and who waits for them.
pub(crate) struct Driver {
    poll: Turn<Polling>,
    registry: mio::Registry,
    interrupt: mio::Waker,
    sources: Mutex<Slab<Arc<Source>>>,
    /// Sources so far: it tells the holders of one number apart.
    generation: AtomicU32,
    registered: AtomicUsize,
    /// Whether a descriptor was ever watched. It stays so, that a program that opens one connection after
    /// another does not change its workers' way of sleeping with each.
    is_used: AtomicBool,
}

struct Polling {
    poll: Poll,
    events: Events,
}

/// The number of a source in the slab, from its token.
fn index_of(token: usize) -> usize {
    token & u32::MAX as usize
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Driver {
    pub(crate) fn new() -> io::Result<Driver> {
        let poll = Poll::new()?;
        Ok(Driver {
            registry: poll.registry().try_clone()?,
            interrupt: mio::Waker::new(poll.registry(), INTERRUPT)?,
            poll: Turn::new(Polling {
                poll,
                events: Events::with_capacity(EVENTS),
            }),
            sources: Mutex::new(Slab::new()),
            generation: AtomicU32::new(0),
            registered: AtomicUsize::new(0),
            is_used: AtomicBool::new(false),
        })
    }

    /// Whether any descriptor is watched.
    pub(crate) fn has_sources(&self) -> bool {
        self.registered.load(Ordering::Relaxed) != 0
    }

    /// Whether a worker that sleeps must do so in the poll. Who is about to sleep asks after it has said so
    /// (`Idle::fall_asleep`).
    pub(crate) fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Relaxed)
    }

    /// Somebody watches a descriptor. Whether it is the first: the caller must then wake a worker, as those
    /// that sleep do not sleep in the poll.
    #[must_use]
    pub(crate) fn start_using(&self) -> bool {
        !self.is_used() && !self.is_used.swap(true, Ordering::Relaxed)
    }

    /// Makes a poll that is under way return.
    pub(crate) fn interrupt(&self) {
        // It can only fail if the descriptor table is broken; the next poll then ends by its timeout.
        let _ = self.interrupt.wake();
    }

    /// Watches a descriptor.
    ///
    /// # Errors
    /// What the operating system says: regular files cannot be watched (EPERM), and the number of watched
    /// descriptors is limited.
    pub(crate) fn register(&self, fd: RawFd, watch: Watch) -> io::Result<Arc<Source>> {
        let source = {
            let mut sources = lock(&self.sources);
            let entry = sources.vacant_entry();
            let generation = self.generation.fetch_add(1, Ordering::Relaxed);
            // Numbers of sources are small: descriptors are fewer than 2^31.
            let token = (generation as usize) << 32 | entry.key();
            entry
                .insert(Arc::new(Source::new(token, fd, watch.fresh)))
                .clone()
        };
        // The system call without the lock: the source is found by its token from the first event on.
        let registered = self.registry.register(
            &mut SourceFd(&fd),
            Token(source.token()),
            watch.interest.events(),
        );
        if let Err(error) = registered {
            self.remove(&source);
            return Err(error);
        }
        self.registered.fetch_add(1, Ordering::Relaxed);
        Ok(source)
    }

    /// Stops watching. Events that were already collected are not taken for the number's next holder.
    pub(crate) fn deregister(&self, source: &Source) {
        // The descriptor is open as long as its source is registered, so this can only fail if it was
        // closed behind our back, and then the kernel has forgotten it already.
        let _ = self.registry.deregister(&mut SourceFd(&source.fd()));
        self.registered.fetch_sub(1, Ordering::Relaxed);
        self.remove(source);
    }

    fn remove(&self, source: &Source) {
        lock(&self.sources).try_remove(index_of(source.token()));
    }

    /// Looks for events without waiting, if nobody else is at it; whether nobody was.
    pub(crate) fn poll_now(&self) -> bool {
        if !self.has_sources() {
            return false;
        }
        let Some(mut polling) = self.poll.try_take() else {
            return false;
        };
        let woken = polling.collect(self, Some(Duration::ZERO));
        drop(polling);
        wake_all(woken);
        true
    }

    /// The same for a thread that never sleeps in the poll. Whether a worker may have gone to sleep outside of it
    /// meanwhile: then one is to be woken, or nobody would see the next event.
    #[must_use]
    pub(crate) fn poll_in_passing(&self) -> bool {
        self.poll_now() && self.poll.was_missed()
    }

    /// Sleeps in the poll, unless somebody else does: then it returns false at once. What became ready is
    /// woken by `after`, which is called with the sleep over and the lock given back.
    pub(crate) fn poll_parked(
        &self,
        parker: &Parker,
        timeout: Option<Duration>,
        after: impl FnOnce(Woken),
    ) -> bool {
        let Some(mut polling) = self.poll.try_take_to_sleep() else {
            return false;
        };
        let mut woken = Woken::default();
        parker.poll(|| woken = polling.collect(self, timeout));
        drop(polling);
        after(woken);
        true
    }
}

/// Wakers that a poll found due.
#[derive(Default)]
pub(crate) struct Woken(Vec<std::task::Waker>);

impl Polling {
    fn collect(&mut self, driver: &Driver, timeout: Option<Duration>) -> Woken {
        // An interrupted poll is an empty one: the caller looks at everything again anyway.
        if self.poll.poll(&mut self.events, timeout).is_err() {
            return Woken::default();
        }
        let mut woken = Vec::new();
        // Once for all events: nothing is called under it.
        let sources = lock(&driver.sources);
        for event in &self.events {
            if event.token() == INTERRUPT {
                continue;
            }
            let token = event.token().0;
            let source = sources.get(index_of(token));
            if let Some(source) = source.filter(|source| source.token() == token) {
                source.became_ready(Mask::of(event), &mut woken);
            }
        }
        Woken(woken)
    }
}

/// Wakes what a poll found, with I/O as the source in the log.
pub(crate) fn wake_all(woken: Woken) {
    if !woken.0.is_empty() {
        context::waking_as(WakeSource::Io, || {
            woken.0.into_iter().for_each(context::wake_contained);
        });
    }
}
