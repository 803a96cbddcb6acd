//! Owns a descriptor that tasks can wait for.

use crate::driver::{Place, Seen, Source};
use crate::handle::Handle;
use crate::runtime::context;
use glasshouse_pal::{Interest, IoTarget};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
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
    handle: Handle,
    source: Arc<Source>,
    /// Taken only by `into_inner`.
    inner: Option<T>,
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
        let handle = Handle::current();
        let Some(driver) = &handle.shared().driver else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "a deterministic scheduler refuses descriptors; build it with Builder::allow_io",
            ));
        };
        let source = driver.register(inner.as_fd().as_raw_fd())?;
        Ok(AsyncFd {
            handle,
            source,
            inner: Some(inner),
        })
    }

    /// What is watched.
    pub fn get_ref(&self) -> &T {
        match &self.inner {
            Some(inner) => inner,
            None => unreachable!("only into_inner takes it, and that consumes the AsyncFd"),
        }
    }

    /// Stops watching.
    pub fn into_inner(mut self) -> T {
        self.stop();
        match self.inner.take() {
            Some(inner) => inner,
            None => unreachable!("only into_inner takes it, and it consumes the AsyncFd"),
        }
    }

    fn stop(&self) {
        if let (Some(_), Some(driver)) = (&self.inner, &self.handle.shared().driver) {
            driver.deregister(&self.source);
        }
    }

    /// Waits until there is something to read, as far as is known: only [`AsyncFd::read_with`] notices that
    /// there is nothing left. Fit for descriptors that become readable once, as a pidfd does.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn readable(&self) -> io::Result<()> {
        let mut wait = self.waiter(Interest::Read);
        poll_fn(|cx| wait.poll(cx)).await;
        Ok(())
    }

    /// Waits until there is room to write, as far as is known: only [`AsyncFd::write_with`] notices that
    /// there is none left.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn writable(&self) -> io::Result<()> {
        let mut wait = self.waiter(Interest::Write);
        poll_fn(|cx| wait.poll(cx)).await;
        Ok(())
    }

    /// Runs `operation` as often as it says `WouldBlock`, and waits for something to read in between.
    ///
    /// # Errors
    /// Any other error of the operation.
    pub async fn read_with<R>(
        &self,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut wait = self.waiter(Interest::Read);
        poll_fn(|cx| wait.poll_with(cx, &mut operation)).await
    }

    /// Runs `operation` as often as it says `WouldBlock`, and waits for room to write in between.
    ///
    /// # Errors
    /// Any other error of the operation.
    pub async fn write_with<R>(
        &self,
        mut operation: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut wait = self.waiter(Interest::Write);
        poll_fn(|cx| wait.poll_with(cx, &mut operation)).await
    }

    /// A place to wait in one direction, for futures that poll.
    pub fn waiter(&self, interest: Interest) -> Waiter<'_, T> {
        Waiter {
            fd: self,
            interest,
            place: None,
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
    fd: &'a AsyncFd<T>,
    interest: Interest,
    place: Option<Place>,
}

impl<T: AsFd> Waiter<'_, T> {
    /// Ready as far as is known. Readiness is forgotten only by an operation that finds it gone.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Seen> {
        let source = &self.fd.source;
        let polled = source.poll_ready(self.interest, cx.waker(), &mut self.place);
        if polled.is_pending() {
            context::claim_io(IoTarget {
                fd: source.fd(),
                interest: self.interest,
            });
        }
        polled
    }

    /// Runs `operation` as often as it says `WouldBlock`, and waits for readiness in between.
    ///
    /// # Errors
    /// Any error of the operation but `WouldBlock`.
    pub fn poll_with<R>(
        &mut self,
        cx: &mut Context<'_>,
        operation: &mut impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let seen = ready!(self.poll(cx));
            match operation(self.fd.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.fd.source.clear(self.interest, seen);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
        }
    }
}

impl<T: AsFd> Drop for Waiter<'_, T> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.fd.source.forget(self.interest, place);
        }
    }
}

impl<T: AsFd> Drop for AsyncFd<T> {
    fn drop(&mut self) {
        self.stop();
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFd")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
