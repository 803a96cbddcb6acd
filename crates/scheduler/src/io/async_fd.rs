//! Owns a descriptor that tasks can wait for.

use crate::io::interest::{Interest, Ready};
use crate::io::registration::{ListedWait, Registration};
use glasshouse_pal::Interest as Direction;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::task::{Context, Poll};

/// A non-blocking descriptor whose readiness tasks can wait for. Any number of tasks may wait in either
/// direction; all of them are woken.
///
/// ```
/// use glasshouse_scheduler::{Builder, io::AsyncFd};
/// use std::{io::{Read, Write}, os::unix::net::UnixStream};
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// let (mut near, far) = UnixStream::pair().unwrap();
/// far.set_nonblocking(true).unwrap();
/// let text = scheduler.block_on(async move {
///     let far = AsyncFd::new(far).unwrap();
///     near.write_all(b"hello").unwrap();
///     let mut bytes = [0; 5];
///     far.read_with(|mut far| far.read_exact(&mut bytes)).await.unwrap();
///     bytes
/// });
/// assert_eq!(&text, b"hello");
/// ```
pub struct AsyncFd<T: AsFd> {
    /// First, so that it is dropped while the descriptor is open.
    registration: Registration,
    inner: T,
}

impl<T: AsFd> AsyncFd<T> {
    /// Watches `inner`, which must be non-blocking.
    ///
    /// # Errors
    /// What the operating system says, for example that a regular file cannot be watched
    /// (`PermissionDenied`); `Unsupported` in a deterministic scheduler without `allow_io`.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub fn new(inner: T) -> io::Result<AsyncFd<T>> {
        AsyncFd::register(inner, false)
    }

    /// Watches `inner`. If `fresh`, its first operations try before they wait for an event.
    pub(crate) fn register(inner: T, fresh: bool) -> io::Result<AsyncFd<T>> {
        let registration = Registration::new(inner.as_fd().as_raw_fd(), fresh)?;
        Ok(AsyncFd {
            registration,
            inner,
        })
    }

    /// Waits until one of the directions of `interest` is ready, as far as is known.
    pub(crate) async fn ready_for(&self, interest: Interest) -> io::Result<Ready> {
        let (direction, mask) = (interest.direction(), interest.mask());
        let seen = self.registration.ready(direction, mask).await;
        Ok(Ready::of(seen.mask(), interest))
    }

    /// Its place with the driver.
    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }

    /// What is watched.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Stops watching.
    pub fn into_inner(self) -> T {
        drop(self.registration);
        self.inner
    }

    /// Waits until there is something to read, as far as is known: only [`AsyncFd::read_with`] notices that
    /// there is nothing left. Fit for descriptors that become readable once, as a pidfd does.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn readable(&self) -> io::Result<()> {
        self.ready_for(Interest::READABLE).await.map(drop)
    }

    /// Waits until there is room to write, as far as is known: only [`AsyncFd::write_with`] notices that
    /// there is none left.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready_for(Interest::WRITABLE).await.map(drop)
    }

    /// Runs `operation` as often as it says `WouldBlock`, and waits for something to read in between.
    ///
    /// # Errors
    /// Any other error of the operation.
    pub async fn read_with<R>(
        &self,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let operation = || operation(&self.inner);
        self.registration.io(Direction::Read, operation).await
    }

    /// Runs `operation` as often as it says `WouldBlock`, and waits for room to write in between.
    ///
    /// # Errors
    /// Any other error of the operation.
    pub async fn write_with<R>(
        &self,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let operation = || operation(&self.inner);
        self.registration.io(Direction::Write, operation).await
    }

    /// A place to wait in one direction, for futures that poll.
    pub fn waiter(&self, direction: Direction) -> Waiter<'_, T> {
        Waiter {
            inner: &self.inner,
            wait: self.registration.waiter(direction),
        }
    }
}

/// One future's wait in one direction. It holds the waker of the task that polled it last, until it is
/// dropped.
///
/// ```
/// use glasshouse_scheduler::{Builder, io::{AsyncFd, Waiter}};
/// use glasshouse_pal::Interest;
/// use std::{future::poll_fn, io::Write, os::unix::net::UnixStream};
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// let (near, _far) = UnixStream::pair().unwrap();
/// near.set_nonblocking(true).unwrap();
/// let len = scheduler.block_on(async {
///     let near = AsyncFd::new(near).unwrap();
///     let mut turn: Waiter<'_, UnixStream> = near.waiter(Interest::Write);
///     poll_fn(|cx| turn.poll_with(cx, &mut |mut near: &UnixStream| near.write(b"hello"))).await
/// });
/// assert_eq!(len.unwrap(), 5);
/// ```
#[must_use = "a waiter does nothing until it is polled"]
pub struct Waiter<'a, T: AsFd> {
    inner: &'a T,
    wait: ListedWait<'a>,
}

impl<T: AsFd> Waiter<'_, T> {
    /// Runs `operation` as often as it says `WouldBlock`, and waits for readiness in between.
    ///
    /// # Errors
    /// Any error of the operation but `WouldBlock`.
    pub fn poll_with<R>(
        &mut self,
        cx: &mut Context<'_>,
        operation: &mut impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.wait.poll_io(cx, |_| operation(self.inner))
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFd")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
