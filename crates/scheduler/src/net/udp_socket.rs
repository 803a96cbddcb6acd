//! Owns UDP sockets: datagrams, whole or not at all.

use crate::io::{AsyncFd, Interest, Ready, Watch};
use crate::net::address::{ToSocketAddrs, first, first_of};
use crate::net::socket;
use glasshouse_pal::Interest as Direction;
use std::fmt;
use std::io;
use std::net::{self, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll, ready};

/// A UDP socket. Any number of tasks may send and receive through it.
///
/// A datagram that is longer than the buffer it is received into loses its end.
///
/// ```
/// use glasshouse_scheduler::{Builder, net::UdpSocket};
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// scheduler.block_on(async {
///     let near: UdpSocket = UdpSocket::bind("127.0.0.1:0").await?;
///     let far = UdpSocket::bind("127.0.0.1:0").await?;
///     near.send_to(b"hello", far.local_addr()?).await?;
///     let mut datagram = [0; 16];
///     let (len, from) = far.recv_from(&mut datagram).await?;
///     assert_eq!((&datagram[..len], from), (&b"hello"[..], near.local_addr()?));
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct UdpSocket {
    fd: AsyncFd<net::UdpSocket>,
}

impl UdpSocket {
    /// Binds to the first of the address's addresses that is free; port 0 lets the system choose.
    ///
    /// # Errors
    /// The last address's error; what a name's look-up says.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub async fn bind<A: ToSocketAddrs>(address: A) -> io::Result<UdpSocket> {
        first_of(address, async |address| {
            UdpSocket::from_std(net::UdpSocket::bind(address)?)
        })
        .await
    }

    /// Watches a socket of the standard library, and makes it non-blocking.
    ///
    /// # Errors
    /// What the operating system says; `Unsupported` in a deterministic scheduler without `allow_io`.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub fn from_std(socket: net::UdpSocket) -> io::Result<UdpSocket> {
        socket.set_nonblocking(true)?;
        let fd = AsyncFd::register(socket, Watch::FRESH)?;
        Ok(UdpSocket { fd })
    }

    /// Stops watching. The socket stays non-blocking.
    ///
    /// # Errors
    /// None today; tokio's signature.
    pub fn into_std(self) -> io::Result<net::UdpSocket> {
        Ok(self.fd.into_inner())
    }

    fn socket(&self) -> &net::UdpSocket {
        self.fd.get_ref()
    }

    /// The address it is bound to.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// The address it is connected to.
    ///
    /// # Errors
    /// `NotConnected` without [`UdpSocket::connect`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_addr()
    }

    /// From now on sends to this address only, and receives from it only.
    ///
    /// # Errors
    /// The last address's error; what a name's look-up says.
    pub async fn connect<A: ToSocketAddrs>(&self, address: A) -> io::Result<()> {
        first_of(address, async |address| self.socket().connect(address)).await
    }

    /// Waits until one of the directions of `interest` is ready, as far as is known: an operation may still
    /// say `WouldBlock`, and is to be tried by one of the `try_` methods, which remember that.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        Ok(self.fd.ready(interest).await?.ready())
    }

    /// Waits until there is a datagram to receive; as far as is known, see [`UdpSocket::ready`].
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// Waits until there is room to send; as far as is known, see [`UdpSocket::ready`].
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// [`UdpSocket::readable`] for futures that poll: the waker of the last poll in this direction is woken.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.fd.registration().poll_ready(cx, Direction::Read));
        Poll::Ready(Ok(()))
    }

    /// [`UdpSocket::writable`] for futures that poll: the waker of the last poll in this direction is woken.
    ///
    /// # Errors
    /// None today; the operating system may give one some day.
    pub fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.fd.registration().poll_ready(cx, Direction::Write));
        Poll::Ready(Ok(()))
    }

    /// Sends a datagram to the address that the socket is connected to, and gives its length.
    ///
    /// # Errors
    /// What the operating system says, also of datagrams sent before.
    pub async fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.async_io(Interest::WRITABLE, || self.socket().send(datagram))
            .await
    }

    /// [`UdpSocket::send`] for futures that poll: the waker of the last poll in this direction is woken.
    ///
    /// # Errors
    /// As `send`.
    pub fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<usize>> {
        let registration = self.fd.registration();
        registration.poll_io(cx, Direction::Write, |_| self.socket().send(datagram))
    }

    /// [`UdpSocket::send`] without waiting.
    ///
    /// # Errors
    /// As `send`, and `WouldBlock` if there is no room.
    pub fn try_send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.try_io(Interest::WRITABLE, || self.socket().send(datagram))
    }

    /// Receives a datagram from the address that the socket is connected to, and gives its length.
    ///
    /// # Errors
    /// What the operating system says, also of datagrams sent before.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.async_io(Interest::READABLE, || self.socket().recv(buf))
            .await
    }

    /// [`UdpSocket::recv`] for futures that poll: the waker of the last poll in this direction is woken.
    ///
    /// # Errors
    /// As `recv`.
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let registration = self.fd.registration();
        registration.poll_io(cx, Direction::Read, |_| self.socket().recv(buf))
    }

    /// [`UdpSocket::recv`] without waiting.
    ///
    /// # Errors
    /// As `recv`, and `WouldBlock` if nothing is there.
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_io(Interest::READABLE, || self.socket().recv(buf))
    }

    /// Sends a datagram to the first of the address's addresses, and gives its length.
    ///
    /// # Errors
    /// What the operating system says; what a name's look-up says; `InvalidInput` if it has no address.
    pub async fn send_to<A: ToSocketAddrs>(&self, datagram: &[u8], to: A) -> io::Result<usize> {
        let to = first(to).await?;
        self.async_io(Interest::WRITABLE, || self.socket().send_to(datagram, to))
            .await
    }

    /// [`UdpSocket::send_to`] for futures that poll: the waker of the last poll in this direction is woken.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        datagram: &[u8],
        to: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        let registration = self.fd.registration();
        registration.poll_io(cx, Direction::Write, |_| {
            self.socket().send_to(datagram, to)
        })
    }

    /// [`UdpSocket::send_to`] without waiting.
    ///
    /// # Errors
    /// What the operating system says; `WouldBlock` if there is no room.
    pub fn try_send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.try_io(Interest::WRITABLE, || self.socket().send_to(datagram, to))
    }

    /// Receives a datagram, and gives its length and its sender.
    ///
    /// # Errors
    /// What the operating system says, also of datagrams sent before.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.async_io(Interest::READABLE, || self.socket().recv_from(buf))
            .await
    }

    /// [`UdpSocket::recv_from`] for futures that poll: the waker of the last poll in this direction is woken.
    ///
    /// # Errors
    /// As `recv_from`.
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let registration = self.fd.registration();
        registration.poll_io(cx, Direction::Read, |_| self.socket().recv_from(buf))
    }

    /// [`UdpSocket::recv_from`] without waiting.
    ///
    /// # Errors
    /// As `recv_from`, and `WouldBlock` if nothing is there.
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.try_io(Interest::READABLE, || self.socket().recv_from(buf))
    }

    /// Waits for a datagram and leaves it there; gives as much of it as fits.
    ///
    /// # Errors
    /// As [`UdpSocket::recv`].
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.async_io(Interest::READABLE, || self.socket().peek(buf))
            .await
    }

    /// Waits for a datagram and leaves it there; gives as much of it as fits, and its sender.
    ///
    /// # Errors
    /// As [`UdpSocket::recv_from`].
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.async_io(Interest::READABLE, || self.socket().peek_from(buf))
            .await
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

    /// Allows datagrams to broadcast addresses, or not (SO_BROADCAST).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.socket().set_broadcast(on)
    }

    /// Whether datagrams to broadcast addresses are allowed (SO_BROADCAST).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.socket().broadcast()
    }

    /// Sets how many hops a datagram may take (IP_TTL).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket().set_ttl(ttl)
    }

    /// How many hops a datagram may take (IP_TTL).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket().ttl()
    }

    /// Joins a group, through the interface with this address; 0.0.0.0 lets the system choose.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.socket().join_multicast_v4(&group, &interface)
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.socket().leave_multicast_v4(&group, &interface)
    }

    /// Joins a group, through the interface with this number; 0 lets the system choose.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket().join_multicast_v6(group, interface)
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket().leave_multicast_v6(group, interface)
    }

    /// The error that waits on the socket; it is cleared.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        socket::take_error(self.socket())
    }
}

impl TryFrom<net::UdpSocket> for UdpSocket {
    type Error = io::Error;
    fn try_from(socket: net::UdpSocket) -> io::Result<UdpSocket> {
        UdpSocket::from_std(socket)
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl AsRawFd for UdpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket().fmt(f)
    }
}
