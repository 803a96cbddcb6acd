//! Owns the reading and writing traits of `futures-io` for connections and their halves.

use crate::net::connection::Connection;
use crate::net::owned_halves::{OwnedReadHalf, OwnedWriteHalf};
use crate::net::socket;
use crate::net::split::{ReadHalf, WriteHalf};
use futures_io::{AsyncRead, AsyncWrite};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll};

impl<S: AsFd> Connection<S> {
    fn poll_read_slice(&self, cx: &Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read_by(cx, buf.len(), |socket| socket::read(socket, &mut *buf))
    }

    fn poll_read_slices(
        &self,
        cx: &Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let asked = bufs.iter().map(|buf| buf.len()).sum();
        self.poll_read_by(cx, asked, |socket| socket::read_vectored(socket, bufs))
    }

    pub(super) fn poll_write_slice(&self, cx: &Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_by(cx, buf.len(), |socket| socket::write(socket, buf))
    }

    pub(super) fn poll_write_slices(
        &self,
        cx: &Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let asked = bufs.iter().map(|buf| buf.len()).sum();
        self.poll_write_by(cx, asked, |socket| socket::write_vectored(socket, bufs))
    }
}

/// Reading through the connection that `$half` shares.
macro_rules! read_through {
    ($half:ty) => {
        impl<S: AsFd> AsyncRead for $half {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                (*self).as_ref().poll_read_slice(cx, buf)
            }

            fn poll_read_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                (*self).as_ref().poll_read_slices(cx, bufs)
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

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
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
