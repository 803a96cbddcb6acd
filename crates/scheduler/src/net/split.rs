//! Owns the halves of a borrowed connection.

use crate::io::{Interest, Ready};
use crate::net::connection::Connection;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::AsFd;
use std::task::{Context, Poll};

/// The reading half of a borrowed connection, from [`Connection::split`].
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use glasshouse_scheduler::{Builder, net::{UnixStream, unix::ReadHalf}};
/// # let scheduler = Builder::new().workers(1).build().unwrap();
/// # scheduler.block_on(async {
/// let (mut near, mut far) = UnixStream::pair().unwrap();
/// near.write_all(b"hello").await.unwrap();
/// let (mut read, _write) = UnixStream::split(&mut far);
/// let half: &mut ReadHalf<'_> = &mut read;
/// let mut text = [0; 5];
/// half.read_exact(&mut text).await.unwrap();
/// assert_eq!(&text, b"hello");
/// # });
/// ```
#[derive(Debug)]
pub struct ReadHalf<'a, S: AsFd>(&'a Connection<S>);

/// The writing half of a borrowed connection, from [`Connection::split`]. Dropping it does not end the
/// stream; `close` (or tokio's `shutdown`) does.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use glasshouse_scheduler::{Builder, net::{UnixStream, unix::WriteHalf}};
/// # let scheduler = Builder::new().workers(1).build().unwrap();
/// # scheduler.block_on(async {
/// let (mut near, mut far) = UnixStream::pair().unwrap();
/// let (_read, mut write) = UnixStream::split(&mut near);
/// let half: &mut WriteHalf<'_> = &mut write;
/// half.write_all(b"hello").await.unwrap();
/// half.close().await.unwrap();
/// let mut text = String::new();
/// far.read_to_string(&mut text).await.unwrap();
/// assert_eq!(text, "hello");
/// # });
/// ```
#[derive(Debug)]
pub struct WriteHalf<'a, S: AsFd>(&'a Connection<S>);

impl<'a, S: AsFd> ReadHalf<'a, S> {
    pub(super) fn new(connection: &'a Connection<S>) -> ReadHalf<'a, S> {
        ReadHalf(connection)
    }

    /// See [`Connection::ready`].
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.0.ready(interest).await
    }

    /// See [`Connection::readable`].
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn readable(&self) -> io::Result<()> {
        self.0.readable().await
    }

    /// See [`Connection::try_read`].
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there; else what the operating system says.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buf)
    }

    /// See [`Connection::try_read_vectored`].
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there; else what the operating system says.
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.try_read_vectored(bufs)
    }

    /// See [`Connection::peek`].
    ///
    /// # Errors
    /// What the operating system says.
    pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.peek(buf).await
    }

    /// See [`Connection::poll_peek`].
    ///
    /// # Errors
    /// What the operating system says.
    pub fn poll_peek(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_peek(cx, buf)
    }
}

impl<'a, S: AsFd> WriteHalf<'a, S> {
    pub(super) fn new(connection: &'a Connection<S>) -> WriteHalf<'a, S> {
        WriteHalf(connection)
    }

    /// See [`Connection::ready`].
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.0.ready(interest).await
    }

    /// See [`Connection::writable`].
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn writable(&self) -> io::Result<()> {
        self.0.writable().await
    }

    /// See [`Connection::try_write`].
    ///
    /// # Errors
    /// `WouldBlock` if there is no room; else what the operating system says.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.try_write(buf)
    }

    /// See [`Connection::try_write_vectored`].
    ///
    /// # Errors
    /// `WouldBlock` if there is no room; else what the operating system says.
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(bufs)
    }

    /// Says to the other side that nothing more will come.
    pub(super) fn shut_down(&self) -> io::Result<()> {
        self.0.shut_down()
    }
}

impl<S: AsFd> AsRef<Connection<S>> for ReadHalf<'_, S> {
    fn as_ref(&self) -> &Connection<S> {
        self.0
    }
}

impl<S: AsFd> AsRef<Connection<S>> for WriteHalf<'_, S> {
    fn as_ref(&self) -> &Connection<S> {
        self.0
    }
}
