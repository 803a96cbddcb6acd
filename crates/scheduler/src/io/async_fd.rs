//! Owns a descriptor that tasks can wait for.

use crate::io::interest::Interest;
use crate::io::ready_guard::AsyncFdReadyGuard;
use crate::io::registration::{ListedWait, Registration, Watch};
use glasshouse_pal::Interest as Direction;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll, ready};

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
        AsyncFd::with_interest(inner, Interest::READABLE | Interest::WRITABLE)
    }

    /// Watches `inner`, which must be non-blocking, in these directions only: the others are never ready.
    ///
    /// # Errors
    /// As [`AsyncFd::new`].
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub fn with_interest(inner: T, interest: Interest) -> io::Result<AsyncFd<T>> {
        AsyncFd::register(inner, Watch::for_events(interest))
    }

    pub(crate) fn register(inner: T, watch: Watch) -> io::Result<AsyncFd<T>> {
        let registration = Registration::new(inner.as_fd().as_raw_fd(), watch)?;
        Ok(AsyncFd {
            registration,
            inner,
        })
    }

    /// Its place with the driver.
    pub(crate) fn registration(&self) -> &Registration {
        &self.registration
    }

    /// What is watched.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// What is watched. Its descriptor must stay the same.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Stops watching.
    pub fn into_inner(self) -> T {
        drop(self.registration);
        self.inner
    }

    /// Waits until one of the directions of `interest` is ready, as far as is known. The guard says which,
    /// and forgets it when an operation finds it gone.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn ready(&self, interest: Interest) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        let seen = self.registration.ready(interest).await;
        Ok(AsyncFdReadyGuard::new(self, interest, seen))
    }

    /// Waits until there is something to read, as far as is known.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn readable(&self) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        self.ready(Interest::READABLE).await
    }

    /// Waits until there is room to write, as far as is known.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn writable(&self) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        self.ready(Interest::WRITABLE).await
    }

    /// [`AsyncFd::readable`] for futures that poll: the waker of the last poll in this direction is woken.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub fn poll_read_ready(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'_, T>>> {
        self.poll_ready(cx, Interest::READABLE)
    }

    /// [`AsyncFd::writable`] for futures that poll: the waker of the last poll in this direction is woken.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub fn poll_write_ready(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'_, T>>> {
        self.poll_ready(cx, Interest::WRITABLE)
    }

    fn poll_ready(
        &self,
        cx: &Context<'_>,
        interest: Interest,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'_, T>>> {
        let seen = ready!(self.registration.poll_ready(cx, interest.direction()));
        Poll::Ready(Ok(AsyncFdReadyGuard::new(self, interest, seen)))
    }

    /// Runs `operation` as often as it says `WouldBlock`, and waits for the direction in between. Of both
    /// directions, reading is waited for.
    ///
    /// # Errors
    /// Any other error of the operation.
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let operation = || operation(&self.inner);
        let direction = interest.direction();
        self.registration.io(direction, operation).await
    }

    /// [`AsyncFd::async_io`] for operations that change what is watched.
    ///
    /// # Errors
    /// Any error of the operation but `WouldBlock`.
    pub async fn async_io_mut<R>(
        &mut self,
        interest: Interest,
        mut operation: impl FnMut(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        let inner = &mut self.inner;
        let direction = interest.direction();
        let operation = || operation(inner);
        self.registration.io(direction, operation).await
    }

    /// Runs `operation` once, unless it is known that it would block. If it says `WouldBlock`, that is
    /// remembered until the next event.
    ///
    /// # Errors
    /// What the operation says, or `WouldBlock`.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        operation: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let operation = || operation(&self.inner);
        self.registration.try_io(interest.direction(), operation)
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

impl<T: AsFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

impl<T: AsFd> AsRawFd for AsyncFd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFd")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
