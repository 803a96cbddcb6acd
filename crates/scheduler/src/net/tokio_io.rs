//! Owns tokio's reading and writing traits for connections and their halves.

use crate::net::connection::Connection;
use crate::net::owned_halves::{OwnedReadHalf, OwnedWriteHalf};
use crate::net::socket;
use crate::net::split::{ReadHalf, WriteHalf};
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

impl<S: AsFd> Connection<S> {
    fn poll_read_buf(&self, cx: &Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let asked = buf.remaining();
        let read = |socket: &S| {
            // SAFETY: nothing that is initialized is made otherwise: `read` only hands bytes of the slice to
            // the kernel, which initializes them.
            let (read, _rest) = socket::read(socket, unsafe { buf.unfilled_mut() })?;
            let len = read.len();
            // SAFETY: the kernel wrote the first `len` bytes of the unfilled part: `read` is a slice of them.
            unsafe { buf.assume_init(len) };
            buf.advance(len);
            Ok(len)
        };
        self.poll_read_by(cx, asked, read)
            .map(|result| result.map(drop))
    }
}

/// Reading through the connection that `$half` shares.
macro_rules! read_through {
    ($half:ty) => {
        impl<S: AsFd> AsyncRead for $half {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                (*self).as_ref().poll_read_buf(cx, buf)
            }
        }
    };
}

/// Writing through the connection that `$half` shares. What is written is sent: there is nothing to flush.
macro_rules! write_through {
    ($half:ty) => {
        impl<S: AsFd> AsyncWrite for $half {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                (*self).as_ref().poll_write_slice(cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                (*self).as_ref().poll_write_slices(cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.get_mut().shut_down())
            }
        }
    };
}

read_through!(Connection<S>);
read_through!(ReadHalf<'_, S>);
read_through!(OwnedReadHalf<S>);
write_through!(Connection<S>);
write_through!(WriteHalf<'_, S>);
write_through!(OwnedWriteHalf<S>);
