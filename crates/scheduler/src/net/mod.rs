//! Sockets, with the names and the behaviour of tokio's.
//!
//! Each stream implements the reading and writing traits of `futures-io`, and with the feature `tokio` those of
//! tokio, so that libraries written for either run on it. An operation is tried at once; only when the kernel
//! says that it would block does the task wait, and the log shows the descriptor and the direction.
//!
//! ```
//! use futures::{AsyncReadExt, AsyncWriteExt};
//! use glasshouse_scheduler::{Builder, net::{TcpListener, TcpStream}, spawn};
//! let scheduler = Builder::new().workers(1).build().unwrap();
//! let text = scheduler.block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     spawn(async move {
//!         let (mut stream, _peer) = listener.accept().await?;
//!         stream.write_all(b"hello").await
//!     });
//!     let mut text = String::new();
//!     TcpStream::connect(address).await?.read_to_string(&mut text).await?;
//!     std::io::Result::Ok(text)
//! });
//! assert_eq!(text.unwrap(), "hello");
//! ```

mod address;
mod connection;
mod connection_io;
mod owned_halves;
mod socket;
mod split;
mod tcp_listener;
mod tcp_stream;
#[cfg(feature = "tokio")]
mod tokio_io;
mod udp_socket;
mod unix_listener;
mod unix_stream;

pub use address::{ToSocketAddrs, lookup_host};
pub use connection::Connection;
pub use owned_halves::{OwnedReadHalf, OwnedWriteHalf, ReuniteError};
pub use split::{ReadHalf, WriteHalf};
pub use tcp_listener::TcpListener;
pub use tcp_stream::TcpStream;
pub use udp_socket::UdpSocket;
pub use unix_listener::UnixListener;
pub use unix_stream::UnixStream;

/// The halves of a [`TcpStream`].
pub mod tcp {
    /// The reading half of a borrowed [`TcpStream`](super::TcpStream).
    pub type ReadHalf<'a> = super::split::ReadHalf<'a, std::net::TcpStream>;
    /// The writing half of a borrowed [`TcpStream`](super::TcpStream).
    pub type WriteHalf<'a> = super::split::WriteHalf<'a, std::net::TcpStream>;
    /// The reading half of a [`TcpStream`](super::TcpStream) that was taken apart.
    pub type OwnedReadHalf = super::owned_halves::OwnedReadHalf<std::net::TcpStream>;
    /// The writing half of a [`TcpStream`](super::TcpStream) that was taken apart.
    pub type OwnedWriteHalf = super::owned_halves::OwnedWriteHalf<std::net::TcpStream>;
    /// The halves given to `reunite` are not of one [`TcpStream`](super::TcpStream).
    pub type ReuniteError = super::owned_halves::ReuniteError<std::net::TcpStream>;
}

/// The halves of a [`UnixStream`], and who is at its other end.
pub mod unix {
    pub use super::unix_stream::UCred;
    pub use std::os::unix::net::SocketAddr;
    /// The reading half of a borrowed [`UnixStream`](super::UnixStream).
    pub type ReadHalf<'a> = super::split::ReadHalf<'a, std::os::unix::net::UnixStream>;
    /// The writing half of a borrowed [`UnixStream`](super::UnixStream).
    pub type WriteHalf<'a> = super::split::WriteHalf<'a, std::os::unix::net::UnixStream>;
    /// The reading half of a [`UnixStream`](super::UnixStream) that was taken apart.
    pub type OwnedReadHalf = super::owned_halves::OwnedReadHalf<std::os::unix::net::UnixStream>;
    /// The writing half of a [`UnixStream`](super::UnixStream) that was taken apart.
    pub type OwnedWriteHalf = super::owned_halves::OwnedWriteHalf<std::os::unix::net::UnixStream>;
    /// The halves given to `reunite` are not of one [`UnixStream`](super::UnixStream).
    pub type ReuniteError = super::owned_halves::ReuniteError<std::os::unix::net::UnixStream>;
}
