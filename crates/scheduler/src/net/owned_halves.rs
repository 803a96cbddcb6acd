//! Owns the halves of a connection that was taken apart, for two tasks.

use crate::io::{Interest, Ready};
use crate::net::connection::Connection;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The reading half of a connection, from [`Connection::into_split`].
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use glasshouse_scheduler::{Builder, net::{UnixStream, unix::{OwnedReadHalf, OwnedWriteHalf}}, spawn};
/// # let scheduler = Builder::new().workers(1).build().unwrap();
/// # scheduler.block_on(async {
/// let (near, far) = UnixStream::pair().unwrap();
/// let (_, mut write): (OwnedReadHalf, OwnedWriteHalf) = near.into_split();
/// let (mut read, _keep): (OwnedReadHalf, OwnedWriteHalf) = far.into_split();
/// spawn(async move { write.write_all(b"hello").await });
/// let mut text = String::new();
/// read.read_to_string(&mut text).await.unwrap();
/// assert_eq!(text, "hello", "and the end, when the writing half was dropped");
/// # });
/// ```
#[derive(Debug)]
pub struct OwnedReadHalf<S: AsFd>(Arc<Connection<S>>);

/// The writing half of a connection, from [`Connection::into_split`]. Dropping it says to the other side that
/// nothing more will come.
///
/// ```
/// use futures::AsyncWriteExt;
/// use glasshouse_scheduler::{Builder, net::{UnixStream, unix::OwnedWriteHalf}};
/// # let scheduler = Builder::new().workers(1).build().unwrap();
/// # scheduler.block_on(async {
/// let (near, _far) = UnixStream::pair().unwrap();
/// let (read, write) = near.into_split();
/// let mut half: OwnedWriteHalf = write;
/// half.write_all(b"hello").await.unwrap();
/// let whole: UnixStream = half.reunite(read).unwrap();
/// # drop(whole);
/// # });
/// ```
#[derive(Debug)]
pub struct OwnedWriteHalf<S: AsFd> {
    connection: Arc<Connection<S>>,
    shut_down_on_drop: bool,
}

/// The halves given to `reunite` are not of one connection. Both are inside.
///
/// ```
/// use glasshouse_scheduler::{Builder, net::{UnixStream, unix::ReuniteError}};
/// # let scheduler = Builder::new().workers(1).build().unwrap();
/// # scheduler.block_on(async {
/// let (near, far) = UnixStream::pair().unwrap();
/// let (read, _) = near.into_split();
/// let (_, write) = far.into_split();
/// let error: ReuniteError = read.reunite(write).unwrap_err();
/// assert!(error.to_string().contains("two connections"));
/// # });
/// ```
#[derive(Debug)]
pub struct ReuniteError<S: AsFd>(pub OwnedReadHalf<S>, pub OwnedWriteHalf<S>);

impl<S: AsFd> fmt::Display for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the halves are of two connections; reunite those of one into_split")
    }
}

impl<S: AsFd + fmt::Debug> std::error::Error for ReuniteError<S> {}

pub(super) fn halves_of<S: AsFd>(
    connection: Connection<S>,
) -> (OwnedReadHalf<S>, OwnedWriteHalf<S>) {
    let connection = Arc::new(connection);
    let write = OwnedWriteHalf {
        connection: connection.clone(),
        shut_down_on_drop: true,
    };
    (OwnedReadHalf(connection), write)
}

fn reunite<S: AsFd>(
    read: OwnedReadHalf<S>,
    write: OwnedWriteHalf<S>,
) -> Result<Connection<S>, ReuniteError<S>> {
    if !Arc::ptr_eq(&read.0, &write.connection) {
        return Err(ReuniteError(read, write));
    }
    write.forget();
    match Arc::try_unwrap(read.0) {
        Ok(connection) => Ok(connection),
        Err(_) => unreachable!("a connection has two halves, and both were here"),
    }
}

impl<S: AsFd> OwnedReadHalf<S> {
    /// Puts the halves together again.
    ///
    /// # Errors
    /// If they are not of one connection; they are given back.
    pub fn reunite(self, other: OwnedWriteHalf<S>) -> Result<Connection<S>, ReuniteError<S>> {
        reunite(self, other)
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

impl<S: AsFd> OwnedWriteHalf<S> {
    /// Puts the halves together again.
    ///
    /// # Errors
    /// If they are not of one connection; they are given back.
    pub fn reunite(self, other: OwnedReadHalf<S>) -> Result<Connection<S>, ReuniteError<S>> {
        reunite(other, self)
    }

    /// Goes away without saying that nothing more will come.
    pub fn forget(mut self) {
        self.shut_down_on_drop = false;
    }

    /// See [`Connection::ready`].
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.connection.ready(interest).await
    }

    /// See [`Connection::writable`].
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn writable(&self) -> io::Result<()> {
        self.connection.writable().await
    }

    /// See [`Connection::try_write`].
    ///
    /// # Errors
    /// `WouldBlock` if there is no room; else what the operating system says.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.connection.try_write(buf)
    }

    /// See [`Connection::try_write_vectored`].
    ///
    /// # Errors
    /// `WouldBlock` if there is no room; else what the operating system says.
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.connection.try_write_vectored(bufs)
    }

    /// Says now that nothing more will come, and not once more at the drop.
    pub(super) fn shut_down(&mut self) -> io::Result<()> {
        let done = self.connection.shut_down();
        if done.is_ok() {
            self.shut_down_on_drop = false;
        }
        done
    }
}

impl<S: AsFd> Drop for OwnedWriteHalf<S> {
    fn drop(&mut self) {
        if self.shut_down_on_drop {
            // The connection may be broken: then the other side knows.
            let _ = self.connection.shut_down();
        }
    }
}

impl<S: AsFd> AsRef<Connection<S>> for OwnedReadHalf<S> {
    fn as_ref(&self) -> &Connection<S> {
        &self.0
    }
}

impl<S: AsFd> AsRef<Connection<S>> for OwnedWriteHalf<S> {
    fn as_ref(&self) -> &Connection<S> {
        &self.connection
    }
}
