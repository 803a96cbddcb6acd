//! Owns the way from the traits of futures-io to those of hyper, for the runtimes whose sockets have them.

use futures::io::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// What is read at most at a time. It is copied once more, into hyper's own buffer.
const READ_BYTES_MAX: usize = 8192;

/// A connection as hyper wants it.
pub struct FuturesIo<S> {
    stream: S,
    buf: Box<[u8; READ_BYTES_MAX]>,
}

impl<S> FuturesIo<S> {
    pub fn new(stream: S) -> FuturesIo<S> {
        FuturesIo {
            stream,
            buf: Box::new([0; READ_BYTES_MAX]),
        }
    }
}

impl<S: AsyncRead + Unpin> Read for FuturesIo<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let FuturesIo { stream, buf } = self.get_mut();
        let len = into.remaining().min(READ_BYTES_MAX);
        let read = ready!(Pin::new(stream).poll_read(cx, &mut buf[..len]))?;
        into.put_slice(&buf[..read]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Write for FuturesIo<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_close(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}
