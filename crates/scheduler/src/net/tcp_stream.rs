//! Owns TCP connections: how they are made, and what is TCP's own about them.

use crate::net::address::{ToSocketAddrs, first_of};
use crate::net::connection::Connection;
use crate::net::owned_halves::{OwnedReadHalf, OwnedWriteHalf};
use crate::net::socket;
use crate::net::split::{ReadHalf, WriteHalf};
use rustix::net::{AddressFamily, sockopt};
use std::io;
use std::net::{self, SocketAddr};
use std::time::Duration;

/// A TCP connection. [`Connection`] has what all kinds of connections can do.
///
/// ```
/// use futures::{AsyncReadExt, AsyncWriteExt};
/// use glasshouse_scheduler::{Builder, net::TcpStream};
/// # let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
/// # let address = listener.local_addr().unwrap();
/// # std::thread::spawn(move || std::io::copy(&mut listener.accept().unwrap().0, &mut std::io::sink()));
/// let scheduler = Builder::new().workers(1).build().unwrap();
/// scheduler.block_on(async {
///     let mut stream: TcpStream = TcpStream::connect(address).await?;
///     stream.set_nodelay(true)?;
///     stream.write_all(b"hello").await?;
///     stream.close().await
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub type TcpStream = Connection<net::TcpStream>;

impl Connection<net::TcpStream> {
    /// Connects to the first of the address's addresses that answers.
    ///
    /// # Errors
    /// The last address's error; what a name's look-up says.
    ///
    /// # Panics
    /// Outside of a scheduler.
    pub async fn connect<A: ToSocketAddrs>(address: A) -> io::Result<TcpStream> {
        first_of(address, connect_to).await
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
    /// What the operating system says, for example that the connection is broken.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_addr()
    }

    /// Whether small writes are sent at once (TCP_NODELAY).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket().nodelay()
    }

    /// Sends small writes at once, or waits a moment for more of them (TCP_NODELAY).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket().set_nodelay(nodelay)
    }

    /// Whether what was received is acknowledged at once (TCP_QUICKACK).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn quickack(&self) -> io::Result<bool> {
        Ok(sockopt::tcp_quickack(self)?)
    }

    /// Acknowledges what was received at once, or with the next data (TCP_QUICKACK). The system may change
    /// that by itself.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        Ok(sockopt::set_tcp_quickack(self, quickack)?)
    }

    /// How long a close waits for what has not been sent (SO_LINGER).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        Ok(sockopt::socket_linger(self)?)
    }

    /// Throws away what has not been sent when the connection is closed, and resets it (SO_LINGER of zero).
    /// Longer times would block the thread that drops it, and are not offered.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        Ok(sockopt::set_socket_linger(self, Some(Duration::ZERO))?)
    }

    /// How many hops a packet may take (IP_TTL).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket().ttl()
    }

    /// Sets how many hops a packet may take (IP_TTL).
    ///
    /// # Errors
    /// What the operating system says.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket().set_ttl(ttl)
    }
}

async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = socket::new_stream(family(&address))?;
    Ok(Connection::new(socket::connect(socket, &address).await?))
}

/// The family of an address.
pub(super) fn family(address: &SocketAddr) -> AddressFamily {
    match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    }
}

impl TryFrom<net::TcpStream> for Connection<net::TcpStream> {
    type Error = io::Error;
    fn try_from(stream: net::TcpStream) -> io::Result<TcpStream> {
        Connection::from_std(stream)
    }
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
            /// What the operating system says, for example that the connection is broken.
            pub fn peer_addr(&self) -> io::Result<SocketAddr> {
                self.as_ref().peer_addr()
            }
        }
    };
}

addresses_of!(ReadHalf<'_, net::TcpStream>);
addresses_of!(WriteHalf<'_, net::TcpStream>);
addresses_of!(OwnedReadHalf<net::TcpStream>);
addresses_of!(OwnedWriteHalf<net::TcpStream>);
