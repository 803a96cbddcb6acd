//! Owns a connected stream socket, whatever its family.

use crate::io::{AsyncFd, Interest, Ready, Watch};
use crate::net::owned_halves::{OwnedReadHalf, OwnedWriteHalf};
use crate::net::socket;
use crate::net::split::{ReadHalf, WriteHalf};
use glasshouse_pal::Interest as Direction;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll, ready};

/// A connected stream socket: [`TcpStream`](crate::net::TcpStream) and
/// [`UnixStream`](crate::net::UnixStream) are this, over the standard library's sockets.
///
/// Reading and writing are in the traits `AsyncRead` and `AsyncWrite` of `futures-io`, and with the feature
/// `tokio` in tokio's. At most one task polls each direction through them: the last one is woken. The
/// methods here may be called by any number of tasks.
///
/// ```
/// use glasshouse_scheduler::{Builder, net::{Connection, UnixStream}};
/// use std::os::fd::AsFd;
/// /// Waits for a byte of any kind of connection.
/// async fn first_byte<S: AsFd>(connection: &Connection<S>) -> std::io::Result<u8> {
///     let mut byte = [0];
///     connection.async_io(glasshouse_scheduler::io::Interest::READABLE, || connection.try_read(&mut byte)).await?;
///     Ok(byte[0])
/// }
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// let byte = scheduler.block_on(async {
///     let (near, far) = UnixStream::pair().unwrap();
///     near.try_write(b"!").unwrap();
///     first_byte(&far).await
/// });
/// assert_eq!(byte.unwrap(), b'!');
/// ```
pub struct Connection<S: AsFd> {
    fd: AsyncFd<S>,
}

impl<S: AsFd> Connection<S> {
    pub(super) fn new(fd: AsyncFd<S>) -> Connection<S> {
        Connection { fd }
    }

    /// Watches a connected socket of the standard library, and makes it non-blocking.
    ///
    /// # Errors
    /// What the operating system says; `Unsupported` in a deterministic scheduler without `allow_io`.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub fn from_std(stream: S) -> io::Result<Connection<S>> {
        socket::set_nonblocking(&stream, true)?;
        Ok(Connection::new(AsyncFd::register(stream, Watch::FRESH)?))
    }

    /// Stops watching. The socket stays non-blocking.
    ///
    /// # Errors
    /// None today; tokio's signature.
    pub fn into_std(self) -> io::Result<S> {
        Ok(self.fd.into_inner())
    }

    /// The socket.
    pub(super) fn socket(&self) -> &S {
        self.fd.get_ref()
    }

    /// The error that waits on the socket, if there is one; it is cleared.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        socket::take_error(self.socket())
    }

    /// Waits until one of the directions of `interest` is ready, as far as is known: an operation may still
    /// say `WouldBlock`, and is to be tried by one of the `try_` methods, which remember that.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Ok(self.fd.ready(interest).await?.ready())
    }

    /// Waits until there is something to read, or the end; as far as is known, see [`Connection::ready`].
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// Waits until there is room to write; as far as is known, see [`Connection::ready`].
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// [`Connection::readable`] for futures that poll: the waker of the last poll in this direction is woken.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_ready(cx, Direction::Read)
    }

    /// [`Connection::writable`] for futures that poll: the waker of the last poll in this direction is woken.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_ready(cx, Direction::Write)
    }

    fn poll_ready(&self, cx: &Context<'_>, direction: Direction) -> Poll<io::Result<()>> {
        ready!(self.fd.registration().poll_ready(cx, direction));
        Poll::Ready(Ok(()))
    }

    /// Reads what is there, and gives its length; 0 is the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there; else what the operating system says.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_io(Interest::READABLE, || socket::read(self.socket(), buf))
    }

    /// Reads what is there into several buffers, and gives its length; 0 is the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there; else what the operating system says.
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.try_io(Interest::READABLE, || {
            socket::read_vectored(self.socket(), bufs)
        })
    }

    /// Writes what there is room for, and gives its length.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room; else what the operating system says.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_io(Interest::WRITABLE, || socket::write(self.socket(), buf))
    }

    /// Writes what there is room for from several buffers, and gives its length.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room; else what the operating system says.
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.try_io(Interest::WRITABLE, || {
            socket::write_vectored(self.socket(), bufs)
        })
    }

    /// Runs an operation of your own on the socket, unless it is known that it would block. If it says
    /// `WouldBlock`, that is remembered until the next event.
    ///
    /// # Errors
    /// What the operation says, or `WouldBlock`.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        operation: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        let registration = self.fd.registration();
        registration.try_io(interest.direction(), operation)
    }

    /// Runs an operation of your own on the socket as often as it says `WouldBlock`, and waits in between.
    ///
    /// # Errors
    /// Any other error of the operation.
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        operation: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        let registration = self.fd.registration();
        registration.io(interest.direction(), operation).await
    }

    /// Reads what is there and leaves it there; waits for something to be there. 0 is the end of the stream.
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.async_io(Interest::READABLE, || socket::peek(self.socket(), buf))
            .await
    }

    /// [`Connection::peek`] for futures that poll: the waker of the last poll in this direction is woken.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let registration = self.fd.registration();
        registration.poll_io(cx, Direction::Read, |_| socket::peek(self.socket(), buf))
    }

    /// A reading and a writing half, to be used side by side in one task. Where `futures::AsyncReadExt` is in
    /// scope, `stream.split()` means that trait's: write `TcpStream::split(&mut stream)`.
    pub fn split(&mut self) -> (ReadHalf<'_, S>, WriteHalf<'_, S>) {
        (ReadHalf::new(self), WriteHalf::new(self))
    }

    /// A reading and a writing half, for two tasks. Dropping the writing half says to the other side that
    /// nothing more will come.
    pub fn into_split(self) -> (OwnedReadHalf<S>, OwnedWriteHalf<S>) {
        crate::net::owned_halves::halves_of(self)
    }

    /// Reads into `buf` through `read`, which gives the number of bytes.
    pub(super) fn poll_read_by(
        &self,
        cx: &Context<'_>,
        asked: usize,
        mut read: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let registration = self.fd.registration();
        registration.poll_io(cx, Direction::Read, |attempt| {
            let done = read(self.socket())?;
            // Nothing at all is the end of the stream, which stays.
            if 0 < done && done < asked {
                attempt.was_partial();
            }
            Ok(done)
        })
    }

    /// Writes through `write`, which gives the number of bytes.
    pub(super) fn poll_write_by(
        &self,
        cx: &Context<'_>,
        asked: usize,
        mut write: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let registration = self.fd.registration();
        registration.poll_io(cx, Direction::Write, |attempt| {
            let done = write(self.socket())?;
            if 0 < done && done < asked {
                attempt.was_partial();
            }
            Ok(done)
        })
    }

    /// Says to the other side that nothing more will come.
    pub(super) fn shut_down(&self) -> io::Result<()> {
        socket::shut_down_write(self.socket())
    }
}

/// The socket is never pinned.
impl<S: AsFd> Unpin for Connection<S> {}

impl<S: AsFd> AsRef<Connection<S>> for Connection<S> {
    fn as_ref(&self) -> &Connection<S> {
        self
    }
}

impl<S: AsFd> AsFd for Connection<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl<S: AsFd> AsRawFd for Connection<S> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl<S: AsFd + fmt::Debug> fmt::Debug for Connection<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket().fmt(f)
    }
}
