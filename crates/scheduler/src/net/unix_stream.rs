//! Owns connections over Unix sockets: how they are made, and who the other side is.

use crate::io::{AsyncFd, Watch};
use crate::net::connection::Connection;
use crate::net::owned_halves::{OwnedReadHalf, OwnedWriteHalf};
use crate::net::socket;
use crate::net::split::{ReadHalf, WriteHalf};
use rustix::net::{AddressFamily, SocketAddrUnix, sockopt};
use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

/// A connection over a Unix socket. [`Connection`] has what all kinds of connections can do.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use glasshouse_scheduler::{Builder, net::UnixStream};
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// scheduler.block_on(async {
///     let (mut near, mut far): (UnixStream, UnixStream) = UnixStream::pair()?;
///     near.write_all(b"hello").await?;
///     near.close().await?;
///     let mut text = String::new();
///     far.read_to_string(&mut text).await?;
///     assert_eq!(text, "hello");
///     std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub type UnixStream = Connection<net::UnixStream>;

/// Who is at the other end of a Unix socket: as it was when the connection was made.
///
/// ```
/// use glasshouse_scheduler::{Builder, net::{UnixStream, unix::UCred}};
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// scheduler.block_on(async {
///     let (near, _far) = UnixStream::pair().unwrap();
///     let peer: UCred = near.peer_cred().unwrap();
///     assert_eq!(peer.pid(), Some(std::process::id().try_into().unwrap()));
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UCred {
    uid: u32,
    gid: u32,
    pid: i32,
}

impl UCred {
    /// The user.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The group.
    pub fn gid(&self) -> u32 {
        self.gid
    }

    /// The process.
    pub fn pid(&self) -> Option<i32> {
        Some(self.pid)
    }
}

impl Connection<net::UnixStream> {
    /// Connects to the socket at `path`.
    ///
    /// # Errors
    /// What the operating system says; `WouldBlock` if the listener has too many connections that wait.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub async fn connect(path: impl AsRef<Path>) -> io::Result<UnixStream> {
        let address = SocketAddrUnix::new(path.as_ref())?;
        let socket = socket::new_stream(AddressFamily::UNIX)?;
        Ok(Connection::new(socket::connect(socket, &address).await?))
    }

    /// Two ends of one connection.
    ///
    /// # Errors
    /// What the operating system says.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (near, far) = net::UnixStream::pair()?;
        Ok((Connection::from_std(near)?, Connection::from_std(far)?))
    }

    /// The address of this end.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_addr()
    }

    /// Who is at the other end.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn peer_cred(&self) -> io::Result<UCred> {
        let cred = sockopt::socket_peercred(self)?;
        Ok(UCred {
            uid: cred.uid.as_raw(),
            gid: cred.gid.as_raw(),
            pid: cred.pid.as_raw_nonzero().get(),
        })
    }
}

impl TryFrom<net::UnixStream> for Connection<net::UnixStream> {
    type Error = io::Error;
    fn try_from(stream: net::UnixStream) -> io::Result<UnixStream> {
        Connection::from_std(stream)
    }
}

/// A connection that was accepted.
pub(super) fn accepted(socket: std::os::fd::OwnedFd) -> io::Result<UnixStream> {
    let fd = AsyncFd::register(net::UnixStream::from(socket), Watch::FRESH)?;
    Ok(Connection::new(fd))
}

/// The addresses of the connection that `$half` shares.
macro_rules! addresses_of {
    ($half:ty) => {
        impl $half {
            /// The address of this end.
            ///
            /// # Errors
            /// What the operating system says.
            pub fn local_addr(&self) -> io::Result<SocketAddr> {
                self.as_ref().local_addr()
            }

            /// The address of the other end.
            ///
            /// # Errors
            /// What the operating system says.
            pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                self.as_ref().peer_addr()
            }
        }
    };
}

addresses_of!(ReadHalf<'_, net::UnixStream>);
addresses_of!(WriteHalf<'_, net::UnixStream>);
addresses_of!(OwnedReadHalf<net::UnixStream>);
addresses_of!(OwnedWriteHalf<net::UnixStream>);
