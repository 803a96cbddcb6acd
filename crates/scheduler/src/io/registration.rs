//! Owns a descriptor's place with the driver, and the ways to try an operation and to wait for it.
//!
//! Every way tries first where that may help, and waits only once the operation has said `WouldBlock`.
//! Each takes from the running task's budget, so that a descriptor that is always ready cannot hold a worker.

use crate::driver::{Mask, Place, Seen, Source};
use crate::handle::Handle;
use crate::io::interest::Interest;
use crate::runtime::context;
use crate::task::coop;
use glasshouse_pal::{Interest as Direction, IoTarget};
use std::future::poll_fn;
use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// How a descriptor is watched.
#[derive(Clone, Copy)]
pub(crate) struct Watch {
    pub(crate) interest: Interest,
    /// Whether the first operations try before they wait for an event.
    pub(crate) fresh: bool,
}

impl Watch {
    /// Both directions of a socket that can be used at once.
    pub(crate) const FRESH: Watch = Watch {
        interest: Interest::READABLE.add(Interest::WRITABLE),
        fresh: true,
    };
    /// Both directions of a socket that connects.
    pub(crate) const CONNECTING: Watch = Watch {
        fresh: false,
        ..Watch::FRESH
    };

    /// Operations wait for an event of these directions first.
    pub(crate) fn for_events(interest: Interest) -> Watch {
        let fresh = false;
        Watch { interest, fresh }
    }
}

/// A watched descriptor. It must stay open until this is dropped.
pub(crate) struct Registration {
    handle: Handle,
    source: Arc<Source>,
}

impl Registration {
    /// Watches `fd`.
    pub(crate) fn new(fd: RawFd, watch: Watch) -> io::Result<Registration> {
        let handle = Handle::current();
        let Some(driver) = &handle.shared().driver else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a deterministic scheduler refuses descriptors; build it with Builder::allow_io",
            ));
        };
        let source = driver.register(fd, watch)?;
        if driver.start_using() {
            // One that sleeps, and not yet in the poll: it looks around, and goes to sleep there. The fences of
            // `Idle` order our flag before its look at who sleeps, and a sleeper's word before its look here.
            handle.shared().wake_a_worker();
        }
        Ok(Registration { handle, source })
    }

    fn claim(&self, interest: Direction) {
        let fd = self.source.fd();
        context::claim_io(IoTarget { fd, interest });
    }

    /// Waits until the kernel says that the direction is ready, with the waker in the direction's own
    /// place: the last poll's waker is woken.
    pub(crate) fn poll_ready(&self, cx: &Context<'_>, direction: Direction) -> Poll<Seen> {
        ready!(coop::poll_proceed(cx));
        let polled = self.poll_stored(cx, direction, Mask::known(direction));
        if polled.is_ready() {
            coop::made_progress();
        }
        polled
    }

    fn poll_stored(&self, cx: &Context<'_>, direction: Direction, mask: Mask) -> Poll<Seen> {
        let polled = self.source.poll_stored(direction, mask, cx.waker());
        if polled.is_pending() {
            self.claim(direction);
        }
        polled
    }

    /// Runs `operation` as often as it says `WouldBlock`, and waits in between, with the waker in the
    /// direction's own place.
    pub(crate) fn poll_io<R>(
        &self,
        cx: &Context<'_>,
        direction: Direction,
        operation: impl FnMut(Attempt<'_>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let mask = Mask::worth_a_try(direction);
        self.poll_until(cx, direction, operation, || {
            self.poll_stored(cx, direction, mask)
        })
    }

    /// The same for futures of which there may be many.
    pub(crate) async fn io<R>(
        &self,
        direction: Direction,
        mut operation: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        let mut waiter = self.waiter(direction);
        poll_fn(|cx| waiter.poll_io(cx, |_| operation())).await
    }

    fn poll_until<R>(
        &self,
        cx: &Context<'_>,
        direction: Direction,
        mut operation: impl FnMut(Attempt<'_>) -> io::Result<R>,
        mut poll_ready: impl FnMut() -> Poll<Seen>,
    ) -> Poll<io::Result<R>> {
        ready!(coop::poll_proceed(cx));
        loop {
            let seen = ready!(poll_ready());
            let attempt = Attempt {
                registration: self,
                direction,
                seen,
            };
            match operation(attempt) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.would_block(direction, seen);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => {
                    coop::made_progress();
                    return Poll::Ready(result);
                }
            }
        }
    }

    /// Runs `operation` once, unless it is known to say `WouldBlock`.
    pub(crate) fn try_io<R>(
        &self,
        direction: Direction,
        operation: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        let seen = self.source.readiness().load();
        if !seen.mask().meets(Mask::worth_a_try(direction)) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let result = operation();
        if matches!(&result, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            self.would_block(direction, seen);
        }
        result
    }

    /// An operation said `WouldBlock`: what was seen is gone.
    pub(crate) fn would_block(&self, direction: Direction, seen: Seen) {
        self.source.readiness().would_block(direction, seen);
    }

    /// A place on the list, for a future in one direction.
    pub(crate) fn waiter(&self, direction: Direction) -> ListedWait<'_> {
        ListedWait {
            registration: self,
            direction,
            place: None,
        }
    }

    /// Waits until the kernel says that one of the directions is ready.
    pub(crate) async fn ready(&self, interest: Interest) -> Seen {
        let mut waiter = self.waiter(interest.direction());
        poll_fn(|cx| waiter.poll_ready(cx, interest.mask())).await
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(driver) = &self.handle.shared().driver {
            driver.deregister(&self.source);
        }
    }
}

/// One try of an operation, by which it can say more than its result does.
pub(crate) struct Attempt<'a> {
    registration: &'a Registration,
    direction: Direction,
    seen: Seen,
}

impl Attempt<'_> {
    /// The operation took or gave less than it could have: another would say `WouldBlock`. Holds for
    /// streams, whose next byte makes a new edge.
    pub(crate) fn was_partial(&self) {
        let readiness = self.registration.source.readiness();
        readiness.was_partial(self.direction, self.seen);
    }
}

/// One future's wait. It holds the waker of the task that polled it last, until it is dropped.
pub(crate) struct ListedWait<'a> {
    registration: &'a Registration,
    direction: Direction,
    place: Option<Place>,
}

impl ListedWait<'_> {
    /// The direction shows in the log; `mask` must be the same at each poll.
    pub(crate) fn poll_ready(&mut self, cx: &Context<'_>, mask: Mask) -> Poll<Seen> {
        ready!(coop::poll_proceed(cx));
        let polled = self.poll_listed(cx, mask);
        if polled.is_ready() {
            coop::made_progress();
        }
        polled
    }

    fn poll_listed(&mut self, cx: &Context<'_>, mask: Mask) -> Poll<Seen> {
        let source = &self.registration.source;
        let polled = source.poll_listed(mask, cx.waker(), &mut self.place);
        if polled.is_pending() {
            self.registration.claim(self.direction);
        }
        polled
    }

    /// Runs `operation` as often as it says `WouldBlock`, and waits in between.
    pub(crate) fn poll_io<R>(
        &mut self,
        cx: &Context<'_>,
        operation: impl FnMut(Attempt<'_>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let (registration, direction) = (self.registration, self.direction);
        let mask = Mask::worth_a_try(direction);
        registration.poll_until(cx, direction, operation, || self.poll_listed(cx, mask))
    }
}

impl Drop for ListedWait<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.registration.source.forget(place);
        }
    }
}
