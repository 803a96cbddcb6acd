//! Owns how a name or an address becomes socket addresses.

use crate::task::JoinHandle;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

/// What sockets can be bound or connected to: addresses, pairs of an address and a port, and names
/// (`"localhost:80"`, `("localhost", 80)`).
///
/// A name is looked up by the operating system on a thread for blocking functions; the log shows the task
/// that does it. The trait is implemented here for all that it fits, and for nothing elsewhere.
///
/// ```
/// use glasshouse_scheduler::{Builder, net::{TcpListener, ToSocketAddrs}};
/// async fn listen(at: impl ToSocketAddrs) -> std::io::Result<TcpListener> {
///     TcpListener::bind(at).await
/// }
/// # let scheduler = Builder::new().workers(1).build().unwrap();
/// # scheduler.block_on(async {
/// listen("127.0.0.1:0").await.unwrap();
/// listen(("127.0.0.1", 0)).await.unwrap();
/// # });
/// ```
pub trait ToSocketAddrs: sealed::Resolve {}

impl<T: sealed::Resolve + ?Sized> ToSocketAddrs for T {}

/// The addresses of a name, as the operating system has them.
///
/// # Errors
/// What the resolver says; `InvalidInput` for text without a port.
///
/// # Panics
/// Outside of a scheduler, if a name must be looked up.
///
/// ```
/// # let scheduler = glasshouse_scheduler::Builder::new().workers(1).build().unwrap();
/// # scheduler.block_on(async {
/// use glasshouse_scheduler::net::lookup_host;
/// let addresses: Vec<_> = lookup_host("localhost:80").await.unwrap().collect();
/// assert!(addresses.iter().all(|address| address.ip().is_loopback()));
/// # });
/// ```
pub async fn lookup_host<A: ToSocketAddrs>(
    host: A,
) -> io::Result<impl Iterator<Item = SocketAddr>> {
    resolve(host).await
}

/// The addresses, known or looked up.
async fn resolve<A: ToSocketAddrs>(address: A) -> io::Result<vec::IntoIter<SocketAddr>> {
    address.resolve().await
}

/// Calls `attempt` with each address until one succeeds, and gives the last error otherwise.
pub(super) async fn first_of<A: ToSocketAddrs, R>(
    address: A,
    attempt: impl AsyncFn(SocketAddr) -> io::Result<R>,
) -> io::Result<R> {
    let mut last = None;
    for address in resolve(address).await? {
        match attempt(address).await {
            Ok(result) => return Ok(result),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(no_address))
}

/// The first address.
pub(super) async fn first<A: ToSocketAddrs>(address: A) -> io::Result<SocketAddr> {
    resolve(address).await?.next().ok_or_else(no_address)
}

fn no_address() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "the name has no address; check its spelling",
    )
}

/// The addresses of a name, in time.
pub struct Resolving(State);

enum State {
    Known(io::Result<Vec<SocketAddr>>),
    LookingUp(JoinHandle<io::Result<Vec<SocketAddr>>>),
}

impl Resolving {
    fn known(addresses: impl Into<Vec<SocketAddr>>) -> Resolving {
        Resolving(State::Known(Ok(addresses.into())))
    }

    fn look_up(name: impl std::net::ToSocketAddrs + Send + 'static) -> Resolving {
        Resolving(State::LookingUp(crate::spawn_blocking(move || {
            name.to_socket_addrs().map(Iterator::collect)
        })))
    }
}

impl Future for Resolving {
    type Output = io::Result<vec::IntoIter<SocketAddr>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let addresses = match &mut self.0 {
            State::Known(addresses) => std::mem::replace(addresses, Ok(Vec::new())),
            State::LookingUp(task) => {
                ready!(Pin::new(task).poll(cx)).unwrap_or_else(|error| Err(io::Error::other(error)))
            }
        };
        Poll::Ready(addresses.map(Vec::into_iter))
    }
}

mod sealed {
    /// How the types of `ToSocketAddrs` become addresses; out of reach, so that it can change.
    pub trait Resolve {
        /// Starts the look-up, if one is needed.
        fn resolve(&self) -> super::Resolving;
    }
}

use sealed::Resolve;

impl<T: Resolve + ?Sized> Resolve for &T {
    fn resolve(&self) -> Resolving {
        (**self).resolve()
    }
}

impl Resolve for SocketAddr {
    fn resolve(&self) -> Resolving {
        Resolving::known([*self])
    }
}

impl Resolve for SocketAddrV4 {
    fn resolve(&self) -> Resolving {
        Resolving::known([SocketAddr::V4(*self)])
    }
}

impl Resolve for SocketAddrV6 {
    fn resolve(&self) -> Resolving {
        Resolving::known([SocketAddr::V6(*self)])
    }
}

impl Resolve for (IpAddr, u16) {
    fn resolve(&self) -> Resolving {
        Resolving::known([SocketAddr::from(*self)])
    }
}

impl Resolve for (Ipv4Addr, u16) {
    fn resolve(&self) -> Resolving {
        Resolving::known([SocketAddr::from(*self)])
    }
}

impl Resolve for (Ipv6Addr, u16) {
    fn resolve(&self) -> Resolving {
        Resolving::known([SocketAddr::from(*self)])
    }
}

impl Resolve for [SocketAddr] {
    fn resolve(&self) -> Resolving {
        Resolving::known(self)
    }
}

impl Resolve for str {
    fn resolve(&self) -> Resolving {
        // An address needs no look-up, and so no thread.
        match self.parse::<SocketAddr>() {
            Ok(address) => address.resolve(),
            Err(_) => Resolving::look_up(self.to_owned()),
        }
    }
}

impl Resolve for String {
    fn resolve(&self) -> Resolving {
        self.as_str().resolve()
    }
}

impl Resolve for (&str, u16) {
    fn resolve(&self) -> Resolving {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(address) => (address, port).resolve(),
            Err(_) => Resolving::look_up((host.to_owned(), port)),
        }
    }
}

impl Resolve for (String, u16) {
    fn resolve(&self) -> Resolving {
        (self.0.as_str(), self.1).resolve()
    }
}
