//! Owns the list of a set's members that have ended, and the waker that puts a member on it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The index of what is no member any more.
const LEFT: usize = usize::MAX;

/// The members that ended and whose results were not taken, in the order in which they ended.
#[derive(Default)]
pub(super) struct Ended {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    places: VecDeque<Arc<Place>>,
    /// Who waits for the next one.
    waker: Option<Waker>,
    /// The set is gone.
    is_closed: bool,
}

/// Where in its set a member is. As a waker it says that the member has ended: its handle holds it, and its
/// completion wakes it, once.
pub(super) struct Place {
    /// Written only by who holds the set. Relaxed: who reads it does too.
    index: AtomicUsize,
    ended: Arc<Ended>,
}

impl Place {
    pub(super) fn new(index: usize, ended: &Arc<Ended>) -> Arc<Place> {
        Arc::new(Place {
            index: AtomicUsize::new(index),
            ended: Arc::clone(ended),
        })
    }

    pub(super) fn move_to(&self, index: usize) {
        self.index.store(index, Ordering::Relaxed);
    }

    /// The member leaves the set without having ended: its end is not told any more.
    pub(super) fn leave(&self) {
        self.move_to(LEFT);
    }
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        let ended = Arc::clone(&self.ended);
        ended.push(self);
    }
}

impl Ended {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, place: Arc<Place>) {
        let mut state = self.lock();
        if state.is_closed {
            return;
        }
        state.places.push_back(place);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The index of the next member that ended.
    pub(super) fn pop(&self) -> Option<usize> {
        self.lock().pop()
    }

    /// As `pop`; if there is none, `waker` is woken when there is.
    pub(super) fn pop_or_leave(&self, waker: &Waker) -> Option<usize> {
        let mut state = self.lock();
        let popped = state.pop();
        let held = state.waker.as_ref();
        if popped.is_some() || held.is_some_and(|held| held.will_wake(waker)) {
            return popped;
        }
        let old = state.waker.replace(waker.clone());
        drop(state);
        // Dropping a waker may free a task: not under the lock.
        drop(old);
        None
    }

    /// The set is gone: whoever ends now tells nobody.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        let left = (std::mem::take(&mut state.places), state.waker.take());
        drop(state);
        drop(left);
    }
}

impl State {
    fn pop(&mut self) -> Option<usize> {
        loop {
            let place = self.places.pop_front()?;
            // It may have left between its end and now.
            match place.index.load(Ordering::Relaxed) {
                LEFT => {}
                index => return Some(index),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_after_the_set_is_gone_keeps_nothing_alive() {
        let ended = Arc::new(Ended::default());
        let (before, after) = (Place::new(0, &ended), Place::new(1, &ended));
        let weak = Arc::downgrade(&ended);
        before.wake();
        ended.close();
        drop(ended);
        after.wake();
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn who_waits_is_woken_once_by_the_next_end() {
        struct Count(AtomicUsize);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let ended = Arc::new(Ended::default());
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let waker = Waker::from(Arc::clone(&count));
        assert_eq!(ended.pop_or_leave(Waker::noop()), None);
        assert_eq!(ended.pop_or_leave(&waker), None);
        for index in 0..3 {
            Place::new(index, &ended).wake();
        }
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert_eq!([ended.pop(), ended.pop()], [Some(0), Some(1)]);
        assert_eq!(ended.pop_or_leave(&waker), Some(2));
        assert_eq!(ended.pop(), None);
    }
}
