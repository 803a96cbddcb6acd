//! Owns the system calls on sockets: what is made here is non-blocking and closed on exec from its birth.

use crate::io::{AsyncFd, Watch};
use rustix::buffer::Buffer;
use rustix::io::Errno;
use rustix::net::addr::SocketAddrArg;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, SocketAddrAny, SocketFlags,
    SocketType, sockopt,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, OwnedFd};

/// The flags of every socket made here.
const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// A new stream socket.
pub(super) fn new_stream(family: AddressFamily) -> io::Result<OwnedFd> {
    let socket = rustix::net::socket_with(family, SocketType::STREAM, FLAGS, None);
    Ok(socket?)
}

/// Takes a connection that waits, with its peer's address.
pub(super) fn accept(listener: &impl AsFd) -> io::Result<(OwnedFd, Option<SocketAddrAny>)> {
    Ok(rustix::net::acceptfrom_with(listener, FLAGS)?)
}

/// Connects a new socket, and waits until the other side has answered.
pub(super) async fn connect<S: AsFd + From<OwnedFd>>(
    socket: OwnedFd,
    address: &impl SocketAddrArg,
) -> io::Result<AsyncFd<S>> {
    match rustix::net::connect(&socket, address) {
        Ok(()) => return AsyncFd::register(S::from(socket), Watch::FRESH),
        Err(Errno::INPROGRESS | Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    // Watched only from now on: a socket that does not connect yet is reported as hung up.
    let stream = AsyncFd::register(S::from(socket), Watch::CONNECTING)?;
    stream.writable().await?.retain_ready();
    match take_error(stream.get_ref())? {
        None => Ok(stream),
        Some(error) => Err(error),
    }
}

/// Reads what is there; the buffer may be uninitialized.
pub(super) fn read<B: Buffer<u8>>(socket: &impl AsFd, buf: B) -> io::Result<B::Output> {
    Ok(rustix::net::recv(socket, buf, RecvFlags::empty())?.0)
}

/// Reads what is there, and leaves it there.
pub(super) fn peek(socket: &impl AsFd, buf: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(socket, buf, RecvFlags::PEEK)?.0)
}

/// Reads what is there into several buffers.
pub(super) fn read_vectored(socket: &impl AsFd, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    Ok(rustix::io::readv(socket, bufs)?)
}

/// Writes what there is room for. A reader that has gone is an error, and never a signal.
pub(super) fn write(socket: &impl AsFd, buf: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(socket, buf, SendFlags::NOSIGNAL)?)
}

/// Writes what there is room for, from several buffers.
pub(super) fn write_vectored(socket: &impl AsFd, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut no_control = SendAncillaryBuffer::default();
    let sent = rustix::net::sendmsg(socket, bufs, &mut no_control, SendFlags::NOSIGNAL);
    Ok(sent?)
}

/// Says that nothing more will be written. A connection that is gone already is well shut down.
pub(super) fn shut_down_write(socket: &impl AsFd) -> io::Result<()> {
    match rustix::net::shutdown(socket, Shutdown::Write) {
        Err(Errno::NOTCONN) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The error that waits on the socket; it is cleared.
pub(super) fn take_error(socket: &impl AsFd) -> io::Result<Option<io::Error>> {
    Ok(sockopt::socket_error(socket)?.err().map(io::Error::from))
}

/// Whether operations on the socket wait: the runtime's own never do.
pub(super) fn set_nonblocking(socket: &impl AsFd, nonblocking: bool) -> io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(socket, nonblocking)?)
}
