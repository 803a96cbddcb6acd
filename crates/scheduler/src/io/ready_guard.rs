//! Owns what one knows of a descriptor after a wait, until an operation has been tried.

use crate::driver::Seen;
use crate::io::async_fd::AsyncFd;
use crate::io::interest::{Interest, Ready};
use std::fmt;
use std::io;
use std::os::fd::AsFd;

/// What a wait for an [`AsyncFd`] found ready. The kernel tells of readiness once, and it is remembered: an
/// operation must be tried through [`AsyncFdReadyGuard::try_io`], which forgets what the operation finds gone,
/// or [`AsyncFdReadyGuard::clear_ready`] must be called when it says `WouldBlock`.
///
/// ```
/// use glasshouse_scheduler::{Builder, io::{AsyncFd, AsyncFdReadyGuard}};
/// use std::{io::Read, os::unix::net::UnixStream};
/// async fn read(fd: &AsyncFd<UnixStream>, buf: &mut [u8]) -> std::io::Result<usize> {
///     loop {
///         let mut guard: AsyncFdReadyGuard<'_, UnixStream> = fd.readable().await?;
///         match guard.try_io(|fd| fd.get_ref().read(buf)) {
///             Ok(result) => return result,
///             Err(_would_block) => continue,
///         }
///     }
/// }
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// let (mut near, far) = UnixStream::pair().unwrap();
/// far.set_nonblocking(true).unwrap();
/// let len = scheduler.block_on(async {
///     std::io::Write::write_all(&mut near, b"hello").unwrap();
///     read(&AsyncFd::new(far).unwrap(), &mut [0; 16]).await
/// });
/// assert_eq!(len.unwrap(), 5);
/// ```
#[must_use = "what is not cleared or tried is found ready again at once"]
pub struct AsyncFdReadyGuard<'a, T: AsFd> {
    fd: &'a AsyncFd<T>,
    interest: Interest,
    seen: Seen,
}

/// The operation said `WouldBlock`: what was known is forgotten, and one may wait again.
///
/// ```
/// use glasshouse_scheduler::{Builder, io::{AsyncFd, TryIoError}};
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// let (near, _far) = std::os::unix::net::UnixStream::pair().unwrap();
/// scheduler.block_on(async {
///     let near = AsyncFd::new(near).unwrap();
///     let mut guard = near.writable().await.unwrap();
///     let error: TryIoError = guard
///         .try_io(|_| std::io::Result::<()>::Err(std::io::ErrorKind::WouldBlock.into()))
///         .unwrap_err();
///     assert!(error.to_string().contains("would block"));
/// });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operation would block; wait for the descriptor again")]
pub struct TryIoError(());

impl<'a, T: AsFd> AsyncFdReadyGuard<'a, T> {
    pub(super) fn new(fd: &'a AsyncFd<T>, interest: Interest, seen: Seen) -> Self {
        AsyncFdReadyGuard { fd, interest, seen }
    }

    /// What was found ready.
    pub fn ready(&self) -> Ready {
        Ready::of(self.seen.mask(), self.interest)
    }

    /// Tries `operation`. If it says `WouldBlock`, what was known is forgotten.
    ///
    /// # Errors
    /// If it said `WouldBlock`. Every other result is inside.
    pub fn try_io<R>(
        &mut self,
        operation: impl FnOnce(&'a AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        let result = operation(self.fd);
        match &result {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.clear_ready();
                Err(TryIoError(()))
            }
            _ => Ok(result),
        }
    }

    /// Forgets what was found ready: an operation has said `WouldBlock`. An event that came since is kept.
    pub fn clear_ready(&mut self) {
        for direction in self.interest.directions() {
            self.fd.registration().would_block(direction, self.seen);
        }
    }

    /// Keeps what was found ready; does nothing, and says so.
    pub fn retain_ready(&mut self) {}

    /// The descriptor that was waited for.
    pub fn get_ref(&self) -> &'a AsyncFd<T> {
        self.fd
    }

    /// What is watched.
    pub fn get_inner(&self) -> &'a T {
        self.fd.get_ref()
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for AsyncFdReadyGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFdReadyGuard")
            .field("fd", &self.fd)
            .field("ready", &self.ready())
            .finish()
    }
}
