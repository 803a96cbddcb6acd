//! Owns the sockets at which TCP connections arrive.

use crate::io::{AsyncFd, Watch};
use crate::net::address::{ToSocketAddrs, first_of};
use crate::net::connection::Connection;
use crate::net::socket;
use crate::net::tcp_stream::TcpStream;
use glasshouse_pal::Interest as Direction;
use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll};

/// A socket at which TCP connections arrive.
///
/// ```
/// use glasshouse_scheduler::{Builder, net::{TcpListener, TcpStream}};
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// scheduler.block_on(async {
///     let listener: TcpListener = TcpListener::bind("127.0.0.1:0").await?;
///     let near = TcpStream::connect(listener.local_addr()?).await?;
///     let (far, peer) = listener.accept().await?;
///     assert_eq!(near.local_addr()?, peer);
///     assert_eq!(far.peer_addr()?, peer);
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct TcpListener {
    fd: AsyncFd<net::TcpListener>,
}

impl TcpListener {
    /// Listens at the first of the address's addresses that can be bound; port 0 lets the system choose. The
    /// address can be bound again at once after the listener's end (SO_REUSEADDR).
    ///
    /// # Errors
    /// The last address's error; what a name's look-up says.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub async fn bind<A: ToSocketAddrs>(address: A) -> io::Result<TcpListener> {
        first_of(address, async |address| {
            TcpListener::from_std(net::TcpListener::bind(address)?)
        })
        .await
    }

    /// Watches a listener of the standard library, and makes it non-blocking.
    ///
    /// # Errors
    /// What the operating system says; `Unsupported` in a deterministic scheduler without `allow_io`.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub fn from_std(listener: net::TcpListener) -> io::Result<TcpListener> {
        listener.set_nonblocking(true)?;
        let fd = AsyncFd::register(listener, Watch::FRESH)?;
        Ok(TcpListener { fd })
    }

    /// Stops watching. The listener stays non-blocking.
    ///
    /// # Errors
    /// None today; tokio's signature.
    pub fn into_std(self) -> io::Result<net::TcpListener> {
        Ok(self.fd.into_inner())
    }

    /// Waits for a connection, and gives it with its peer's address. Any number of tasks may accept.
    ///
    /// # Errors
    /// What the operating system says: some errors are of one connection that came and went, or say that there
    /// are too many descriptors, and the next call may succeed.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let accept = || accept_from(self.fd.get_ref());
        self.fd.registration().io(Direction::Read, accept).await
    }

    /// [`TcpListener::accept`] for futures that poll: the waker of the last poll is woken.
    ///
    /// # Errors
    /// As `accept`.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let registration = self.fd.registration();
        registration.poll_io(cx, Direction::Read, |_| accept_from(self.fd.get_ref()))
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.fd.get_ref().local_addr()
    }

    /// How many hops the packets of accepted connections may take (IP_TTL).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn ttl(&self) -> io::Result<u32> {
        self.fd.get_ref().ttl()
    }

    /// Sets how many hops the packets of accepted connections may take (IP_TTL).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.fd.get_ref().set_ttl(ttl)
    }
}

fn accept_from(listener: &net::TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (socket, peer) = socket::accept(listener)?;
    let peer = peer.ok_or(io::ErrorKind::InvalidData)?;
    let peer = SocketAddr::try_from(peer)?;
    let fd = AsyncFd::register(net::TcpStream::from(socket), Watch::FRESH)?;
    Ok((Connection::new(fd), peer))
}

impl TryFrom<net::TcpListener> for TcpListener {
    type Error = io::Error;
    fn try_from(listener: net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::from_std(listener)
    }
}

impl AsFd for TcpListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.get_ref().as_fd()
    }
}

impl AsRawFd for TcpListener {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fd.get_ref().fmt(f)
    }
}
