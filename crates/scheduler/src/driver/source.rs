//! Owns what is known of one descriptor: its readiness, and the wakers that wait for it.
//!
//! A future that polls over and over (a stream's `poll_read`) leaves its waker in its direction's own
//! place, which the next such poll takes over. Futures of which there may be many at once (`readable`,
//! `accept`) stand on a list, each from its first wait until it is dropped.

use crate::driver::readiness::{Mask, Readiness, Seen};
use crate::sync::{Mutex, MutexGuard};
use glasshouse_pal::Interest as Direction;
use slab::Slab;
use std::os::fd::RawFd;
use std::sync::PoisonError;
use std::task::{Poll, Waker};

/// One watched descriptor.
pub(crate) struct Source {
    token: usize,
    fd: RawFd,
    readiness: Readiness,
    waiting: Mutex<Waiting>,
}

/// Who waits. Short critical sections: nothing is called under the lock but a waker's clone.
#[derive(Default)]
struct Waiting {
    reader: Option<Waker>,
    writer: Option<Waker>,
    list: Slab<Listed>,
}

/// One of many. Its waker is gone once it was woken; its place stays until it is dropped.
struct Listed {
    mask: Mask,
    waker: Option<Waker>,
}

/// A waiter's place on the list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place(usize);

impl Waiting {
    fn stored(&mut self, direction: Direction) -> &mut Option<Waker> {
        match direction {
            Direction::Read => &mut self.reader,
            Direction::Write => &mut self.writer,
        }
    }
}

/// Leaves `waker` in `slot`, cloned only if another is there. That one is returned, to be dropped without the
/// lock: it is foreign code, which may come back here.
#[must_use]
fn leave(slot: &mut Option<Waker>, waker: &Waker) -> Option<Waker> {
    if slot.as_ref().is_some_and(|held| held.will_wake(waker)) {
        return None;
    }
    slot.replace(waker.clone())
}

impl Source {
    pub(crate) fn new(token: usize, fd: RawFd, fresh: bool) -> Source {
        Source {
            token,
            fd,
            readiness: Readiness::new(fresh),
            waiting: Mutex::new(Waiting::default()),
        }
    }

    pub(crate) fn token(&self) -> usize {
        self.token
    }

    pub(crate) fn fd(&self) -> RawFd {
        self.fd
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The driver saw an edge.
    pub(crate) fn became_ready(&self, mask: Mask, woken: &mut Vec<Waker>) {
        let mut waiting = self.lock();
        // Under the lock, so that who finds no readiness has left its waker before the next edge.
        self.readiness.edge(mask);
        for direction in [Direction::Read, Direction::Write] {
            if mask.meets(Mask::known(direction)) {
                woken.extend(waiting.stored(direction).take());
            }
        }
        let listed = waiting.list.iter_mut().map(|(_, listed)| listed);
        woken.extend(
            listed
                .filter(|listed| listed.mask.meets(mask))
                .filter_map(|listed| listed.waker.take()),
        );
    }

    /// Ready with what was seen, or pending with `waker` in the direction's own place.
    pub(crate) fn poll_stored(
        &self,
        direction: Direction,
        mask: Mask,
        waker: &Waker,
    ) -> Poll<Seen> {
        self.poll_with(mask, |waiting| leave(waiting.stored(direction), waker))
    }

    /// Ready with what was seen, or pending with `waker` on the list, at `place`.
    pub(crate) fn poll_listed(
        &self,
        mask: Mask,
        waker: &Waker,
        place: &mut Option<Place>,
    ) -> Poll<Seen> {
        self.poll_with(mask, |waiting| {
            let held = place.and_then(|place| waiting.list.get_mut(place.0));
            match held {
                Some(listed) => leave(&mut listed.waker, waker),
                None => {
                    let waker = Some(waker.clone());
                    *place = Some(Place(waiting.list.insert(Listed { mask, waker })));
                    None
                }
            }
        })
    }

    fn poll_with(
        &self,
        mask: Mask,
        leave_waker: impl FnOnce(&mut Waiting) -> Option<Waker>,
    ) -> Poll<Seen> {
        let seen = self.readiness.load();
        if seen.mask().meets(mask) {
            return Poll::Ready(seen);
        }
        let mut waiting = self.lock();
        let seen = self.readiness.load();
        if seen.mask().meets(mask) {
            return Poll::Ready(seen);
        }
        let old = leave_waker(&mut waiting);
        drop(waiting);
        drop(old);
        Poll::Pending
    }

    /// A waiter on the list goes away.
    pub(crate) fn forget(&self, place: Place) {
        let listed = self.lock().list.try_remove(place.0);
        // Dropping a waker may free a task: not under the lock.
        drop(listed);
    }
}
