//! Owns the Unix sockets at which connections arrive.

use crate::io::{AsyncFd, Watch};
use crate::net::socket;
use crate::net::unix_stream::{UnixStream, accepted};
use glasshouse_pal::Interest as Direction;
use rustix::net::{SocketAddrAny, SocketAddrUnix};
use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;
use std::task::{Context, Poll};

/// A Unix socket at which connections arrive. Its file stays when it is dropped, as the system's rule is.
///
/// ```
/// use glasshouse_scheduler::{Builder, net::{UnixListener, UnixStream}};
/// let directory = tempfile::tempdir()?;
/// let path = directory.path().join("socket");
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// scheduler.block_on(async {
///     let listener: UnixListener = UnixListener::bind(&path)?;
///     let near = UnixStream::connect(&path).await?;
///     let (far, peer) = listener.accept().await?;
///     assert!(peer.is_unnamed(), "{peer:?}");
///     near.try_write(b"hello")?;
///     far.readable().await
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub struct UnixListener {
    fd: AsyncFd<net::UnixListener>,
}

impl UnixListener {
    /// Makes a socket at `path` and listens at it.
    ///
    /// # Errors
    /// What the operating system says; `AddrInUse` if there is a file at the path, of a former listener too.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub fn bind(path: impl AsRef<Path>) -> io::Result<UnixListener> {
        UnixListener::from_std(net::UnixListener::bind(path)?)
    }

    /// Watches a listener of the standard library, and makes it non-blocking.
    ///
    /// # Errors
    /// What the operating system says; `Unsupported` in a deterministic scheduler without `allow_io`.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub fn from_std(listener: net::UnixListener) -> io::Result<UnixListener> {
        listener.set_nonblocking(true)?;
        let fd = AsyncFd::register(listener, Watch::FRESH)?;
        Ok(UnixListener { fd })
    }

    /// Stops watching. The listener stays non-blocking.
    ///
    /// # Errors
    /// None today; tokio's signature.
    pub fn into_std(self) -> io::Result<net::UnixListener> {
        Ok(self.fd.into_inner())
    }

    /// Waits for a connection, and gives it with its peer's address. Any number of tasks may accept.
    ///
    /// # Errors
    /// What the operating system says: some errors are of one connection that came and went, or say that there
    /// are too many descriptors, and the next call may succeed.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let accept = || accept_from(self.fd.get_ref());
        self.fd.registration().io(Direction::Read, accept).await
    }

    /// [`UnixListener::accept`] for futures that poll: the waker of the last poll is woken.
    ///
    /// # Errors
    /// As `accept`.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
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

    /// The error that waits on the socket, if there is one; it is cleared.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        socket::take_error(self.fd.get_ref())
    }
}

fn accept_from(listener: &net::UnixListener) -> io::Result<(UnixStream, SocketAddr)> {
    let (socket, peer) = socket::accept(listener)?;
    Ok((accepted(socket)?, address_of(peer)?))
}

/// The standard library's form of an address; most peers have none.
fn address_of(address: Option<SocketAddrAny>) -> io::Result<SocketAddr> {
    let address = address.map(SocketAddrUnix::try_from).transpose()?;
    let name = address.as_ref();
    // A socket without a name is read as one with an empty abstract name.
    let abstract_name = name.and_then(SocketAddrUnix::abstract_name);
    if let Some(name) = abstract_name.filter(|name| !name.is_empty()) {
        return SocketAddr::from_abstract_name(name);
    }
    // An empty path makes the address of a socket without a name.
    let path = name.and_then(SocketAddrUnix::path).unwrap_or_default();
    SocketAddr::from_pathname(OsStr::from_bytes(path.to_bytes()))
}

impl TryFrom<net::UnixListener> for UnixListener {
    type Error = io::Error;
    fn try_from(listener: net::UnixListener) -> io::Result<UnixListener> {
        UnixListener::from_std(listener)
    }
}

impl AsFd for UnixListener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.get_ref().as_fd()
    }
}

impl AsRawFd for UnixListener {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fd.get_ref().fmt(f)
    }
}
